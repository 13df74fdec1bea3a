//! A whole life, what it costs, and that nothing happens when nothing is to be done.

use super::*;

fn quickstart(namespace: &str) -> Result<String> {
    let path = playout_stage::root().join("examples/quickstart.yaml");
    Ok(fs::read_to_string(path)?.replace("namespace: default", &format!("namespace: {namespace}")))
}

#[tokio::test]
async fn the_quickstart_is_on_the_air_and_goes_without_a_trace() -> Result<()> {
    let stage = show!(Show::start("life-quickstart"));
    let manifests = quickstart(&stage.namespace)?;
    stage.apply_text(&manifests)?;
    stage.kubectl("wait --for=condition=Ready playout --all --timeout=60s")?;
    let table = stage.kubectl("get playout")?;
    ensure!(table.matches(" Running ").count() >= 5 && table.matches(" True ").count() == 5, "{table}");
    // Three outputs of Destinations, and the one by which MediaLive takes the programme.
    let kept = |o: &&Value| o["mediaLiveInputArn"].is_string();
    let outputs = stage.outputs()?;
    ensure!(stage.flow()?["status"] == "ACTIVE" && outputs.len() == 4, "{}", stage.flow()?);
    ensure!(outputs.iter().filter(kept).count() == 1, "{outputs:?}");
    let transcoded = stage.object("destination/facebook").await?.context("it is there")?;
    ensure!(status(&transcoded)["channel"]["state"] == "RUNNING", "{transcoded}");
    ensure!(text(&status(&transcoded)["encoding"]).starts_with("720p30: 1280x720 at 30 fps"), "{transcoded}");
    let story = stage.kubectl("describe destination twitch")?;
    for word in ["Events:", "Created and started output", "It is being sent", "Started At:", "Last Runs:"] {
        ensure!(story.contains(word), "no {word:?} in {story}");
    }
    let ingest = stage.kubectl("get source studio -o wide")?;
    ensure!(ingest.contains("srt://") && ingest.contains(":5000"), "{ingest}");

    // One is stopped: its output stays, and a second start takes the same one.
    let arn = stage.output("twitch")?["outputArn"].clone();
    stage.change("destination/twitch", json!({ "state": "Stopped" }))?;
    let stopped = stage.until_condition("destination/twitch", "Ready", "True", "Stopped").await?;
    ensure!(status(&stopped)["state"] == "Idle" && status(&stopped)["startedAt"].is_null(), "{stopped}");
    ensure!(status(&stopped)["lastRuns"][0]["reason"] == "stopped as requested", "{stopped}");
    let output = stage.output("twitch")?;
    ensure!(output["outputStatus"] == "DISABLED" && output["outputArn"] == arn, "{output}");

    // A changed key is sent with at once where that is allowed, and waits where it would interrupt.
    let text_of = |name: &str, key: &str| json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name }, "stringData": { "streamKey": key } });
    stage.apply(&[text_of("youtube-second", "new-second"), text_of("youtube-main", "new-main")])?;
    stage
        .until_aws("the new key is used", |flow| {
            let outputs = flow["outputs"].as_array().into_iter().flatten();
            outputs.into_iter().any(|o| owner(o) == "youtube-second" && stream_key(o) == "new-second")
        })
        .await?;
    let pending = stage.until("destination/youtube-main", "lists its key as pending", |o| {
        status(o)["pendingChanges"].as_array().is_some_and(|list| !list.is_empty())
    });
    let pending = pending.await?;
    ensure!(text(&status(&pending)["pendingChanges"][0]).contains("streamKey"), "{}", status(&pending));
    ensure!(status(&pending)["state"] == "Running" && message(&pending, "Ready").contains("streamKey"), "{pending}");
    ensure!(stream_key(&stage.output("youtube-main")?) == "not-a-real-key-youtube-main", "it was interrupted");
    stage.change("destination/youtube-main", json!({ "state": "Stopped" }))?;
    stage.until_condition("destination/youtube-main", "Ready", "True", "Stopped").await?;
    stage.change("destination/youtube-main", json!({ "state": "Running" }))?;
    let again = stage.until_condition("destination/youtube-main", "Ready", "True", "Running").await?;
    ensure!(status(&again)["pendingChanges"].is_null(), "{again}");
    ensure!(status(&again)["lastRuns"].as_array().is_some_and(|runs| runs.len() == 2), "{again}");
    ensure!(stream_key(&stage.output("youtube-main")?) == "new-main", "the old key is used");

    // The one with a channel: stopped it costs nothing, and deleted nothing of it is left.
    stage.change("destination/facebook", json!({ "state": "Stopped" }))?;
    let off = stage.until_condition("destination/facebook", "Ready", "True", "Stopped").await?;
    ensure!(status(&off)["state"] == "Idle" && status(&off)["channel"].is_null(), "{off}");
    let up: Vec<_> = stage.channels()?.into_iter().filter(|c| c["state"] != "IDLE").collect();
    ensure!(up.is_empty(), "a channel runs: {up:?}");
    stage.kubectl("delete destination facebook --timeout=60s")?;
    ensure!(stage.channels()?.is_empty() && stage.inputs()?.is_empty(), "{:?}", (stage.channels()?, stage.inputs()?));
    let outputs = stage.outputs()?;
    ensure!(outputs.len() == 3 && !outputs.iter().any(|o| kept(&o)), "{outputs:?}");

    stage.kubectl("delete destination twitch --timeout=60s")?;
    let left: Vec<_> = stage.outputs()?.iter().map(|o| owner(o).to_owned()).collect();
    ensure!(left.len() == 2 && !left.contains(&"twitch".into()), "{left:?}");
    stage.kubectl("delete source,destination --all --timeout=60s")?;
    ensure!(stage.total()? == 0 && stage.objects().await?.is_empty());
    Ok(())
}

