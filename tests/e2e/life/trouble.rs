//! What is wrong is told, repaired and waited for.

use super::*;

#[tokio::test]
async fn what_somebody_changed_in_aws_is_repaired_on_request() -> Result<()> {
    let stage = show!(Show::start_with("life-drift", &["--leader-election=false", "--health-interval=1h"]));
    let mut objects = show(&["disabled", "moved", "removed"]);
    objects[0] = with(source(), json!({ "health": { "interval": "1h" } }));
    objects[4] = with(destination("moved"), json!({ "updatePolicy": "Restart" }));
    stage.apply(&objects)?;
    stage.until_ready().await?;
    let requested = stage.flow()?;
    for (destination, edit) in [
        ("disabled", json!({ "patch": { "outputStatus": "DISABLED" } })),
        ("moved", json!({ "patch": { "port": 7000 } })),
        ("removed", json!({ "remove": true })),
    ] {
        let mut edit = edit;
        edit["output"] = stage.output(destination)?["name"].clone();
        stage.edit(edit)?;
    }
    stage.edit(json!({ "source": "main", "patch": { "whitelistCidr": "198.51.100.0/24" } }))?;
    stage.edit(json!({ "status": "STANDBY" }))?;
    stage.kubectl("annotate source,destination --all playout.dev/reconcile-at=now")?;
    stage.until_all("the request is acknowledged", |o| status(o)["lastHandledReconcileAt"] == "now").await?;
    stage.until_ready().await?;
    let strip = |flow: &Value| {
        let keep = |o: &Value| {
            let fields = ["name", "outputStatus", "destination", "port", "transport"];
            fields.map(|field| o[field].clone())
        };
        let mut outputs: Vec<_> = flow["outputs"].as_array().into_iter().flatten().map(keep).collect();
        outputs.sort_by_key(|o| text(&o[0]).to_owned());
        (flow["status"].clone(), flow["source"]["whitelistCidr"].clone(), outputs)
    };
    stage.until_aws("AWS is as requested again", |flow| strip(flow) == strip(&requested)).await?;
    Ok(())
}

#[tokio::test]
async fn a_missing_secret_is_named_and_found_when_it_comes() -> Result<()> {
    let stage = show!(Show::start("life-secret"));
    stage.apply(&[source(), destination("late")])?;
    let stalled = stage.until_condition("destination/late", "Stalled", "True", "SecretMissing").await?;
    ensure!(message(&stalled, "Stalled").contains("late") && status(&stalled)["state"] == "Error", "{stalled}");
    // The Source may not have its flow yet.
    let outputs = stage.flows()?.iter().filter_map(|flow| flow["outputs"].as_array()).map(Vec::len).sum::<usize>();
    ensure!(outputs == 0, "an output without a key");
    stage.set_key("late", "here-it-is")?;
    let running = stage.until_condition("destination/late", "Ready", "True", "Running").await?;
    ensure!(condition(&running, "Stalled").is_none(), "{running}");
    ensure!(stream_key(&stage.output("late")?) == "here-it-is");
    Ok(())
}

#[tokio::test]
async fn a_receiver_that_refuses_is_told_of_and_disturbs_nobody() -> Result<()> {
    let stage = show!(Show::start("life-refused"));
    stage.receiver("two", "refuse")?;
    stage.apply(&show(&["one", "two", "three"]))?;
    let refused = stage.until_condition("destination/two", "Ready", "False", "NotConnected").await?;
    ensure!(status(&refused)["state"] == "Error", "{refused}");
    ensure!(message(&refused, "Ready").contains("two.example.net"), "{refused}");
    ensure!(!refused.to_string().contains(&key("two")), "the status tells the key");
    for other in ["one", "three"] {
        stage.until_state(&format!("destination/{other}"), "Running").await?;
    }
    stage.receiver("two", "accept")?;
    let running = stage.until_condition("destination/two", "Ready", "True", "Running").await?;
    // AWS measures no connection by RTMP, and no error names the output any more.
    let delivering = condition(&running, "Delivering").is_some_and(|c| c["status"] == "Unknown");
    ensure!(delivering && message(&running, "Ready").contains("being sent"), "{running}");
    ensure!(status(&running)["lastError"].is_null(), "{running}");
    Ok(())
}

