//! What breaks a rule is refused with its message.

use super::*;

/// A folder a kind, of manifests that must be refused.
const INVALID: &str = "tests/invalid";

/// A manifest that must be refused: with what, and how many objects it has. Of two the first is valid and the second is a
/// change of it.
struct Invalid {
    refused: String,
    objects: usize,
}

/// By the path from the folder, without its ending, as in `source/port-too-high`.
fn invalid_manifests() -> Result<BTreeMap<String, Invalid>> {
    let mut found = BTreeMap::new();
    for kind in ["source", "destination", "encoding-preset"] {
        for (name, text) in manifests(&format!("{INVALID}/{kind}"))? {
            let path = format!("{kind}/{name}");
            let first = text.lines().next().and_then(|line| line.strip_prefix("# refused: "));
            let refused = first.with_context(|| format!("{path}: the first line must be `# refused: ...`"))?.to_owned();
            // A name can be what is refused.
            let its_own = [format!("name: {kind}-{name}\n"), format!("name: {name}\n")];
            let named = its_own.iter().any(|name| text.contains(name));
            ensure!(named, "{path}: the object must bear the name of the folder and the file");
            found.insert(path, Invalid { refused, objects: text.matches("\nkind: ").count() });
        }
    }
    let folders = fs::read_dir(folder(INVALID))?.count();
    ensure!(folders == 3 && found.len() > 200, "{} manifests in {folders} folders", found.len());
    Ok(found)
}

#[test]
fn invalid_examples_are_refused_with_their_message_alone() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let namespace = namespace(cluster, "invalid")?;
    let path = folder(INVALID);
    let examples = invalid_manifests()?;
    let messages: BTreeSet<String> = rules()?.into_iter().map(|rule| rule.message).collect();
    // One run for all: kubectl goes on after an error, and names the file in each.
    let all = in_namespace(cluster, &namespace, &format!("create --dry-run=server -R -f {}", path.display()), "")?;
    let mut refusals: BTreeMap<&str, String> = BTreeMap::new();
    for refusal in all.stderr.split("Error from server").skip(1) {
        let file = refusal.split_once(&format!("{INVALID}/")).and_then(|(_, rest)| rest.split_once(".yaml"));
        let (name, text) = file.with_context(|| format!("a refusal that names no file: {refusal}"))?;
        refusals.insert(name, text.to_owned());
    }
    let mut wrong = Vec::new();
    for (name, example) in &examples {
        if example.objects > 1 {
            ensure!(!refusals.contains_key(name.as_str()), "{name}: {}", refusals[name.as_str()]);
            let file = path.join(format!("{name}.yaml"));
            let applied = in_namespace(cluster, &namespace, &format!("apply -f {}", file.display()), "")?;
            ensure!(applied.stdout.contains(" created"), "{name}: the first object is not valid: {}", applied.stderr);
            refusals.insert(name, applied.stderr);
        }
        let Some(said) = refusals.get(name.as_str()) else {
            wrong.push(format!("{name} was taken"));
            continue;
        };
        let by: Vec<_> = messages.iter().filter(|message| said.contains(message.as_str())).collect();
        let a_rule = by.iter().any(|message| message.contains(&example.refused));
        if !said.contains(&example.refused) {
            wrong.push(format!("{name} was refused with {said}"));
        } else if a_rule && by.len() > 1 {
            wrong.push(format!("{name} has more than one mistake: {by:?}"));
        } else if said.contains("rule(s) were not checked") || said.contains("failed rule") {
            wrong.push(format!("{name}: a rule without a message, or one that cannot be evaluated: {said}"));
        }
    }
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn what_is_refused_is_not_repeated_where_it_may_hold_a_secret() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let rtmp = "rtmps://ingest.example.net/live";
    let key = |name: &str| json!({ "secretRef": { "name": name, "key": "streamKey" } });
    for spec in [
        json!({ "from": { "name": "studio" }, "url": format!("{rtmp}#HUSH"), "streamKey": key("k") }),
        json!({ "from": { "name": "studio" }, "url": "rtmps://user:HUSH@ingest.example.net/live", "streamKey": key("k") }),
        json!({ "from": { "name": "studio" }, "url": "srt://receiver.example.net:9000?passphrase=HUSH" }),
        json!({ "from": { "name": "studio" }, "url": "rtmps://ingest.example.net/HUSH HUSH", "streamKey": key("k") }),
        json!({ "from": { "name": "studio" }, "platform": "YouTube", "url": "rtmp://a.rtmp.youtube.com/live2/HUSH", "streamKey": key("k") }),
        json!({ "from": { "name": "studio" }, "platform": "YouTube", "streamKey": key("k"), "backup": { "url": "https://HUSH@x/" } }),
        json!({ "from": { "name": "studio" }, "platform": "YouTube", "streamKey": key("HUSH_HUSH") }),
    ] {
        let said = in_namespace(cluster, "default", "create --dry-run=server -f -", &object("Destination", "x", spec))?;
        ensure!(!said.success && said.stderr.contains(" is invalid: "), "{said:?}");
        ensure!(!said.stderr.contains("HUSH"), "{}", said.stderr);
    }
    Ok(())
}

