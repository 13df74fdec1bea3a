//! A flow that somebody has made without Playout: used and never touched, or adopted after its plan was confirmed. What AWS sees
//! of it is asked of AWS with its own SDK, by somebody with another access key.

mod boto3;
#[path = "../../crates/sim/tests/python/mod.rs"]
mod python;

use anyhow::{Context as _, Result, ensure};
use aws_credential_types::Credentials;
use aws_sdk_mediaconnect::config::{BehaviorVersion, Region};
use aws_sdk_mediaconnect::types::{AddOutputRequest, OutputStatus, Protocol, SetSourceRequest};
use playout_stage::{kubectl, wait_until};
use serde_json::{Value, json};

use crate::fixtures::{
    PATIENCE, Show, by_operation, condition, destination, host, input, key, owner, secret, source, stream_key, text,
    transcode, with,
};

/// Not the region of the operator: the ARN says where the flow is.
const REGION: &str = "eu-central-1";
const STRANGER: &str = "AKIASOMEBODYELSE";

/// Somebody who works in AWS with the same account and without Playout.
struct Somebody {
    client: aws_sdk_mediaconnect::Client,
    arn: String,
}

impl Somebody {
    /// Makes a flow with one source `main` and two outputs, one of which sends.
    async fn with_a_flow(stage: &Show) -> Result<Self> {
        let sdk = aws_config::defaults(BehaviorVersion::latest())
            .endpoint_url(stage.simulator.url())
            .region(Region::new(REGION))
            .credentials_provider(Credentials::new(STRANGER, "simulator-secret", None, None, "test"))
            .load()
            .await;
        let client = aws_sdk_mediaconnect::Client::new(&sdk);
        let uplink = SetSourceRequest::builder()
            .name("main")
            .description("The uplink of the newsroom")
            .protocol(Protocol::SrtListener)
            .ingest_port(5000)
            .whitelist_cidr("198.51.100.0/24")
            .source_tags("desk", "uplink")
            .build();
        let flow = client.create_flow().name("newsroom").flow_tags("team", "news").sources(uplink).send().await?.flow;
        let arn = flow.and_then(|f| f.flow_arn).context("a flow has an ARN")?;
        let output = |name: &str, port: i32, status: OutputStatus| {
            AddOutputRequest::builder()
                .name(name)
                .description("Not Playout's")
                .protocol(Protocol::Rtp)
                .destination("203.0.113.99")
                .port(port)
                .output_status(status)
                .output_tags("desk", name)
                .build()
        };
        client
            .add_flow_outputs()
            .flow_arn(&arn)
            .outputs(output("wall", 5004, OutputStatus::Enabled))
            .outputs(output("archive", 5006, OutputStatus::Disabled))
            .send()
            .await?;
        Ok(Self { client, arn })
    }

    async fn start(&self, stage: &Show) -> Result<()> {
        self.client.start_flow().flow_arn(&self.arn).send().await?;
        stage.until_aws("the flow runs", |flow| flow["status"] == "ACTIVE").await.map(drop)
    }

    async fn stop(&self, stage: &Show) -> Result<()> {
        self.client.stop_flow().flow_arn(&self.arn).send().await?;
        stage.until_aws("the flow stands by", |flow| flow["status"] == "STANDBY").await.map(drop)
    }

    async fn tag(&self, tags: &[(&str, &str)]) -> Result<()> {
        let tags = tags.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        self.client.tag_resource().resource_arn(&self.arn).set_tags(Some(tags)).send().await?;
        Ok(())
    }

    async fn untag(&self, keys: &[&str]) -> Result<()> {
        let keys = keys.iter().map(ToString::to_string).collect();
        self.client.untag_resource().resource_arn(&self.arn).set_tag_keys(Some(keys)).send().await?;
        Ok(())
    }

