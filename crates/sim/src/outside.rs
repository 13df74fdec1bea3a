//! What is outside of AWS: encoders at the sources and receivers at the destinations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What an encoder sends to a source.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Encoder {
    /// Whether it is there.
    pub connected: bool,
    /// Bits a second.
    pub bitrate: u64,
    /// Lost packets in percent.
    pub packet_loss_percent: f64,
    /// Round trip time in milliseconds.
    pub round_trip_time: f64,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { connected: true, bitrate: 6_000_000, packet_loss_percent: 0.0, round_trip_time: 20.0 }
    }
}

impl Encoder {
    /// Nobody sends.
    pub fn absent() -> Self {
        Self { connected: false, ..Self::default() }
    }
}

/// An encoder that pushes a live stream by RTMP to an address of AWS: the endpoint of a push input, or an ingest endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Publisher {
    /// Whether it is there.
    pub connected: bool,
    /// Bits a second; 0: it keeps its connection and sends nothing.
    pub bitrate: u64,
    /// Width of the picture.
    pub width: u64,
    /// Height of the picture.
    pub height: u64,
    /// Whether it speaks RTMPS.
    pub tls: bool,
    /// The address that it comes from.
    pub address: String,
    /// It is there again so many simulated seconds after the other side has closed its connection.
    pub reconnect_seconds: f64,
}

impl Default for Publisher {
    fn default() -> Self {
        Self {
            connected: true,
            bitrate: 4_500_000,
            width: 1920,
            height: 1080,
            tls: true,
            address: "203.0.113.9".to_owned(),
            reconnect_seconds: 5.0,
        }
    }
}

impl Publisher {
    /// Nobody pushes.
    pub fn absent() -> Self {
        Self { connected: false, ..Self::default() }
    }
}

/// What a destination does with a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum Receiver {
    /// Takes it.
    #[default]
    Accept,
    /// Refuses it, every time.
    Refuse,
    /// Takes the connection and refuses the stream name, every time.
    RefuseKey,
    /// Takes it after a while.
    AcceptAfter {
        /// Simulated time since the output began to try.
        seconds: f64,
    },
}

impl Receiver {
    /// Whether it takes nothing, whenever it is asked.
    pub(crate) fn refuses(self) -> bool {
        matches!(self, Self::Refuse | Self::RefuseKey)
    }
}

/// All encoders and receivers that testers spoke of.
#[derive(Clone, Debug)]
pub(crate) struct Outside {
    encoders: BTreeMap<(String, String), Encoder>,
    receivers: BTreeMap<(String, Option<String>), Receiver>,
    publishers: BTreeMap<(String, String), Publisher>,
    viewers: BTreeMap<String, u64>,
    encoder: Encoder,
    receiver: Receiver,
}

impl Outside {
    /// With these where nobody said anything else.
    pub(crate) fn new(encoder: Encoder, receiver: Receiver) -> Self {
        Self {
            encoders: BTreeMap::new(),
            receivers: BTreeMap::new(),
            publishers: BTreeMap::new(),
            viewers: BTreeMap::new(),
            encoder,
            receiver,
        }
    }

    /// `flow` is a name or an ARN; the flow need not exist yet.
    pub(crate) fn set_encoder(&mut self, flow: &str, source: &str, encoder: Encoder) {
        self.encoders.insert((flow.to_owned(), source.to_owned()), encoder);
    }

    pub(crate) fn set_publisher(&mut self, host: &str, stream: &str, publisher: Publisher) {
        self.publishers.insert((host.to_owned(), stream.to_owned()), publisher);
    }

    /// How many people watch a channel, by its name or ARN.
    pub(crate) fn set_viewers(&mut self, channel: &str, viewers: u64) {
        self.viewers.insert(channel.to_owned(), viewers);
    }

    pub(crate) fn set_receiver(&mut self, host: &str, stream: Option<&str>, receiver: Receiver) {
        self.receivers.insert((host.to_owned(), stream.map(str::to_owned)), receiver);
    }

    pub(crate) fn encoder(&self, flow_arn: &str, flow_name: &str, source: &str) -> Encoder {
        let by = |flow: &str| self.encoders.get(&(flow.to_owned(), source.to_owned())).copied();
        by(flow_arn).or_else(|| by(flow_name)).unwrap_or(self.encoder)
    }

    /// Who pushes to a host, with the name of the stream.
    pub(crate) fn publishers(&self, host: &str) -> impl Iterator<Item = (&str, &Publisher)> {
        let at_host = self.publishers.iter().filter(move |((found, _), _)| found == host);
        at_host.map(|((_, stream), publisher)| (stream.as_str(), publisher))
    }

    /// How many people watch a channel. Nobody, when nobody said anything.
    pub(crate) fn viewers(&self, arn: &str, name: &str) -> u64 {
        self.viewers.get(arn).or_else(|| self.viewers.get(name)).copied().unwrap_or_default()
    }

    /// The receiver of a stream at a host, or of the whole host.
    pub(crate) fn receiver(&self, host: &str, stream: Option<&str>) -> Receiver {
        let by = |stream: Option<&str>| self.receivers.get(&(host.to_owned(), stream.map(str::to_owned))).copied();
        stream.and_then(|stream| by(Some(stream))).or_else(|| by(None)).unwrap_or(self.receiver)
    }
}
