//! What `deploy/` promises, as an API server takes it: it is taken, and its roles suffice for the operator.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use playout_stage::{Cluster, Found, Operator, OperatorOptions, Simulator, kubectl, kubectl_with_input, wait_until};
use serde_json::{Value, json};

mod places;

const PATIENCE: Duration = Duration::from_secs(60);

fn path(path: &str) -> PathBuf {
    playout_stage::root().join(path)
}

/// Another cluster than that of all tests: an operator of all namespaces would take the objects of other tests for its own. `None`
/// where there is none to be had that is ours.
fn own_cluster() -> Result<Option<Cluster>> {
    let why = match Cluster::start()? {
        Found::Cluster(cluster) if cluster.log().is_some() => {
            cluster.install_crds()?;
            return Ok(Some(cluster));
        }
        Found::Cluster(_) => "SKIPPED: it needs a cluster of its own, and KUBECONFIG_TEST names the one for all".into(),
        Found::Skipped(why) => why,
    };
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    writeln!(io::stderr(), "{test}: {why}")?;
    Ok(None)
}

/// The objects of a folder of `deploy/`, as kustomize makes them.
fn rendered(cluster: &Cluster, folder: &str) -> Result<Vec<Value>> {
    let folder = path(folder).display().to_string();
    let yaml = kubectl(cluster, ["kustomize", &folder])?.ok()?.stdout;
    yaml.split("\n---\n").map(|one| serde_saphyr::from_str(one).with_context(|| one.to_string())).collect()
}

fn is_access(object: &Value) -> bool {
    let kinds = [
        "Namespace",
        "ServiceAccount",
        "ClusterRole",
        "ClusterRoleBinding",
        "Role",
        "RoleBinding",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ];
    kinds.contains(&object["kind"].as_str().unwrap_or_default())
}

/// Makes the namespace, the account and its roles, and the admission policies, which the operator's own writes pass. The Deployment stays away: the operator runs outside the cluster here.
fn give_access(cluster: &Cluster) -> Result<()> {
    let objects: Vec<_> = rendered(cluster, "deploy/base")?.into_iter().filter(is_access).collect();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": objects }).to_string();
    kubectl_with_input(cluster, ["apply", "--server-side", "-f", "-"], &list)?.ok()?;
    Ok(())
}

/// A kubeconfig with which one is the operator's ServiceAccount, and nobody else.
fn kubeconfig_of_the_operator(cluster: &Cluster, file: &Path) -> Result<()> {
    let token = kubectl(cluster, ["create", "token", "playout", "-n", "playout-system", "--duration=1h"])?.ok()?.stdout;
    let view = kubectl(cluster, ["config", "view", "--raw", "--flatten", "--minify", "-o", "json"])?.ok()?.stdout;
    let mut config: Value = serde_json::from_str(&view)?;
    config["users"][0]["user"] = json!({ "token": token.trim() });
    fs::write(file, config.to_string())?;
    Ok(())
}

#[test]
fn every_overlay_renders_and_the_base_is_taken_by_the_api_server() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    give_access(cluster)?;
    let base = path("deploy/base").display().to_string();
    // Also what the Pod Security level `restricted` of the namespace has to say.
    let taken = kubectl(cluster, ["apply", "--server-side", "--dry-run=server", "-k", &base])?.ok()?;
    ensure!(!taken.stderr.contains("Warning"), "{}", taken.stderr);
    ensure!(!rendered(cluster, "deploy/overlays/prometheus")?.is_empty());
    Ok(())
}

