//! An output of a pipeline and its connection.

use std::time::Duration;

use serde_json::{Map, Value};

use super::super::{list, settings};
use super::supply::Supply;
use crate::clock::span;
use crate::config::Config;
use crate::outside::Receiver;
use crate::services::ports::{Feed, Push};
use crate::services::track::Track;

/// The connection of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Link {
    /// The pipeline does not run or has not had anything to send yet.
    #[default]
    Off,
    /// So many attempts have failed since it began; the next one is then.
    Trying {
        failed: u64,
        next: Duration,
    },
    Connected,
    /// It has tried often enough.
    Stopped,
}

/// Where an output goes and how it behaves.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) group: String,
    pub(super) output: String,
    rtmp: bool,
    host: String,
    /// Where it connects to, without the stream.
    url: String,
    stream: Option<String>,
    retries: u64,
    interval: Duration,
    restart: Option<Duration>,
    /// Whether it sends nothing while the input is lost.
    pub(super) pauses: bool,
    bitrate: u64,
    /// Width and height of the picture.
    size: (u64, u64),
    /// The secret with its passphrase.
    secret: Option<String>,
}

/// An output over time.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) plan: Plan,
    /// False once the channel's settings do not have it any more.
    pub(super) present: bool,
    link: Link,
    began: Duration,
    /// Whether it failed since it was connected the last time.
    failing: bool,
    /// Whether the last attempt failed over the stream name.
    key_refused: bool,
    /// When it was connected, or the last attempt failed.
    since: Duration,
    /// It has nothing to send just now.
    held: bool,
    /// None while it is not there.
    sending: Track<Option<bool>>,
}

impl Plan {
    /// What it sends by SRT or in datagrams to an address and a port; none if it goes elsewhere.
    pub(super) fn feed(&self, address: &str, sends: Option<u64>) -> Option<Feed> {
        let (scheme, rest) = self.url.split_once("://").filter(|(scheme, _)| ["srt", "rtp", "udp"].contains(scheme))?;
        let port = rest.split(['/', '?']).next()?.rsplit_once(':')?.1.parse().ok()?;
        Some(Feed {
            scheme: scheme.to_owned(),
            host: self.host.clone(),
            port,
            address: address.to_owned(),
            secret: self.secret.clone(),
            sends,
        })
    }
}

impl Line {
    pub(super) fn new(plan: Plan) -> Self {
        Self {
            plan,
            present: true,
            link: Link::Off,
            began: Duration::ZERO,
            failing: false,
            key_refused: false,
            since: Duration::ZERO,
            held: false,
            sending: Track::default(),
        }
    }

    /// The settings have changed: what goes elsewhere connects anew.
    pub(super) fn replan(&mut self, plan: Plan) {
        if (&self.plan.host, &self.plan.stream) != (&plan.host, &plan.stream) {
            self.link = Link::Off;
        }
        self.plan = plan;
        self.present = true;
    }

    /// When it tries the next time.
    pub(super) fn next(&self) -> Option<Duration> {
        match self.link {
            Link::Trying { next, .. } => Some(next),
            Link::Off | Link::Connected | Link::Stopped => None,
        }
    }

    /// Brings the connection up to this time. `on`: there is something to send; `held`: but not just now.
    pub(super) fn record(&mut self, on: bool, held: bool, of: (&str, usize, &str), supply: &Supply<'_>, at: Duration) {
        self.held = held;
        if !on || !self.present {
            self.link = Link::Off;
            self.failing = false;
        } else {
            self.connect(of, supply, at);
        }
        self.sending.set(at, self.present.then_some(self.link == Link::Connected && !held));
    }

