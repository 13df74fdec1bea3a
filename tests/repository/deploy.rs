//! What `deploy/` promises, as its files say it: the IAM policy has what the code calls, and the alerts speak of what there is.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

mod argocd;

fn path(path: &str) -> PathBuf {
    crate::root().join(path)
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
