//! Who leads, from the first to the last moment: nobody before he can work, and nobody else before all is answered and noted.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use playout_stage::{Operator, kubectl, request, wait_until};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::fixtures::{PATIENCE, Show, input, options, secret, source, text, with};

impl Show {
    /// The Lease of the election; null while there is none.
    fn lease(&self) -> Result<Value> {
        let shown = self.kubectl(&format!("get lease playout-{} --ignore-not-found -o json", self.namespace))?;
        if shown.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(&shown)?) }
    }
}

/// In the order in which things were written: etcd counts all of them.
fn version(object: &Value) -> Result<u64> {
    Ok(text(&object["metadata"]["resourceVersion"]).parse()?)
}

#[tokio::test]
async fn the_lease_is_given_back_after_the_last_answer_is_noted() -> Result<()> {
    let Some(stage) = Show::start_with("election-end", &["--identity=one"]).await? else { return Ok(()) };
    let held = stage.fault("CreateFlow", 1, json!({ "hold": {} }))?;
    stage.apply(&[source()])?;
    wait_until(PATIENCE, "CreateFlow waits for its answer", || async {
        let planted = stage.control("GET", "faults", &Value::Null)?;
        anyhow::Ok(planted["faults"][0]["hits"] == 1)
    })
    .await?;
    stage.operator.borrow().terminate();
    wait_until(PATIENCE, "the operator has heard", || async { stage.operator.borrow().log().contains("ending") })
        .await?;
    let lease = stage.lease()?;
    ensure!(lease["spec"]["holderIdentity"] == "one", "given back while AWS works for it: {lease}");

    stage.control("POST", &format!("faults/{held}/release"), &Value::Null)?;
    let ended = stage.operator.borrow_mut().stop()?.context("it ran")?;
    let log = stage.operator.borrow().log();
    ensure!(ended.success(), "it ended with {ended}: {log}");
    let (source, lease) = (stage.object("source/studio").await?.context("it is there")?, stage.lease()?);
    ensure!(source["status"]["flowArn"] == stage.flow()?["flowArn"], "the answer is lost: {source}\n{log}");
    ensure!(lease["spec"]["holderIdentity"].is_null(), "it was not given back: {lease}");
    ensure!(version(&source)? < version(&lease)?, "given back before the answer was noted: {source} {lease}");
    Ok(())
}

#[tokio::test]
async fn a_lease_is_not_given_back_while_a_call_may_be_under_way() -> Result<()> {
    let Some(stage) = Show::start_with("election-slow", &["--identity=one"]).await? else { return Ok(()) };
    // Each answer comes in time, and all of them together do not: two passwords are copied by one pass. A pass that only looks
    // is given up at the end, so it is changes that are slow here.
    stage.fault("CreateSecret", 0, json!({ "delay": { "milliseconds": 9000 } }))?;
    let locked = |name: &str, priority: &str, port: u16| {
        let mut input = input(name, priority, port);
        input["srtListener"]["encryption"] = json!({ "passwordSecretRef": { "name": name, "key": "key" } });
        input
    };
    let inputs = json!({ "inputs": [locked("one", "Primary", 5000), locked("two", "Backup", 5001)] });
    let passwords = [secret("one", "the-first-password"), secret("two", "the-second-password")];
    stage.apply(&[&passwords[..], &[with(source(), inputs)]].concat())?;
    wait_until(PATIENCE, "a pass has begun to copy", || async {
        let planted = stage.control("GET", "faults", &Value::Null)?;
        anyhow::Ok(planted["faults"][0]["hits"] != 0)
    })
    .await?;
    stage.operator.borrow().terminate();
    let ended = wait_until(PATIENCE, "it ends", || async { stage.operator.borrow_mut().ended() }).await?;
    let (log, lease) = (stage.operator.borrow().log(), stage.lease()?);
    ensure!(ended == "exit code 1" && log.contains("takes too long"), "{ended}: {log}");
    ensure!(lease["spec"]["holderIdentity"] == "one", "another may lead before AWS has done what was asked: {lease}");
    Ok(())
}

#[tokio::test]
async fn who_cannot_list_leaves_the_lease_to_those_who_can() -> Result<()> {
    let Some(stage) = Show::start("election-blind").await? else { return Ok(()) };
    let user = format!("system:{}", stage.namespace);
    let may = |groups: &str, resources: &str| {
        let name = format!("may-{resources}").replace('*', "all");
        let rules = json!([{ "apiGroups": [groups], "resources": [resources], "verbs": ["*"] }]);
        let api = "rbac.authorization.k8s.io";
        let version = format!("{api}/v1");
        stage.apply(&[
            json!({ "apiVersion": version, "kind": "Role", "metadata": { "name": name }, "rules": rules }),
            json!({ "apiVersion": version, "kind": "RoleBinding", "metadata": { "name": name },
                "roleRef": { "apiGroup": api, "kind": "Role", "name": name },
                "subjects": [{ "apiGroup": api, "kind": "User", "name": user }] }),
        ])
    };
    may("coordination.k8s.io", "leases")?;
    let kubeconfig = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.kubeconfig", stage.namespace));
    let shown =
        kubectl(stage.cluster, ["config", "view", "--raw", "--flatten", "--minify", "-o", "json"])?.ok()?.stdout;
    let mut config: Value = serde_json::from_str(&shown)?;
    config["users"][0]["user"]["as"] = json!(user);
    std::fs::write(&kubeconfig, config.to_string())?;

    let mut options = options(&stage.namespace, &["--identity=blind", "--cluster-id=of-a-test"]);
    options.env.push(("KUBECONFIG".into(), kubeconfig.display().to_string()));
    options.wait_ready = false;
    let mut blind = Operator::start(stage.cluster, stage.simulator.url(), options)?;
    wait_until(PATIENCE, "it has tried to list each kind twice", || async {
        blind.log().matches("the watch is interrupted").count() >= 8
    })
    .await
    .with_context(|| blind.log())?;
    ensure!(stage.lease()?.is_null(), "it leads and can do nothing: {}", stage.lease()?);
    ensure!(!request("GET", &format!("{}/readyz", blind.health_url()), "")?.is_ok(), "it says that it is ready");
    let ended = blind.stop()?.context("it ran")?;
    ensure!(ended.success(), "told to end, it ended with {ended}: {}", blind.log());

    blind.restart()?;
    may("*", "*")?;
    wait_until(PATIENCE, "it leads when it can list", || async {
        let lease = stage.lease()?;
        ensure!(lease["spec"]["holderIdentity"] == "blind", "{lease}");
        anyhow::Ok(())
    })
    .await
    .with_context(|| blind.log())?;
    std::fs::remove_file(kubeconfig)?;
    Ok(())
}

