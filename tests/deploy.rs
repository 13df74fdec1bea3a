//! What `deploy/` promises: the IAM policy has what the code calls, and the roles suffice for the operator.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use playout_stage::{Cluster, Operator, OperatorOptions, Simulator, kubectl, kubectl_with_input, wait_until};
use serde_json::{Value, json};

#[path = "deploy/argocd.rs"]
mod argocd;
#[path = "deploy/places.rs"]
mod places;

const PATIENCE: Duration = Duration::from_secs(60);

fn path(path: &str) -> PathBuf {
    playout_stage::root().join(path)
}

fn policy(name: &str) -> Result<Vec<Value>> {
    let text = fs::read_to_string(path("deploy/iam").join(name)).with_context(|| name.to_string())?;
    let policy: Value = serde_json::from_str(&text).with_context(|| name.to_string())?;
    ensure!(policy["Version"] == "2012-10-17", "{name}: without this version IAM reads it by other rules");
    let statements = policy["Statement"].as_array().context("a policy has statements")?;
    ensure!(statements.iter().all(|s| s["Effect"] == "Allow" && s.get("Resource").or(s.get("Principal")).is_some()));
    Ok(statements.clone())
}

fn actions(statements: &[Value]) -> BTreeSet<String> {
    let lists = statements.iter().filter_map(|s| s["Action"].as_array()).flatten();
    lists.filter_map(Value::as_str).map(str::to_string).collect()
}

/// The operations that the code names, as in `"mediaconnect:CreateFlow"`.
fn operations() -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut entries = vec![path("crates/aws/src")];
    while let Some(entry) = entries.pop() {
        if entry.is_dir() {
            for inner in fs::read_dir(&entry)? {
                entries.push(inner?.path());
            }
            continue;
        }
        // The tests of a file may name operations that are not called.
        let text = fs::read_to_string(&entry)?;
        let text = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default();
        for literal in text.split('"').skip(1).step_by(2) {
            let Some((service, operation)) = literal.split_once(':') else { continue };
            let is_service = !service.is_empty() && service.chars().all(|c| c.is_ascii_lowercase());
            let is_operation = operation.starts_with(|c: char| c.is_ascii_uppercase())
                && operation.chars().all(|c| c.is_ascii_alphanumeric());
            if is_service && is_operation {
                found.insert(literal.to_string());
            }
        }
    }
    Ok(found)
}

/// What AWS may ask for besides, when `CreateFlow` and `DeleteFlow` are called: its reference lists these as dependent
/// actions, and its managed policy for creating flows has the first two. The code calls none of them: it makes no media
/// streams and no entitlements.
const DEPENDENT: [&str; 4] = [
    "mediaconnect:AddFlowMediaStreams",
    "mediaconnect:GrantFlowEntitlements",
    "mediaconnect:RemoveFlowMediaStream",
    "mediaconnect:RevokeFlowEntitlement",
];

#[test]
fn the_iam_policy_allows_what_the_code_calls_and_nothing_else() -> Result<()> {
    let (dependent, statements): (Vec<_>, Vec<_>) =
        policy("operator-policy.json")?.into_iter().partition(|s| s["Sid"] == "NeededByCreateAndDeleteFlow");
    let expected: BTreeSet<_> = DEPENDENT.map(str::to_string).into();
    ensure!(actions(&dependent) == expected, "the dependent actions are {dependent:?}");
    let mut allowed = actions(&statements);
    // "If you include tags in the secret, you also need secretsmanager:TagResource" (API_CreateSecret).
    ensure!(allowed.remove("secretsmanager:TagResource"), "a copy of a password could not be tagged when it is made");
    ensure!(allowed.remove("iam:PassRole"), "without iam:PassRole no role can be given to MediaConnect and MediaLive");
    let called = operations()?;
    ensure!(called.is_disjoint(&expected), "what the code calls belongs to the other statement");
    ensure!(called.len() > 15, "only {called:?} were found in crates/aws");
    let missing: Vec<_> = called.difference(&allowed).collect();
    let idle: Vec<_> = allowed.difference(&called).collect();
    ensure!(
        missing.is_empty() && idle.is_empty(),
        "deploy/iam/operator-policy.json lacks {missing:?}, and has too much: {idle:?}"
    );
    Ok(())
}

#[test]
fn each_role_can_be_passed_to_its_service_alone_and_only_our_secrets_are_written() -> Result<()> {
    let mut passed = BTreeSet::new();
    for statement in policy("operator-policy.json")? {
        let allows = |prefix: &str| actions(std::slice::from_ref(&statement)).iter().any(|a| a.starts_with(prefix));
        if allows("iam:") {
            let role = statement["Resource"].as_str().and_then(|role| role.strip_prefix("arn:aws:iam::*:role/"));
            let service = statement["Condition"]["StringEquals"]["iam:PassedToService"].as_str();
            passed.insert((role.unwrap_or_default().to_string(), service.unwrap_or_default().to_string()));
        }
        if ["Create", "Put", "Delete", "Tag"].iter().any(|verb| allows(&format!("secretsmanager:{verb}"))) {
            ensure!(statement["Resource"] == "arn:aws:secretsmanager:*:*:secret:playout/*", "secrets of others");
        }
    }
    let pairs = [
        ("PlayoutMediaConnect", "mediaconnect", "secretsmanager:GetSecretValue"),
        ("PlayoutMediaLive", "medialive", "mediaconnect:ManagedAddOutput"),
    ];
    ensure!(passed == pairs.map(|(role, name, _)| (role.to_string(), format!("{name}.amazonaws.com"))).into());
    for (_, name, needed) in pairs {
        let trust = policy(&format!("{name}-role-trust.json"))?;
        ensure!(trust[0]["Principal"]["Service"] == format!("{name}.amazonaws.com"));
        ensure!(
            trust[0]["Condition"]["StringEquals"]["aws:SourceAccount"].is_string(),
            "other accounts could use the role of {name}"
        );
        ensure!(actions(&policy(&format!("{name}-role-permissions.json"))?).contains(needed), "{name} lacks {needed}");
    }
    Ok(())
}

