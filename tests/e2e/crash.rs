//! The operator is killed again and again, at any instant, while AWS loses answers: what is requested comes to be, and nothing
//! is made twice or left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use playout_stage::wait_until;
use serde_json::{Value, json};

use crate::fixtures::{
    PATIENCE, Show, by_operation, condition, destination, encodes, host, input, key, owner, secret, show, source,
    stream_key, text, transcode, with,
};

const CHANNELS: [&str; 3] = ["c0", "c1", "c2"];
const NAMES: [&str; 10] = ["d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9"];

/// Pseudo-random numbers (splitmix64) that come again with the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }
}

fn seed() -> Result<u64> {
    match std::env::var("PLAYOUT_TEST_SEED") {
        Ok(seed) => seed.parse().context("PLAYOUT_TEST_SEED is a number"),
        Err(_) => Ok(20_260_803),
    }
}

/// What an output should be: where it sends to, with which key, and whether it does.
type Wish = BTreeMap<String, (String, String, bool)>;

/// Waits until the flow is there once, with exactly these outputs, and every object says the same.
async fn is_requested(stage: &Show, wish: &Wish) -> Result<()> {
    let running: Vec<_> = wish.iter().filter(|(_, w)| w.2).map(|(name, _)| name.as_str()).collect();
    wait_until(PATIENCE, "exactly what is requested is there", || async {
        let flow = stage.flow()?;
        let outputs = flow["outputs"].as_array().context("a list")?;
        let seen: Wish = outputs
            .iter()
            .map(|o| {
                let sends = o["outputStatus"] == "ENABLED";
                (owner(o).to_owned(), (text(&o["destination"]).to_owned(), stream_key(o).to_owned(), sends))
            })
            .collect();
        ensure!(outputs.len() == wish.len() && seen == *wish, "{} outputs: {seen:?}", outputs.len());
        ensure!(flow["status"] == "ACTIVE" && !flow["source"]["decryption"].is_null(), "{flow}");
        ensure!(stage.secrets()?.len() == 1, "{} secrets", stage.secrets()?.len());
        objects_say(stage, &running).await
    })
    .await
}

/// Whether every object is as requested by its own words.
async fn objects_say(stage: &Show, running: &[&str]) -> Result<()> {
    for object in stage.objects().await? {
        let (name, ready) = (text(&object["metadata"]["name"]), condition(&object, "Ready"));
        let current = object["status"]["observedGeneration"] == object["metadata"]["generation"];
        let ready = ready.is_some_and(|c| c["status"] == "True");
        let state = if name == "studio" || running.contains(&name) { "Running" } else { "Idle" };
        ensure!(current && ready && object["status"]["state"] == state, "{name}: {}", object["status"]);
    }
    Ok(())
}

/// What a channel should send: with which key, how high a picture. Who is off the air has none.
type Encoded = BTreeMap<String, (String, u64)>;

/// Waits until there is an input and a channel for each of these and for nobody else, and every object says the same.
async fn is_encoded(stage: &Show, wish: &Encoded) -> Result<()> {
    let running: Vec<_> = wish.keys().map(String::as_str).collect();
    wait_until(PATIENCE, "exactly what is requested is encoded", || async {
        let (inputs, channels, flow) = (stage.inputs()?, stage.channels()?, stage.flow()?);
        let seen: Encoded = channels.iter().map(|c| (owner(c).to_owned(), encodes(c))).collect();
        ensure!(channels.len() == wish.len() && seen == *wish, "{} channels: {seen:?}", channels.len());
        ensure!(channels.iter().all(|c| c["state"] == "RUNNING"), "{channels:?}");
        let owners: BTreeSet<_> = inputs.iter().map(owner).collect();
        ensure!(inputs.len() == wish.len() && owners.len() == wish.len(), "{inputs:?}");
        let outputs = flow["outputs"].as_array().context("a list")?;
        ensure!(outputs.len() == wish.len() && flow["status"] == "ACTIVE", "{flow}");
        objects_say(stage, &running).await
    })
    .await
}

/// How long AWS takes to delete an input with its output, in microseconds; a little less than the simulator takes.
const INPUT_DELETES: u64 = 4_900_000;

/// The operator, and whoever shoots at it.
struct Fire {
    random: Random,
    kills: usize,
}

impl Fire {
    /// Does what users do, and kills the operator at most that often meanwhile.
    async fn during<T>(&mut self, stage: &Show, times: usize, what: impl Future<Output = Result<T>>) -> Result<T> {
        let mut what = std::pin::pin!(what);
        for _ in 0..times {
            let moment = Duration::from_millis(20 + self.random.below(900));
            if let Ok(done) = tokio::time::timeout(moment, &mut what).await {
                return done;
            }
            stage.operator.borrow_mut().restart()?;
            self.kills += 1;
        }
        what.await
    }

