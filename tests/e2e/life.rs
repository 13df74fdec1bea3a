//! The life of a show as its people see it: kubectl on one side, the resources in AWS on the other.

use std::collections::BTreeMap;
use std::fs;

use crate::fixtures::{
    PATIENCE, Show, by_operation, condition, destination, input, is_ready, key, options, owner, secret, show, source,
    stream_key, text, with,
};
use anyhow::{Context as _, Result, ensure};
use playout_stage::{Operator, request, wait_until};
use serde_json::{Value, json};

fn status(object: &Value) -> &Value {
    &object["status"]
}

fn message<'a>(object: &'a Value, type_: &str) -> &'a str {
    condition(object, type_).map_or("", |c| text(&c["message"]))
}

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
    ensure!(status(&stopped)["lastRuns"][0]["why"] == "stopped as wished", "{stopped}");
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

/// `playout_api_server_writes_total` by its labels.
fn writes(metrics: &str) -> BTreeMap<String, f64> {
    let of = |line: &str| {
        let (labels, value) = line.strip_prefix("playout_api_server_writes_total{")?.split_once("} ")?;
        Some((labels.to_owned(), value.parse().ok()?))
    };
    metrics.lines().filter_map(of).collect()
}

/// What the operator has written since it began, by its metric and by the audit log of the API server, at one instant: a write
/// is counted before it is sent and logged when it is answered, so while one is under way the two differ. An operator that
/// counts other writes than it sends is never waited out.
async fn written(stage: &Show) -> Result<(BTreeMap<String, f64>, Vec<String>)> {
    wait_until(PATIENCE, "the metric counts what the API server saw", || async {
        let (before, seen) = (writes(&stage.metrics()?), audited(stage)?);
        let after = writes(&stage.metrics()?);
        ensure!(before == after, "more was written meanwhile: {before:?}, {after:?}");
        #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
        let same = (after.values().sum::<f64>() - seen.len() as f64).abs() < 0.5;
        ensure!(same || stage.cluster.audit_log().is_none(), "{after:?}, the API server {}: {seen:?}", seen.len());
        anyhow::Ok(Some((after, seen)))
    })
    .await
}

