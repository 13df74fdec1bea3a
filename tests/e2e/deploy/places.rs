//! The same manifests in other places: another namespace, another name, twice, and one way after the other.

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::{Context as _, Result, bail, ensure};
use playout_stage::{Cluster, kubectl, kubectl_with_input};
use serde_json::{Value, json};

use super::{is_access, path, rendered};

/// A folder beside `deploy/` in a copy of it, which goes with this value: kustomize reads no absolute paths.
struct Copy {
    folder: std::path::PathBuf,
}

impl Copy {
    fn new(name: &str) -> Result<Self> {
        let folder = path("target/tmp").join(format!("places-{name}-{}", std::process::id()));
        let copy = Self { folder };
        let from = path("deploy");
        let mut folders = vec![from.clone()];
        while let Some(one) = folders.pop() {
            let to = copy.folder.join("deploy").join(one.strip_prefix(&from)?);
            fs::create_dir_all(&to)?;
            for entry in fs::read_dir(&one)? {
                let entry = entry?;
                match entry.file_type()?.is_dir() {
                    true => folders.push(entry.path()),
                    false => drop(fs::copy(entry.path(), to.join(entry.file_name()))?),
                }
            }
        }
        Ok(copy)
    }

    /// A kustomization of one's own around a folder of `deploy/`.
    fn around(&self, folder: &str, what: &str) -> Result<String> {
        let own = self.folder.join("own");
        fs::create_dir_all(&own)?;
        fs::write(own.join("kustomization.yaml"), format!("{what}\nresources: [../deploy/{folder}]\n"))?;
        Ok(own.display().to_string())
    }