    /// One life: ten Destinations and a Source with a password are made, changed, stopped, started and deleted, with that
    /// many kills in each of its four parts.
    async fn life(&mut self, stage: &Show, kills: [usize; 4]) -> Result<()> {
        let born = stage.now()?;
        let mut wish: Wish = NAMES.map(|name| (name.to_owned(), (host(name), key(name), true))).into();
        self.during(stage, kills[0], async {
            stage.apply(&beginning())?;
            is_requested(stage, &wish).await.context("after the beginning")
        })
        .await?;

        let moved = with(state("d2", "Running"), json!({ "url": "rtmps://moved.example.net:443/live" }));
        let stopped = [state("d3", "Stopped"), state("d4", "Stopped")];
        let changes = [secret("d0", "new-0"), secret("d1", "new-1"), moved].into_iter().chain(stopped);
        for (name, host, key, on) in [
            ("d0", host("d0"), "new-0".into(), true),
            ("d1", host("d1"), "new-1".into(), true),
            ("d2", "moved.example.net".into(), key("d2"), true),
            ("d3", host("d3"), key("d3"), false),
            ("d4", host("d4"), key("d4"), false),
        ] {
            wish.insert(name.into(), (host, key, on));
        }
        self.during(stage, kills[1], async {
            stage.apply(&changes.collect::<Vec<_>>())?;
            is_requested(stage, &wish).await.context("after changes and stops")
        })
        .await?;

        wish.retain(|name, _| name != "d5" && name != "d6");
        wish.insert("d3".into(), (host("d3"), key("d3"), true));
        wish.insert("d7".into(), (host("d7"), key("d7"), false));
        self.during(stage, kills[2], async {
            stage.kubectl("delete destination d5 d6 --wait=false")?;
            stage.apply(&[state("d3", "Running"), state("d7", "Stopped")])?;
            is_requested(stage, &wish).await.context("after deletions and a start")
        })
        .await?;

        self.during(stage, kills[3], end(stage)).await?;
        let made = stage.changes(born)?.into_iter().filter(|r| r["processed"] == true).collect::<Vec<_>>();
        ensure!(by_operation(&made)["CreateFlow"] == 1, "a second flow was made on the way");
        Ok(())
    }
}

impl Fire {
    /// One life of three Destinations with a channel each: made, changed, stopped, started and deleted, with that many kills
    /// in each of its four parts. However often the operator dies, one input and one channel are made for each start.
    async fn life_of_channels(&mut self, stage: &Show, kills: [usize; 4]) -> Result<()> {
        let born = stage.now()?;
        let mut wish: Encoded = CHANNELS.map(|name| (name.to_owned(), (key(name), 720))).into();
        self.during(stage, kills[0], async {
            let own =
                |name: &&str| [secret(name, &key(name)), with(transcode(name), json!({ "updatePolicy": "Restart" }))];
            stage.apply(&[vec![source()], CHANNELS.iter().flat_map(own).collect()].concat())?;
            is_encoded(stage, &wish).await.context("after the beginning")
        })
        .await?;

        let restart = json!({ "updatePolicy": "Restart" });
        let changed = |name: &str, changes: Value| with(with(transcode(name), restart.clone()), changes);
        wish.insert("c0".into(), ("new-0".into(), 480));
        wish.remove("c1");
        self.during(stage, kills[1], async {
            let stopped = changed("c1", json!({ "state": "Stopped" }));
            stage.apply(&[secret("c0", "new-0"), changed("c0", json!({ "encoding": "480p30" })), stopped])?;
            is_encoded(stage, &wish).await.context("after a change and a stop")
        })
        .await?;

        wish.insert("c1".into(), (key("c1"), 720));
        wish.remove("c2");
        self.during(stage, kills[2], async {
            stage.kubectl("delete destination c2 --wait=false")?;
            stage.apply(&[changed("c1", json!({ "state": "Running" }))])?;
            is_encoded(stage, &wish).await.context("after a deletion and a start")
        })
        .await?;

        self.during(stage, kills[3], end(stage)).await?;
        let made: Vec<_> = stage.changes(born)?.into_iter().filter(|r| r["processed"] == true).collect();
        ensure!(by_operation(&made)["CreateFlow"] == 1, "a second flow was made on the way");
        // AWS deletes a flow also while MediaLive takes from it, and the channel fails.
        let at = |operation: &'static str| {
            let done = made.iter().filter(move |r| r["operation"] == operation && r["error"].is_null());
            done.filter_map(|r| r["simulatedMicros"].as_u64())
        };
        let (inputs, flow) = (at("DeleteInput").max(), at("DeleteFlow").min());
        let in_order = inputs.zip(flow).is_some_and(|(inputs, flow)| flow >= inputs + INPUT_DELETES);
        ensure!(in_order, "the flow was deleted at {flow:?} under an input, the last of which went at {inputs:?}");
        for create in ["CreateInput", "CreateChannel"] {
            for (name, starts) in [("-c0-", 1), ("-c1-", 2), ("-c2-", 1)] {
                // What is asked for again with the same token is the same.
                let of = |r: &&Value| r["operation"] == create && text(&r["body"]["name"]).contains(name);
                let tokens: BTreeSet<_> = made.iter().filter(of).map(|r| text(&r["body"]["requestId"])).collect();
                ensure!(tokens.len() == starts, "{create} of {name} with {tokens:?} for {starts} starts");
            }
        }
        Ok(())
    }
}