/// What one Destination costs, from its making to its end, in calls to AWS and writes to the API server.
#[tokio::test]
async fn the_life_of_a_destination_costs_few_calls_and_writes() -> Result<()> {
    let stage = show!(Show::start("life-costs"));
    // Another keeps the flow running, so that only the one is counted.
    stage.apply(&show(&["other"]))?;
    stage.until_ready().await?;
    let (writes, requests) = written(&stage).await?;
    let (start, already) = (stage.now()?, requests.len());

    stage.apply(&[secret("one", &key("one")), destination("one")])?;
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    stage.change("destination/one", json!({ "state": "Stopped" }))?;
    stage.until_condition("destination/one", "Ready", "True", "Stopped").await?;
    stage.change("destination/one", json!({ "state": "Running" }))?;
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    let running = stage.now()?;
    stage.kubectl("delete destination one --timeout=60s")?;
    // The Source takes note of its users and outputs.
    stage.until("source/studio", "knows that it has one output", |o| status(o)["outputs"]["used"] == 1).await?;

    let changes = by_operation(&stage.changes(start)?);
    let calls = by_operation(&stage.requests(start)?);
    let (after, mut requests) = self::written(&stage).await?;
    let requests = requests.split_off(already);
    let written: BTreeMap<_, _> = after
        .iter()
        .map(|(k, v)| (k.clone(), v - writes.get(k).copied().unwrap_or(0.0)))
        .filter(|w| w.1 > 0.0)
        .collect();
    let events = stage.events().await?;
    let events = events.iter().filter(|e| e["regarding"]["name"] == "one").count();
    println!("one Destination's life, create, run, stop, run, delete:");
    println!("  AWS calls: {calls:?}, of which after the last start {:?}", by_operation(&stage.requests(running)?));
    println!("  AWS changes: {changes:?}");
    println!("  writes by metric: {written:?}");
    println!("  writes by audit log: {} {requests:?}; Events: {events}", requests.len());

    let expected = [("AddFlowOutputs", 1), ("RemoveFlowOutput", 1), ("UpdateFlowOutput", 2)];
    ensure!(changes == expected.map(|(name, times)| (name.to_owned(), times)).into(), "{changes:?}");
    let of = |prefix: &str| written.iter().filter(|(k, _)| k.contains(prefix)).map(|(_, v)| v).sum::<f64>();
    // One that holds, one that releases, and perhaps one more that came too early.
    ensure!(of("what=\"finalizer\"") <= 3.0, "{written:?}");
    ensure!((1.0..=20.0).contains(&of("controller=\"destination\"")), "{written:?}");
    ensure!(of("controller=\"source\"") <= 10.0, "{written:?}");
    ensure!(events <= 8, "{events} Events");
    ensure!(calls.values().sum::<usize>() < 100, "{calls:?}");
    Ok(())
}

