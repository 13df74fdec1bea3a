//! Receivers that refuse.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};

use super::{FLAGS, done_to, has_nothing, in_order, is_done, message, of_medialive, status};
use crate::fixtures::{
    Show, by_operation, channel_targets, condition, destination, host, key, owner, secret, source, text, transcode,
    with,
};

together!(refusals_and_backups:
    a_receiver_that_refuses_is_given_up_after_the_stated_tries,
    an_output_that_is_refused_is_switched_off_and_on_as_often_as_stated,
    the_backup_takes_over_once_and_goes_back_on_request,
    a_primary_that_dies_on_the_air_gives_its_place_to_the_backup,
    a_refused_key_is_not_tried_again
);

fn soon(attempts: u32) -> Value {
    json!({ "attempts": attempts, "after": "1s", "backoff": "1s" })
}

/// How often the channels of a Destination were started.
fn starts(stage: &Show, channel: &Value) -> Result<usize> {
    Ok(done_to(stage, channel, 0)?.iter().filter(|operation| *operation == "StartChannel").count())
}

async fn a_receiver_that_refuses_is_given_up_after_the_stated_tries() -> Result<()> {
    let stage = show!(Show::start_with("transcode-refused", &FLAGS));
    for name in ["locked", "closed", "flat"] {
        stage.receiver(name, "refuse")?;
    }
    let mut objects = vec![source(), secret("well", &key("well")), transcode("well")];
    for name in ["locked", "closed"] {
        objects.extend([secret(name, &key(name)), with(transcode(name), json!({ "retry": soon(2) }))]);
    }
    objects.extend([secret("flat", &key("flat")), with(destination("flat"), json!({ "retry": soon(2) }))]);
    stage.apply(&objects)?;
    let well = stage.until_condition("destination/well", "Ready", "True", "Running").await?;
    let channel = stage.channel("locked").context("tries go on")?;
    for name in ["flat", "locked", "closed"] {
        let object = format!("destination/{name}");
        let gave_up = stage.until_condition(&object, "Stalled", "True", "GaveUp").await?;
        let retries = &status(&gave_up)["retries"];
        ensure!(retries["count"] == 2 && retries["attempts"] == 2 && retries["state"] == "GaveUp", "{gave_up}");
        let said = message(&gave_up, "Stalled");
        let again = format!("kubectl -n {} annotate destination {name} playout.dev/reconcile-at=", stage.namespace);
        let words = [&*host(name), "restarted 2 times and is off the air", "Check the stream key", &*again];
        ensure!(words.iter().all(|word| said.contains(word)), "{said}");
        ensure!(message(&gave_up, "Ready") == said && status(&gave_up)["state"] == "Error", "{gave_up}");
        ensure!(status(&gave_up)["lastError"]["reason"] == "GaveUp", "{gave_up}");
        ensure!(!gave_up.to_string().contains(&key(name)), "the status tells the key");
        if name != "flat" {
            has_nothing(&stage, name)?;
        }
    }
    ensure!(starts(&stage, &channel)? == 3, "{:?}", done_to(&stage, &channel, 0)?);
    ensure!(stage.output("flat")?["outputStatus"] == "DISABLED", "{}", stage.output("flat")?);
    let told = stage.events().await?;
    let told = told.iter().filter(|e| e["regarding"]["name"] == "locked").map(|e| text(&e["reason"]));
    let told: Vec<_> = told.collect();
    ensure!(told.contains(&"Restarting") && told.contains(&"GaveUp"), "{told:?}");

    // The annotation starts it again, and so does a new key; nothing else has.
    stage.kubectl("annotate destination/locked playout.dev/reconcile-at=now")?;
    let held = stage.until("destination/locked", "tries again", |o| status(o)["retries"]["state"] == "Trying").await?;
    ensure!(status(&held)["retries"]["count"] == 0, "the count begins anew: {held}");
    for name in ["locked", "closed", "flat"] {
        stage.receiver(name, "accept")?;
    }
    for name in ["closed", "flat"] {
        stage.set_key(name, "the-right-key")?;
    }
    for name in ["locked", "closed", "flat"] {
        let running = stage.until_condition(&format!("destination/{name}"), "Ready", "True", "Running").await?;
        ensure!(condition(&running, "Stalled").is_none() && status(&running)["lastError"].is_null(), "{running}");
    }
    ensure!(channel_targets(&stage.channel("closed")?)["primary"].1 == "the-right-key");
    let after = stage.until_state("destination/well", "Running").await?;
    ensure!(status(&after)["startedAt"] == status(&well)["startedAt"], "the one that is well was interrupted: {after}");
    in_order(&stage)
}

