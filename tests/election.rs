//! Who leads, from the first to the last moment: nobody before he can work, and nobody else before all is answered and noted.

mod fixtures;

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use fixtures::{PATIENCE, Show, input, options, secret, source, text, with};
use playout_stage::{Operator, kubectl, request, wait_until};
use serde_json::{Value, json};

impl Show {
    /// The Lease of the election; null while there is none.
    fn lease(&self) -> Result<Value> {
        let shown = self.kubectl("get lease playout --ignore-not-found -o json")?;
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
