//! From the spec of a Source to a wish that cannot be wrong.

use std::collections::BTreeMap;

use crate::api::policy::{DeletionPolicy, RunState};
use crate::api::reference::Encryption;
use crate::api::source::{ExternalPolicy, FailoverMode, FlowSize, Health, Input, InputProtocol, Priority, SourceSpec};
use crate::failure::Problem;
use crate::identity::Identity;
use crate::keys::Use;
use crate::plan::Desired;
use crate::reasons::Reason;
use crate::references::{References, needed_role, parse_encryption};
use crate::resources::flow::ndi::Ndi;
use crate::resources::flow::{MaintenanceWindow, Password, Protocol, RtmpPath, SourceSettings, VpcInterface};

/// What a Source wants of AWS.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Whose it is.
    pub identity: Identity,
    /// Name of a flow that is made.
    pub flow_name: String,
    /// All tags of the flow.
    pub tags: BTreeMap<String, String>,
    /// Enabled inputs, in order of priority.
    pub inputs: Vec<InputWanted>,
    /// Override of the order.
    pub active_input: Option<String>,
    /// Merge rather than switch, with the recovery window.
    pub merge: Option<Option<i32>>,
    /// The switch; `None`: as the users want.
    pub state: Option<RunState>,
    /// Look, do not act.
    pub suspended: bool,
    /// `MEDIUM` or `LARGE`.
    pub size: Option<String>,
    /// Where the flow is made.
    pub availability_zone: Option<String>,
    /// Interfaces in VPCs.
    pub vpc_interfaces: Vec<VpcInterface>,
    /// NDI discovery.
    pub ndi: Option<Ndi>,
    /// When AWS may restart the flow for its maintenance; `None`: as AWS likes.
    pub maintenance: Option<MaintenanceWindow>,
    /// Thresholds.
    pub health: Health,
    /// Why the spec cannot be carried out. Then only a stop is, and there are no inputs here.
    pub problem: Option<Problem>,
}

/// An input that is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct InputWanted {
    /// Name.
    pub name: String,
    /// Rank.
    pub priority: Priority,
    /// Settings of the flow's source. The ARN of an own copy of a password is filled in by the planner.
    pub settings: SourceSettings,
    /// The password of which the operator keeps a copy.
    pub password: Option<Password>,
}

/// Parses the spec.
#[must_use]
pub fn wanted(
    spec: &SourceSpec,
    identity: &Identity,
    references: &References,
    role_arn: Option<&str>,
    deleting: bool,
) -> Desired<Wanted> {
    if deleting {
        return Desired::Absent;
    }
    if spec.external_policy() == Some(ExternalPolicy::Reference) {
        // The flow brings its own inputs.
        return Desired::Present(base(spec, identity));
    }
    match parse(spec, identity, references, role_arn) {
        Ok(wanted) => Desired::Present(wanted),
        // A stop must work whatever else is wrong: told to, or because nothing uses the flow any more.
        Err(problem) => Desired::Present(Wanted { problem: Some(problem), ..base(spec, identity) }),
    }
}

/// Whether AWS's side stays when the object goes.
#[must_use]
pub fn retains(spec: &SourceSpec) -> bool {
    spec.deletion_policy == DeletionPolicy::Retain || spec.external_policy() == Some(ExternalPolicy::Reference)
}

fn parse(
    spec: &SourceSpec,
    identity: &Identity,
    references: &References,
    role_arn: Option<&str>,
) -> Result<Wanted, Problem> {
    let mut inputs = Vec::new();
    for input in spec.inputs.iter().filter(|i| i.enabled) {
        inputs.push(parse_input(spec, input, identity, references, role_arn)?);
    }
    if inputs.is_empty() {
        return Err(Problem::new(Reason::InvalidSpec, "spec.inputs: at least one input must be enabled."));
    }
    inputs.sort_by_key(|i| i.priority);
    let network = spec.network.as_ref();
    let vpc_interfaces = network
        .map(|n| n.vpc_interfaces.as_slice())
        .unwrap_or_default()
        .iter()
        .map(|v| {
            Ok(VpcInterface {
                name: v.name.clone(),
                subnet_id: v.subnet_id.clone(),
                security_group_ids: v.security_group_ids.clone(),
                role_arn: needed_role(role_arn, "spec.network.vpcInterfaces")?,
            })
        })
        .collect::<Result<_, Problem>>()?;
    Ok(Wanted { inputs, vpc_interfaces, ..base(spec, identity) })
}

