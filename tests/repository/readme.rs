//! README and docs/ say what is true: their tables are those of the code, what they tell people to type exists, and every link
//! leads somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use playout_api as api;
use playout_core::encoding::Encoding;
use playout_core::presets;
use serde_json::Value;

use crate::root;

/// Kinds of Kubernetes' own that the documents name.
const KUBERNETES: [&str; 6] = ["secret", "configmap", "deployment", "rolebinding", "namespace", "events"];
/// What follows `kubectl` and changes or shows objects of a kind that comes next.
const VERBS: [&str; 11] =
    ["get", "describe", "patch", "annotate", "delete", "wait", "create", "explain", "events", "logs", "rollout status"];
/// Flags of kubectl that have their value in the next word.
const WITH_VALUE: [&str; 12] =
    ["-o", "-n", "-p", "-f", "-k", "-l", "--type", "--for", "--timeout", "--field-selector", "--patch-file", "--group"];

/// What is written for people.
struct Document {
    /// From the root of the repository, as in `docs/install.md`.
    path: String,
    text: String,
}

impl Document {
    /// The folder that its links start from.
    fn folder(&self) -> &Path {
        Path::new(&self.path).parent().unwrap_or(Path::new(""))
    }

    /// The text outside of blocks.
    fn prose(&self) -> String {
        let mut inside = false;
        let lines = self.text.lines().filter(|line| {
            let fence = line.starts_with("```");
            inside ^= fence;
            !inside && !fence
        });
        lines.flat_map(|line| [line, "\n"]).collect()
    }
}

/// The pages at the root and all of docs/.
fn documents() -> Result<Vec<Document>> {
    fn collect(folder: &Path, deep: bool, found: &mut Vec<PathBuf>) -> Result<()> {
        for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() && deep {
                collect(&path, deep, found)?;
            } else if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
        Ok(())
    }
    let mut files = Vec::new();
    collect(root(), false, &mut files)?;
    collect(&root().join("docs"), true, &mut files)?;
    files.sort();
    ensure!(files.len() > 10, "only {files:?}");
    let read = |file: PathBuf| {
        let path = file.strip_prefix(root())?.display().to_string();
        Ok(Document { path, text: fs::read_to_string(file)? })
    };
    files.into_iter().map(read).collect()
}

/// The lines between `<!-- name -->` and `<!-- end -->`, in the one document that has them.
fn section(name: &str) -> Result<String> {
    let begin = format!("<!-- {name} -->\n");
    let documents = documents()?;
    let found: Vec<_> = documents.iter().filter_map(|document| document.text.split_once(&begin)).collect();
    ensure!(found.len() == 1, "{} sections {name}", found.len());
    let (section, _) = found[0].1.split_once("<!-- end -->").with_context(|| format!("section {name} does not end"))?;
    Ok(section.to_string())
}

/// The first cells of a table, without their backticks.
fn first_cells(table: &str) -> BTreeSet<String> {
    let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    rows.map(str::to_string).collect()
}

/// The blocks of a language.
fn blocks(language: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for document in documents()? {
        for part in document.text.split(&format!("\n```{language}\n")).skip(1) {
            found.push(part.split("\n```").next().context("a block ends")?.to_string());
        }
    }
    ensure!(!found.is_empty(), "no blocks of {language}");
    Ok(found)
}

/// What stands between single backticks, outside of blocks; not in the changelog, which also names what is no more.
fn literals() -> Result<Vec<String>> {
    let mut found = Vec::new();
    for document in documents()? {
        if document.path == "CHANGELOG.md" {
            continue;
        }
        let prose = document.prose();
        ensure!(prose.matches('`').count() % 2 == 0, "{}: a backtick without its other", document.path);
        found.extend(prose.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    Ok(found)
}

/// What people are told to type, line by line.
fn commands() -> Result<Vec<String>> {
    let mut found: Vec<String> = blocks("sh")?.iter().flat_map(|block| block.lines()).map(str::to_owned).collect();
    for block in blocks("console")? {
        found.extend(block.lines().filter_map(|line| line.strip_prefix("$ ")).map(str::to_owned));
    }
    Ok(found)
}

/// Splits a command into words as a shell does, as far as the documents go: quotes, and comments after two spaces.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut quote, mut begun) = (String::new(), None, false);
    for c in command.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (None, '\'' | '"') => (quote, begun) = (Some(c), true),
            (None, '#') if !begun => break,
            (None, c) if c.is_whitespace() => {
                if begun {
                    words.push(std::mem::take(&mut word));
                }
                begun = false;
            }
            (_, c) => {
                word.push(c);
                begun = true;
            }
        }
    }
    if begun {
        words.push(word);
    }
    words
}

