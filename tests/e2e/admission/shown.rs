//! What kubectl shows, and what roles may do.

use super::*;

#[test]
fn columns_short_names_category_and_selectors_work() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let namespace = namespace(cluster, "columns")?;
    let run = |args: &str, input: &str| -> Result<String> {
        Ok(in_namespace(cluster, &namespace, args, input)?.ok()?.stdout)
    };
    for manifest in [a_source("one"), a_destination("one"), a_destination("two"), a_preset("one")] {
        run("create -f -", &manifest)?;
    }
    let patch = |kind: &str, status: Value| {
        let patch = json!({ "status": status }).to_string();
        kubectl(
            cluster,
            ["-n", &namespace, "patch", kind, "one", "--subresource=status", "--type=merge", "-p", &patch],
        )?
        .ok()
    };
    let condition = |type_: &str, reason: &str| {
        json!({ "type": type_, "status": "True", "reason": reason, "message": "It is on the air.",
            "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z" })
    };
    let ready = json!([condition("Ready", "Running")]);
    patch(
        "dest",
        json!({ "state": "Running", "activeEndpoint": "Primary", "startedAt": "2026-01-01T00:00:00Z", "conditions": ready }),
    )?;
    patch(
        "src",
        json!({ "state": "Running", "activeInput": "main", "flowArn": "arn:flow",
            "conditions": [condition("Ready", "Running"), condition("Healthy", "SignalGood")],
            "outputs": { "used": 2, "limit": 50, "summary": "2/50" },
            "inputs": [{ "name": "main", "endpoint": { "address": "203.0.113.1", "url": "srt://203.0.113.1:5000" } }] }),
    )?;
    patch("preset", json!({ "encoding": "1920x1080 at 30 fps", "usedByCount": 3, "conditions": ready }))?;
    let rows = |args: &str| -> Result<Vec<Vec<String>>> {
        let rows = run(args, "")?;
        let words = |line: &str| line.split("  ").map(str::trim).filter(|w| !w.is_empty()).map(str::to_owned).collect();
        Ok(rows.lines().map(words).collect())
    };
    let dest = rows("get dest -o wide")?;
    ensure!(
        dest[0]
            == [
                "NAME", "PLATFORM", "FROM", "STATE", "READY", "REASON", "AGE", "DELIVERY", "ACTIVE", "STARTED",
                "MESSAGE"
            ]
    );
    ensure!(dest[1][..6] == ["one", "Twitch", "studio", "Running", "True", "Running"], "{:?}", dest[1]);
    ensure!(dest[1].last().is_some_and(|message| message == "It is on the air."), "{:?}", dest[1]);
    let source = rows("get src -o wide")?;
    ensure!(
        source[0]
            == ["NAME", "STATE", "READY", "REASON", "INPUT", "SIGNAL", "OUTPUTS", "AGE", "INGEST", "FLOW", "MESSAGE"]
    );
    ensure!(source[1][..7] == ["one", "Running", "True", "Running", "main", "SignalGood", "2/50"], "{:?}", source[1]);
    ensure!(source[1][8..10] == ["srt://203.0.113.1:5000", "arn:flow"], "{:?}", source[1]);
    let preset = rows("get preset -o wide")?;
    ensure!(preset[0] == ["NAME", "ENCODING", "READY", "AGE", "USERS", "MESSAGE"], "{:?}", preset[0]);
    ensure!(preset[1][..3] == ["one", "1920x1080 at 30 fps", "True"], "{:?}", preset[1]);
    ensure!(preset[1][4..] == ["3", "It is on the air."], "{:?}", preset[1]);
    ensure!(rows("get src")?[0].len() == 8 && rows("get dest")?[0].len() == 7, "too wide");

    let names = |args: &str| run(&format!("get {args} -o name"), "");
    ensure!(names("playout")?.lines().count() == 4, "the category");
    ensure!(!names("all")?.contains("playout.dev"), "kubectl get all is for others");
    for (selector, expected) in [
        ("dest --field-selector=status.state=Running", "destination.playout.dev/one\n"),
        ("dest --field-selector=spec.platform=Twitch,status.state!=Running", "destination.playout.dev/two\n"),
        ("dest --field-selector=spec.platform=YouTube", ""),
        ("dest --field-selector=spec.state=Running", ""),
        ("src --field-selector=spec.state=Auto", "source.playout.dev/one\n"),
        ("src --field-selector=status.state=Running", "source.playout.dev/one\n"),
    ] {
        ensure!(names(selector)? == expected, "{selector}");
    }
    Ok(())
}

