//! What is said of a programme, and done about it, where AWS publishes what its documents promise and no more, and where it also
//! publishes the series that no page promises for RTMP: the same in both, but for what a measurement adds.

use std::time::Duration;

use playout_sim::{Edit, Encoder, Receiver};
use serde_json::{Value, json};

use super::paused;
use crate::fixtures::api_server::Change;
use crate::fixtures::life::{destination, identity, our_flow, secret, source};
use crate::fixtures::operator::Operator;
use crate::fixtures::world::{World, both_worlds};

const HOST: &str = "live.example.net";
const BACKUP: &str = "backup.example.net";
const NAME: &str = "show";

/// Plays it in both worlds; it is told whether RTMP outputs are measured.
fn in_both_worlds(play: impl AsyncFn(World, bool)) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for switches in both_worlds() {
        paused(play(World::publishing(&switches, None), switches.rtmp_output_metrics));
    }
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A Source and a Destination over RTMP, and an operator that has just begun.
async fn begin(world: &World, source: Value, spec: Value) -> Operator {
    world.cluster.create("secrets", secret(NAME, "key-0001"));
    world.cluster.create("sources", source);
    let key = json!({ "secretRef": { "name": NAME, "key": "key" } });
    let mut whole = json!({ "platform": "Custom", "url": format!("rtmp://{HOST}/live"), "streamKey": key });
    for (field, value) in spec.as_object().into_iter().flatten() {
        whole[field] = value.clone();
    }
    world.cluster.create("destinations", destination(NAME, whole));
    Operator::start(world).await
}

async fn look_on(world: &World, operator: &mut Operator, length: u64) {
    operator.run_for(world, seconds(length)).await.expect("it lives");
}

/// State, Ready and the other condition, and what Ready says.
fn told(status: &Value, other: &str) -> (String, String, String, String) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
    let conditions = status["conditions"].as_array().cloned().unwrap_or_default();
    let of = |type_: &str| conditions.iter().find(|c| c["type"] == type_).cloned().unwrap_or_default();
    let said = |c: &Value| format!("{} {}", text(&c["status"]), text(&c["reason"]));
    (text(&status["state"]), said(&of("Ready")), said(&of(other)), text(&of("Ready")["message"]))
}

fn now(world: &World) -> (String, String, String, String) {
    told(&world.cluster.object("destinations", NAME).expect("it is there")["status"], "Delivering")
}

fn source_now(world: &World) -> (String, String, String, String) {
    told(&world.cluster.object("sources", "studio").expect("it is there")["status"], "Healthy")
}

/// All states of the Destination that were ever written since.
pub(super) fn states(world: &World, since: usize) -> Vec<String> {
    let changes = world.cluster.changes(since).into_iter().filter(|(_, key, _)| key.0 == "destinations");
    let state = |(_, _, change)| match change {
        Change::Applied(object) | Change::Deleted(object) => {
            object["status"]["state"].as_str().unwrap_or_default().to_string()
        }
    };
    changes.map(state).collect()
}

fn never_ran(world: &World, since: usize) {
    let all = states(world, since);
    assert!(!all.iter().any(|state| state == "Running"), "{all:?}");
}

/// The programme is sent: what is said of it, by what AWS shows of RTMP in this world.
fn is_sent(world: &World, measured: bool) {
    let (state, ready, delivering, message) = now(world);
    let expected =
        if measured { ("True Connected", "It is on the air.") } else { ("Unknown NotMeasured", "being sent") };
    assert_eq!((&*state, &*ready, &*delivering), ("Running", "True Running", expected.0), "{message}");
    assert!(message.contains(expected.1), "{message}");
}

fn encoder(world: &World, input: &str, is_there: bool) {
    let encoder = if is_there { Encoder::default() } else { Encoder::absent() };
    world.sim.set_encoder(&identity("Source", "studio").flow_name(), input, encoder);
}

fn count(world: &World, operation: &str) -> usize {
    world.sim.log(0).iter().filter(|e| e.processed && e.operation == operation).count()
}