/// The kinds by every name that kubectl takes, with their CRDs.
fn crd(name: &str) -> Result<Option<Value>> {
    for crd in api::crds() {
        let names = &crd.spec.names;
        let short = names.short_names.clone().unwrap_or_default();
        if names.plural == name || names.singular.as_deref() == Some(name) || short.iter().any(|s| s == name) {
            return Ok(Some(serde_json::to_value(&crd)?));
        }
    }
    Ok(None)
}

fn schema(crd: &Value) -> &Value {
    &crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
}

/// Whether a path as in `status.conditions[?(@.type=="Ready")].reason` exists. Filters and indices are left out.
fn has_path(schema: &Value, path: &str) -> bool {
    let mut bare = String::new();
    let mut depth = 0;
    for c in path.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            c if depth == 0 => bare.push(c),
            _ => {}
        }
    }
    let mut here = schema;
    for part in bare.split('.').filter(|part| !part.is_empty()) {
        if here["items"].is_object() {
            here = &here["items"];
        }
        here = &here["properties"][part];
    }
    here.is_object()
}

/// The members of a value that the schema does not have, and the words of an enum that it does not know.
fn strangers(schema: &Value, value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) if schema["properties"].is_object() => {
            for (name, member) in members {
                match schema["properties"].get(name) {
                    Some(schema) => strangers(schema, member, &format!("{path}.{name}"), found),
                    None => found.push(format!("{path}.{name}")),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| strangers(&schema["items"], item, path, found)),
        Value::String(_) if schema["enum"].as_array().is_some_and(|words| !words.contains(value)) => {
            found.push(format!("{path}: {value}"));
        }
        _ => {}
    }
}

#[test]
fn presets_are_those_of_the_code() -> Result<()> {
    use playout_api::destination::Platform;
    let mut table = String::from("| preset | encoding | YouTube |\n|---|---|---|\n");
    for name in presets::BUILT_IN {
        let encoding = presets::built_in(name).context("it is built in")?;
        let kbps = |e: &Encoding| format!("{} kbit/s", e.video_bitrate / 1000);
        let (pixels, rest) = (format!("{}x{}", encoding.width, encoding.height), kbps(&encoding));
        let default = if name == presets::DEFAULT { " (default)" } else { "" };
        let youtube = presets::for_platform(name, Platform::YouTube).context("it is built in")?;
        let cells = format!("{pixels} at {} fps, {rest}{default}", encoding.framerate);
        table.push_str(&format!("| `{name}` | {cells} | {} |\n", kbps(&youtube)));
        // The sentence above the table.
        let common = encoding.to_string();
        ensure!(
            common.contains(" H.264 High, keyframe 2 s, AAC 128 kbit/s 48 kHz") && encoding.b_frames == 2,
            "{common}"
        );
    }
    ensure!(section("presets")? == table, "the table of presets must be:\n{table}");
    Ok(())
}

#[test]
fn alerts_are_those_of_the_overlay() -> Result<()> {
    let text = fs::read_to_string(root().join("deploy/overlays/prometheus/alerts.yaml"))?;
    let rules: Value = serde_saphyr::from_str(&text)?;
    let rules = rules["spec"]["groups"][0]["rules"].as_array().context("rules")?;
    let alerts: BTreeSet<_> = rules.iter().filter_map(|rule| rule["alert"].as_str().map(str::to_string)).collect();
    let told = first_cells(&section("alerts")?);
    ensure!(told == alerts, "the documents have {told:?}, the overlay {alerts:?}");
    Ok(())
}

#[test]
fn what_kubectl_is_told_exists() -> Result<()> {
    let mut seen = 0;
    for command in commands()?.iter().filter(|command| command.starts_with("kubectl ")) {
        let words = words(command);
        seen += 1;
        check(&words[1..]).with_context(|| command.clone())?;
    }
    ensure!(seen > 25, "only {seen} commands were found");
    Ok(())
}