    fn connect(&mut self, of: (&str, usize, &str), supply: &Supply<'_>, at: Duration) {
        let (channel, pipeline, address) = of;
        let push = || self.pushed((channel, pipeline));
        let receiver = match self.plan.feed(address, None).is_some_and(|feed| supply.refuses(&feed)) {
            true => Receiver::Refuse,
            false => supply.receiver(&self.plan.host, self.plan.stream.as_deref(), push),
        };
        match self.link {
            Link::Connected if receiver.refuses() => self.lose(at),
            Link::Connected => return,
            Link::Off => {
                self.began = at;
                self.link = Link::Trying { failed: 0, next: at };
            }
            Link::Stopped | Link::Trying { .. } => {}
        }
        let Link::Trying { failed, next } = self.link else { return };
        if next > at {
            return;
        }
        let takes = match receiver {
            Receiver::Accept => true,
            Receiver::Refuse | Receiver::RefuseKey => false,
            Receiver::AcceptAfter { seconds } => at >= self.began + span(seconds),
        };
        self.key_refused = receiver == Receiver::RefuseKey;
        if takes {
            self.since = at;
            self.link = Link::Connected;
            self.failing = false;
        } else {
            self.fail(failed, at);
        }
    }

    /// Another attempt has failed.
    fn fail(&mut self, failed: u64, at: Duration) {
        self.failing = true;
        self.since = at;
        self.link = match failed < self.plan.retries {
            true => Link::Trying { failed: failed + 1, next: at + self.plan.interval },
            false => Link::Stopped,
        };
    }

    /// A connection is lost: it rests, and then begins to try again.
    fn lose(&mut self, at: Duration) {
        self.failing = true;
        self.link = match self.plan.restart {
            Some(delay) => Link::Trying { failed: 0, next: at + delay },
            None => Link::Stopped,
        };
    }

    /// Bits a second that it sends; none while it does not.
    pub(super) fn sends(&self) -> Option<u64> {
        (self.present && self.link == Link::Connected && !self.held).then_some(self.plan.bitrate)
    }

    /// What it pushes to a host by RTMP, or has just failed to; none while it does not try.
    pub(super) fn push(&self, host: &str, of: (&str, usize)) -> Option<Push> {
        let meant = self.plan.rtmp && self.present && self.plan.host == host;
        (meant && (self.link == Link::Connected || self.failing)).then(|| self.pushed(of))
    }

    fn pushed(&self, (channel, pipeline): (&str, usize)) -> Push {
        let Plan { group, output, host, url, stream, bitrate, size, .. } = &self.plan;
        let (scheme, path) = url.split_once("://").unwrap_or_default();
        let path = path.split_once('/').map_or("", |(_, path)| path);
        Push {
            from: format!("{channel}/{pipeline}/{group}/{output}"),
            host: host.clone(),
            application: path.trim_end_matches('/').to_owned(),
            stream: stream.clone().unwrap_or_default(),
            tls: scheme == "rtmps",
            bitrate: *bitrate,
            size: *size,
            connected: self.link == Link::Connected,
            since: self.since,
            sends: !self.held,
            returns: None,
        }
    }

    /// The other side closes the connection, if it is meant.
    pub(super) fn disconnect(&mut self, host: &str, stream: Option<&str>, at: Duration) {
        let meant = self.plan.host == host && stream.is_none_or(|stream| self.plan.stream.as_deref() == Some(stream));
        if meant && self.link == Link::Connected {
            self.lose(at);
            self.sending.set(at, Some(false));
        }
    }

    /// Whether it cannot connect.
    pub(super) fn failing(&self) -> bool {
        self.failing && self.present
    }

    /// Whether it will never try again.
    pub(super) fn given_up(&self) -> bool {
        self.link == Link::Stopped
    }

    /// What an alert says of it.
    pub(super) fn complaint(&self) -> (&'static str, String) {
        let Plan { group, output, host, url, .. } = &self.plan;
        match self.plan.rtmp {
            true => {
                // AWS's alerts of other outputs name neither the group nor the output of the request, but the URL.
                let why =
                    if self.key_refused { ": the server rejected the stream (NetStream.Publish.BadName)" } else { "" };
                ("Failed RTMP Connection", format!("Unable to connect to the RTMP endpoint [{url}]{why}."))
            }
            false => (
                "Failed to Write to Output",
                format!("Output [{output}] of output group [{group}] cannot be written to {host}."),
            ),
        }
    }