/// An address at which the API server can be reached, and cut off.
struct Line {
    address: std::net::SocketAddr,
    open: watch::Sender<bool>,
}

impl Line {
    /// To the API server of this kubeconfig; cut at first.
    async fn to(server: &str) -> Result<Self> {
        let server = server.strip_prefix("https://").context("a server")?.trim_end_matches('/').to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let (address, (open, state)) = (listener.local_addr()?, watch::channel(false));
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (mut state, server) = (state.clone(), server.clone());
                tokio::spawn(async move {
                    if *state.borrow() {
                        let Ok(mut far) = TcpStream::connect(server).await else { return };
                        tokio::select! {
                            _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
                            _ = state.wait_for(|open| !open) => {}
                        }
                    }
                });
            }
        });
        Ok(Self { address, open })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_is_away_is_waited_for() -> Result<()> {
    let Some(stage) = Show::start("election-away").await? else { return Ok(()) };
    stage.operator.borrow_mut().stop()?;
    let shown = kubectl(stage.cluster, ["config", "view", "--raw", "--flatten", "--minify", "-o", "json"])?.ok()?;
    let mut config: Value = serde_json::from_str(&shown.stdout)?;
    let line = Line::to(text(&config["clusters"][0]["cluster"]["server"])).await?;
    config["clusters"][0]["cluster"]["server"] = json!(format!("https://{}", line.address));
    let kubeconfig = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.kubeconfig", stage.namespace));
    std::fs::write(&kubeconfig, config.to_string())?;

    let mut options = options(&stage.namespace, &["--identity=patient"]);
    options.env.push(("KUBECONFIG".into(), kubeconfig.display().to_string()));
    options.wait_ready = false;
    let mut patient = Operator::start(stage.cluster, stage.simulator.url(), options)?;
    let says = |operator: &Operator, what: &str| operator.log().contains(what);
    wait_until(PATIENCE, "it has asked in vain", || async {
        says(&patient, "waiting for it") || patient.log().contains("cannot be read")
    })
    .await?;
    ensure!(patient.ended()?.is_none(), "it ended without the API server: {}", patient.log());
    line.open.send_replace(true);
    wait_until(PATIENCE, "it leads when the API server is there", || async { says(&patient, "leading") })
        .await
        .with_context(|| patient.log())?;
    line.open.send_replace(false);
    wait_until(PATIENCE, "it has noticed", || async { says(&patient, "cannot be asked for the Lease") })
        .await
        .with_context(|| patient.log())?;
    stage.apply(&[source()])?;
    line.open.send_replace(true);
    stage.until_condition("source/studio", "Ready", "True", "Stopped").await.with_context(|| patient.log())?;
    ensure!(patient.ended()?.is_none() && patient.log().matches("starting").count() == 1, "{}", patient.log());
    std::fs::remove_file(kubeconfig)?;
    Ok(())
}

#[tokio::test]
async fn an_operator_beside_another_of_the_same_objects_does_nothing_and_names_it() -> Result<()> {
    let Some(stage) = Show::start_with("election-beside", &["--identity=one"]).await? else { return Ok(()) };
    let leads = |operator: &Operator| {
        let metrics = request("GET", &operator.metrics_url(), "")?.body;
        anyhow::Ok(metrics.contains("leader_election_master_status{name=\"playout\"} 1"))
    };
    wait_until(PATIENCE, "the first leads", || async { leads(&stage.operator.borrow()) }).await?;
    let mut beside = options(&stage.namespace, &["--identity=two", "--lease-namespace=default"]);
    beside.wait_ready = false;
    let beside = Operator::start(stage.cluster, stage.simulator.url(), beside)?;
    let first = format!("operator one (Lease {0}/playout-{0})", stage.namespace);
    wait_until(PATIENCE, "the second is refused", || async {
        let ready = request("GET", &format!("{}/readyz", beside.health_url()), "")?;
        ensure!(!ready.is_ok() && ready.body.contains(&first), "{}", ready.body);
        anyhow::Ok(())
    })
    .await
    .with_context(|| beside.log())?;
    ensure!(beside.log().contains(&first) && !leads(&beside)?, "{}", beside.log());
    stage.operator.borrow_mut().stop()?;
    wait_until(PATIENCE, "the second leads when the first has ended", || async { leads(&beside) })
        .await
        .with_context(|| beside.log())?;
    Ok(())
}
