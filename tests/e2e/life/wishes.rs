//! What is requested, who carries it out, and what AWS says to it.

use super::*;

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
