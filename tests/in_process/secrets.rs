//! A key is nowhere but where it belongs: not in a log at trace level, not in an Event, a status, a metric or an error.
//!
//! The keys are canaries. They go through every path that a key can take, also those on which AWS repeats what it was sent,
//! and then everything that the operator has let out is searched for them, in every spelling.

mod canaries;
mod changed;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use http::Method;
use k8s_openapi::ByteString;
use kube::runtime::reflector::Store;
use playout_api::Destination;
use playout_api::destination::DestinationStatus;
use playout_aws::redact::Redactor;
use playout_core::failure::Failure;
use playout_core::kinds::destination::memory::Memory;
use playout_core::kinds::destination::plan::Action;
use playout_core::plan::Desired;
use playout_core::resources::flow::OutputAction;
use playout_operator::config::LogFormat;
use playout_operator::kind::{Context, Kind, Outcome};
use playout_operator::kinds::destination::DestinationKind;
use playout_operator::lanes::Lane;
use playout_operator::reconcile::reconcile;
use playout_operator::telemetry;
use playout_sim::{Edit, Fault, FaultKind, Receiver, Seed};
use serde_json::{Value, json};

use crate::fixtures::api_server::Change;
use crate::fixtures::aws::Canned;
use crate::fixtures::life::{destination, identity, secret, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::world::{REGION, World};
use canaries::{
    CHANGED, ENCODED, ENCODED_SSM, ENCODED_URL, IN_FLOW, IN_OUTPUT, IN_PATH, IN_PRESET, IN_QUERY, IN_SOURCE, IN_STREAM,
    IN_USER, INPUT, MARK, PANIC, PASSWORD, RECODED, SPACED, TWITCH, YOUTUBE, leaks,
};

/// A Destination whose pass panics when it is about to send the key, with the key in the panic.
#[derive(Debug)]
enum Panicking {}

impl Kind for Panicking {
    type Object = Destination;
    type Wanted = <DestinationKind as Kind>::Wanted;
    type Observed = <DestinationKind as Kind>::Observed;
    type Action = <DestinationKind as Kind>::Action;
    type Memory = Memory;

    const CONTROLLER: &'static str = DestinationKind::CONTROLLER;

    fn objects(context: &Context) -> &Store<Destination> {
        DestinationKind::objects(context)
    }

    fn lane(object: &Destination, context: &Context) -> Lane {
        DestinationKind::lane(object, context)
    }

    async fn wanted(object: &Destination, context: &Context) -> (Desired<Self::Wanted>, Option<Failure>) {
        DestinationKind::wanted(object, context).await
    }

    async fn observe(
        object: &Destination,
        desired: &Desired<Self::Wanted>,
        context: &Context,
    ) -> Result<Self::Observed, Failure> {
        DestinationKind::observe(object, desired, context).await
    }

    async fn execute(_: &Destination, action: &Action, _: &Context) -> Result<Option<String>, Failure> {
        if let Action::Output(OutputAction::Add { output, .. }) = action {
            let key = output.settings.rtmp.as_ref().map_or("", |path| path.stream.expose());
            assert!(key.is_empty(), "cannot send {key}");
        }
        Ok(None)
    }

    fn status(object: &Destination, outcome: &Outcome<'_, Self>, context: &Context) -> DestinationStatus {
        DestinationKind::status(object, outcome, context)
    }

    fn settled_for(object: &Destination, context: &Context) -> Duration {
        DestinationKind::settled_for(object, context)
    }
}

fn key(name: &str) -> Value {
    json!({ "secretRef": { "name": name, "key": "key" } })
}

fn echo(world: &World, operation: &str, contains: &str, status: u16) {
    let (code, times) = ("BadRequestException".to_string(), 2);
    let message = format!("1 validation error detected: Value '{contains}' at 'streamName' is not accepted");
    let kind = FaultKind::FailBefore { status, code, message };
    world.sim.plant_fault(Fault { times, contains: Some(contains.into()), ..Fault::new("*", operation, kind) });
}

/// A Destination with a MediaLive channel.
fn transcoded(mut spec: Value) -> Value {
    spec["delivery"] = json!("Transcode");
    spec["encoding"] = json!("480p30");
    spec
}

/// MediaLive refuses a channel field by field, and repeats the fields in every spelling; and so do the alerts of one that runs.
fn echo_of_channels(world: &World) {
    let said = |key: &str| {
        let (quoted, encoded) = (json!(key).to_string(), key.replace('+', "%2B"));
        format!("'{key}' {quoted} [rtmps://a.example.net:443/live2?token={encoded}/{key}] is not accepted")
    };
    for (method, path, key) in [
        (Method::POST, "/channels", ENCODED),
        (Method::POST, "/channels", ENCODED_SSM),
        (Method::POST, "/channels", ENCODED_URL),
        (Method::PUT, "", RECODED),
    ] {
        let errors = json!([{ "elementPath": "/destinations/0/settings/0/streamName", "errorMessage": said(key) }]);
        let body = json!({ "message": said(key), "validationErrors": errors });
        world.answers.give(Canned { method, path, contains: key.into(), times: 1, status: 422, body });
    }
    let alerts: Vec<_> = [ENCODED, ENCODED_SSM, ENCODED_URL]
        .iter()
        .map(|key| {
            json!({ "id": key.len().to_string(), "alertType": "Output", "message": said(key), "pipelineId": "0",
                "setTimestamp": "2026-01-01T00:00:00Z", "state": "SET" })
        })
        .collect();
    let (path, contains, body) = ("/alerts", String::new(), json!({ "alerts": alerts }));
    world.answers.give(Canned { method: Method::GET, path, contains, times: 6, status: 200, body });
}

/// Somebody else's keys come into flows, which then fail, and AWS's words repeat the keys.
fn echo_of_flows(world: &World) {
    let output = |name: &str| identity("Destination", name).output_name("primary");
    let rtmp = |key: &str| json!({ "rtmpPushSettings": { "applicationName": "live2", "streamName": key } });
    let input = |key: &str| json!({ "rtmpPushSettings": { "namingConfiguration": { "manual": { "applicationName": "live2", "streamName": key } } } });
    let edit = |edit| world.sim.edit(&edit).expect("a flow");
    let (studio, pushed) = (identity("Source", "studio").flow_name(), identity("Source", "pushed").flow_name());
    let of = |flow: &String| Edit { flow: flow.clone(), ..Edit::default() };
    edit(Edit { source: Some("encoder".into()), patch: Some(input(IN_SOURCE)), ..of(&pushed) });
    edit(Edit { output: Some(output("youtube")), patch: Some(rtmp(IN_OUTPUT)), ..of(&studio) });
    edit(Edit { output: Some(output("partner")), patch: Some(json!({ "streamId": IN_STREAM })), ..of(&studio) });
    let said = |key: &str| format!("'{key}' [rtmps://a.example.net/live2?token={IN_FLOW}/{key}] was refused");
    for (flow, keys) in [(&pushed, [IN_SOURCE, IN_SOURCE]), (&studio, [IN_OUTPUT, IN_STREAM])] {
        let errors = Some(keys.map(said).to_vec());
        edit(Edit { status: Some("ERROR".into()), errors, ..of(flow) });
    }
}

/// Sends every canary through its path, and prints what the operator has let out but for its log, which goes where logs go.
async fn send_all(redactor: Redactor) {
    let mut world = World::new(None);
    world.redactor = redactor;
    let cluster = &world.cluster;
    world.sim.seed(&Seed {
        parameters: vec![
            serde_json::from_value(json!({ "region": REGION, "name": "/keys/twitch", "value": TWITCH })).expect("it"),
            serde_json::from_value(json!({ "region": REGION, "name": "/keys/encoded", "value": ENCODED_SSM }))
                .expect("it"),
        ],
        secrets: Vec::new(),
    });
    for (name, text) in [
        ("youtube", YOUTUBE),
        ("partner", PASSWORD),
        ("input", INPUT),
        ("spaced", SPACED),
        ("panics", PANIC),
        ("encoded", ENCODED),
        ("harmless", "harmless-key"),
    ] {
        cluster.create("secrets", secret(name, text));
    }
    cluster.create("sources", source());
    let mut rtmp = source();
    rtmp["metadata"]["name"] = json!("pushed");
    rtmp["spec"]["inputs"] = json!([{ "name": "encoder", "priority": "Primary", "enabled": true, "protocol": "Rtmp",
        "rtmp": { "applicationName": "live", "allowedCidr": "203.0.113.0/24", "streamKey": key("input") } }]);
    cluster.create("sources", rtmp);
    let platform = |platform: &str, secret: &str| json!({ "platform": platform, "streamKey": key(secret) });
    let url = |url: String| json!({ "platform": "Custom", "url": url, "streamKey": key("harmless") });
    for (name, spec) in [
        ("youtube", platform("YouTube", "youtube")),
        ("twitch", json!({ "platform": "Twitch", "streamKey": { "ssmParameter": "/keys/twitch" } })),
        (
            "partner",
            json!({ "platform": "Custom", "url": "srt://198.51.100.7:9000", "encryption": { "algorithm": "Aes256",
                "passwordSecretRef": { "name": "partner", "key": "key" } } }),
        ),
        ("spaced", platform("Kick", "spaced")),
        ("in-path", url(format!("rtmp://ingest.example.net/app/{IN_PATH}"))),
        ("in-query", url(format!("rtmp://ingest.example.net/app?token={IN_QUERY}"))),
        ("in-user", url(format!("rtmp://user:{IN_USER}@ingest.example.net/app"))),
        (
            "in-preset",
            json!({ "platform": "Twitch", "url": format!("rtmps://live.twitch.tv/app/{IN_PRESET}"),
                "streamKey": key("harmless") }),
        ),
        ("encoded", transcoded(platform("YouTube", "encoded"))),
        ("encoded-ssm", transcoded(json!({ "platform": "Twitch", "streamKey": { "ssmParameter": "/keys/encoded" } }))),
        ("encoded-url", transcoded(url(format!("rtmp://ingest.example.net/app?token={ENCODED_URL}")))),
    ] {
        cluster.create("destinations", destination(name, spec));
    }
    // Refused with words that hold what was sent; then taken, and then refused by the receiver.
    echo(&world, "AddFlowOutputs", YOUTUBE, 400);
    echo(&world, "AddFlowOutputs", TWITCH, 500);
    echo(&world, "AddFlowOutputs", IN_PATH, 400);
    echo(&world, "AddFlowOutputs", IN_QUERY, 400);
    echo(&world, "CreateFlow", INPUT, 400);
    echo(&world, "CreateSecret", PASSWORD, 400);
    echo(&world, "UpdateFlowOutput", CHANGED, 400);
    echo_of_channels(&world);
    world.sim.set_receiver("live.twitch.tv", None, Receiver::Refuse);
    let mut operator = Operator::start(&world).await;
    operator.run_for(&world, Duration::from_secs(400)).await.expect("it lives");

    cluster.edit("secrets", "youtube", &json!({ "data": secret("", CHANGED)["data"] }));
    cluster.edit("secrets", "encoded", &json!({ "data": secret("", RECODED)["data"] }));
    operator.run_for(&world, Duration::from_secs(100)).await.expect("it lives");

    cluster.create("destinations", destination("panics", platform("YouTube", "panics")));
    let object = cluster.object("destinations", "panics").expect("it was created");
    let object: Destination = serde_json::from_value(object).expect("a Destination");
    operator.hear(&world);
    let _ = reconcile::<Panicking>(Arc::new(object), operator.context.clone()).await;
    let told = cluster.object("destinations", "panics").expect("it is there");
    assert_eq!(told["status"]["conditions"][0]["reason"], "InternalError", "it did not panic: {}", told["status"]);
    operator.run_for(&world, Duration::from_secs(100)).await.expect("it lives");

    echo_of_flows(&world);
    operator.run_for(&world, Duration::from_secs(100)).await.expect("it lives");
    for name in ["studio", "pushed"] {
        let told = cluster.object("sources", name).expect("it is there")["status"]["conditions"][0].clone();
        assert!(told["reason"] == "FlowError" && told["message"].to_string().contains("was refused"), "{told}");
    }

    show(&world, &operator);
    // What was sent must have arrived, or nothing was tested.
    let sent = serde_json::to_string(&world.sim.log(0)).expect("JSON");
    let encoded = [ENCODED, RECODED, ENCODED_SSM, ENCODED_URL];
    for canary in [YOUTUBE, CHANGED, TWITCH, PASSWORD, INPUT, PANIC, IN_PATH, IN_QUERY].into_iter().chain(encoded) {
        assert!(sent.contains(canary), "{} was not sent", canary.trim_start_matches(MARK));
    }
    assert!(world.answers.are_given(), "not all that repeats a key was asked for: {:?}", world.answers);
    for (kind, name) in cluster.objects().into_keys().filter(|(kind, _)| kind != "secrets") {
        cluster.delete(&kind, &name);
    }
    operator.run_for(&world, Duration::from_secs(100)).await.expect("it lives");
    show(&world, &operator);
}

fn show(world: &World, operator: &Operator) {
    // As it ever was: an alert is in a status for a moment.
    for (_, (kind, name), change) in world.cluster.changes(0).into_iter().filter(|(_, (kind, _), _)| kind != "secrets")
    {
        let (Change::Applied(object) | Change::Deleted(object)) = change;
        println!("OBJECT {kind} {name} {} {}", object["metadata"], object["status"]);
    }
    for event in world.cluster.events() {
        println!("EVENT {event}");
    }
    println!("{}", operator.context.metrics.render());
}

const CHILD: &str = "PLAYOUT_TEST_SECRETS";

/// Not a test of its own: the process whose output is searched, with the telemetry that the operator has.
#[test]
#[ignore = "started by the tests below"]
fn let_out() {
    let Ok(mode) = std::env::var(CHILD) else { return };
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let redactor = Redactor::default();
    let (filter, known) = match mode.as_str() {
        // All that there is, as the operator writes it.
        "all" => ("trace", redactor.clone()),
        // What we write ourselves, before anything is taken out of it.
        _ => ("off,playout_operator=trace,playout_aws=trace,playout_core=trace", Redactor::default()),
    };
    telemetry::start(LogFormat::Human, filter, known).expect("a log");
    if mode == "leak" {
        tracing::trace!(target: "playout_operator", "the key is {YOUTUBE}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(send_all(redactor));
}

/// All that the child has written.
fn output_of(mode: &str) -> Result<String> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--exact", "secrets::let_out", "--ignored", "--nocapture"])
        .env(CHILD, mode)
        .output()?;
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(
        output.status.success(),
        "{}",
        text.chars().rev().take(6000).collect::<Vec<_>>().iter().rev().collect::<String>()
    );
    ensure!(text.contains("OBJECT ") && text.contains("EVENT ") && text.contains("playout_aws_requests"), "{text}");
    Ok(text)
}

#[test]
fn nothing_at_trace_level_holds_a_key() -> Result<()> {
    let text = output_of("all")?;
    ensure!(text.lines().filter(|line| line.contains("TRACE")).count() > 1000, "this is not trace level");
    let leaks = leaks(&text);
    ensure!(leaks.is_empty(), "{} lines, the first: {:#?}", leaks.len(), &leaks[..leaks.len().min(20)]);
    Ok(())
}

/// The last line of defence is not the first: our own code gives nothing away that would have to be taken out.
#[test]
fn our_own_lines_need_no_cleaning() -> Result<()> {
    let text = output_of("own")?;
    ensure!(text.lines().filter(|line| line.contains("acting")).count() > 10, "nothing was logged");
    let leaks = leaks(&text);
    ensure!(leaks.is_empty(), "{} lines, the first: {:#?}", leaks.len(), &leaks[..leaks.len().min(20)]);
    Ok(())
}

#[test]
fn a_leak_would_be_found() -> Result<()> {
    let found = leaks(&output_of("leak")?);
    ensure!(found.iter().any(|line| line.contains("the key is")), "{found:?}");
    for text in [YOUTUBE, PASSWORD] {
        for before in ["", "a", "ab"] {
            let encoded = serde_json::to_string(&ByteString(format!("{before}{text}!").into_bytes()))?;
            ensure!(leaks(&encoded).len() == 1, "{before}{text} in Base64");
        }
        ensure!(leaks(&text.replace('+', "%2B")).len() == 1);
    }
    Ok(())
}

/// Two Destinations that put each other off the air are told of each other, without a word of what they share.
#[tokio::test(start_paused = true)]
async fn two_with_one_receiver_and_key_are_told_of_each_other_and_not_of_the_key() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let world = World::new(None);
    world.cluster.create("sources", source());
    for (name, url) in [("one", "rtmp://ingest.example.net/live"), ("copy", "rtmps://ingest.example.net:443/live")] {
        world.cluster.create("secrets", secret(name, YOUTUBE));
        let key = json!({ "secretRef": { "name": name, "key": "key" } });
        world.cluster.create("destinations", destination(name, json!({ "url": url, "streamKey": key })));
    }
    let told = |of: &str| {
        let object = world.cluster.object("destinations", of).expect("it is there");
        assert!(!object["status"].to_string().contains(MARK), "{object}");
        let conditions = object["status"]["conditions"].as_array().cloned().unwrap_or_default();
        let found = conditions.into_iter().find(|c| c["type"] == "SameReceiver");
        found.map(|c| c["message"].as_str().unwrap_or_default().to_string()).unwrap_or_default()
    };
    let mut operator = Operator::start(&world).await;
    let minutes = Duration::from_secs(300);
    operator.run_for(&world, minutes).await.expect("it lives");
    assert!(told("one").starts_with("Destination copy sends to the same receiver"), "{}", told("one"));
    assert!(told("copy").starts_with("Destination one sends to the same receiver"), "{}", told("copy"));
    // What is stopped, or gone, disturbs nobody.
    world.cluster.edit("destinations", "copy", &json!({ "spec": { "state": "Stopped" } }));
    operator.run_for(&world, minutes).await.expect("it lives");
    assert_eq!((told("one"), told("copy")), (String::new(), String::new()));
    world.cluster.edit("destinations", "copy", &json!({ "spec": { "state": "Running" } }));
    operator.run_for(&world, minutes).await.expect("it lives");
    assert!(!told("one").is_empty() && !told("copy").is_empty());
    world.cluster.delete("destinations", "copy");
    operator.run_for(&world, minutes).await.expect("it lives");
    assert_eq!(told("one"), "");
}