/// All that cannot be wrong.
fn base(spec: &SourceSpec, identity: &Identity) -> Wanted {
    let failover = spec.failover.as_ref();
    let network = spec.network.as_ref();
    Wanted {
        flow_name: identity.flow_name(),
        tags: identity.tags(&spec.tags),
        identity: identity.clone(),
        inputs: Vec::new(),
        active_input: spec.active_input.clone(),
        merge: failover.filter(|f| f.mode == FailoverMode::Merge).map(|f| f.recovery_window_ms),
        state: spec.state.fixed(),
        suspended: spec.suspend,
        size: spec.flow_size.map(|s| match s {
            FlowSize::Medium => "MEDIUM".to_string(),
            FlowSize::Large => "LARGE".to_string(),
        }),
        availability_zone: network.and_then(|n| n.availability_zone.clone()),
        vpc_interfaces: Vec::new(),
        ndi: spec.ndi.as_ref().map(|n| Ndi {
            machine_name: n.machine_name.clone(),
            servers: n.discovery_servers.iter().map(|s| (s.address.clone(), s.port, s.vpc_interface.clone())).collect(),
        }),
        maintenance: spec.maintenance.as_ref().map(|window| MaintenanceWindow {
            day: format!("{:?}", window.day),
            start: format!("{:02}:00", window.start_hour),
        }),
        health: spec.health.clone(),
        problem: None,
    }
}

fn parse_input(
    spec: &SourceSpec,
    input: &Input,
    identity: &Identity,
    references: &References,
    role_arn: Option<&str>,
) -> Result<InputWanted, Problem> {
    let field = format!("spec.inputs[{}]", input.name);
    let lacking = |block: &str| {
        Problem::new(Reason::InvalidSpec, format!("{field}: protocol {:?} needs the block {block}.", input.protocol))
    };
    let mut settings = SourceSettings {
        protocol: Protocol::Other,
        description: format!("{:?} input {} of {}/{}", input.priority, input.name, identity.namespace, identity.name),
        whitelist_cidr: None,
        ingest_port: None,
        max_bitrate: spec.max_bitrate,
        min_latency: None,
        max_latency: None,
        stream_id: None,
        listener_address: None,
        listener_port: None,
        vpc_interface: input.vpc_interface.clone(),
        decryption: None,
        rtmp: None,
        ndi_source_name: None,
    };
    let mut encryption: Option<&Encryption> = None;
    match input.protocol {
        InputProtocol::SrtListener => {
            let s = input.srt_listener.as_ref().ok_or_else(|| lacking("srtListener"))?;
            settings.protocol = Protocol::SrtListener;
            settings.ingest_port = Some(s.port);
            settings.whitelist_cidr.clone_from(&s.allowed_cidr);
            settings.min_latency = s.min_latency_ms;
            encryption = s.encryption.as_ref();
        }
        InputProtocol::SrtCaller => {
            let s = input.srt_caller.as_ref().ok_or_else(|| lacking("srtCaller"))?;
            settings.protocol = Protocol::SrtCaller;
            settings.listener_address = Some(s.address.clone());
            settings.listener_port = Some(s.port);
            settings.stream_id.clone_from(&s.stream_id);
            settings.min_latency = s.min_latency_ms;
            encryption = s.encryption.as_ref();
        }
        InputProtocol::Rtp | InputProtocol::RtpFec => {
            let s = input.rtp.as_ref().ok_or_else(|| lacking("rtp"))?;
            settings.protocol = if input.protocol == InputProtocol::Rtp { Protocol::Rtp } else { Protocol::RtpFec };
            settings.ingest_port = Some(s.port);
            settings.whitelist_cidr.clone_from(&s.allowed_cidr);
        }
        InputProtocol::Rist => {
            let s = input.rist.as_ref().ok_or_else(|| lacking("rist"))?;
            settings.protocol = Protocol::Rist;
            settings.ingest_port = Some(s.port);
            settings.whitelist_cidr.clone_from(&s.allowed_cidr);
            settings.max_latency = s.max_latency_ms;
        }
        InputProtocol::ZixiPush => {
            let s = input.zixi_push.as_ref().ok_or_else(|| lacking("zixiPush"))?;
            settings.protocol = Protocol::ZixiPush;
            settings.whitelist_cidr.clone_from(&s.allowed_cidr);
            settings.stream_id = Some(s.stream_id.clone().unwrap_or_else(|| input.name.clone()));
            settings.max_latency = s.max_latency_ms;
            encryption = s.encryption.as_ref();
        }
        InputProtocol::Rtmp => {
            let s = input.rtmp.as_ref().ok_or_else(|| lacking("rtmp"))?;
            settings.protocol = Protocol::RtmpPush;
            settings.whitelist_cidr.clone_from(&s.allowed_cidr);
            settings.rtmp = Some(RtmpPath {
                application: s.application_name.clone(),
                stream: references
                    .stream_key(&format!("{field}.rtmp.streamKey"), &s.stream_key, Use::StreamName)?
                    .text
                    .clone(),
                tls: false,
            });
        }
        InputProtocol::Ndi => {
            let s = input.ndi.as_ref().ok_or_else(|| lacking("ndi"))?;
            settings.protocol = Protocol::Ndi;
            settings.ndi_source_name.clone_from(&s.source_name);
        }
    }
    let mut password = None;
    if let Some(encryption) = encryption {
        let (cipher, copy) = parse_encryption(
            &format!("{field}.encryption"),
            encryption,
            settings.protocol,
            |fingerprint| identity.secret_name(&input.name, fingerprint),
            references,
            role_arn,
        )?;
        settings.decryption = Some(cipher);
        password = copy;
    }
    Ok(InputWanted { name: input.name.clone(), priority: input.priority, settings, password })
}