#[tokio::test]
async fn a_connection_test_tells_whether_the_encoder_is_heard() -> Result<()> {
    let stage = show!(Show::start("life-signal"));
    stage.apply(&[with(source(), json!({ "health": { "interval": "1s" } })), secret("one", "k")])?;
    stage.until_condition("source/studio", "Ready", "True", "Stopped").await?;
    stage.kubectl("annotate source/studio playout.dev/test-connection=10s")?;
    let heard = stage.until_condition("source/studio", "InputReachable", "True", "Reachable").await?;
    ensure!(message(&heard, "InputReachable").contains("main at 6000 kbit/s"), "{heard}");
    stage.until_aws("the flow is off again", |flow| flow["status"] == "STANDBY").await?;
    let over = stage.until_condition("source/studio", "Ready", "True", "Stopped").await?;
    ensure!(!status(&over)["connectionTest"]["endedAt"].is_null(), "{over}");
    ensure!(condition(&over, "InputReachable").is_some_and(|c| c["status"] == "True"), "{over}");

    stage.encoder("main", false)?;
    stage.kubectl("annotate source/studio playout.dev/test-connection=4s --overwrite")?;
    // What the test before has found answers nothing.
    let answered = |object: &Value| status(object)["connectionTest"]["answered"] == "4s";
    let unheard = stage.until("source/studio", "the second test is answered", answered).await?;
    ensure!(condition(&unheard, "InputReachable").is_some_and(|c| c["status"] == "False"), "{unheard}");
    let unheard = stage.until_condition("source/studio", "InputReachable", "False", "Unreachable").await?;
    ensure!(message(&unheard, "InputReachable").contains("allowedCidr"), "{unheard}");
    stage.until_aws("the flow is off again", |flow| flow["status"] == "STANDBY").await?;

    // On the air without a signal: said at the Source and at the Destination, and healed by the encoder alone.
    stage.apply(&[destination("one")])?;
    stage.until_condition("destination/one", "Ready", "True", "NoSignal").await?;
    stage.until_condition("source/studio", "Healthy", "False", "NoSignal").await?;
    let table = stage.kubectl("get source studio")?;
    ensure!(table.contains("SIGNAL") && table.contains(" NoSignal "), "{table}");
    let wide = stage.kubectl("get destination one -o wide")?;
    ensure!(wide.contains("DELIVERY") && wide.contains(" Passthrough "), "{wide}");
    stage.encoder("main", true)?;
    stage.until_condition("source/studio", "Healthy", "True", "SignalGood").await?;
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    Ok(())
}

#[tokio::test]
async fn the_fifty_first_output_waits_for_a_place() -> Result<()> {
    let stage = show!(Show::start("life-fifty"));
    let names: Vec<_> = (0..50).map(|n| format!("d{n:02}")).collect();
    // Prepared, not running: the outputs count all the same.
    let prepared = |name: &String| {
        let spec = json!({
            "state": "Stopped", "prepare": true, "streamKey": { "secretRef": { "name": "shared", "key": "key" } }
        });
        with(destination(name), spec)
    };
    let mut objects: Vec<_> = names.iter().map(prepared).collect();
    objects.extend([source(), secret("shared", "shared"), secret("late", "late")]);
    stage.apply(&objects)?;
    stage.until_aws("50 outputs are there", |flow| flow["outputs"].as_array().is_some_and(|o| o.len() == 50)).await?;
    println!("50 outputs in {:?}", by_operation(&stage.changes(0)?));
    stage.apply(&[destination("late")])?;
    let stalled = stage.until_condition("destination/late", "Stalled", "True", "QuotaExceeded").await?;
    ensure!(message(&stalled, "Stalled").contains("50 of 50"), "{stalled}");
    stage.kubectl("delete destination d07 --timeout=60s")?;
    stage.until_state("destination/late", "Running").await?;
    ensure!(stage.outputs()?.len() == 50, "{}", stage.outputs()?.len());
    Ok(())
}