#[test]
fn the_deployment_is_restricted_and_its_arguments_exist() -> Result<()> {
    use clap::Args as _;
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let command = playout_operator::config::Config::augment_args(clap::Command::new("run"));
    let flags: BTreeSet<_> = command.get_arguments().filter_map(clap::Arg::get_long).collect();
    let variables: BTreeSet<_> = command.get_arguments().filter_map(|a| a.get_env()?.to_str()).collect();
    for overlay in
        ["base", "overlays/mine", "overlays/namespaced", "overlays/prometheus"].map(|f| format!("deploy/{f}"))
    {
        let objects = rendered(cluster, &overlay)?;
        let deployment = objects.iter().find(|o| o["kind"] == "Deployment").context("a Deployment")?;
        let pod = &deployment["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        ensure!(container["args"][0] == "run");
        let update = &deployment["spec"]["strategy"]["rollingUpdate"];
        ensure!(
            update["maxUnavailable"] == 0,
            "{overlay}: a version that cannot work would take the place of one that can"
        );
        for argument in container["args"].as_array().into_iter().flatten().skip(1) {
            let flag = argument.as_str().and_then(|a| a.strip_prefix("--")?.split('=').next());
            ensure!(flag.is_some_and(|f| flags.contains(f)), "{overlay}: {argument} is no flag");
        }
        for variable in container["env"].as_array().into_iter().flatten() {
            ensure!(variables.contains(variable["name"].as_str().unwrap_or_default()), "{overlay}: {variable}");
        }
        ensure!(pod["securityContext"]["runAsNonRoot"] == true);
        ensure!(container["securityContext"]["readOnlyRootFilesystem"] == true);
        ensure!(container["securityContext"]["capabilities"]["drop"] == json!(["ALL"]));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_lives_with_exactly_its_roles() -> Result<()> {
    let Some(cluster) = own_cluster()? else { return Ok(()) };
    let cluster = &cluster;
    give_access(cluster)?;
    let kubeconfig = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("operator-{}.kubeconfig", std::process::id()));
    kubeconfig_of_the_operator(cluster, &kubeconfig)?;
    let simulator = Simulator::start(60.0)?;
    let mut options = OperatorOptions::default();
    options.args.extend(["--lease-namespace".into(), "playout-system".into()]);
    options.env.push(("KUBECONFIG".into(), kubeconfig.display().to_string()));
    options.log = "info,playout_operator=debug,playout_aws=debug".into();
    let mut operator = Operator::start(cluster, simulator.url(), options)?;

    let example = path("examples/quickstart.yaml").display().to_string();
    kubectl(cluster, ["apply", "-f", &example])?.ok()?;
    wait_until(PATIENCE, "everything is Ready", || async {
        let args = ["wait", "--for=condition=Ready", "--timeout=1s", "source,destination", "--all", "-n", "default"];
        kubectl(cluster, args)?.ok().map(drop)
    })
    .await
    .with_context(|| operator.log())?;
    let told = kubectl(cluster, ["events", "-n", "default", "--for", "destination/twitch"])?.ok()?.stdout;
    ensure!(told.contains("Running"), "no Events: {told}\n{}", operator.log());

    let preset = json!({ "apiVersion": "playout.dev/v1alpha1", "kind": "EncodingPreset", "metadata": { "name": "own" },
        "spec": { "width": 1280, "height": 720, "frameRate": "25", "videoBitrateKbps": 2500 } });
    kubectl_with_input(cluster, ["apply", "-n", "default", "-f", "-"], &preset.to_string())?.ok()?;
    let args = ["wait", "--for=condition=Ready", "--timeout=60s", "preset/own", "-n", "default"];
    kubectl(cluster, args)?.ok().with_context(|| operator.log())?;
    kubectl(cluster, ["delete", "preset", "own", "-n", "default", "--timeout=60s"])?.ok()?;

    // A change of a Secret arrives through the watch.
    let patch = r#"{"stringData":{"streamKey":"not-a-real-key-anew"}}"#;
    kubectl(cluster, ["patch", "secret", "youtube-main", "-n", "default", "-p", patch])?.ok()?;
    wait_until(PATIENCE, "the changed key is pending", || async {
        let args = ["get", "dest", "youtube-main", "-n", "default", "-o", "jsonpath={.status.pendingChanges}"];
        kubectl(cluster, args).map(|output| output.stdout.contains("streamKey"))
    })
    .await
    .with_context(|| operator.log())?;

    kubectl(cluster, ["delete", "-f", &example, "--timeout=60s"])?.ok().with_context(|| operator.log())?;
    let left = simulator.control("GET", "state?counts=1", "")?.body;
    ensure!(serde_json::from_str::<Value>(&left)?["total"] == 0, "left in AWS: {left}");
    operator.stop()?;
    let log = operator.log();
    let refused: Vec<_> = log
        .lines()
        .filter(|line| {
            let line = line.to_lowercase();
            ["forbidden", "with 403", "code: 403", "unauthorized", "could not be published"]
                .iter()
                .any(|word| line.contains(word))
        })
        .collect();
    ensure!(refused.is_empty(), "{}", refused.join("\n"));
    fs::remove_file(kubeconfig)?;
    Ok(())
}

#[test]
fn the_operator_may_not_do_what_it_never_does() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    give_access(cluster)?;
    let may = |what: &str| -> Result<bool> {
        let args = ["auth", "can-i", "--as=system:serviceaccount:playout-system:playout"].into_iter();
        let answer = kubectl(cluster, args.chain(what.split(' ')))?;
        ensure!(["yes", "no"].contains(&answer.stdout.trim()), "{answer:?}");
        Ok(answer.success)
    };
    for allowed in [
        "patch sources.playout.dev -A",
        "update destinations.playout.dev --subresource=status -A",
        "patch encodingpresets.playout.dev -A",
        "update encodingpresets.playout.dev --subresource=status -A",
        "watch secrets -A",
        "get namespaces/kube-system",
        "patch leases.coordination.k8s.io/playout -n playout-system",
        "create secrets -n playout-system",
        "get secrets/playout-fingerprint-key -n playout-system",
        "list leases.coordination.k8s.io -A",
    ] {
        ensure!(may(allowed)?, "{allowed} is refused");
    }
    for refused in [
        "create sources.playout.dev -A",
        "delete destinations.playout.dev -A",
        "create encodingpresets.playout.dev -A",
        "update secrets -A",
        "create secrets -n default",
        "patch secrets/playout-fingerprint-key -n playout-system",
        "delete secrets/playout-fingerprint-key -n playout-system",
        "list pods -A",
        "get namespaces/default",
        "list namespaces",
        "patch leases.coordination.k8s.io/other -n playout-system",
        "create leases.coordination.k8s.io -n default",
        "watch leases.coordination.k8s.io -A",
        "impersonate users",
        "create clusterrolebindings.rbac.authorization.k8s.io",
    ] {
        ensure!(!may(refused)?, "{refused} is allowed");
    }
    Ok(())
}
