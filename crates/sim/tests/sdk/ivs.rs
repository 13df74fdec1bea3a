//! IVS, spoken to by the SDK.

use std::time::Duration;

use aws_sdk_ivs::error::ProvideErrorMetadata as _;
use aws_sdk_ivs::operation::get_stream::GetStreamError;
use aws_sdk_ivs::types::{ChannelType, StreamHealth, StreamState};
use playout_sim::{Fault, FaultKind, Publisher, Switches};

use super::{sdk, world};

#[tokio::test]
async fn a_channel_goes_live_and_away() {
    let (sim, server) = world().await;
    let client = aws_sdk_ivs::Client::new(&sdk(&server.url(), "simulator-secret", 1).await);
    let made =
        client.create_channel().name("show").r#type(ChannelType::StandardChannelType).tags("team", "live").send().await;
    let made = made.expect("create");
    let (channel, key) = (made.channel.expect("channel"), made.stream_key.expect("key"));
    let arn = channel.arn.expect("arn");
    let (host, value) = (channel.ingest_endpoint.expect("endpoint"), key.value.expect("value"));
    let keys = client.list_stream_keys().channel_arn(&arn).send().await.expect("keys");
    let shown =
        client.get_stream_key().arn(keys.stream_keys[0].arn.as_deref().expect("arn")).send().await.expect("key");
    assert_eq!(shown.stream_key.and_then(|key| key.value).as_ref(), Some(&value));
    let found = client.list_channels().filter_by_name("show").send().await.expect("list");
    assert_eq!(found.channels[0].tags.as_ref().expect("tags")["team"], "live");

    let offline = client.get_stream().channel_arn(&arn).send().await.expect_err("offline").into_service_error();
    // The text has a member of its own, which the SDK does not take for the message.
    assert_eq!(offline.message(), None);
    let GetStreamError::ChannelNotBroadcasting(offline) = offline else { panic!("{offline:?}") };
    assert!(offline.exception_message().is_some_and(|text| text.contains("not currently online")), "{offline:?}");
    sim.set_publisher(&host, &value, Publisher::default());
    let mut stream = None;
    for _ in 0..200 {
        match client.get_stream().channel_arn(&arn).send().await {
            Ok(answer) => {
                stream = answer.stream;
                break;
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    let stream = stream.expect("live");
    assert_eq!((stream.state, stream.health), (Some(StreamState::StreamLive), Some(StreamHealth::StreamHealthy)));
    assert!(stream.start_time.is_some());

    let busy = client.delete_channel().arn(&arn).send().await.expect_err("live").into_service_error();
    assert!(busy.is_conflict_exception());
    let busy = client.update_channel().arn(&arn).name("x").send().await.expect_err("live").into_service_error();
    assert!(busy.is_conflict_exception());
    sim.set_publisher(&host, &value, Publisher::absent());
    for _ in 0..200 {
        match client.delete_channel().arn(&arn).send().await {
            Ok(_) => {
                assert_eq!(sim.counts()["total"], 0);
                return;
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    panic!("the channel is live for ever");
}

#[tokio::test]
async fn refusals_are_known_by_their_kind() {
    let (sim, server) = world().await;
    sim.set_throttling(false);
    let client = aws_sdk_ivs::Client::new(&sdk(&server.url(), "simulator-secret", 1).await);
    let made = client.create_channel().send().await.expect("create");
    let arn = made.channel.and_then(|channel| channel.arn).expect("arn");
    let second = client.create_stream_key().channel_arn(&arn).send().await.expect_err("one key").into_service_error();
    assert!(second.is_service_quota_exceeded_exception());
    let tags = client.list_tags_for_resource().resource_arn(&arn).send().await.expect("tags");
    assert_eq!(tags.tags.len(), 0);
    sim.set_quotas(&serde_json::json!({ "ivsChannels": 1 })).expect("quotas");
    let full = client.create_channel().send().await.expect_err("one channel").into_service_error();
    assert!(full.is_service_quota_exceeded_exception());
    sim.set_switches(Switches { pending_verification: true, ..Switches::default() });
    let pending = client.delete_channel().arn(&arn).send().await.expect_err("not verified").into_service_error();
    assert!(pending.is_pending_verification());
    sim.plant_fault(Fault::new("ivs", "GetChannel", FaultKind::Throttle));
    let late = client.get_channel().arn(&arn).send().await.expect_err("too many");
    assert_eq!(late.raw_response().map(|answer| answer.status().as_u16()), Some(429));
    assert_eq!(late.code(), Some("ThrottlingException"));
    let none = client.get_channel().arn(arn.replace("channel/", "channel/x")).send().await.expect_err("none");
    assert!(none.into_service_error().is_resource_not_found_exception());
}
