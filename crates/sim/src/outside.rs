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
    encoder: Encoder,
    receiver: Receiver,
}

impl Outside {
    /// With these where nobody said anything else.
    pub(crate) fn new(encoder: Encoder, receiver: Receiver) -> Self {
        Self { encoders: BTreeMap::new(), receivers: BTreeMap::new(), encoder, receiver }
    }

    /// `flow` is a name or an ARN; the flow need not exist yet.
    pub(crate) fn set_encoder(&mut self, flow: &str, source: &str, encoder: Encoder) {
        self.encoders.insert((flow.to_owned(), source.to_owned()), encoder);
    }

    pub(crate) fn set_receiver(&mut self, host: &str, stream: Option<&str>, receiver: Receiver) {
        self.receivers.insert((host.to_owned(), stream.map(str::to_owned)), receiver);
    }

    pub(crate) fn encoder(&self, flow_arn: &str, flow_name: &str, source: &str) -> Encoder {
        let by = |flow: &str| self.encoders.get(&(flow.to_owned(), source.to_owned())).copied();
        by(flow_arn).or_else(|| by(flow_name)).unwrap_or(self.encoder)
    }

    /// The receiver of a stream at a host, or of the whole host.
    pub(crate) fn receiver(&self, host: &str, stream: Option<&str>) -> Receiver {
        let by = |stream: Option<&str>| self.receivers.get(&(host.to_owned(), stream.map(str::to_owned))).copied();
        stream.and_then(|stream| by(Some(stream))).or_else(|| by(None)).unwrap_or(self.receiver)
    }
}