/// Everything is deleted, and nothing is left.
async fn end(stage: &Show) -> Result<()> {
    stage.kubectl("delete source,destination --all --wait=false")?;
    for object in stage.objects().await? {
        let kind = text(&object["kind"]).to_lowercase();
        stage.until_gone(&format!("{kind}/{}", text(&object["metadata"]["name"]))).await?;
    }
    stage.until_nothing_is_left().await.context("after the end")
}

fn beginning() -> Vec<Value> {
    let mut locked = input("main", "Primary", 5000);
    locked["srtListener"]["encryption"] = json!({ "passwordSecretRef": { "name": "lock", "key": "key" } });
    let mut objects = show(&NAMES);
    objects[0] = with(objects[0].clone(), json!({ "inputs": [locked] }));
    for object in objects.iter_mut().filter(|o| o["kind"] == "Destination") {
        object["spec"]["updatePolicy"] = json!("Restart");
    }
    objects.push(secret("lock", "a-password-to-copy"));
    objects
}

fn state(name: &str, state: &str) -> Value {
    with(destination(name), json!({ "updatePolicy": "Restart", "state": state }))
}

/// A create that was sent may be hidden from lists for less than this; see `HIDDEN`.
const WINDOW: &str = "--create-window=3s";
/// In AWS's seconds, of which fifty are one of ours.
const HIDDEN: u64 = 60;

#[tokio::test]
async fn a_hundred_kills_leave_exactly_what_is_requested() -> Result<()> {
    let Some(stage) = Show::start_with("crash", &[WINDOW]).await? else { return Ok(()) };
    let seed = seed()?;
    println!("PLAYOUT_TEST_SEED={seed}");
    let mut fire = Fire { random: Random(seed), kills: 0 };
    let mut lives = 0;
    while fire.kills < 100 {
        let context = format!("life {lives} with seed {seed}, after {} kills", fire.kills);
        fire.life(&stage, [6, 4, 4, 4]).await.context(context)?;
        lives += 1;
    }
    println!("{} kills in {lives} lives: {:?}", fire.kills, by_operation(&stage.changes(0)?));
    Ok(())
}

#[tokio::test]
async fn answers_that_are_lost_or_wrong_make_nothing_twice() -> Result<()> {
    let Some(stage) = Show::start_with("crash-answers", &[WINDOW]).await? else { return Ok(()) };
    let seed = seed()?;
    let mut fire = Fire { random: Random(seed), kills: 0 };
    let wrong = json!({ "failAfter": { "status": 500, "code": "InternalServerErrorException", "message": "" } });
    for (name, kind) in [("lost", json!("dropAfter")), ("500", wrong)] {
        let mut faults = Vec::new();
        for create in ["CreateFlow", "AddFlowOutputs", "CreateSecret"] {
            // Of CreateFlow one is all that may be sent.
            faults.push(stage.fault(create, if create == "CreateFlow" { 1 } else { 2 }, kind.clone())?);
        }
        fire.life(&stage, [2, 0, 0, 1]).await.with_context(|| format!("{name}, seed {seed}"))?;
        let planted = stage.control("GET", "faults", &Value::Null)?;
        for fault in faults {
            let of = |f: &&Value| f["id"] == fault;
            let hits = planted["faults"].as_array().into_iter().flatten().find(of).map(|f| &f["hits"]);
            ensure!(hits.is_some_and(|h| *h != 0), "the fault {name} was not hit: {planted}");
        }
        stage.clear_faults()?;
    }
    Ok(())
}

#[tokio::test]
async fn a_hundred_kills_leave_the_channels_that_are_requested() -> Result<()> {
    let Some(stage) = Show::start_with("crash-channels", &[WINDOW]).await? else { return Ok(()) };
    let seed = seed()?;
    println!("PLAYOUT_TEST_SEED={seed}");
    let mut fire = Fire { random: Random(seed), kills: 0 };
    let mut lives = 0;
    while fire.kills < 100 {
        let context = format!("life {lives} with seed {seed}, after {} kills", fire.kills);
        fire.life_of_channels(&stage, [10, 8, 8, 8]).await.context(context)?;
        lives += 1;
    }
    println!("{} kills in {lives} lives: {:?}", fire.kills, by_operation(&stage.changes(0)?));
    Ok(())
}