/// What was done to the outputs of a Destination, as they were switched.
fn switched(stage: &Show, destination: &str) -> Result<Vec<String>> {
    let output = text(&stage.output(destination)?["outputArn"]).to_owned();
    let updates = stage.changes(0)?.into_iter().filter(|r| is_done(r) && r["operation"] == "UpdateFlowOutput");
    let ours =
        updates.filter(|r| r["names"].as_array().is_some_and(|names| names.iter().any(|n| *n == output.as_str())));
    Ok(ours.map(|r| text(&r["body"]["outputStatus"]).to_owned()).collect())
}

async fn an_output_that_is_refused_is_switched_off_and_on_as_often_as_stated() -> Result<()> {
    let stage = show!(Show::start_with("transcode-flat", &FLAGS));
    stage.receiver("flat", "refuse")?;
    stage.apply(&[source(), secret("flat", "key"), with(destination("flat"), json!({ "retry": soon(1) }))])?;
    stage.until_condition("destination/flat", "Stalled", "True", "GaveUp").await?;
    ensure!(switched(&stage, "flat")? == ["DISABLED", "ENABLED", "DISABLED"], "{:?}", switched(&stage, "flat")?);
    // A flow that runs for nobody is paid for.
    stage.until_aws("the flow stops", |flow| flow["status"] == "STANDBY").await?;
    stage.kubectl("annotate destination/flat playout.dev/reconcile-at=now")?;
    stage.receiver("flat", "accept")?;
    stage.until_condition("destination/flat", "Ready", "True", "Running").await?;
    Ok(())
}

fn backed_up(name: &str, mode: &str) -> Value {
    let reference = json!({ "secretRef": { "name": format!("{name}-backup"), "key": "key" } });
    let url = format!("rtmps://{}:443/live", host(&format!("{name}-backup")));
    with(transcode(name), json!({ "backup": { "mode": mode, "url": url, "streamKey": reference } }))
}

fn keys_of(name: &str) -> [Value; 2] {
    [secret(name, &key(name)), secret(&format!("{name}-backup"), &format!("backup-{}", key(name)))]
}