    async fn remove(&self, stage: &Show, output: &str) -> Result<()> {
        let flow = stage.flow()?;
        let outputs = flow["outputs"].as_array().context("outputs")?;
        let arn = outputs.iter().find(|o| o["name"] == output).map(|o| text(&o["outputArn"])).context("the output")?;
        self.client.remove_flow_output().flow_arn(&self.arn).output_arn(arn).send().await?;
        Ok(())
    }

    /// What AWS says of the flow and is not Playout's: all but the outputs that bear its tags. As text, to be compared byte by
    /// byte: once as `DescribeFlow` answers, and once with the tags, which that leaves out.
    async fn theirs(&self, stage: &Show) -> Result<String> {
        let mut flow = without_peers(stage.flow()?);
        let outputs = flow["outputs"].as_array().cloned().unwrap_or_default();
        let theirs: Vec<_> = outputs.into_iter().filter(|o| owner(o).is_empty()).collect();
        let names: Vec<String> = theirs.iter().map(|o| text(&o["name"]).to_owned()).collect();
        flow["outputs"] = json!(theirs);
        let mut described = self.client.describe_flow().flow_arn(&self.arn).send().await?.flow.context("a flow")?;
        let outputs = described.outputs.unwrap_or_default();
        let is_theirs = |name: Option<&str>| names.iter().any(|n| Some(n.as_str()) == name);
        described.outputs = Some(outputs.into_iter().filter(|o| is_theirs(o.name())).collect());
        let sources = described.source.iter_mut().chain(described.sources.iter_mut().flatten());
        sources.for_each(|source| source.peer_ip_address = None);
        Ok(format!("{flow}\n{described:?}"))
    }
}

/// Who sends now is told late, and is nothing that anybody has set.
fn without_peers(mut flow: Value) -> Value {
    let forget =
        |source: &mut Value| source.as_object_mut().and_then(|source| source.remove("peerIpAddress")).is_some();
    forget(&mut flow["source"]);
    for source in flow["sources"].as_array_mut().into_iter().flatten() {
        forget(source);
    }
    flow
}

fn external(arn: &str, policy: &str) -> Value {
    json!({ "arn": arn, "policy": policy })
}

/// The Source `studio` that references the flow.
fn reference(arn: &str) -> Value {
    let mut source = source();
    source["spec"] = json!({ "external": external(arn, "Reference"), "health": { "interval": "1s" } });
    source
}

/// The operator's requests since then that change something.
fn acts(stage: &Show, since: u64) -> Result<Vec<Value>> {
    Ok(stage.changes(since)?.into_iter().filter(|r| r["accessKey"] != STRANGER).collect())
}

fn message<'a>(object: &'a Value, type_: &str) -> &'a str {
    condition(object, type_).map_or("", |c| text(&c["message"]))
}

