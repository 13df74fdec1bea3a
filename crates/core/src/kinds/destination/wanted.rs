//! From the spec of a Destination to a wish that cannot be wrong.

use std::collections::BTreeMap;

use crate::api::destination::{BackupMode, Delivery, DestinationSpec, Platform};
use crate::api::policy::{DeletionPolicy, RunState, UpdatePolicy};
use crate::api::reference::{KeyReference, LoginPassword};
use crate::encoding::Encoding;
use crate::endpoint::Receiver;
use crate::endpoint::Role;
use crate::failure::Problem;
use crate::feeds::{Feed, Sender};
use crate::identity::Identity;
use crate::keys::Use;
use crate::plan::Desired;
use crate::platforms;
use crate::presets;
use crate::reasons::Reason;
use crate::references::{References, parse_encryption};
use crate::resources::channel::{ChannelSettings, Login, RtmpTarget, Target};
use crate::resources::flow::{Cipher, OutputSettings, Password, Protocol, RtmpPath};
use crate::restart::RestartPolicy;
use crate::secret::SecretText;

/// What a Destination wants of AWS.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Whose it is.
    pub identity: Identity,
    /// All tags of its outputs.
    pub tags: BTreeMap<String, String>,
    /// Name of the Source.
    pub source: String,
    /// On the air.
    pub running: bool,
    /// Make the output while stopped.
    pub prepare: bool,
    /// Whether a change may interrupt.
    pub may_interrupt: bool,
    /// Look, do not act.
    pub suspended: bool,
    /// Region that the spec names.
    pub region: Option<String>,
    /// The outputs of the Source's flow: the primary, and the backup if there is one. None with `Transcode`.
    pub outputs: BTreeMap<Role, OutputWanted>,
    /// The channel, with `Transcode`.
    pub channel: Option<Box<ChannelWanted>>,
    /// Both endpoints are fed all the time.
    pub hot: bool,
    /// Restarts that are allowed.
    pub restart: RestartPolicy,
    /// What tells the keys from others: their fingerprints; `None` when one is not known, or there are none.
    pub key_versions: Option<String>,
    /// The most that the platform accepts, in kbit/s.
    pub max_kbps: Option<i64>,
    /// For people.
    pub platform: Platform,
    /// Why the spec cannot be carried out. Then only a stop is, and there are no outputs here.
    pub problem: Option<Problem>,
    /// Others that send to the same receiver with the same key, as the shell has looked them up by [`Wanted::feeds`].
    pub same_receiver: Vec<Sender>,
}

impl Wanted {
    /// The receivers that it sends to while it runs, each with its key. A receiver that calls sees to it by itself.
    #[must_use]
    pub fn feeds(&self) -> Vec<Feed> {
        if !self.running {
            return Vec::new();
        }
        let mut feeds = Vec::new();
        for output in self.outputs.values() {
            let Ok(settings) = &output.settings else { continue };
            let key = settings.rtmp.as_ref().map(|r| &r.stream).or(settings.stream_id.as_ref());
            feeds.extend(feed(&output.receiver, key));
        }
        for endpoint in self.channel.iter().flat_map(|channel| channel.endpoints.values()) {
            if let Ok(target) = &endpoint.target {
                feeds.extend(feed(&endpoint.receiver, Some(&target.stream)));
            }
        }
        feeds.sort_unstable();
        feeds.dedup();
        feeds
    }
}

/// RTMP and RTMPS are two doors of one receiver.
fn feed(receiver: &Receiver, key: Option<&SecretText>) -> Option<Feed> {
    let host = receiver.host()?.trim_end_matches('.').to_ascii_lowercase();
    let key = key.map_or("", SecretText::expose);
    Some(match receiver {
        Receiver::Rtmp { application, .. } => Feed::of(&["rtmp", &host, application, key]),
        other => Feed::of(&[&other.shown(), &host, key]),
    })
}

/// A channel that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelWanted {
    /// Name of the channel.
    pub name: String,
    /// Name of its input.
    pub input_name: String,
    /// What it encodes to.
    pub encoding: Encoding,
    /// The same for people, with the name of the preset.
    pub encoding_text: String,
    /// What the platform takes and advises against.
    pub warnings: Vec<String>,
    /// Role that MediaLive assumes.
    pub role_arn: Result<String, Problem>,
    /// Where it sends to. A stop must work without its key, so what is missing is a fact here.
    pub endpoints: BTreeMap<Role, EndpointWanted>,
}