/// The operator's writes of Sources and Destinations as the API server saw them; none for a cluster that is not ours.
fn audited(stage: &Show) -> Result<Vec<String>> {
    let Some(file) = stage.cluster.audit_log() else { return Ok(Vec::new()) };
    let mut writes = Vec::new();
    for line in fs::read_to_string(file)?.lines() {
        // Most are of other tests, and are many.
        if !line.contains(&stage.namespace) {
            continue;
        }
        // The last line may not be written to its end.
        let Ok(entry) = serde_json::from_str::<Value>(line) else { continue };
        let object = &entry["objectRef"];
        let ours = object["namespace"] == stage.namespace.as_str() && !text(&entry["userAgent"]).contains("kubectl");
        if ours && !text(&entry["user"]["username"]).starts_with("system:") {
            let part = |field: &str| text(&object[field]).to_owned();
            writes.push(format!(
                "{} {}/{} {} {}",
                text(&entry["verb"]),
                part("resource"),
                part("name"),
                part("subresource"),
                entry["responseStatus"]["code"]
            ));
        }
    }
    Ok(writes)
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

#[tokio::test]
async fn what_somebody_changed_in_aws_is_repaired_on_request() -> Result<()> {
    let stage = show!(Show::start_with("life-drift", &["--leader-election=false", "--health-interval=1h"]));
    let mut objects = show(&["disabled", "moved", "removed"]);
    objects[0] = with(source(), json!({ "health": { "interval": "1h" } }));
    objects[4] = with(destination("moved"), json!({ "updatePolicy": "Restart" }));
    stage.apply(&objects)?;
    stage.until_ready().await?;
    let wished = stage.flow()?;
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
    stage.until_aws("AWS is as wished again", |flow| strip(flow) == strip(&wished)).await?;
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

#[tokio::test]
async fn a_source_goes_after_those_who_use_it() -> Result<()> {
    let stage = show!(Show::start("life-users"));
    stage.apply(&show(&["one", "two"]))?;
    stage.until_ready().await?;
    stage.kubectl("delete source studio --wait=false")?;
    let waiting = stage.until_condition("source/studio", "Ready", "False", "InUse").await?;
    let users = message(&waiting, "Ready");
    ensure!(users.contains("Destination/one") && users.contains("Destination/two"), "{users}");
    ensure!(stage.flow()?["status"] == "ACTIVE" && stage.outputs()?.len() == 2, "{}", stage.flow()?);
    stage.kubectl("delete destination one --timeout=60s")?;
    let rest = |o: &Value| status(o)["users"] == json!(["Destination/two"]);
    stage.until("source/studio", "is used by the other alone", rest).await?;
    stage.until_state("destination/two", "Running").await?;
    stage.kubectl("delete destination two --timeout=60s")?;
    stage.until_gone("source/studio").await?;
    stage.until_nothing_is_left().await
}

#[tokio::test]
async fn the_emergency_input_comes_in_when_both_others_are_dead() -> Result<()> {
    let stage = show!(Show::start_with("life-emergency", &["--leader-election=false", "--drift-interval=1s"]));
    let inputs = [("a", "Primary", 5000), ("b", "Backup", 5010), ("c", "Emergency", 5020)];
    let inputs = inputs.map(|(name, priority, port)| input(name, priority, port));
    let mut objects = show(&["one"]);
    objects[0] = with(source(), json!({ "inputs": inputs, "health": { "interval": "1s" } }));
    stage.apply(&objects)?;
    stage.until_ready().await?;
    let leads = |name: &'static str| move |o: &Value| status(o)["activeInput"] == name;
    stage.until("source/studio", "is led by the primary", leads("a")).await?;
    stage.encoder("a", false)?;
    stage.until("source/studio", "is led by the backup", leads("b")).await?;
    stage.encoder("b", false)?;
    let swapped = stage.until("source/studio", "is led by the emergency input", leads("c")).await?;
    let in_flow = |o: &Value, name: &str| {
        let inputs = status(o)["inputs"].as_array().into_iter().flatten();
        inputs.into_iter().any(|i| i["name"] == name && i["inFlow"] == true)
    };
    ensure!(in_flow(&swapped, "a") && !in_flow(&swapped, "b") && in_flow(&swapped, "c"), "{swapped}");
    stage.until_condition("source/studio", "Healthy", "True", "SignalGood").await?;
    stage.encoder("a", true)?;
    stage
        .until("source/studio", "has its own inputs back", |o| {
            leads("a")(o) && in_flow(o, "b") && !in_flow(o, "c") && is_ready(o)
        })
        .await?;
    stage.until_state("destination/one", "Running").await?;
    ensure!(!by_operation(&stage.changes(0)?).contains_key("StopFlow"), "the show was interrupted");
    Ok(())
}

#[tokio::test]
async fn a_backup_is_fed_always_or_when_the_primary_is_dead() -> Result<()> {
    let stage = show!(Show::start_with("life-backup", &["--leader-election=false", "--health-interval=1s"]));
    let backup = |name: &str, mode: &str| {
        let url = format!("rtmps://{name}-backup.example.net:443/live");
        with(destination(name), json!({ "backup": { "mode": mode, "url": url } }))
    };
    let mut objects = show(&["hot", "cold"]);
    (objects[2], objects[4]) = (backup("hot", "Hot"), backup("cold", "OnFailure"));
    stage.apply(&objects)?;
    stage.until_ready().await?;
    let feeds = |endpoint: &'static str| move |o: &Value| status(o)["activeEndpoint"] == endpoint;
    stage.until("destination/hot", "feeds both", feeds("Both")).await?;
    stage.until("destination/cold", "feeds the primary", feeds("Primary")).await?;
    let enabled = |destination: &str| {
        let on = |o: &Value| owner(o) == destination && o["outputStatus"] == "ENABLED";
        anyhow::Ok(
            stage.outputs()?.into_iter().filter(on).map(|o| text(&o["destination"]).to_owned()).collect::<Vec<_>>(),
        )
    };
    ensure!(enabled("hot")?.len() == 2 && enabled("cold")? == ["cold.example.net"]);
    stage.receiver("cold", "refuse")?;
    stage.control("PUT", "receivers/cold.example.net", &json!("disconnect"))?;
    let on_backup = stage.until("destination/cold", "feeds the backup", feeds("Backup")).await?;
    ensure!(enabled("cold")? == ["cold-backup.example.net"], "{on_backup}");
    stage.until_state("destination/cold", "Running").await?;
    // It goes back when it is told to, and not by itself.
    stage.receiver("cold", "accept")?;
    stage.kubectl("annotate destination/cold playout.dev/active-endpoint=Primary")?;
    stage.until("destination/cold", "feeds the primary", feeds("Primary")).await?;
    stage.until_state("destination/cold", "Running").await?;
    ensure!(enabled("cold")? == ["cold.example.net"]);
    Ok(())
}

#[tokio::test]
async fn the_password_of_an_encrypted_source_is_copied_renewed_and_removed() -> Result<()> {
    let stage = show!(Show::start("life-password"));
    let password = |text: &str| secret("lock", text);
    let mut locked = input("main", "Primary", 5000);
    locked["srtListener"]["encryption"] = json!({ "passwordSecretRef": { "name": "lock", "key": "key" } });
    stage.apply(&[password("the-first-password"), with(source(), json!({ "inputs": [locked] }))])?;
    stage.until_ready().await?;
    let copies = stage.secrets()?;
    ensure!(copies.len() == 1, "{} copies", copies.len());
    ensure!(stage.flow()?["source"]["decryption"]["secretArn"] == copies[0]["ARN"], "{}", stage.flow()?);
    ensure!(owner(&copies[0]) == "studio", "{}", copies[0]);
    let copied = || {
        let sent = |r: &Value| r["body"]["SecretString"].as_str().map(str::to_owned);
        anyhow::Ok(stage.changes(0)?.iter().filter_map(sent).collect::<Vec<_>>())
    };
    ensure!(copied()? == ["the-first-password"]);
    stage.apply(&[password("the-second-password")])?;
    wait_until(PATIENCE, "the copy is renewed", || async {
        ensure!(copied()? == ["the-first-password", "the-second-password"]);
        anyhow::Ok(())
    })
    .await?;
    // The old one goes when AWS has taken the new one.
    wait_until(PATIENCE, "the old copy is gone", || async {
        ensure!(stage.secrets()?.len() == 1, "a second copy");
        anyhow::Ok(())
    })
    .await?;
    stage.until_ready().await?;
    stage.change("source/studio", json!({ "inputs": [input("main", "Primary", 5000)] }))?;
    stage.until_ready().await?;
    ensure!(stage.flow()?["source"]["decryption"].is_null(), "{}", stage.flow()?);
    wait_until(PATIENCE, "the last copy is gone", || async {
        ensure!(stage.secrets()?.is_empty(), "it is still there");
        anyhow::Ok(())
    })
    .await?;
    stage.kubectl("delete source studio --timeout=60s")?;
    stage.until_nothing_is_left().await
}

#[tokio::test]
async fn what_is_suspended_or_has_no_state_is_left_alone() -> Result<()> {
    let stage = show!(Show::start("life-suspend"));
    let mut objects = show(&["held", "unsaid"]);
    objects[4]["spec"].as_object_mut().context("a spec")?.remove("state");
    stage.apply(&objects)?;
    stage.until_state("destination/held", "Running").await?;
    let unsaid = stage.until_condition("destination/unsaid", "Ready", "True", "Stopped").await?;
    ensure!(status(&unsaid)["state"] == "Idle" && stage.outputs()?.len() == 1, "{unsaid}");
    stage.change("destination/held", json!({ "suspend": true }))?;
    stage.until_condition("destination/held", "Ready", "Unknown", "Suspended").await?;
    let suspended = stage.now()?;
    stage.change(
        "destination/held",
        json!({ "url": "rtmps://elsewhere.example.net:443/live", "updatePolicy": "Restart" }),
    )?;
    stage.until_condition("destination/held", "Ready", "Unknown", "Suspended").await?;
    ensure!(stage.changes(suspended)?.is_empty(), "{:?}", stage.changes(suspended)?);
    stage.change("destination/held", json!({ "suspend": false }))?;
    stage.until_condition("destination/held", "Ready", "True", "Running").await?;
    ensure!(stage.output("held")?["destination"] == "elsewhere.example.net");
    Ok(())
}

#[tokio::test]
async fn an_object_of_the_longest_name_has_events_and_writes_bear_our_name() -> Result<()> {
    let stage = show!(Show::start("life-name"));
    let name = format!("{}.{}", "a".repeat(200), "b".repeat(52));
    let mut named = destination("late");
    named["metadata"]["name"] = json!(name);
    stage.apply(&[named])?;
    let object = format!("destination/{name}");
    let told = stage.until_condition(&object, "Stalled", "True", "SecretMissing").await?;
    let of = |e: &&Value| e["regarding"]["name"] == name.as_str() && e["reason"] == "SecretMissing";
    wait_until(PATIENCE, "it has an Event", || async {
        anyhow::Ok(
            stage.events().await?.iter().find(of).is_some_and(|e| e["regarding"]["uid"] == told["metadata"]["uid"]),
        )
    })
    .await?;
    let managers = told["metadata"]["managedFields"].as_array().cloned().unwrap_or_default();
    let ours = managers.iter().filter(|m| m["subresource"] == "status").all(|m| m["manager"] == "playout");
    ensure!(ours && managers.len() > 1, "{managers:?}");
    Ok(())
}

/// What docs/argo-cd.md warns of: `kubectl apply` takes out of the object what has gone from the manifest, and without a state a
/// Destination is stopped.
#[tokio::test]
async fn a_manifest_that_loses_its_state_stops_the_destination() -> Result<()> {
    let stage = show!(Show::start("life-stateless"));
    stage.apply(&show(&["one"]))?;
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    let mut stateless = destination("one");
    stateless["spec"].as_object_mut().context("a spec")?.remove("state");
    stage.apply(&[stateless])?;
    let stopped = stage.until_condition("destination/one", "Ready", "True", "Stopped").await?;
    ensure!(stopped["spec"]["state"].is_null() && status(&stopped)["state"] == "Idle", "{stopped}");
    ensure!(stage.output("one")?["outputStatus"] == "DISABLED", "{}", stage.output("one")?);
    Ok(())
}

#[tokio::test]
async fn a_standby_takes_over_at_once_when_the_leader_ends() -> Result<()> {
    let stage = show!(Show::start_with("life-standby", &["--identity=one"]));
    let leads = |metrics: &str| metrics.contains("leader_election_master_status{name=\"playout\"} 1");
    wait_until(PATIENCE, "the first leads", || async { stage.metrics().map(|m| leads(&m)) }).await?;
    let second = options(&stage.namespace, &["--identity=two"]);
    let second = Operator::start(stage.cluster, stage.simulator.url(), second)?;
    for path in ["/healthz", "/readyz"] {
        ensure!(request("GET", &format!("{}{path}", second.health_url()), "")?.is_ok(), "{path} of a standby");
    }
    stage.apply(&show(&["one"]))?;
    stage.until_ready().await?;
    let metrics = |operator: &Operator| anyhow::Ok(request("GET", &operator.metrics_url(), "")?.body);
    let waiting = metrics(&second)?;
    ensure!(waiting.contains("leader_election_master_status{name=\"playout\"} 0"), "a standby says so: {waiting}");
    ensure!(!waiting.contains("playout_objects{"), "objects are counted twice: {waiting}");
    let names = [
        "controller_runtime_reconcile_total{controller=\"source\",result=\"success\"}",
        "controller_runtime_reconcile_total{controller=\"destination\",result=\"success\"}",
        "controller_runtime_reconcile_time_seconds_bucket{",
        "controller_runtime_active_workers{",
        "playout_aws_requests_total{service=\"mediaconnect\",operation=\"CreateFlow\",outcome=\"ok\"} 1",
        "playout_aws_request_duration_seconds_bucket{",
        "playout_api_server_writes_total{",
        "playout_objects{kind=\"Source\",state=\"Running\",suspended=\"false\"} 1",
        "playout_objects{kind=\"Destination\",state=\"Running\",suspended=\"false\"} 1",
    ];
    // A pass is counted when it has ended, a moment after its status can be read.
    wait_until(PATIENCE, "the metrics", || async {
        let seen = stage.metrics()?;
        match names.iter().find(|name| !seen.contains(**name)) {
            Some(name) => Err(anyhow::anyhow!("no metric {name} in {seen}")),
            None => Ok(true),
        }
    })
    .await?;
    let ended = stage.operator.borrow_mut().stop()?.context("it ran")?;
    ensure!(ended.success(), "the leader ended with {ended}");
    // Sooner than its lease of 30 seconds would have run out.
    wait_until(std::time::Duration::from_secs(25), "the second leads", || async {
        metrics(&second).map(|m| leads(&m))
    })
    .await
    .with_context(|| second.log())?;
    stage.change("destination/one", json!({ "state": "Stopped" }))?;
    stage.until_condition("destination/one", "Ready", "True", "Stopped").await?;
    ensure!(by_operation(&stage.changes(0)?)["CreateFlow"] == 1);
    Ok(())
}

#[tokio::test]
async fn what_aws_refuses_is_said_and_what_it_delays_is_done() -> Result<()> {
    let stage = show!(Show::start("life-refusals"));
    let denied = json!({ "failBefore": { "status": 403, "code": "ForbiddenException", "message": "not allowed" } });
    stage.fault("AddFlowOutputs", 0, denied)?;
    stage.fault("CreateFlow", 2, json!("throttle"))?;
    stage.apply(&show(&["one"]))?;
    let refused = stage.until_condition("destination/one", "Ready", "False", "AccessDenied").await?;
    ensure!(condition(&refused, "Stalled").is_some_and(|c| c["status"] == "True"), "{refused}");
    let said = message(&refused, "Ready");
    ensure!(said.contains("mediaconnect:AddFlowOutputs") && said.contains("IAM policy"), "{said}");
    ensure!(status(&refused)["state"] == "Error", "{refused}");
    ensure!(by_operation(&stage.changes(0)?)["CreateFlow"] == 3, "it went through at the third time");
    stage.clear_faults()?;
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    Ok(())
}
