//! Inputs, endpoints and passwords.

use super::*;

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