/// docs/install.md, the trust policy and the manifests speak of one ServiceAccount, and of the roles that are made.
#[test]
fn the_role_of_the_operator_is_that_of_its_service_account() -> Result<()> {
    let trust = policy("operator-role-trust.json")?;
    ensure!(trust.len() == 1 && trust[0]["Principal"]["Service"] == "pods.eks.amazonaws.com", "{trust:?}");
    ensure!(actions(&trust) == ["sts:AssumeRole", "sts:TagSession"].map(str::to_string).into(), "{trust:?}");
    let tags = &trust[0]["Condition"]["StringEquals"];
    ensure!(tags["aws:RequestTag/kubernetes-namespace"] == "playout-system", "{tags}");
    ensure!(tags["aws:RequestTag/kubernetes-service-account"] == "playout", "{tags}");
    Ok(())
}

/// The examples name parameters and secrets that the shipped policies allow to read.
#[test]
fn the_examples_keep_keys_where_the_policies_look() -> Result<()> {
    let resources = |name: &str, action: &str| -> Result<Vec<String>> {
        let statements = policy(name)?.into_iter().filter(|s| actions(std::slice::from_ref(s)).contains(action));
        Ok(statements.filter_map(|s| s["Resource"].as_str().map(str::to_string)).collect())
    };
    let parameters = resources("operator-policy.json", "ssm:GetParameter")?;
    let secrets = resources("mediaconnect-role-permissions.json", "secretsmanager:GetSecretValue")?;
    let readable = |list: &[String], kind: &str, name: &str| {
        let patterns = list.iter().filter_map(|arn| arn.split_once(&format!(":{kind}"))?.1.strip_suffix('*'));
        patterns.filter(|prefix| prefix.len() > 1).any(|prefix| name.starts_with(prefix))
    };
    let (mut named, mut seen) = (fs::read_dir(path("examples"))?, 0);
    named.try_for_each(|entry| {
        let file = entry?.path();
        if !file.is_file() {
            return Ok(());
        }
        for line in fs::read_to_string(&file)?.lines() {
            if let Some((_, name)) = line.split_once("ssmParameter: ") {
                ensure!(readable(&parameters, "parameter", name), "{}: {name} is not allowed", file.display());
                seen += 1;
            }
            if let Some((_, arn)) = line.split_once("passwordSecretArn: ") {
                let name = arn.rsplit_once(":secret:").context("an ARN")?.1;
                ensure!(readable(&secrets, "secret:", name), "{}: {name} is not allowed", file.display());
                seen += 1;
            }
        }
        Ok(())
    })?;
    ensure!(seen > 2, "only {seen} were found");
    Ok(())
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

/// An alert on a metric or a state that does not exist never fires, and nobody notices.
#[test]
fn alerts_speak_of_metrics_and_states_that_exist() -> Result<()> {
    let exported = playout_operator::metrics::Metrics::example().render();
    let mut states = BTreeSet::new();
    for crd in playout_api::crds() {
        let crd = serde_json::to_value(&crd)?;
        let schema = &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
        let words = schema["properties"]["status"]["properties"]["state"]["enum"].as_array().cloned();
        states.extend(words.into_iter().flatten().filter_map(|word| word.as_str().map(str::to_string)));
    }
    let text = fs::read_to_string(path("deploy/overlays/prometheus/alerts.yaml"))?;
    let rules: Value = serde_saphyr::from_str(&text)?;
    let rules = rules["spec"]["groups"][0]["rules"].as_array().context("rules")?;
    for rule in rules {
        let expression = rule["expr"].as_str().context("an expression")?;
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let of_ours = |word: &&str| ["controller_runtime_", "playout_", "leader_"].iter().any(|p| word.starts_with(p));
        for name in expression.split(|c| !is_word(c)).filter(of_ours) {
            let known = exported.contains(&format!("\n{name}{{"));
            ensure!(known, "{}: {name} is not exported", rule["alert"]);
        }
        // Whoever scrapes under another job's name has the same alerts; a metric that others export, too, is told from theirs.
        ensure!(!expression.contains("job=") && !expression.contains("namespace="), "{}: {expression}", rule["alert"]);
        let of_others = ["controller_runtime_", "leader_"].iter().any(|name| expression.contains(name));
        let is_told = expression.contains("and on (job, instance) playout_build_info");
        ensure!(!of_others || is_told, "{}: it speaks of other operators, too", rule["alert"]);
        // An object that is suspended stays in its state: nobody is called for that for ever.
        let selectors = expression.matches("playout_objects{").count();
        ensure!(selectors == expression.matches(r#"suspended="false"}"#).count(), "{}: {expression}", rule["alert"]);
        for part in expression.split("state=").skip(1) {
            let words = part.split('"').nth(1).context("a state in quotes")?;
            let unknown: Vec<_> = words.split('|').filter(|word| !states.contains(*word)).collect();
            ensure!(unknown.is_empty(), "{}: no kind has the states {unknown:?}", rule["alert"]);
        }
    }
    ensure!(rules.len() > 4, "only {} alerts", rules.len());
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
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
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
