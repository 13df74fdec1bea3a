//! MediaLive.

mod air;
mod channels;
mod control;
mod failover;
mod inputs;
mod pushed;
mod relay;
mod rules;
mod schedule;
mod walk;

use serde_json::{Value, json};

use crate::aws::{Aws, Failure, ROLE, text};

impl Aws {
    pub fn medialive(&self, operation: &str, input: Value) -> Result<Value, Failure> {
        self.call("medialive", operation, input)
    }

    /// An input of a flow, DETACHED; answers its id.
    pub fn input(&self, name: &str, flow: &str) -> String {
        let made = self.medialive("CreateInput", connect_input(name, &[flow])).expect("CreateInput");
        self.pass(3);
        text(&made["input"]["id"])
    }

    /// A channel with one RTMP output, IDLE; answers its id.
    pub fn channel(&self, name: &str, input: &str) -> String {
        self.channel_of(channel(name, &[input]))
    }

    pub fn channel_of(&self, wanted: Value) -> String {
        let made = self.medialive("CreateChannel", wanted).expect("CreateChannel");
        self.pass(5);
        text(&made["channel"]["id"])
    }

    /// A flow, its input and a channel with one RTMP output, IDLE; answers the ids of input and channel.
    pub fn chain(&self, name: &str) -> (String, String) {
        let flow = self.flow(name);
        let input = self.input(name, &flow);
        let channel = self.channel(name, &input);
        (input, channel)
    }

    pub fn run(&self, channel: &str) {
        self.medialive("StartChannel", json!({ "channelId": channel })).expect("StartChannel");
        self.pass(120);
    }

    pub fn describe_channel(&self, id: &str) -> Value {
        self.medialive("DescribeChannel", json!({ "channelId": id })).expect("DescribeChannel")
    }

    pub fn describe_input(&self, id: &str) -> Value {
        self.medialive("DescribeInput", json!({ "inputId": id })).expect("DescribeInput")
    }

    pub fn channel_state(&self, id: &str) -> String {
        text(&self.describe_channel(id)["state"])
    }

    pub fn input_state(&self, id: &str) -> String {
        text(&self.describe_input(id)["state"])
    }
}

/// A request for an input that takes these flows.
pub fn connect_input(name: &str, flows: &[&str]) -> Value {
    let flows: Vec<Value> = flows.iter().map(|flow| json!({ "flowArn": flow })).collect();
    json!({ "name": name, "type": "MEDIACONNECT", "roleArn": ROLE, "mediaConnectFlows": flows })
}

/// A request for a channel of one pipeline with one RTMP output to `live.example.net` with the stream `NAME-key`.
pub fn channel(name: &str, inputs: &[&str]) -> Value {
    let attachment = |input: &&str| {
        json!({
            "inputId": input,
            "inputAttachmentName": format!("attachment-{input}"),
            "inputSettings": { "audioSelectors": [{ "name": "default" }] },
        })
    };
    json!({
        "name": name,
        "roleArn": ROLE,
        "channelClass": "SINGLE_PIPELINE",
        "inputSpecification": { "codec": "AVC", "resolution": "HD", "maximumBitrate": "MAX_10_MBPS" },
        "inputAttachments": inputs.iter().map(attachment).collect::<Vec<_>>(),
        "destinations": [{ "id": "rtmp0", "settings": [rtmp_url(&format!("{name}-key"))] }],
        "encoderSettings": {
            "timecodeConfig": { "source": "SYSTEMCLOCK" },
            "audioDescriptions": [{
                "name": "aac",
                "audioSelectorName": "default",
                "codecSettings": { "aacSettings": { "bitrate": 128_000.0, "sampleRate": 48_000.0, "profile": "LC" } },
            }],
            "videoDescriptions": [{
                "name": "v1080p30",
                "width": 1920,
                "height": 1080,
                "codecSettings": {
                    "h264Settings": {
                        "rateControlMode": "CBR",
                        "bitrate": 4_500_000,
                        "bufSize": 4_500_000,
                        "framerateControl": "SPECIFIED",
                        "framerateNumerator": 30,
                        "framerateDenominator": 1,
                        "gopSize": 2.0,
                        "gopSizeUnits": "SECONDS",
                    },
                },
            }],
            "outputGroups": [rtmp_group("rtmp", "rtmp0")],
        },
    })
}

pub fn rtmp_url(key: &str) -> Value {
    json!({ "url": "rtmps://live.example.net:443/app", "streamName": key })
}

/// A group with one output to a destination.
pub fn rtmp_group(name: &str, destination: &str) -> Value {
    json!({
        "name": name,
        "outputGroupSettings": { "rtmpGroupSettings": { "restartDelay": 15, "cacheLength": 30 } },
        "outputs": [{
            "outputName": destination,
            "videoDescriptionName": "v1080p30",
            "audioDescriptionNames": ["aac"],
            "outputSettings": {
                "rtmpOutputSettings": {
                    "destination": { "destinationRefId": destination },
                    "connectionRetryInterval": 2,
                    "numRetries": 10,
                },
            },
        }],
    })
}