async fn the_backup_takes_over_once_and_goes_back_on_request() -> Result<()> {
    let stage = show!(Show::start_with("transcode-failover", &FLAGS));
    let mut objects = vec![source(), backed_up("hot", "Hot"), backed_up("cold", "OnFailure")];
    objects.push(with(backed_up("dead", "OnFailure"), json!({ "retry": soon(1) })));
    objects.extend(["hot", "cold", "dead"].iter().flat_map(|name| keys_of(name)));
    for receiver in ["cold", "dead", "dead-backup"] {
        stage.receiver(receiver, "refuse")?;
    }
    stage.apply(&objects)?;
    let hot = stage.until_condition("destination/hot", "Ready", "True", "Running").await?;
    ensure!(status(&hot)["activeEndpoint"] == "Both" && status(&hot)["failover"].is_null(), "{hot}");
    let pair = |name: &str, key: String| (host(name), key);
    let targets = channel_targets(&stage.channel("hot")?);
    ensure!(targets["primary"] == pair("hot", key("hot")), "{targets:?}");
    ensure!(targets["backup"] == pair("hot-backup", format!("backup-{}", key("hot"))), "{targets:?}");
    ensure!(stage.channels()?.iter().filter(|c| owner(c) == "hot").count() == 1, "two channels");

    let dead = stage.until_channel("dead", "is made", |_| true).await?;
    let channel = stage.until_channel("cold", "sends to the primary", |c| c["state"] == "RUNNING").await?;
    ensure!(channel_targets(&channel)["primary"].0 == host("cold"));
    let on_backup = stage.until_condition("destination/cold", "Ready", "True", "Running").await?;
    ensure!(status(&on_backup)["activeEndpoint"] == "Backup", "{on_backup}");
    let why = text(&status(&on_backup)["failover"]["reason"]);
    ensure!(why.contains(&host("cold")) && why.contains("did not take the stream for 20 s"), "{why}");
    ensure!(status(&on_backup)["failover"]["endpoint"] == "Backup", "{on_backup}");
    let targets = channel_targets(&stage.channel("cold")?);
    ensure!(targets.len() == 1, "{targets:?}");
    ensure!(targets["backup"] == pair("cold-backup", format!("backup-{}", key("cold"))), "{targets:?}");
    let steps = done_to(&stage, &channel, 0)?;
    ensure!(steps == ["StartChannel", "StopChannel", "UpdateChannel", "StartChannel"], "{steps:?}");

    // It goes back when it is told to, and not by itself.
    stage.receiver("cold", "accept")?;
    let since = stage.now()?;
    stage.kubectl("annotate destination/cold playout.dev/active-endpoint=Primary")?;
    let primary = |o: &Value| status(o)["activeEndpoint"] == "Primary" && status(o)["state"] == "Running";
    let back = stage.until("destination/cold", "feeds the primary", primary).await?;
    ensure!(text(&status(&back)["failover"]["reason"]).contains("active-endpoint"), "{back}");
    ensure!(text(&status(&back)["lastRuns"][1]["reason"]).contains("active-endpoint"), "{back}");
    ensure!(channel_targets(&stage.channel("cold")?)["primary"].0 == host("cold"));
    let steps = done_to(&stage, &channel, since)?;
    ensure!(steps == ["StopChannel", "UpdateChannel", "StartChannel"], "{steps:?}");

    // Who is refused at both is tried at each once more for each restart, and then given up.
    let gave_up = stage.until_condition("destination/dead", "Stalled", "True", "GaveUp").await?;
    ensure!(status(&gave_up)["failover"]["endpoint"] == "Backup", "{gave_up}");
    ensure!(starts(&stage, &dead)? == 4, "{:?}", done_to(&stage, &dead, 0)?);
    let told = stage.events().await?;
    let of_dead = told.iter().filter(|e| e["regarding"]["name"] == "dead" && e["reason"] == "Switched");
    let notes: Vec<_> = of_dead.map(|e| text(&e["note"])).collect();
    let tells = |of: &str| notes.iter().any(|note| note.starts_with(&format!("Switching to the {of} endpoint")));
    ensure!(notes.len() == 2 && tells("backup") && tells("primary"), "{notes:?}");
    let is_told_as = |of: &str| if of.starts_with("Switching to the backup") { "Warning" } else { "Normal" };
    ensure!(
        told.iter()
            .filter(|e| e["regarding"]["name"] == "dead" && e["reason"] == "Switched")
            .all(|e| e["type"] == is_told_as(text(&e["note"]))),
        "{told:?}"
    );
    let updates = by_operation(&stage.changes(0)?)["UpdateChannel"];
    ensure!(updates == 5, "{updates} changes of endpoints: {:?}", of_medialive(&stage, 0)?);
    in_order(&stage)
}

async fn a_primary_that_dies_on_the_air_gives_its_place_to_the_backup() -> Result<()> {
    let stage = show!(Show::start_with("transcode-dies", &FLAGS));
    stage.apply(&[source(), backed_up("cold", "OnFailure"), backed_up("stopped", "OnFailure")])?;
    stage.apply(&["cold", "stopped"].map(keys_of).concat())?;
    for name in ["cold", "stopped"] {
        let running = stage.until_condition(&format!("destination/{name}"), "Ready", "True", "Running").await?;
        ensure!(status(&running)["activeEndpoint"] == "Primary", "{running}");
    }
    stage.receiver("cold", "refuse")?;
    // What MediaLive does when the only output has tried often enough.
    let channel = stage.channel("stopped")?;
    stage.control("POST", "edit", &json!({ "channel": channel["id"], "status": "STOPPING" }))?;
    for name in ["cold", "stopped"] {
        let on_backup = |o: &Value| status(o)["activeEndpoint"] == "Backup" && status(o)["state"] == "Running";
        let object = stage.until(&format!("destination/{name}"), "feeds the backup", on_backup).await?;
        ensure!(
            status(&object)["failover"]["endpoint"] == "Backup" && status(&object)["retries"]["count"] == 0,
            "{object}"
        );
        ensure!(channel_targets(&stage.channel(name)?)["backup"].0 == host(&format!("{name}-backup")));
    }
    in_order(&stage)
}

async fn a_refused_key_is_not_tried_again() -> Result<()> {
    let stage = show!(Show::start_with("transcode-key", &FLAGS));
    stage.receiver("wrong", "refuseKey")?;
    stage.apply(&[source(), secret("wrong", &key("wrong")), transcode("wrong")])?;
    let gave_up = stage.until_condition("destination/wrong", "Stalled", "True", "GaveUp").await?;
    ensure!(status(&gave_up)["retries"]["count"] == 0, "{gave_up}");
    ensure!(message(&gave_up, "Stalled").contains("refuses the stream key"), "{gave_up}");
    Ok(())
}
