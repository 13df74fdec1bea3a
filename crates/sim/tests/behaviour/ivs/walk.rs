//! Many calls in no good order: nothing breaks, and what must always be true is.

use playout_sim::Publisher;
use serde_json::{Value, json};

use crate::aws::{Aws, text};
use crate::walk::Dice;

/// ARN and value of a stream key.
type Key = (String, String);

/// The channels of the world with their ingest endpoints and keys, as AWS shows them.
fn channels(aws: &Aws) -> Vec<(String, String, Option<Key>)> {
    let listed = aws.ivs("ListChannels", json!({})).expect("list")["channels"].clone();
    let seen = |channel: &Value| {
        let arn = text(&channel["arn"]);
        let whole = aws.ivs("GetChannel", json!({ "arn": arn })).expect("get")["channel"].clone();
        let keys = aws.ivs("ListStreamKeys", json!({ "channelArn": arn, "maxResults": 50 })).expect("keys");
        let keys = keys["streamKeys"].as_array().expect("keys").clone();
        assert!(keys.len() < 2, "a channel has one key");
        let key = keys.first().map(|key| {
            let shown = aws.ivs("GetStreamKey", json!({ "arn": key["arn"] })).expect("key")["streamKey"].clone();
            (text(&shown["arn"]), text(&shown["value"]))
        });
        (arn, text(&whole["ingestEndpoint"]), key)
    };
    listed.as_array().expect("channels").iter().map(seen).collect()
}

#[test]
fn after_any_calls_in_any_order_streams_are_those_that_are_pushed() {
    for seed in 0..4 {
        let (aws, mut dice) = (Aws::new(), Dice::new(seed));
        aws.sim.set_quotas(&json!({ "ivsChannels": 3, "concurrentStreams": 2 })).expect("quotas");
        let mut pushed: Vec<(String, String)> = Vec::new();
        for _ in 0..60 {
            let all = channels(&aws);
            let one = (!all.is_empty()).then(|| all[dice.roll(all.len())].clone());
            // What is refused is refused in order; the rest is checked below.
            let _ = match (dice.roll(9), one) {
                (0, _) | (_, None) => aws.ivs("CreateChannel", json!({ "type": dice.one(&["BASIC", "STANDARD"]) })),
                (1, Some((arn, ..))) => aws.ivs("DeleteChannel", json!({ "arn": arn })),
                (2, Some((arn, ..))) => aws.ivs("StopStream", json!({ "channelArn": arn })),
                (3, Some((_, _, Some((key, _))))) => aws.ivs("DeleteStreamKey", json!({ "arn": key })),
                (3 | 4, Some((arn, ..))) => aws.ivs("CreateStreamKey", json!({ "channelArn": arn })),
                (5 | 6, Some((_, host, Some((_, key))))) => {
                    let bitrate = [0, 3_000_000, 9_000_000][dice.roll(3)];
                    aws.sim.set_publisher(&host, &key, Publisher { bitrate, ..Publisher::default() });
                    pushed.push((host, key));
                    Ok(Value::Null)
                }
                (7, _) if !pushed.is_empty() => {
                    let (host, key) = pushed.swap_remove(dice.roll(pushed.len()));
                    aws.sim.set_publisher(&host, &key, Publisher::absent());
                    Ok(Value::Null)
                }
                _ => Ok(Value::Null),
            };
            aws.pass([0, 1, 4, 40][dice.roll(4)]);
            let streams = aws.ivs("ListStreams", json!({})).expect("list")["streams"].clone();
            let live: Vec<String> =
                streams.as_array().expect("streams").iter().map(|stream| text(&stream["channelArn"])).collect();
            assert!(live.len() < 5, "two, and those that have just ended");
            for (arn, ..) in channels(&aws) {
                let stream = aws.ivs("GetStream", json!({ "channelArn": arn }));
                assert_eq!(stream.is_ok(), live.contains(&arn), "{arn}: {stream:?}");
            }
        }
        for (host, key) in pushed {
            aws.sim.set_publisher(&host, &key, Publisher::absent());
        }
        aws.pass(40);
        assert_eq!(aws.ivs("ListStreams", json!({})).expect("list")["streams"], json!([]), "seed {seed}");
        for (arn, ..) in channels(&aws) {
            aws.ivs("DeleteChannel", json!({ "arn": arn })).expect("nobody pushes");
        }
        assert_eq!(aws.sim.counts()["total"], 0);
    }
}