#[test]
fn a_refused_key_never_runs_and_a_new_one_does() {
    in_both_worlds(async |world, measured| {
        world.sim.set_receiver(HOST, Some("key-0001"), Receiver::RefuseKey);
        let mut operator = begin(&world, source(), json!({ "retry": { "attempts": 100, "after": "30s" } })).await;
        look_on(&world, &mut operator, 30).await;
        let (state, ready, delivering, message) = now(&world);
        assert_eq!(
            (&*state, &*ready, &*delivering),
            ("Error", "False NotConnected", "False NotConnected"),
            "{message}"
        );
        assert!(message.contains(HOST) && message.contains("AWS says: Unable to connect"), "{message}");
        look_on(&world, &mut operator, 300).await;
        assert_eq!(now(&world).0, "Error", "{:?}", now(&world));
        never_ran(&world, 0);
        assert!(count(&world, "UpdateFlowOutput") > 2, "it was never tried again");
        world.cluster.edit("secrets", NAME, &json!({ "data": secret("", "key-0002")["data"] }));
        look_on(&world, &mut operator, 60).await;
        is_sent(&world, measured);
    });
}

#[test]
fn a_key_that_stays_refused_is_given_up_and_costs_nothing() {
    in_both_worlds(async |world, _| {
        world.sim.set_receiver(HOST, Some("key-0001"), Receiver::RefuseKey);
        let retry = json!({ "retry": { "attempts": 2, "after": "15s", "backoff": "5s" } });
        let mut operator = begin(&world, source(), retry).await;
        look_on(&world, &mut operator, 600).await;
        let (state, ready, delivering, message) = now(&world);
        assert_eq!((&*state, &*ready, &*delivering), ("Error", "False GaveUp", "False Stopped"), "{message}");
        never_ran(&world, 0);
        assert_eq!(our_flow(&world).expect("a flow")["status"], "STANDBY");
    });
}

#[test]
fn the_backup_takes_over_from_a_primary_that_refuses() {
    in_both_worlds(async |world, measured| {
        world.sim.set_receiver(HOST, None, Receiver::Refuse);
        let backup = json!({ "mode": "OnFailure", "url": format!("rtmp://{BACKUP}/live") });
        let mut operator = begin(&world, source(), json!({ "backup": backup })).await;
        look_on(&world, &mut operator, 120).await;
        is_sent(&world, measured);
        let status = world.cluster.object("destinations", NAME).expect("it is there")["status"].clone();
        assert_eq!((&status["activeEndpoint"], &status["failover"]["endpoint"]), (&json!("Backup"), &json!("Backup")));
        let why = status["failover"]["reason"].as_str().unwrap_or_default();
        assert!(why.contains(HOST) || why.contains("primary"), "{why}");
        let events: Vec<_> = world.cluster.events().into_iter().filter(|e| e["reason"] == "Switched").collect();
        let note = events[0]["note"].as_str().unwrap_or_default();
        assert!(
            events.len() == 1 && events[0]["type"] == "Warning" && note.contains("The backup leads now"),
            "{events:?}"
        );
        assert!(note.contains("--overwrite playout.dev/active-endpoint=Primary"), "{note}");
        // It stays there, and nothing flaps.
        let switched = count(&world, "UpdateFlowOutput");
        look_on(&world, &mut operator, 1800).await;
        assert_eq!(count(&world, "UpdateFlowOutput"), switched);
        is_sent(&world, measured);
    });
}

/// As docs/troubleshooting.md says: half a minute to not quite a minute, wherever between two looks it breaks.
#[test]
fn a_primary_that_begins_to_refuse_on_the_air_gives_its_place_to_the_backup() {
    in_both_worlds(async |world, measured| {
        let backup = json!({ "mode": "OnFailure", "url": format!("rtmp://{BACKUP}/live") });
        let mut operator = begin(&world, source(), json!({ "backup": backup })).await;
        let active = |world: &World| world.cluster.object("destinations", NAME).expect("it is there")["status"].clone();
        let mut taken = Vec::new();
        for offset in [0, 5, 11, 16, 22, 27] {
            look_on(&world, &mut operator, 120 + offset).await;
            assert_eq!(active(&world)["activeEndpoint"], "Primary");
            is_sent(&world, measured);
            world.sim.set_receiver(HOST, None, Receiver::Refuse);
            let start = world.clock.instant();
            while active(&world)["activeEndpoint"] != "Backup" {
                assert!(world.clock.instant() < start + seconds(90), "{}", active(&world));
                look_on(&world, &mut operator, 1).await;
            }
            taken.push((world.clock.instant() - start).as_secs());
            look_on(&world, &mut operator, 20).await;
            is_sent(&world, measured);
            world.sim.set_receiver(HOST, None, Receiver::Accept);
            let back = json!({ "metadata": { "annotations": { "playout.dev/active-endpoint": "Primary" } } });
            world.cluster.edit("destinations", NAME, &back);
            look_on(&world, &mut operator, 20).await;
            let done = json!({ "metadata": { "annotations": { "playout.dev/active-endpoint": null } } });
            world.cluster.edit("destinations", NAME, &done);
        }
        assert!(taken.iter().all(|length| (20..=55).contains(length)), "{taken:?}");
    });
}