#[tokio::test]
async fn a_referenced_flow_serves_destinations_and_is_what_it_was_afterwards() -> Result<()> {
    let Some(stage) = Show::start("external-reference").await? else { return Ok(()) };
    let somebody = Somebody::with_a_flow(&stage).await?;
    // As it is on the air before Playout has heard of it.
    somebody.start(&stage).await?;
    let running = somebody.theirs(&stage).await?;
    somebody.stop(&stage).await?;
    let (since, stopped) = (stage.now()?, somebody.theirs(&stage).await?);

    // It stands by: the Source says so and does not start it, whoever waits.
    stage.apply(&[reference(&somebody.arn)])?;
    let waiting = stage.until_condition("source/studio", "Ready", "False", "ExternalStopped").await?;
    let status = &waiting["status"];
    ensure!(status["flowArn"] == somebody.arn.as_str() && status["region"] == REGION, "{status}");
    ensure!(status["state"] == "Stopped" && status["outputs"]["summary"] == "2/50", "{status}");
    let url = text(&status["inputs"][0]["endpoint"]["url"]);
    ensure!(url.starts_with("srt://") && url.contains(":5000"), "{status}");
    ensure!(message(&waiting, "Ready").contains("Start it in AWS"), "{status}");
    for name in ["one", "two", "three"] {
        stage.apply(&[secret(name, &key(name)), destination(name)])?;
    }
    stage.until_aws("the outputs are there", |f| f["outputs"].as_array().is_some_and(|o| o.len() == 5)).await?;
    let told = stage.until_condition("destination/two", "Ready", "False", "SourceStopped").await?;
    ensure!(message(&told, "Ready").contains("does not start its flow"), "{told}");
    ensure!(stage.flow()?["status"] == "STANDBY" && somebody.theirs(&stage).await? == stopped, "{}", stage.flow()?);

    // It is started by those whose it is: all are on the air.
    somebody.start(&stage).await?;
    stage.until_condition("source/studio", "Ready", "True", "Running").await?;
    stage.until_condition("source/studio", "Healthy", "True", "SignalGood").await?;
    let known = |o: &Value| {
        let status = &o["status"];
        status["inputs"][0]["bitrateKbps"].is_number() && status["users"].as_array().is_some_and(|u| u.len() == 3)
    };
    stage.until("source/studio", "knows its bitrate and its users", known).await?;
    stage.until_ready().await?;

    // What Destinations do is their own.
    stage.change("destination/one", json!({ "state": "Stopped" }))?;
    stage.until_condition("destination/one", "Ready", "True", "Stopped").await?;
    stage.change("destination/two", json!({ "updatePolicy": "Restart" }))?;
    stage.set_key("two", "another-key")?;
    stage
        .until_aws("the new key is used", |flow| {
            let mut outputs = flow["outputs"].as_array().into_iter().flatten();
            outputs.any(|o| owner(o) == "two" && stream_key(o) == "another-key")
        })
        .await?;
    stage.kubectl("delete source studio --wait=false")?;
    let in_use = stage.until_condition("source/studio", "Ready", "False", "InUse").await?;
    ensure!(message(&in_use, "Ready").contains("Destination/two"), "{in_use}");
    stage.kubectl("delete destination one two three --timeout=60s")?;
    stage.until_gone("source/studio").await?;

    ensure!(somebody.theirs(&stage).await? == running, "{}\nwas {running}", somebody.theirs(&stage).await?);
    ensure!(stage.outputs()?.len() == 2 && stage.flow()?["status"] == "ACTIVE", "{}", stage.flow()?);
    let acts = acts(&stage, since)?;
    println!("three Destinations came and went on a referenced flow: {:?}", by_operation(&acts));
    for act in &acts {
        let operation = text(&act["operation"]);
        let of_outputs = ["AddFlowOutputs", "UpdateFlowOutput", "RemoveFlowOutput"].contains(&operation);
        ensure!(of_outputs, "{operation}: {act}");
        let request = format!("{} {} {}", act["path"], act["body"], act["names"]);
        for theirs in ["wall", "archive", ":source:"] {
            ensure!(!request.contains(theirs), "{operation} names {theirs}: {act}");
        }
    }
    ensure!(acts.len() >= 5, "the log has {acts:?}");
    Ok(())
}

#[tokio::test]
async fn a_channel_takes_a_referenced_flow_while_it_runs() -> Result<()> {
    let Some(stage) = Show::start("external-channel").await? else { return Ok(()) };
    let somebody = Somebody::with_a_flow(&stage).await?;
    let stopped = somebody.theirs(&stage).await?;
    stage.apply(&[reference(&somebody.arn), secret("one", &key("one")), transcode("one")])?;
    let nothing = || {
        ensure!(stage.channels()?.is_empty() && stage.inputs()?.is_empty(), "something is paid for");
        anyhow::Ok(())
    };
    stage.until_condition("destination/one", "Ready", "False", "SourceStopped").await?;
    nothing()?;

    somebody.start(&stage).await?;
    let running = stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    ensure!(stage.channel("one")?["state"] == "RUNNING", "{running}");
    somebody.client.stop_flow().flow_arn(&somebody.arn).send().await?;
    let off = stage.until_condition("destination/one", "Ready", "False", "SourceStopped").await?;
    ensure!(text(&off["status"]["lastRuns"][0]["reason"]).contains("does not start its flow"), "{off}");
    nothing()?;
    stage.kubectl("delete source,destination --all --timeout=60s")?;
    ensure!(somebody.theirs(&stage).await? == stopped, "{}\nwas {stopped}", somebody.theirs(&stage).await?);
    Ok(())
}

