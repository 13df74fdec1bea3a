//! AWS that does not answer, and people who change what is ours.

use anyhow::{Result, ensure};
use playout_stage::wait_until;
use serde_json::{Value, json};

use super::{FLAGS, has_nothing, message, of_medialive, status};
use crate::fixtures::{PATIENCE, Show, condition, destination, key, secret, source, text, transcode};

together!(outages_and_other_people:
    a_failed_measurement_ends_no_show,
    a_stop_waits_for_no_other_service,
    a_channel_that_somebody_takes_over_is_let_go
);

async fn a_failed_measurement_ends_no_show() -> Result<()> {
    let stage = show!(Show::start_with("transcode-blind", &FLAGS));
    stage.apply(&[
        source(),
        secret("one", &key("one")),
        transcode("one"),
        secret("flat", &key("flat")),
        destination("flat"),
    ])?;
    stage.until_ready().await?;
    // AWS documents no measurement of an RTMP output of a flow: that one is sent, and no more is known.
    let expected = |o: &Value| if o["metadata"]["name"] == "flat" { "NotMeasured" } else { "Connected" };
    let measured = |o: &Value| condition(o, "Delivering").is_some_and(|c| c["reason"] == expected(o));
    let mut before = Vec::new();
    for name in ["one", "flat"] {
        before.push(stage.until(&format!("destination/{name}"), "is seen to arrive", measured).await?);
    }
    let sends = |o: &Value| status(o)["channel"]["outputs"][0]["bitrateKbps"].as_i64().is_some_and(|kbps| kbps > 1000);
    stage.until("destination/one", "tells what it sends", sends).await?;
    let asked = |since: u64| {
        let calls = stage.requests(since)?;
        anyhow::Ok(calls.iter().filter(|r| r["operation"] == "GetMetricData" && r["status"] == 500).count())
    };
    let failing = json!({ "failBefore": { "status": 500, "code": "InternalServiceFault", "message": "" } });
    let since = stage.now()?;
    stage.fault("GetMetricData", 1000, failing)?;
    wait_until(PATIENCE, "several looks without a measurement", || async {
        ensure!(asked(since)? >= 4);
        anyhow::Ok(())
    })
    .await?;
    for (name, before) in ["one", "flat"].iter().zip(&before) {
        let after = stage.until_state(&format!("destination/{name}"), "Running").await?;
        ensure!(status(&after)["startedAt"] == status(before)["startedAt"], "it was said to have ended: {after}");
        ensure!(measured(&after), "{after}");
    }
    Ok(())
}

async fn a_stop_waits_for_no_other_service() -> Result<()> {
    let stage = show!(Show::start_with("transcode-alone", &FLAGS));
    stage.apply(&[
        source(),
        secret("one", &key("one")),
        transcode("one"),
        secret("two", &key("two")),
        transcode("two"),
    ])?;
    stage.until_ready().await?;
    let failing = json!({ "failBefore": { "status": 503, "code": "ServiceUnavailable", "message": "" } });
    for operation in ["DescribeFlow", "ListSecrets"] {
        stage.fault(operation, 1000, failing.clone())?;
    }
    stage.change("destination/one", json!({ "state": "Stopped" }))?;
    stage.kubectl("delete destination/two --wait=false")?;
    for name in ["one", "two"] {
        stage
            .until_channel(name, "is stopped", |c| ["STOPPING", "IDLE", "DELETING"].contains(&text(&c["state"])))
            .await?;
    }
    stage.clear_faults()?;
    stage.until_gone("destination/two").await?;
    stage.until_state("destination/one", "Idle").await?;
    has_nothing(&stage, "one")
}

async fn a_channel_that_somebody_takes_over_is_let_go() -> Result<()> {
    let stage = show!(Show::start_with("transcode-taken", &FLAGS));
    stage.apply(&[source(), secret("one", &key("one")), transcode("one")])?;
    stage.until_ready().await?;
    let channel = stage.channel("one")?;
    stage.control("POST", "edit", &json!({ "channel": channel["id"], "tags": { "playout.dev/name": null } }))?;
    let stuck = stage.until_condition("destination/one", "Stalled", "True", "NotOurs").await?;
    ensure!(message(&stuck, "Stalled").contains(text(&channel["id"])), "{stuck}");
    let since = stage.now()?;
    stage.change("destination/one", json!({ "state": "Stopped" }))?;
    stage
        .until("destination/one", "has seen the stop", |o| {
            status(o)["observedGeneration"] == o["metadata"]["generation"]
        })
        .await?;
    ensure!(of_medialive(&stage, since)?.is_empty(), "{:?}", of_medialive(&stage, since)?);
    Ok(())
}