/// Where a channel sends to.
#[derive(Clone, Debug, PartialEq)]
pub struct EndpointWanted {
    /// The receiver.
    pub receiver: Receiver,
    /// The same as MediaLive wants it.
    pub target: Result<RtmpTarget, Problem>,
}

impl ChannelWanted {
    /// The settings that feed these endpoints.
    ///
    /// # Errors
    /// A key or the role is missing.
    pub fn settings(&self, feeds: impl Fn(Role) -> bool, input: &str) -> Result<ChannelSettings, Problem> {
        let mut targets = BTreeMap::new();
        for (role, endpoint) in self.endpoints.iter().filter(|(role, _)| feeds(**role)) {
            targets.insert((*role).into(), Target::Rtmp(endpoint.target.clone()?));
        }
        Ok(ChannelSettings::single(self.role_arn.clone()?, input.to_string(), self.encoding.clone(), targets))
    }
}

/// What the operator was started with, as far as a Destination needs it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Roles<'a> {
    /// Role that MediaConnect assumes to read passwords.
    pub mediaconnect: Option<&'a str>,
    /// Role that MediaLive assumes.
    pub medialive: Option<&'a str>,
}

/// An output that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputWanted {
    /// Name.
    pub name: String,
    /// Where it sends to.
    pub receiver: Receiver,
    /// Settings. A stop must work without its key, so what is missing is a fact here and not the end of parsing.
    pub settings: Result<OutputSettings, Problem>,
    /// The password of which the operator keeps a copy.
    pub password: Option<Password>,
}

/// Parses the spec.
#[must_use]
pub fn wanted(
    spec: &DestinationSpec,
    identity: &Identity,
    references: &References,
    roles: Roles<'_>,
    deleting: bool,
) -> Desired<Wanted> {
    if deleting {
        return Desired::Absent;
    }
    match parse(spec, identity, references, roles) {
        Ok(wanted) => Desired::Present(wanted),
        // A stop must work whatever else is wrong.
        Err(problem) if spec.state != Some(RunState::Running) => {
            Desired::Present(Wanted { problem: Some(problem), ..base(spec, identity) })
        }
        Err(problem) => Desired::Invalid(problem),
    }
}

/// Whether AWS's side stays when the object goes.
#[must_use]
pub fn retains(spec: &DestinationSpec) -> bool {
    spec.deletion_policy == DeletionPolicy::Retain
}

/// Whether the spec wants to be on the air; absent means no. A suspended Destination stays as it is, on the air too, so that
/// its Source must not stop.
#[must_use]
pub fn wants_to_run(spec: &DestinationSpec) -> bool {
    spec.state == Some(RunState::Running)
}

fn parse(
    spec: &DestinationSpec,
    identity: &Identity,
    references: &References,
    roles: Roles<'_>,
) -> Result<Wanted, Problem> {
    let preset = platforms::preset(spec.platform);
    let first = receiver("spec.url", spec.url.as_deref(), preset.url, spec.platform)?;
    let mut endpoints = vec![Endpoint {
        role: Role::Primary,
        used_as: used_as(spec.platform, &first),
        receiver: first,
        field: "spec.streamKey",
        key: spec.stream_key.as_ref(),
        url_field: "spec.url",
        login: login(spec.username.as_ref(), spec.password.as_ref()),
    }];
    let mut hot = false;
    if let Some(backup) = &spec.backup {
        let receiver = receiver("spec.backup.url", backup.url.as_deref(), preset.backup_url, spec.platform)?;
        let (field, key) = match &backup.stream_key {
            Some(key) => ("spec.backup.streamKey", Some(key)),
            None => ("spec.streamKey", spec.stream_key.as_ref()),
        };
        endpoints.push(Endpoint {
            role: Role::Backup,
            used_as: used_as(spec.platform, &receiver),
            receiver,
            field,
            key,
            url_field: "spec.backup.url",
            login: login(backup.username.as_ref(), backup.password.as_ref())
                .or_else(|| login(spec.username.as_ref(), spec.password.as_ref())),
        });
        hot = backup.mode == BackupMode::Hot;
    }
    let mut wanted = Wanted {
        hot,
        max_kbps: preset.max_kbps,
        key_versions: fingerprints(&endpoints, references),
        ..base(spec, identity)
    };
    match spec.delivery {
        Delivery::Passthrough => {
            for endpoint in endpoints {
                let role = endpoint.role;
                wanted.outputs.insert(role, output(spec, identity, references, roles.mediaconnect, endpoint)?);
            }
        }
        Delivery::Transcode => {
            let resolved = presets::resolve(spec.encoding.as_deref(), spec.platform, |name| {
                references.presets.get(name).cloned()
            })?;
            // The programme is encoded anew: what it brings does not reach the platform.
            wanted.max_kbps = None;
            wanted.channel = Some(Box::new(ChannelWanted {
                name: identity.channel_name(),
                input_name: identity.input_name(),
                encoding_text: format!("{}: {}", resolved.name, resolved.encoding),
                encoding: resolved.encoding,
                warnings: resolved.warnings,
                role_arn: roles.medialive.map(str::to_string).ok_or_else(|| {
                    Problem::new(
                        Reason::RoleMissing,
                        "spec.delivery Transcode needs a role that MediaLive can assume; start the operator with --medialive-role-arn.",
                    )
                }),
                endpoints: endpoints
                    .into_iter()
                    .map(|e| (e.role, EndpointWanted { target: target(&e, references), receiver: e.receiver }))
                    .collect(),
            }));
        }
    }
    Ok(wanted)
}