#[tokio::test]
async fn a_flow_of_another_object_is_not_used_and_an_output_on_it_is_still_found() -> Result<()> {
    let Some(stage) = Show::start("external-owned").await? else { return Ok(()) };
    let somebody = Somebody::with_a_flow(&stage).await?;
    somebody.start(&stage).await?;
    stage.apply(&[reference(&somebody.arn), secret("one", &key("one")), destination("one")])?;
    stage.until_ready().await?;

    // Another cluster takes it. What runs goes on, and what is new does not begin.
    let tags = [
        ("playout.dev/cluster", "another"),
        ("playout.dev/kind", "Source"),
        ("playout.dev/namespace", "live"),
        ("playout.dev/name", "theirs"),
    ];
    somebody.tag(&tags).await?;
    stage.kubectl("annotate source/studio playout.dev/reconcile-at=now")?;
    let owned = stage.until_condition("source/studio", "Stalled", "True", "ExternalOwned").await?;
    let told = message(&owned, "Stalled");
    ensure!(told.contains("a Playout object of another namespace") && !told.contains("theirs"), "{owned}");
    ensure!(owned["status"]["flowArn"].is_null() && owned["status"]["state"] == "Error", "{owned}");
    // Of a flow that is not its own the Source does not tell what it receives.
    stage.until_state("destination/one", "Silent").await?;
    ensure!(stage.output("one")?["outputStatus"] == "ENABLED", "{}", stage.output("one")?);
    stage.apply(&[secret("new", "k"), destination("new")])?;
    stage.until_condition("destination/new", "Ready", "False", "SourceNotReady").await?;
    ensure!(stage.outputs()?.len() == 3, "{:?}", stage.outputs()?);

    // The record of where its output is gets lost, as with a restored backup: nothing is left behind all the same.
    stage.operator.borrow_mut().kill()?;
    let nothing = json!({ "status": null }).to_string();
    let args =
        ["-n", &stage.namespace, "patch", "destination/one", "--subresource=status", "--type=merge", "-p", &nothing];
    kubectl(stage.cluster, args)?.ok()?;
    stage.kubectl("delete destination/one --wait=false")?;
    stage.operator.borrow_mut().restart()?;
    stage.until_gone("destination/one").await?;
    ensure!(stage.outputs()?.iter().all(|o| owner(o).is_empty()), "{:?}", stage.outputs()?);
    stage.kubectl("delete source,destination --all --timeout=60s")?;
    ensure!(stage.flow()?["status"] == "ACTIVE" && owner(&stage.flow()?) == "theirs", "{}", stage.flow()?);
    Ok(())
}