    /// The overlay of one namespace, with what a user changes in it.
    fn namespaced(&self, watched: &str, own: &str) -> Result<String> {
        let folder = self.folder.join("deploy/overlays/namespaced/operator");
        for (file, from, to) in [
            ("names.yaml", "namespace: live", format!("namespace: {watched}")),
            ("kustomization.yaml", "namespace: playout-system", format!("namespace: {own}")),
        ] {
            let text = fs::read_to_string(folder.join(file))?;
            ensure!(text.matches(from).count() == 1, "{file} has no {from:?}");
            fs::write(folder.join(file), text.replace(from, &to))?;
        }
        Ok(self.folder.join("deploy/overlays/namespaced").display().to_string())
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Applies what gives access, as `kubectl apply -k` does it.
fn apply(cluster: &Cluster, folder: &str) -> Result<Vec<Value>> {
    let objects = rendered(cluster, folder)?;
    let access: Vec<_> = objects.iter().filter(|object| is_access(object)).collect();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": access }).to_string();
    kubectl_with_input(cluster, ["apply", "-f", "-"], &list)?.ok()?;
    Ok(objects)
}

fn may(cluster: &Cluster, account: &str, what: &str) -> Result<bool> {
    let user = format!("--as=system:serviceaccount:{account}");
    let answer = kubectl(cluster, ["auth", "can-i", &user].into_iter().chain(what.split(' ')))?;
    ensure!(["yes", "no"].contains(&answer.stdout.trim()), "{answer:?}");
    Ok(answer.success)
}

/// A cluster of these tests alone, used by one at a time: they take what the others of this program need. `None` where there is
/// none to be had that is ours.
fn in_turn() -> Result<Option<(&'static Cluster, MutexGuard<'static, ()>)>> {
    static OWN: OnceLock<Result<Option<Cluster>, String>> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let start = || {
        let cluster = super::own_cluster()?;
        if let Some(cluster) = &cluster {
            kubectl(cluster, ["create", "namespace", "live"])?.ok()?;
        }
        Ok(cluster)
    };
    match OWN.get_or_init(|| start().map_err(|error: anyhow::Error| format!("{error:#}"))) {
        Ok(cluster) => Ok(cluster.as_ref().map(|cluster| (cluster, turn))),
        Err(error) => bail!("{error}"),
    }
}

#[test]
fn the_operator_can_be_installed_in_another_namespace_and_under_another_name() -> Result<()> {
    let Some((cluster, _turn)) = in_turn()? else { return Ok(()) };
    for (what, namespace, account) in [
        ("namespace: media", "media", "media:playout"),
        ("namespace: second\nnamePrefix: second-", "second", "second:second-playout"),
    ] {
        let copy = Copy::new("around")?;
        // Its ServiceMonitor and rules are of kinds that this cluster does not know.
        let objects = apply(cluster, &copy.around("overlays/prometheus", what)?)?;
        let places = objects.iter().filter_map(|object| object["metadata"]["namespace"].as_str());
        ensure!(places.collect::<BTreeSet<_>>() == [namespace].into(), "something stays elsewhere");
        for allowed in
            ["list sources.playout.dev -A", "get namespaces/kube-system", &format!("create leases -n {namespace}")]
        {
            ensure!(may(cluster, account, allowed)?, "{account} may not {allowed}");
        }
    }
    Ok(())
}

#[test]
fn two_operators_of_one_namespace_each_live_side_by_side() -> Result<()> {
    let Some((cluster, _turn)) = in_turn()? else { return Ok(()) };
    let copies = [("live-one", "places-one"), ("live-two", "places-two")];
    let mut all = Vec::new();
    for (watched, own) in copies {
        kubectl(cluster, ["create", "namespace", watched])?.ok()?;
        let copy = Copy::new(watched)?;
        all.push(apply(cluster, &copy.namespaced(watched, own)?)?);
    }
    for (at, (watched, own)) in copies.into_iter().enumerate() {
        let account = format!("{own}:playout");
        for allowed in [
            format!("list secrets -n {watched}"),
            format!("patch sources.playout.dev -n {watched}"),
            "get namespaces/kube-system".into(),
            "list leases -A".into(),
            format!("patch leases/playout-{watched} -n {own}"),
        ] {
            ensure!(may(cluster, &account, &allowed)?, "{account} may not {allowed}");
        }
        for refused in ["list secrets -A".into(), format!("list secrets -n {}", copies[1 - at].0)] {
            ensure!(!may(cluster, &account, &refused)?, "{account} may {refused}");
        }
        let deployment = all[at].iter().find(|o| o["kind"] == "Deployment").context("a Deployment")?;
        let args = &deployment["spec"]["template"]["spec"]["containers"][0]["args"];
        ensure!(args.as_array().is_some_and(|a| a.contains(&json!(format!("--namespace={watched}")))), "{args}");
    }
    // The one that goes takes nothing of the other with it. What both have is empty.
    let names = |objects: &[Value]| -> BTreeSet<String> {
        let wide = objects.iter().filter(|o| {
            is_access(o)
                && !["Namespace", "ServiceAccount", "Role", "RoleBinding"]
                    .contains(&o["kind"].as_str().unwrap_or_default())
        });
        wide.map(|o| format!("{} {}", o["kind"], o["metadata"]["name"])).collect()
    };
    let shared: Vec<_> = names(&all[0]).intersection(&names(&all[1])).cloned().collect();
    ensure!(shared == [r#""ClusterRole" "playout-operator""#], "{shared:?}");
    Ok(())
}

/// `kubectl apply` removes nothing: what the base gave is taken back.
#[test]
fn one_namespace_after_the_whole_cluster_leaves_no_right_to_all_secrets() -> Result<()> {
    let Some((cluster, _turn)) = in_turn()? else { return Ok(()) };
    let account = "playout-system:playout";
    apply(cluster, &path("deploy/base").display().to_string())?;
    ensure!(may(cluster, account, "list secrets -A")?);
    apply(cluster, &path("deploy/overlays/namespaced").display().to_string())?;
    for refused in [
        "list secrets -A",
        "get secrets -n default",
        "list sources.playout.dev -A",
        "create events.events.k8s.io -n default",
    ] {
        ensure!(!may(cluster, account, refused)?, "{account} may still {refused}");
    }
    for allowed in ["list secrets -n live", "patch sources.playout.dev -n live", "get namespaces/kube-system"] {
        ensure!(may(cluster, account, allowed)?, "{account} may not {allowed}");
    }
    // And back.
    apply(cluster, &path("deploy/base").display().to_string())?;
    ensure!(may(cluster, account, "list secrets -A")?);
    Ok(())
}