#[tokio::test]
async fn answers_that_are_lost_or_wrong_make_no_channel_twice() -> Result<()> {
    let Some(stage) = Show::start_with("crash-channel-answers", &[WINDOW]).await? else { return Ok(()) };
    let seed = seed()?;
    let mut fire = Fire { random: Random(seed), kills: 0 };
    let wrong = json!({ "failAfter": { "status": 500, "code": "InternalServerErrorException", "message": "" } });
    for (name, kind) in [("lost", json!("dropAfter")), ("500", wrong)] {
        for create in ["CreateInput", "CreateChannel"] {
            stage.fault(create, 2, kind.clone())?;
        }
        fire.life_of_channels(&stage, [2, 0, 0, 1]).await.with_context(|| format!("{name}, seed {seed}"))?;
        let planted = stage.control("GET", "faults", &Value::Null)?;
        let hit = |f: &Value| f["hits"] != 0;
        ensure!(planted["faults"].as_array().is_some_and(|f| f.len() == 2 && f.iter().all(hit)), "{name}: {planted}");
        stage.clear_faults()?;
    }
    Ok(())
}

/// Kills the operator when AWS has made something that no list shows, and holds the answer; what it had noted then.
async fn dies_before_the_answer(stage: &Show, create: &str, object: &str, fault: Value) -> Result<Value> {
    let fault = json!({ "operation": create, "times": 1, "kind": fault, "held": true });
    stage.control("POST", "faults", &fault)?;
    let since = stage.now()?;
    wait_until(PATIENCE, "AWS has made it", || async {
        let made = |r: &Value| r["operation"] == create && r["processed"] == true;
        ensure!(stage.changes(since)?.iter().any(made), "nobody has sent {create}");
        Ok(())
    })
    .await?;
    stage.operator.borrow_mut().kill()?;
    let noted = stage.object(object).await?.context("it is there")?["status"].clone();
    println!("{create}: killed; the status says {noted}");
    stage.operator.borrow_mut().restart()?;
    Ok(noted)
}

/// The hardest case: the operator dies before it has the answer, and AWS's lists do not show yet what was made.
#[tokio::test]
async fn a_create_that_no_list_shows_yet_is_not_sent_again() -> Result<()> {
    let Some(stage) = Show::start_with("crash-hidden", &[WINDOW]).await? else { return Ok(()) };
    let mut fire = Fire { random: Random(0), kills: 0 };
    for create in ["CreateFlow", "AddFlowOutputs", "CreateSecret"] {
        let hidden = json!({ "hideFromLists": { "seconds": HIDDEN } });
        let shot = dies_before_the_answer(&stage, create, "source/studio", hidden);
        let (noted, lived) = tokio::join!(shot, fire.life(&stage, [0; 4]));
        let noted = noted.context(create)?;
        ensure!(create != "CreateFlow" || noted["flowArn"].is_null(), "it lived to see the answer");
        lived.context(create)?;
        stage.clear_faults()?;
    }
    Ok(())
}

/// The same of what AWS knows by its token: it is asked for again, however long the lists take, and is the same.
#[tokio::test]
async fn a_channel_that_no_list_shows_yet_is_not_made_again() -> Result<()> {
    let Some(stage) = Show::start_with("crash-channel-hidden", &["--create-window=20s"]).await? else { return Ok(()) };
    let mut fire = Fire { random: Random(0), kills: 0 };
    // A channel that lists do not show is told of by its input: nothing may show it, for it to be asked for again.
    for (create, fault) in [("CreateInput", "hideFromLists"), ("CreateChannel", "stale")] {
        let since = stage.now()?;
        let shot = async {
            // Whoever of the three it was: one is struck.
            let hidden = json!({ fault: { "seconds": 20 * HIDDEN } });
            dies_before_the_answer(&stage, create, "destination/c0", hidden).await?;
            wait_until(PATIENCE, "it is asked for again with the token", || async {
                let mut tokens = BTreeSet::new();
                let sent = stage.changes(since)?.into_iter().filter(|r| r["operation"] == create);
                let again = sent.filter(|r| !tokens.insert(text(&r["body"]["requestId"]).to_owned())).count();
                ensure!(again > 0, "nobody has sent {create} again");
                Ok(())
            })
            .await?;
            stage.clear_faults()
        };
        let (shot, lived) = tokio::join!(shot, fire.life_of_channels(&stage, [0; 4]));
        shot.context(create)?;
        lived.context(create)?;
    }
    Ok(())
}