fn rtp(name: &str, priority: &str, port: u16) -> Value {
    json!({ "name": name, "priority": priority, "protocol": "Rtp", "enabled": true,
        "rtp": { "port": port, "allowedCidr": "203.0.113.0/24" } })
}

/// Nothing arrives by RTP, which has no metric of a connection: the Emergency is swapped in, and while it brings nothing either
/// all is silent, and nothing is swapped back and forth.
#[test]
fn with_three_dead_rtp_inputs_the_emergency_leads_and_all_is_silent() {
    in_both_worlds(async |world, measured| {
        let inputs = [rtp("main", "Primary", 5000), rtp("reserve", "Backup", 5010), rtp("slate", "Emergency", 5020)];
        inputs.iter().for_each(|input| encoder(&world, input["name"].as_str().unwrap_or_default(), false));
        let mut studio = source();
        studio["spec"]["inputs"] = json!(inputs);
        let mut operator = begin(&world, studio, json!({})).await;
        look_on(&world, &mut operator, 600).await;
        let flow = our_flow(&world).expect("a flow");
        let names: Vec<_> = flow["sources"].as_array().into_iter().flatten().map(|s| s["name"].clone()).collect();
        assert!(names.contains(&json!("slate")), "{names:?}");
        let (state, ready, delivering, message) = now(&world);
        assert_eq!((&*state, &*ready, &*delivering), ("Silent", "True NoSignal", "False NoSignal"), "{message}");
        let (_, ready, healthy, message) = source_now(&world);
        assert_eq!((&*ready, &*healthy), ("True NoSignal", "False NoSignal"), "{message}");
        never_ran(&world, 0);
        let swaps = count(&world, "RemoveFlowSource");
        assert!(swaps < 3, "{swaps} inputs were taken out");
        look_on(&world, &mut operator, 1800).await;
        assert_eq!(count(&world, "RemoveFlowSource"), swaps, "they are swapped back and forth");

        encoder(&world, "slate", true);
        look_on(&world, &mut operator, 90).await;
        is_sent(&world, measured);
        let status = world.cluster.object("sources", "studio").expect("it is there")["status"].clone();
        assert_eq!(status["activeInput"], "slate", "{status}");
    });
}

#[test]
fn while_the_signal_is_gone_it_is_silent_and_never_running() {
    in_both_worlds(async |world, measured| {
        encoder(&world, "encoder", false);
        let mut operator = begin(&world, source(), json!({})).await;
        look_on(&world, &mut operator, 300).await;
        let (state, ready, delivering, message) = now(&world);
        assert_eq!((&*state, &*ready, &*delivering), ("Silent", "True NoSignal", "False NoSignal"), "{message}");
        never_ran(&world, 0);

        encoder(&world, "encoder", true);
        look_on(&world, &mut operator, 90).await;
        is_sent(&world, measured);

        // The encoder's pause ends no run, and is no failure of the receiver.
        encoder(&world, "encoder", false);
        look_on(&world, &mut operator, 90).await;
        let since = world.cluster.changed();
        assert_eq!(now(&world).0, "Silent", "{:?}", now(&world));
        look_on(&world, &mut operator, 600).await;
        never_ran(&world, since);
        let status = world.cluster.object("destinations", NAME).expect("it is there")["status"].clone();
        assert_eq!(status["lastRuns"].as_array().map(Vec::len), Some(1), "{status}");
        assert_eq!(count(&world, "UpdateFlowOutput"), 0, "a silent output was restarted");
    });
}