/// One call of kubectl: its kind, its fields, its files and its annotations.
fn check(words: &[String]) -> Result<()> {
    let of_two = words.len() > 1 && VERBS.contains(&words[..2].join(" ").as_str());
    let (verb, words) = words.split_at(if of_two { 2 } else { 1 });
    let verb = verb.join(" ");
    let verb = verb.as_str();
    let mut plain = Vec::new();
    let mut options: Vec<(String, String)> = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if WITH_VALUE.contains(&word.as_str()) {
            options.push((word.clone(), rest.next().cloned().unwrap_or_default()));
        } else if let Some((flag, value)) = word.split_once('=').filter(|_| word.starts_with("--")) {
            options.push((flag.into(), value.into()));
        } else if word.starts_with('-') && word.len() > 1 {
            options.push((word.clone(), String::new()));
        } else {
            plain.push(word.clone());
        }
    }
    ensure!(verb == "apply" || VERBS.contains(&verb), "{verb} is not checked by this test");
    let of_file = options.iter().any(|(flag, _)| flag == "-f" || flag == "-k");
    let object = options.iter().find(|(flag, _)| flag == "--for").filter(|_| verb == "events").map(|(_, o)| o.clone());
    let target = object.or(plain.first().cloned());
    let mut kinds = Vec::new();
    if let Some(target) = target.filter(|_| !of_file) {
        let kind = target.split(['/', '.']).next().unwrap_or_default().to_string();
        for kind in kind.split(',').filter(|kind| *kind != "playout" && !KUBERNETES.contains(kind)) {
            kinds.push(crd(kind)?.with_context(|| format!("{kind} is no kind"))?);
        }
        if verb == "explain" {
            let path = target.split_once('.').map(|(_, path)| path).unwrap_or_default();
            ensure!(kinds.iter().all(|crd| has_path(schema(crd), path)), "no field {path}");
        }
    }
    for (flag, value) in &options {
        match flag.as_str() {
            // `your-key` and the manifest that the documents print are the reader's own.
            "-f" | "-k" | "--patch-file" if value != "kick.yaml" => {
                ensure!(root().join(value).exists(), "{value} is not there");
            }
            "-p" => {
                let patch: Value = serde_json::from_str(value).context("the patch is no JSON")?;
                let mut found = Vec::new();
                kinds.iter().for_each(|crd| strangers(schema(crd), &patch, "", &mut found));
                ensure!(found.is_empty(), "unknown: {found:?}");
            }
            "--field-selector" => {
                let field = value.split(['=', '!']).next().unwrap_or_default();
                for crd in &kinds {
                    let fields = crd["spec"]["versions"][0]["selectableFields"].as_array();
                    let known = fields.is_some_and(|all| all.iter().any(|f| f["jsonPath"] == format!(".{field}")));
                    ensure!(known, "{field} cannot be selected");
                }
            }
            "--for" if value.starts_with("jsonpath=") => {
                let path = value.trim_start_matches("jsonpath={").split('}').next().unwrap_or_default();
                ensure!(kinds.iter().all(|crd| has_path(schema(crd), path)), "no field {path}");
                let word = value.rsplit_once('=').map(|(_, word)| word).unwrap_or_default();
                if path.trim_start_matches('.') == "status.state" {
                    let words =
                        |crd: &Value| schema(crd)["properties"]["status"]["properties"]["state"]["enum"].clone();
                    let known = |crd: &Value| words(crd).as_array().is_some_and(|words| words.contains(&word.into()));
                    ensure!(kinds.iter().all(known), "no state {word}");
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Annotations, conditions and status fields anywhere in the text.
#[test]
fn names_of_the_api_exist() -> Result<()> {
    let known = [
        api::RECONCILE_AT,
        api::TEST_CONNECTION,
        api::ACTIVE_ENDPOINT,
        api::UNANSWERED,
        api::CREATE_INTENT,
        "playout.dev/v1alpha1",
    ];
    for Document { path, text } in documents()? {
        for (at, _) in text.match_indices("playout.dev/") {
            let name = text[at..].trim_start_matches("playout.dev/");
            if text[..at].ends_with(['.', '@']) || !name.starts_with(|c: char| c.is_alphanumeric()) {
                // Names of objects, as kubectl prints them, and the bare prefix.
                continue;
            }
            ensure!(
                known.iter().any(|name| text[at..].starts_with(name)),
                "{path}: {}",
                &text[at..].chars().take(50).collect::<String>()
            );
        }
    }
    let mut schemas = Vec::new();
    for crd in api::crds() {
        schemas.push(serde_json::to_value(&crd)?);
    }
    for literal in &literals()? {
        let field = literal.split(':').next().unwrap_or_default();
        let is_file = field.ends_with(".rs");
        let is_field = !is_file && (field.starts_with("spec.") || field.starts_with("status."));
        if is_field {
            ensure!(schemas.iter().any(|crd| has_path(schema(crd), field)), "no kind has {field}");
        }
    }
    Ok(())
}

#[test]
fn manifests_are_of_the_schema() -> Result<()> {
    let mut seen = 0;
    for block in blocks("yaml")? {
        let object: Value = serde_saphyr::from_str(&block).with_context(|| block.clone())?;
        let kind = object["kind"].as_str().context("a kind")?.to_lowercase();
        if let Some(crd) = crd(&kind)? {
            seen += 1;
            let mut found = Vec::new();
            strangers(&schema(&crd)["properties"]["spec"], &object["spec"], "spec", &mut found);
            ensure!(found.is_empty(), "unknown: {found:?}");
        }
    }
    ensure!(seen > 0, "no manifest of ours");
    Ok(())
}

#[test]
fn make_targets_exist() -> Result<()> {
    let makefile = fs::read_to_string(root().join("Makefile"))?;
    let mut seen = BTreeSet::new();
    for command in commands()?.into_iter().chain(literals()?) {
        let Some((before, after)) = command.split_once("make ") else { continue };
        if before.ends_with(|c: char| c.is_alphanumeric()) {
            continue;
        }
        let target = after.split([' ', ')', '"']).find(|word| !word.starts_with('-')).unwrap_or_default();
        ensure!(makefile.contains(&format!("\n{target}: ")), "{command}: there is no target {target:?}");
        seen.insert(target.to_string());
    }
    for target in ["demo", "up", "down", "status", "quick", "test", "check", "crds", "reference", "image", "bench"] {
        ensure!(seen.contains(target), "no document tells of make {target}");
    }
    Ok(())
}

/// The anchors of a page, as GitHub makes them of its headings.
fn anchors(document: &Document) -> BTreeSet<String> {
    let prose = document.prose();
    let headings =
        prose.lines().filter_map(|line| line.strip_prefix('#')).map(|line| line.trim_start_matches('#').trim());
    let anchor = |heading: &str| -> String {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// Path without `.` and `..`, from the root of the repository.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[test]
fn links_and_anchors_lead_somewhere() -> Result<()> {
    let documents = documents()?;
    let mut linked = BTreeSet::from(["README.md".to_owned()]);
    for document in &documents {
        let prose = document.prose();
        for link in prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("https://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = if path.is_empty() {
                document.path.clone()
            } else {
                plain(&document.folder().join(path)).display().to_string()
            };
            ensure!(root().join(&path).exists(), "{}: {link} is not there", document.path);
            let other = documents.iter().find(|other| other.path == path);
            ensure!(
                anchor.is_empty() || other.is_some_and(|other| anchors(other).contains(anchor)),
                "{}: {path} has no heading #{anchor}",
                document.path
            );
            if path != document.path {
                linked.insert(path);
            }
        }
    }
    for example in fs::read_dir(root().join("examples"))? {
        let example = example?.path();
        let name = example.strip_prefix(root())?.display().to_string();
        ensure!(example.is_dir() || linked.contains(&name), "no page leads to {name}");
    }
    let lonely: Vec<_> = documents.iter().map(|d| &d.path).filter(|path| !linked.contains(*path)).collect();
    ensure!(lonely.is_empty(), "no page leads to {lonely:?}");
    Ok(())
}

#[test]
fn paths_exist() -> Result<()> {
    for Document { path, text } in documents()? {
        for file in text.split("file://").skip(1).filter_map(|rest| rest.split_whitespace().next()) {
            ensure!(root().join(file).exists(), "{path}: {file} is not there");
        }
    }
    let folders = ["src/", "crates/", "tests/", "deploy/", "examples/", "crds/", "docs/"];
    for literal in &literals()? {
        if folders.iter().any(|folder| literal.starts_with(folder)) && !literal.contains([' ', '\n']) {
            ensure!(root().join(literal).exists(), "{literal} is not there");
        }
    }
    Ok(())
}

/// What, a picture, five minutes, where next: all else has a page of its own.
#[test]
fn the_readme_is_read_in_five_minutes() -> Result<()> {
    let lines = fs::read_to_string(root().join("README.md"))?.lines().count();
    ensure!(lines <= 200, "{lines} lines: move something to docs/");
    Ok(())
}

#[test]
fn metrics_are_exported() -> Result<()> {
    let exported = playout_operator::metrics::Metrics::example().render();
    for literal in &literals()? {
        let ours = ["controller_runtime_", "playout_", "leader_election_"].iter().any(|p| literal.starts_with(p));
        if ours && !literal.contains('=') {
            ensure!(exported.contains(literal), "{literal} is not exported:\n{exported}");
        }
    }
    Ok(())
}