/// A receiver and where its key is.
struct Endpoint<'a> {
    role: Role,
    receiver: Receiver,
    field: &'static str,
    key: Option<&'a KeyReference>,
    used_as: Use,
    url_field: &'static str,
    login: Option<Login>,
}

fn login(username: Option<&String>, password: Option<&LoginPassword>) -> Option<Login> {
    let password_parameter = password?.ssm_parameter.clone()?;
    Some(Login { username: username?.clone(), password_parameter })
}

fn used_as(platform: Platform, receiver: &Receiver) -> Use {
    match (platform, receiver) {
        (Platform::Custom, Receiver::Rtmp { .. }) => Use::StreamName,
        (_, Receiver::Rtmp { .. }) => Use::PlatformKey,
        _ => Use::StreamId,
    }
}

/// What tells these keys from others. A key that is missing is not a new one.
fn fingerprints(endpoints: &[Endpoint<'_>], references: &References) -> Option<String> {
    let keys = endpoints.iter().filter_map(|endpoint| Some(references.key(endpoint.field, endpoint.key?)));
    let known: Option<Vec<_>> = keys.map(|found| found.ok()?.fingerprint.as_deref()).collect();
    known.filter(|keys| !keys.is_empty()).map(|keys| keys.join(" "))
}

/// The receiver as MediaLive wants it.
fn target(endpoint: &Endpoint<'_>, references: &References) -> Result<RtmpTarget, Problem> {
    let key = endpoint.key.ok_or_else(key_required)?;
    let key = references.stream_key(endpoint.field, key, endpoint.used_as)?.text.clone();
    RtmpTarget::of(&endpoint.receiver, key, endpoint.login.clone()).ok_or_else(|| {
        Problem::new(
            Reason::InvalidSpec,
            "spec.url must begin with rtmp:// or rtmps:// for delivery Transcode; use delivery Passthrough for other receivers.",
        )
    })
}

fn key_required() -> Problem {
    Problem::new(Reason::InvalidSpec, "spec.streamKey is required for RTMP: name the Secret that holds it.")
}

/// All that cannot be wrong.
fn base(spec: &DestinationSpec, identity: &Identity) -> Wanted {
    Wanted {
        tags: identity.tags(&spec.tags),
        identity: identity.clone(),
        source: spec.from.name.clone(),
        running: spec.state == Some(RunState::Running),
        prepare: spec.prepare,
        may_interrupt: spec.update_policy == UpdatePolicy::Restart,
        suspended: spec.suspend,
        region: spec.region.clone(),
        outputs: BTreeMap::new(),
        channel: None,
        hot: false,
        restart: RestartPolicy::of(&spec.retry),
        key_versions: None,
        max_kbps: None,
        platform: spec.platform,
        problem: None,
        same_receiver: Vec::new(),
    }
}

fn receiver(field: &str, url: Option<&str>, known: Option<&str>, platform: Platform) -> Result<Receiver, Problem> {
    let invalid = |text: String| Problem::new(Reason::InvalidSpec, format!("{field} {text}."));
    let Some(text) = url.or(known) else {
        return Err(invalid(format!(
            "is required: platform {platform:?} has no ingest URL that is known beforehand; copy it from the live page"
        )));
    };
    let receiver = Receiver::parse(text).map_err(invalid)?;
    match (platform, &receiver) {
        (Platform::Custom, _) => {}
        (Platform::Facebook, Receiver::Rtmp { tls: false, .. }) => {
            return Err(invalid("must begin with rtmps://: Facebook takes no plain RTMP".into()));
        }
        // On the platforms the application is one word. More than that is a key that was pasted along with the URL.
        // LinkedIn's have two words.
        (Platform::LinkedIn, Receiver::Rtmp { .. }) => {}
        (_, Receiver::Rtmp { application, .. }) if application.split('?').next().is_some_and(|p| p.contains('/')) => {
            return Err(invalid(
                "holds more than the application: take the stream key out of it and put it into a Secret".into(),
            ));
        }
        (_, Receiver::Rtmp { .. }) => {}
        _ => return Err(invalid(format!("must begin with rtmp:// or rtmps:// for platform {platform:?}"))),
    }
    Ok(receiver)
}

fn output(
    spec: &DestinationSpec,
    identity: &Identity,
    references: &References,
    role_arn: Option<&str>,
    Endpoint { role, receiver, field, key, used_as, url_field, login }: Endpoint<'_>,
) -> Result<OutputWanted, Problem> {
    let key = key.map(|k| references.stream_key(field, k, used_as).map(|found| found.text.clone())).transpose();
    let mut password = None;
    let mut cipher: Result<Option<Cipher>, Problem> = Ok(None);
    if let Some(encryption) = &spec.encryption {
        let protocol = if matches!(receiver, Receiver::Zixi { .. }) { Protocol::ZixiPush } else { Protocol::SrtCaller };
        // One copy for both outputs: they share the password.
        let name = |fingerprint: Option<&str>| identity.secret_name("receiver", fingerprint);
        match parse_encryption("spec.encryption", encryption, protocol, name, references, role_arn) {
            Ok((c, copy)) => {
                cipher = Ok(Some(c));
                password = copy;
            }
            Err(problem) => cipher = Err(problem),
        }
    }
    let unfit = receiver.fault_of_flow().map(|fault| format!("{url_field} {fault}."));
    let unfit = unfit.or_else(|| {
        login.map(|_| "spec.username and spec.password go with delivery: Transcode, because an output of a MediaConnect flow cannot log in.".into())
    });
    let settings = match (unfit, key, cipher) {
        (Some(text), ..) => Err(Problem::new(Reason::InvalidSpec, text)),
        (None, Err(problem), _) | (None, _, Err(problem)) => Err(problem),
        (None, Ok(key), Ok(cipher)) => settings(spec, &receiver, key, cipher),
    };
    Ok(OutputWanted { name: identity.output_name(role.as_str()), receiver, settings, password })
}

fn settings(
    spec: &DestinationSpec,
    receiver: &Receiver,
    key: Option<SecretText>,
    encryption: Option<Cipher>,
) -> Result<OutputSettings, Problem> {
    let srt = spec.srt.as_ref();
    let mut settings = OutputSettings {
        protocol: Protocol::Other,
        destination: None,
        port: None,
        min_latency: None,
        cidr_allow_list: Vec::new(),
        stream_id: None,
        encryption,
        rtmp: None,
    };
    let mut at = |protocol, host: &str, port: u16| {
        settings.protocol = protocol;
        settings.destination = Some(host.to_string());
        settings.port = Some(i32::from(port));
    };
    match receiver {
        Receiver::Rtmp { host, port, tls, application } => {
            at(Protocol::RtmpPush, host, *port);
            let stream = key.ok_or_else(key_required)?;
            settings.rtmp = Some(RtmpPath { application: application.clone(), stream, tls: *tls });
        }
        Receiver::SrtCaller { host, port } => {
            at(Protocol::SrtCaller, host, *port);
            settings.min_latency = srt.and_then(|s| s.min_latency_ms);
            settings.stream_id = key;
        }
        Receiver::SrtListener { port } => {
            settings.protocol = Protocol::SrtListener;
            settings.port = Some(i32::from(*port));
            settings.min_latency = srt.and_then(|s| s.min_latency_ms);
            settings.cidr_allow_list = srt.map(|s| s.allowed_cidrs.clone()).unwrap_or_default();
            if settings.cidr_allow_list.is_empty() {
                return Err(Problem::new(
                    Reason::InvalidSpec,
                    "spec.srt.allowedCidrs is required with ?mode=listener: it says who may call.",
                ));
            }
        }
        Receiver::Rtp { host, port, fec } => {
            at(if *fec { Protocol::RtpFec } else { Protocol::Rtp }, host, *port);
        }
        Receiver::Rist { host, port } => at(Protocol::Rist, host, *port),
        Receiver::Zixi { host, port } => {
            at(Protocol::ZixiPush, host, *port);
            settings.stream_id = Some(key.ok_or_else(|| {
                Problem::new(Reason::InvalidSpec, "spec.streamKey is required for Zixi: it is the stream id.")
            })?);
        }
    }
    Ok(settings)
}
