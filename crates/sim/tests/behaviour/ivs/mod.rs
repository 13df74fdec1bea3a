//! IVS.

mod channels;
mod limits;
mod outputs;
mod streams;
mod walk;

use playout_sim::Publisher;
use serde_json::{Value, json};

use crate::aws::{Aws, Failure, text};

/// A channel as its creation told it.
pub struct Made {
    pub arn: String,
    pub host: String,
    pub key_arn: String,
    pub key: String,
}

impl Aws {
    pub fn ivs(&self, operation: &str, input: Value) -> Result<Value, Failure> {
        self.call("ivs", operation, input)
    }

    pub fn ivs_channel(&self, wanted: Value) -> Made {
        let made = self.ivs("CreateChannel", wanted).expect("CreateChannel");
        Made {
            arn: text(&made["channel"]["arn"]),
            host: text(&made["channel"]["ingestEndpoint"]),
            key_arn: text(&made["streamKey"]["arn"]),
            key: text(&made["streamKey"]["value"]),
        }
    }

    /// An encoder pushes with a key; the channel is live.
    pub fn live(&self, channel: &Made) {
        self.sim.set_publisher(&channel.host, &channel.key, Publisher::default());
        self.pass(6);
        self.stream(channel).expect("live");
    }

    pub fn stream(&self, channel: &Made) -> Result<Value, Failure> {
        self.ivs("GetStream", json!({ "channelArn": channel.arn })).map(|answer| answer["stream"].clone())
    }

    /// The latest session.
    pub fn session(&self, channel: &Made) -> Value {
        let answer = self.ivs("GetStreamSession", json!({ "channelArn": channel.arn })).expect("a session");
        answer["streamSession"].clone()
    }

    /// What happened in the latest session, oldest first.
    pub fn events(&self, channel: &Made) -> Vec<String> {
        let session = self.session(channel);
        session["truncatedEvents"].as_array().expect("events").iter().rev().map(|event| text(&event["name"])).collect()
    }

    /// The sessions of a channel, the latest first.
    pub fn sessions(&self, channel: &Made) -> Vec<Value> {
        let answer = self.ivs("ListStreamSessions", json!({ "channelArn": channel.arn })).expect("sessions");
        answer["streamSessions"].as_array().expect("sessions").clone()
    }
}

#[track_caller]
pub fn offline(result: Result<Value, Failure>) {
    crate::aws::refused(result, 404, "ChannelNotBroadcasting", "not currently online");
}