    /// Whether it was connected and sent at a time, and how much; none while it was not there.
    pub(super) fn sent(&self, at: Duration) -> Option<u64> {
        self.sending.at(at).copied().flatten().map(|sending| if sending { self.plan.bitrate } else { 0 })
    }

    pub(super) fn active(&self, at: Duration) -> bool {
        self.sending.at(at) == Some(&Some(true))
    }

    /// Whether nothing since then knows of it.
    pub(super) fn forgotten(&self, oldest: Duration) -> bool {
        self.sending.at(oldest) == Some(&None) && self.sending.next(oldest).is_none()
    }

    pub(super) fn prune(&mut self, oldest: Duration) {
        self.sending.prune(oldest);
    }
}

fn seconds(value: &Value, or: u64) -> Duration {
    Duration::from_secs(value.as_u64().unwrap_or(or))
}

/// The outputs that a channel's settings ask of a pipeline.
pub(super) fn plans(settings: &Map<String, Value>, pipeline: usize, config: &Config) -> Vec<Plan> {
    let mut found = Vec::new();
    for (index, group) in settings::encoder_list(settings, "outputGroups").iter().enumerate() {
        let name = group["name"].as_str().map_or_else(|| format!("output-group-{}", index + 1), str::to_owned);
        for (index, output) in group["outputs"].as_array().into_iter().flatten().enumerate() {
            let title = output["outputName"].as_str().map_or_else(|| format!("output-{}", index + 1), str::to_owned);
            found.push(plan(settings, pipeline, config, (group, name.clone()), (output, title)));
        }
    }
    found
}

fn plan(
    settings: &Map<String, Value>,
    pipeline: usize,
    config: &Config,
    (group, group_name): (&Value, String),
    (output, output_name): (&Value, String),
) -> Plan {
    let (id, _) = settings::reference(group, output);
    let destination = list(settings, "destinations").iter().find(|destination| destination["id"] == id);
    let part = |member: &str| destination.map_or(&Value::Null, |destination| &destination[member][pipeline]);
    let url = [part("settings"), part("srtSettings")].into_iter().find_map(|part| part["url"].as_str());
    let stream = part("settings")["streamName"].as_str().or(part("srtSettings")["streamId"].as_str());
    let rtmp = &output["outputSettings"]["rtmpOutputSettings"];
    let of_group = &group["outputGroupSettings"]["rtmpGroupSettings"];
    let is_rtmp = !of_group.is_null();
    let restart = seconds(&of_group["restartDelay"], settings::RESTART_DELAY);
    let interval = match is_rtmp {
        true => seconds(&rtmp["connectionRetryInterval"], settings::RETRY_INTERVAL),
        false => config.medialive.durations.output_retry,
    };
    Plan {
        group: group_name,
        output: output_name,
        rtmp: is_rtmp,
        host: url.map_or_else(|| id.to_owned(), host),
        url: url.unwrap_or(id).to_owned(),
        stream: stream.map(str::to_owned),
        retries: if is_rtmp { rtmp["numRetries"].as_u64().unwrap_or(settings::RETRIES) } else { u64::MAX },
        interval: interval.max(Duration::from_secs(1)),
        restart: (!restart.is_zero()).then_some(restart),
        pauses: of_group["inputLossAction"] == "PAUSE_OUTPUT",
        bitrate: settings::bitrate(settings, output),
        size: settings::size(settings, output),
        secret: part("srtSettings")["encryptionPassphraseSecretArn"].as_str().map(str::to_owned),
    }
}

/// The host of a URL.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let authority = authority.rsplit('@').next().unwrap_or_default();
    authority.rsplit_once(':').map_or(authority, |(host, _)| host).to_owned()
}
