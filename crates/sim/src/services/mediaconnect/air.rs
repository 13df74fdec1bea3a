//! What is outside of AWS: encoders at the sources and receivers at the destinations.

use std::collections::BTreeMap;

use crate::config::{Config, Encoder, Receiver};

/// All encoders and receivers that testers spoke of.
#[derive(Clone, Debug)]
pub(crate) struct Air {
    encoders: BTreeMap<(String, String), Encoder>,
    receivers: BTreeMap<(String, Option<String>), Receiver>,
    encoder: Encoder,
    receiver: Receiver,
}

impl Air {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            encoders: BTreeMap::new(),
            receivers: BTreeMap::new(),
            encoder: config.encoder,
            receiver: config.receiver,
        }
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