/// Where the flow calls the encoder, AWS shows the configured address, and with `health` off nothing else is asked.
#[test]
fn while_the_signal_is_not_known_it_is_silent_and_never_running() {
    in_both_worlds(async |world, _| {
        let mut studio = source();
        studio["spec"]["health"]["enabled"] = json!(false);
        studio["spec"]["inputs"] = json!([{ "name": "encoder", "priority": "Primary", "enabled": true,
            "protocol": "SrtCaller", "srtCaller": { "address": "198.51.100.7", "port": 9000 } }]);
        let mut operator = begin(&world, studio, json!({})).await;
        look_on(&world, &mut operator, 600).await;
        let (state, ready, delivering, message) = now(&world);
        assert_eq!((&*state, &*ready, &*delivering), ("Silent", "True NoSignal", "Unknown NoSignal"), "{message}");
        never_ran(&world, 0);
    });
}

/// Without readings of CloudWatch, the flow shows the address of an encoder, and takes it away when that is gone.
#[test]
fn with_health_off_a_dead_encoder_is_told_within_the_interval() {
    for phase in [0, 15, 30, 45] {
        in_both_worlds(async |world, _| {
            let mut studio = source();
            studio["spec"]["health"] = json!({ "enabled": false, "interval": "5s" });
            let mut operator = begin(&world, studio, json!({})).await;
            look_on(&world, &mut operator, 120 + phase).await;
            assert_eq!(now(&world).0, "Running");
            encoder(&world, "encoder", false);
            // AWS shows the address for 20 seconds more.
            look_on(&world, &mut operator, 20 + 5 + 3).await;
            assert_eq!(now(&world).0, "Silent", "{phase} s: {}", now(&world).3);
        });
    }
}

/// The only measurement of RTP that AWS documents is the bitrate, and of RTMP outputs there is none.
#[test]
fn what_is_not_measured_is_said_to_be_sent_and_no_more() {
    in_both_worlds(async |world, measured| {
        let mut studio = source();
        studio["spec"]["inputs"] = json!([rtp("main", "Primary", 5000)]);
        let mut operator = begin(&world, studio, json!({})).await;
        look_on(&world, &mut operator, 120).await;
        is_sent(&world, measured);
        let since = world.cluster.changed();
        look_on(&world, &mut operator, 3600).await;
        is_sent(&world, measured);
        assert_eq!(states(&world, since).len(), 0, "a write a look");
    });
}

/// It is on the air, and nobody carries out the stop.
#[test]
fn what_is_suspended_and_then_stopped_is_said_to_be_what_it_is() {
    in_both_worlds(async |world, measured| {
        let mut operator = begin(&world, source(), json!({})).await;
        look_on(&world, &mut operator, 120).await;
        is_sent(&world, measured);
        for change in [json!({ "suspend": true }), json!({ "state": "Stopped" })] {
            world.cluster.edit("destinations", NAME, &json!({ "spec": change }));
            look_on(&world, &mut operator, 60).await;
            let (state, ready, delivering, message) = now(&world);
            let expected = if measured { "True Connected" } else { "Unknown NotMeasured" };
            assert_eq!((&*state, &*ready, &*delivering), ("Running", "Unknown Suspended", expected), "{message}");
        }
    });
}

#[test]
fn against_an_error_that_names_it_nothing_runs() {
    in_both_worlds(async |world, measured| {
        let mut operator = begin(&world, source(), json!({ "retry": { "attempts": 0, "after": "24h" } })).await;
        look_on(&world, &mut operator, 60).await;
        is_sent(&world, measured);
        let (flow, output) = (identity("Source", "studio").flow_name(), identity("Destination", NAME));
        let tell = |of: &str, errors: &[&str]| {
            let errors = Some(errors.iter().map(ToString::to_string).collect());
            let edit = Edit { flow: flow.clone(), output: Some(of.into()), errors, ..Edit::default() };
            world.sim.edit(&edit).expect("an output");
        };
        tell(&output.output_name("primary"), &["The stream key is in use"]);
        look_on(&world, &mut operator, 45).await;
        let (state, ready, delivering, message) = now(&world);
        assert_eq!(
            (&*state, &*ready, &*delivering),
            ("Error", "False NotConnected", "False NotConnected"),
            "{message}"
        );
        assert!(message.contains("AWS says: The stream key is in use."), "{message}");
        let since = world.cluster.changed();
        look_on(&world, &mut operator, 300).await;
        never_ran(&world, since);
        tell(&output.output_name("primary"), &[]);
        look_on(&world, &mut operator, 60).await;
        is_sent(&world, measured);
    });
}