#[test]
fn explain_prints_every_field_with_its_description() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    for crd in &crds()? {
        let kind = crd["spec"]["names"]["singular"].as_str().unwrap_or_default();
        let mut objects: Vec<(String, &Value)> = Vec::new();
        walk(schema(crd), kind, &mut |path, schema| {
            let path = path.replace("[]", "");
            // Nothing of the encryption blocks differs but the path.
            if schema["properties"].is_object() && !path.contains("secretRef") && !path.contains("SecretRef") {
                objects.push((path, schema));
            }
        });
        ensure!(objects.len() > 4);
        for (path, schema) in objects {
            let text = kubectl(cluster, ["explain", &path])?.ok()?.stdout;
            ensure!(!text.contains("<no ") && !text.contains("<empty>"), "{path}:\n{text}");
            let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                ensure!(text.contains(&format!("\n  {name}\t<")), "{path} shows no {name}:\n{text}");
                let description = property["description"].as_str().unwrap_or_default();
                let description = description.split_whitespace().collect::<Vec<_>>().join(" ");
                ensure!(flat.contains(&description), "{path}.{name} is shown without {description:?}:\n{text}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
async fn roles_give_sources_to_admins_and_destinations_to_producers() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let namespace = namespace(cluster, "roles")?;
    let run = |args: &str, input: &str| in_namespace(cluster, &namespace, args, input);
    run(&format!("apply -f {}", folder("examples/roles.yaml").display()), "")?.ok()?;
    let (ours, kubernetes) = (["playout-admin", "playout-producer", "playout-viewer"], ["admin", "edit", "view"]);
    for role in ours.iter().chain(&kubernetes) {
        run(&format!("create rolebinding {role} --clusterrole={role} --user={role}-user"), "")?.ok()?;
    }
    let may = |role: &str, what: &str| -> Result<bool> {
        let answer = run(&format!("auth can-i {what} --as={role}-user"), "")?;
        ensure!(["yes", "no"].contains(&answer.stdout.trim()), "{answer:?}");
        Ok(answer.success)
    };
    for role in ours {
        wait_until(PATIENCE, &format!("{role} may list Sources"), || async { may(role, "list sources.playout.dev") })
            .await?;
    }
    // Whoever has a namespace has nothing of Playout by that: no role is aggregated into Kubernetes' own.
    for role in kubernetes {
        wait_until(PATIENCE, &format!("{role} may list Pods"), || async { may(role, "list pods") }).await?;
        for what in ["list sources.playout.dev", "create sources.playout.dev", "create destinations.playout.dev"] {
            ensure!(!may(role, what)?, "{role} may {what}");
        }
    }
    for role in ours {
        let kinds = [
            ("sources", role == "playout-admin"),
            ("encodingpresets", role == "playout-admin"),
            ("destinations", role != "playout-viewer"),
        ];
        for (kind, changes) in kinds {
            for (verb, expected) in
                [("get", true), ("watch", true), ("create", changes), ("patch", changes), ("delete", changes)]
            {
                let what = format!("{verb} {kind}.playout.dev");
                let holds = may(role, &what)? == expected;
                ensure!(holds, "{role} {} {what}", if expected { "may not" } else { "may" });
            }
            ensure!(
                !may(role, &format!("patch {kind}.playout.dev --subresource=status"))?,
                "{role} may write the status of {kind}"
            );
        }
        ensure!(!may(role, "get secrets")?, "{role} may read Secrets");
        for events in ["events", "events.events.k8s.io"] {
            ensure!(may(role, &format!("watch {events}"))?, "{role} may not see {events}");
        }
        ensure!(may(role, "use secrets/any")? == (role == "playout-admin"), "{role}: use of Secrets without a name");
        for what in ["use parameters.playout.dev/any", "use awssecrets.playout.dev/any", "adopt flows.playout.dev/any"]
        {
            ensure!(!may(role, what)?, "{role} may {what}: that is the AWS account's");
        }
    }
    // Keys are set by those who may write the Secrets of these names.
    run("create rolebinding keys --role=playout-keys --user=keys-user", "")?.ok()?;
    for verb in ["get", "patch"] {
        ensure!(may("keys", &format!("{verb} secrets/twitch"))?, "a key cannot be set");
        ensure!(!may("keys", &format!("{verb} secrets/other"))?, "other Secrets can be read or written");
    }
    run("create rolebinding use --role=playout-use --user=playout-producer-user", "")?.ok()?;
    wait_until(PATIENCE, "the key may be used", || async { may("playout-producer", "use secrets/twitch") }).await?;
    let create = |kind: &str| {
        let twitch = || a_destination("new").replace("\"name\":\"key\"", "\"name\":\"twitch\"");
        let manifest = if kind == "source" { a_source("new") } else { twitch() };
        run("create --dry-run=server -f - --as=playout-producer-user", &manifest)
    };
    create("destination")?.ok()?;
    let refused = create("source")?;
    ensure!(refused.stderr.contains("Forbidden"), "{refused:?}");
    Ok(())
}