#[tokio::test]
async fn an_adoption_is_shown_confirmed_carried_out_and_ends_with_its_source() -> Result<()> {
    let Some(stage) = Show::start("external-adopt").await? else { return Ok(()) };
    let somebody = Somebody::with_a_flow(&stage).await?;
    somebody.start(&stage).await?;
    somebody.client.describe_flow().flow_arn(&somebody.arn).send().await?;
    let (since, before) = (stage.now()?, stage.flow()?);
    let adopting = |input: Value| {
        let spec =
            json!({ "external": external(&somebody.arn, "Adopt"), "inputs": [input], "tags": { "team": "sports" } });
        with(source(), spec)
    };
    stage.apply(&[adopting(input("main", "Primary", 5000))])?;

    // Shown. Nothing but ownership tags is different.
    let planned = stage.until_condition("source/studio", "Stalled", "True", "AdoptionPlanned").await?;
    let plan = [
        "would change tag team: news -> sports",
        "would change input main: allowedCidr 198.51.100.0/24 -> 203.0.113.0/24, description",
    ];
    ensure!(planned["status"]["adoption"] == json!({ "state": "Planned", "plan": plan }), "{}", planned["status"]);
    ensure!(message(&planned, "Stalled").contains(plan[1]), "{planned}");
    ensure!(acts(&stage, since)?.iter().all(|r| r["operation"] == "TagResource"), "{:?}", acts(&stage, since)?);
    let without_tags = |flow: Value| {
        let mut flow = without_peers(flow);
        flow["tags"] = Value::Null;
        flow
    };
    ensure!(without_tags(stage.flow()?) == without_tags(before.clone()), "{}\nwas {before}", stage.flow()?);
    ensure!(owner(&stage.flow()?) == "studio" && stage.flow()?["tags"]["team"] == "news", "{}", stage.flow()?);

    // Another wish is another plan, which the first word does not confirm.
    stage.change("source/studio", json!({ "inputs": [input("main", "Primary", 6000)] }))?;
    let other =
        "would change input main: allowedCidr 198.51.100.0/24 -> 203.0.113.0/24, port 5000 -> 6000, description";
    let shows = |plan: &'static str| move |o: &Value| o["status"]["adoption"]["plan"][1] == plan;
    stage.until("source/studio", "shows the new plan", shows(other)).await?;

    // Confirmed, while AWS loses the answer once.
    stage.fault("TagResource", 1, json!("dropBefore"))?;
    stage.kubectl("annotate source/studio playout.dev/reconcile-at=go")?;
    let adopted = stage.until("source/studio", "is adopted", |o| o["status"]["adoption"]["state"] == "Adopted").await?;
    ensure!(adopted["status"]["lastHandledReconcileAt"] == "go", "{adopted}");
    stage.until_condition("source/studio", "Ready", "True", "Running").await?;
    let flow = stage.flow()?;
    ensure!(flow["source"]["ingestPort"] == 6000 && flow["source"]["whitelistCidr"] == "203.0.113.0/24", "{flow}");
    ensure!(flow["tags"]["team"] == "sports" && flow["flowArn"] == somebody.arn.as_str(), "{flow}");
    ensure!(flow["outputs"] == before["outputs"] && flow["name"] == before["name"], "{flow}\nwas {before}");
    ensure!(flow["source"]["sourceArn"] == before["source"]["sourceArn"], "the source was replaced");

    // From now on it is as any other: a change is carried out at once, also by an operator that remembers nothing.
    stage.operator.borrow_mut().restart()?;
    stage.change("source/studio", json!({ "inputs": [input("main", "Primary", 7000)] }))?;
    stage.until_aws("the port is changed", |flow| flow["source"]["ingestPort"] == 7000).await?;
    stage.apply(&[secret("one", &key("one")), destination("one")])?;
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    ensure!(stage.output("one")?["destination"] == host("one").as_str());
    stage.change("source/studio", json!({ "state": "Stopped" }))?;
    stage.until_aws("it is stopped", |flow| flow["status"] == "STANDBY").await?;
    stage.change("source/studio", json!({ "state": "Auto" }))?;
    stage.until_aws("it runs for its Destination", |flow| flow["status"] == "ACTIVE").await?;

    // Its end waits for what others have on it.
    stage.kubectl("delete source,destination --all --wait=false")?;
    let waiting = stage.until_condition("source/studio", "Ready", "False", "ForeignOutputs").await?;
    ensure!(message(&waiting, "Ready").contains("wall") && message(&waiting, "Ready").contains("archive"), "{waiting}");
    ensure!(stage.flow()?["status"] == "ACTIVE" && stage.outputs()?.len() == 2, "{}", stage.flow()?);
    for output in ["wall", "archive"] {
        somebody.remove(&stage, output).await?;
    }
    stage.until_gone("source/studio").await?;
    stage.until_nothing_is_left().await?;
    let acts = by_operation(&acts(&stage, since)?);
    println!("a flow was adopted, changed and deleted: {acts:?}");
    ensure!(!acts.contains_key("CreateFlow") && acts["UpdateFlowSource"] == 2, "{acts:?}");
    Ok(())
}