/// A guard against mistakes, not against attackers: AWS connects, from its own network, and a name may resolve to anything.
#[test]
fn an_address_that_is_not_of_the_internet_is_refused_in_every_spelling() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    let hosts = "127.0.0.1 127.1 2130706433 0x7f000001 0x7f.1 0X7F.0.0.1 017700000001 0177.0.0.1 127.0.0.1. 0.0.0.0 0 \
        10.0.0.1 167772161 012.0.0.1 192.168.1.1 172.16.0.1 172.31.255.255 100.64.0.1 169.254.169.254 2852039166 0xA9FEA9FE \
        0251.0376.0251.0376 169.254.43518 224.0.0.1 240.0.0.1 255.255.255.255 localhost LOCALHOST localhost. localhost.. \
        a.localhost metadata.google.internal ip-10-0-0-1.ec2.internal. %31%32%37.0.0.1 [::1] [::] [::ffff:127.0.0.1] \
        [::ffff:7f00:1] [::127.0.0.1] [0:0:0:0:0:ffff:a9fe:a9fe] [fe80::1] [fd00:ec2::254] [fc00::1] [ff02::1] \
        [64:ff9b::7f00:1] [2002:7f00:1::] [2001:0:4136:e378:8000:63bf:80ff:fffe]";
    let hosts: Vec<_> = hosts.split_whitespace().collect();
    let manifests = |at: usize, host: &str| {
        let key = |name: &str| json!({ "secretRef": { "name": name, "key": "streamKey" } });
        let url = format!("rtmp://{host}/live");
        let mut spec =
            json!({ "from": { "name": "studio" }, "delivery": "Transcode", "url": url, "streamKey": key("k") });
        let destination = object("Destination", &format!("url-{at}"), spec.clone());
        spec["url"] = "rtmp://receiver.example.net/live".into();
        spec["backup"] = json!({ "url": url, "streamKey": key("b") });
        let backup = object("Destination", &format!("backup-{at}"), spec);
        let block = json!({ "address": host, "port": 5000 });
        let input = json!({ "name": "main", "priority": "Primary", "protocol": "SrtCaller", "srtCaller": block });
        [destination, backup, object("Source", &format!("address-{at}"), json!({ "inputs": [input] }))]
    };
    // One run for all: kubectl goes on after an error.
    let create = |hosts: &[&str]| {
        let all: Vec<_> = hosts.iter().enumerate().flat_map(|(at, host)| manifests(at, host)).collect();
        in_namespace(cluster, "default", "create --dry-run=server -f -", &all.join("\n---\n"))
    };
    let said = create(&hosts)?;
    let taken: Vec<_> = said.stdout.lines().filter_map(|line| line.split_once('-')?.1.split(' ').next()).collect();
    let taken: Vec<_> = taken.iter().filter_map(|at| at.parse::<usize>().ok()).map(|at| hosts[at]).collect();
    ensure!(said.stdout.is_empty(), "{taken:?}: {}", said.stdout);
    for field in ["url", "backup.url", "address"] {
        let refusals = said.stderr.matches(&format!("{field}: Invalid value")).count();
        ensure!(refusals > 0, "nothing was refused for its {field}: {}", said.stderr);
    }
    ensure!(said.stderr.matches(" is invalid: ").count() == 3 * hosts.len(), "{}", said.stderr);
    let public = ["203.0.113.7", "172.32.0.1", "100.128.0.1", "11.0.0.1", "0x7f.example.net", "localhost.example.net"];
    create(&public)?.ok()?;
    let [ipv6, ..] = manifests(0, "[2001:db8::7]");
    in_namespace(cluster, "default", "create --dry-run=server -f -", &ipv6)?.ok().map(drop)
}

/// The one place where a name stands twice: CEL does not know the list in the code.
#[test]
fn no_built_in_preset_can_be_made_as_an_object() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    for name in playout_core::presets::BUILT_IN {
        let said = in_namespace(cluster, "default", "create --dry-run=server -f -", &a_preset(name))?;
        ensure!(said.stderr.contains("metadata.name must not be that of a built-in preset"), "{name}: {said:?}");
        ensure!(said.stderr.contains(name), "{name} is not among those that the message names");
    }
    in_namespace(cluster, "default", "create --dry-run=server -f -", &a_preset("1080p60-high"))?.ok()?;
    // What users write for a frame rate is what the code reads.
    for (text, _) in playout_core::encoding::Framerate::KNOWN {
        let manifest = a_preset("rate").replace("\"30\"", &format!("\"{text}\""));
        in_namespace(cluster, "default", "create --dry-run=server -f -", &manifest)?.ok().context(text)?;
    }
    Ok(())
}

#[test]
fn every_rule_has_an_invalid_example() -> Result<()> {
    let examples = invalid_manifests()?;
    for rule in rules()? {
        let shown = examples.iter().find(|(_, e)| e.refused.len() >= 20 && rule.message.contains(&e.refused));
        let named = examples.values().any(|e| e.refused.contains(&rule.message));
        ensure!(shown.is_some() || named, "no file of {INVALID}/ is refused by {}: {}", rule.path, rule.message);
        if rule.rule.contains("oldSelf") {
            ensure!(shown.is_some_and(|(_, e)| e.objects == 2), "{}: a change needs two objects", rule.message);
        }
    }
    Ok(())
}