#[tokio::test]
async fn a_settled_show_changes_nothing_in_aws_and_writes_nothing() -> Result<()> {
    let flags = ["--leader-election=false", "--health-interval=1s", "--drift-interval=1s"];
    let stage = show!(Show::start_with("life-steady", &flags));
    let mut objects = show(&["one", "two", "idle"]);
    objects[6] = with(objects[6].clone(), json!({ "state": "Stopped", "prepare": true }));
    stage.apply(&objects)?;
    stage.until_ready().await?;
    let describes = |since: u64, times: usize| {
        let stage = &stage;
        wait_until(PATIENCE, "the operator has looked many times", move || async move {
            let calls = by_operation(&stage.requests(since)?);
            ensure!(calls.get("DescribeFlow").is_some_and(|n| *n >= times), "{calls:?}");
            anyhow::Ok(())
        })
    };
    let picture = || async {
        let mut versions = BTreeMap::new();
        for object in stage.objects().await?.into_iter().chain(stage.events().await?) {
            let meta = &object["metadata"];
            versions.insert(text(&meta["uid"]).to_owned(), text(&meta["resourceVersion"]).to_owned());
        }
        anyhow::Ok((written(&stage).await?, versions))
    };
    // The first measurements are news, whenever they come; afterwards there is none.
    let (mut before, mut quiet) = (picture().await?, false);
    for _ in 0..10 {
        describes(stage.now()?, 5).await?;
        let after = picture().await?;
        quiet = after == before;
        before = after;
        if quiet {
            break;
        }
    }
    ensure!(quiet, "ten times five looks, and each time something was written: {before:?}");
    let start = stage.now()?;
    describes(start, 25).await?;
    let calls = by_operation(&stage.requests(start)?);
    println!("steady state, three Destinations, 25 looks at the flow: {calls:?}");
    ensure!(stage.changes(start)?.is_empty(), "{:?}", by_operation(&stage.changes(start)?));
    let after = picture().await?;
    ensure!(after == before, "objects or Events were written: {before:?}, {after:?}");
    // One read of the flow serves all objects that look at the same moment, and nothing else is read of it.
    for operation in calls.keys() {
        ensure!(["DescribeFlow", "GetMetricData", "ListSecrets"].contains(&operation.as_str()), "{calls:?}");
    }
    Ok(())
}

#[tokio::test]
async fn what_was_retained_is_taken_up_again() -> Result<()> {
    let stage = show!(Show::start("life-retain"));
    let retain = |o: Value| if o["kind"] == "Secret" { o } else { with(o, json!({ "deletionPolicy": "Retain" })) };
    // The Source last: a Source of state Auto that has no users yet stops the flow that it takes up.
    let objects: Vec<_> = show(&["one", "two"]).into_iter().map(retain).rev().collect();
    let arns = || {
        let flow = stage.flow()?;
        let outputs = flow["outputs"].as_array().into_iter().flatten();
        let mut all: Vec<_> = outputs.map(|o| text(&o["outputArn"]).to_owned()).collect();
        all.push(text(&flow["flowArn"]).to_owned());
        all.sort();
        anyhow::Ok(all)
    };
    stage.apply(&objects)?;
    stage.until_ready().await?;
    let before = arns()?;
    let deleted = stage.now()?;
    // The Source first: it waits for its Destinations, and a Source that stays would stop for want of them.
    stage.kubectl("delete source,destination --all --timeout=60s")?;
    ensure!(arns()? == before && stage.flow()?["status"] == "ACTIVE", "{}", stage.flow()?);
    ensure!(stage.changes(deleted)?.is_empty(), "{:?}", stage.changes(deleted)?);

    stage.apply(&objects)?;
    stage.until_ready().await?;
    ensure!(arns()? == before, "other resources than before: {}", stage.flow()?);
    let made = by_operation(&stage.changes(deleted)?);
    ensure!(made.keys().eq(["TagResource"]) && made["TagResource"] == 3, "{made:?}");
    for object in stage.objects().await? {
        let (name, flow) = (text(&object["metadata"]["name"]), stage.flow()?);
        let resource = if object["kind"] == "Source" { flow } else { stage.output(name)? };
        ensure!(resource["tags"]["playout.dev/uid"] == object["metadata"]["uid"], "{name}: {}", resource["tags"]);
    }
    Ok(())
}