#[tokio::test]
async fn an_adoption_that_nobody_confirms_leaves_no_trace() -> Result<()> {
    let Some(stage) = Show::start("external-unconfirmed").await? else { return Ok(()) };
    let somebody = Somebody::with_a_flow(&stage).await?;
    somebody.start(&stage).await?;
    let before = somebody.theirs(&stage).await?;
    let since = stage.now()?;
    // Referenced first, and then to be adopted: the one change of the policy that there is.
    stage.apply(&[reference(&somebody.arn)])?;
    stage.until_condition("source/studio", "Ready", "True", "Running").await?;
    ensure!(acts(&stage, since)?.is_empty(), "{:?}", acts(&stage, since)?);
    let inputs = json!([input("studio-a", "Primary", 5000)]);
    stage.change("source/studio", json!({ "external": { "policy": "Adopt" }, "inputs": inputs }))?;
    let planned = stage.until_condition("source/studio", "Stalled", "True", "AdoptionPlanned").await?;
    let plan = planned["status"]["adoption"]["plan"].to_string();
    ensure!(plan.contains("would add input studio-a") && plan.contains("would remove input main"), "{plan}");
    stage.apply(&[secret("one", &key("one")), destination("one")])?;
    // What carries the show is told, also of an input that the spec does not have.
    stage.until_condition("destination/one", "Ready", "True", "Running").await?;
    ensure!(stage.output("one")?["outputStatus"] == "ENABLED", "{}", stage.output("one")?);
    stage.kubectl("delete source,destination --all --timeout=60s")?;
    ensure!(somebody.theirs(&stage).await? == before, "{}\nwas {before}", somebody.theirs(&stage).await?);
    Ok(())
}

#[tokio::test]
async fn a_flow_that_is_gone_is_told_and_none_is_made_in_its_place() -> Result<()> {
    let Some(stage) = Show::start_with("external-gone", &["--leader-election=false", "--drift-interval=1s"]).await?
    else {
        return Ok(());
    };
    let somebody = Somebody::with_a_flow(&stage).await?;
    somebody.untag(&["team"]).await?;
    let mut as_it_is = input("main", "Primary", 5000);
    as_it_is["srtListener"]["allowedCidr"] = json!("198.51.100.0/24");
    let adopting = json!({ "external": external(&somebody.arn, "Adopt"), "inputs": [as_it_is] });
    stage.apply(&[with(source(), adopting)])?;
    // It is as requested, so that there is nothing to confirm.
    let adopted = stage.until_condition("source/studio", "Ready", "True", "Stopped").await?;
    ensure!(adopted["status"]["adoption"] == json!({ "state": "Adopted" }), "{adopted}");
    let changed = by_operation(&stage.changes(0)?);
    ensure!(!changed.contains_key("UpdateFlowSource") && !changed.contains_key("StopFlow"), "{changed:?}");

    stage.edit(json!({ "remove": true, "region": REGION }))?;
    let stalled = stage.until_condition("source/studio", "Stalled", "True", "ExternalNotFound").await?;
    ensure!(stalled["status"]["flowArn"].is_null() && stalled["status"]["adoption"].is_null(), "{stalled}");
    let looks = by_operation(&stage.requests(0)?)["DescribeFlow"];
    wait_until(PATIENCE, "it is looked for again", || async {
        stage.kubectl("annotate source/studio playout.dev/reconcile-at=again --overwrite")?;
        ensure!(by_operation(&stage.requests(0)?)["DescribeFlow"] > looks);
        anyhow::Ok(())
    })
    .await?;
    ensure!(stage.flows()?.is_empty() && by_operation(&stage.changes(0)?)["CreateFlow"] == 1, "another was made");
    stage.kubectl("delete source studio --timeout=60s")?;
    Ok(())
}
