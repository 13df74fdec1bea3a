//! The walls of ARCHITECTURE.md, as far as a test can see them, and that its invariants are held. Cargo holds the other walls.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use crate::root;

/// Most lines of code that a file has, without comments, blank lines and its tests.
const LONGEST: usize = 500;

/// The Rust files of a folder and of the folders in it, or the one file, with their paths from the root.
fn sources(path: &str) -> Result<Vec<(String, String)>> {
    fn collect(path: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
        if path.is_file() {
            found.push(path.to_path_buf());
            return Ok(());
        }
        for entry in fs::read_dir(path).with_context(|| path.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() || path.extension().is_some_and(|ending| ending == "rs") {
                collect(&path, found)?;
            }
        }
        Ok(())
    }
    let mut files = Vec::new();
    collect(&root().join(path), &mut files)?;
    files.sort();
    ensure!(!files.is_empty(), "{path} has no sources");
    let read = |file: PathBuf| {
        let name = file.strip_prefix(root())?.display().to_string();
        Ok((name, fs::read_to_string(&file)?))
    };
    files.into_iter().map(read).collect()
}

/// The lines that are code, with their numbers: no comments, no blank lines, and nothing after `#[cfg(test)]`.
fn code(text: &str) -> Vec<(usize, &str)> {
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    let end = text.lines().zip(text.lines().skip(1)).position(|(a, b)| a == "#[cfg(test)]" && b.starts_with("mod "));
    lines
        .take(end.unwrap_or(usize::MAX))
        .filter(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with("//"))
        .collect()
}

/// Where code of `path` holds one of these words.
fn places(path: &str, words: &[&str]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for (file, text) in sources(path)? {
        for (number, line) in code(&text) {
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                found.push(format!("{file}:{number} has `{word}`: {}", line.trim()));
            }
        }
    }
    Ok(found)
}

fn none(what: &str, found: &[String]) -> Result<()> {
    ensure!(found.is_empty(), "{what}\n{}", found.join("\n"));
    Ok(())
}

#[test]
fn sdk_types_stop_at_the_crate_for_aws() -> Result<()> {
    let outside = [
        places("src", &["aws_sdk_", "aws_smithy_"])?,
        places("crates/api", &["aws_sdk_", "aws_smithy_", "aws_config"])?,
        places("crates/core", &["aws_sdk_", "aws_smithy_", "aws_config"])?,
    ]
    .concat();
    none("SDK types belong into crates/aws/:", &outside)
}

#[test]
fn what_decides_has_no_clock_no_runtime_and_no_client() -> Result<()> {
    let words = [
        "Timestamp::now",
        "Zoned::now",
        "SystemTime",
        "Instant",
        "async ",
        ".await",
        "tokio",
        "std::net::Tcp",
        "std::fs",
        "std::env",
        "std::thread",
        "rand::",
        "RandomState",
        "kube::Client",
        "kube::Api",
        "playout_operator",
    ];
    let found = [places("crates/api/src", &words)?, places("crates/core/src", &words)?].concat();
    none("crates/api describes, crates/core decides, and neither does anything else:", &found)
}

/// The entries of a table of a Cargo.toml, as their lines.
fn table(manifest: &str, name: &str) -> Vec<String> {
    let after = manifest.split(&format!("\n[{name}]\n")).nth(1).unwrap_or_default();
    let table = after.split("\n[").next().unwrap_or_default();
    table.lines().filter(|line| line.contains('=') && !line.starts_with('#')).map(str::to_owned).collect()
}

fn name_of(dependency: &str) -> &str {
    dependency.split(['.', ' ', '=']).next().unwrap_or_default()
}

#[test]
fn crates_depend_on_what_they_may() -> Result<()> {
    for (krate, of_ours) in [("crates/api", &[][..]), ("crates/core", &["playout-api"])] {
        let dependencies = table(&fs::read_to_string(root().join(krate).join("Cargo.toml"))?, "dependencies");
        ensure!(dependencies.len() > 3);
        for dependency in &dependencies {
            let name = name_of(dependency);
            let wrong = ["tokio", "futures", "async-trait", "reqwest", "hyper"].contains(&name)
                || name.starts_with("aws-")
                || (name.starts_with("playout-") && !of_ours.contains(&name));
            ensure!(!wrong, "{krate} must not depend on {name}");
            if name == "kube" {
                let features = dependency.split("features = ").nth(1).unwrap_or_default();
                ensure!(
                    features.starts_with(r#"["derive"]"#),
                    "{krate} needs of kube the derive macro only: {dependency}"
                );
            }
        }
    }
    let sim = fs::read_to_string(root().join("crates/sim/Cargo.toml"))?;
    for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let ours: Vec<_> = table(&sim, kind).into_iter().filter(|d| name_of(d).starts_with("playout")).collect();
        none("crates/sim knows AWS only:", &ours)?;
    }
    let imports =
        places("crates/sim", &["playout_api", "playout_core", "playout_operator", "playout_stage", "playout.dev"])?;
    none("crates/sim knows AWS only:", &imports)
}

/// AWS clients know resources: no kind, nothing of Kubernetes, nothing of the shell.
#[test]
fn clients_of_aws_know_resources_only() -> Result<()> {
    let manifest = fs::read_to_string(root().join("crates/aws/Cargo.toml"))?;
    let ours: Vec<_> = table(&manifest, "dependencies")
        .into_iter()
        .filter(|d| ["kube", "k8s-openapi", "playout-api", "playout-operator"].contains(&name_of(d)))
        .collect();
    none("crates/aws must not depend on:", &ours)?;
    none("crates/aws must not know a kind:", &places("crates/aws/src", &["playout_core::kinds"])?)
}

/// What several kinds have is a resource: it knows none of them. And no kind has to be understood with another one.
#[test]
fn resources_know_no_kind_and_kinds_no_other() -> Result<()> {
    none(
        "a resource must not know a kind:",
        &places("crates/core/src/resources", &["::kinds", "api::source", "api::destination"])?,
    )?;
    // These tell what one object is to another.
    let between = [
        "crates/core/src/upstream.rs",
        "crates/core/src/uses.rs",
        "crates/core/src/wakes.rs",
        "crates/core/src/wakes/",
    ];
    let mut words = places("crates/core/src", &["::kinds"])?;
    words.retain(|place| {
        !place.starts_with("crates/core/src/kinds/") && !between.iter().any(|file| place.starts_with(file))
    });
    none("a word that all kinds share must not know a kind:", &words)?;
    let mut kinds = Vec::new();
    for entry in fs::read_dir(root().join("crates/core/src/kinds"))? {
        let path = entry?.path();
        let is_file = path.extension().is_some_and(|extension| extension == "rs");
        kinds.extend(path.file_stem().filter(|_| is_file).map(|name| name.to_string_lossy().into_owned()));
    }
    ensure!(kinds.len() == playout_api::crds().len(), "{kinds:?}");
    for kind in &kinds {
        let others: Vec<_> =
            kinds.iter().filter(|other| *other != kind).map(|other| format!("kinds::{other}")).collect();
        let others: Vec<_> = others.iter().map(String::as_str).collect();
        for path in [format!("crates/core/src/kinds/{kind}"), format!("crates/core/src/kinds/{kind}.rs")] {
            if root().join(&path).exists() {
                none("a kind must not know another one:", &places(&path, &others)?)?;
            }
        }
    }
    Ok(())
}

/// Dependencies run one way: main, run, reconcile, kind, and then kinds and AWS. So that no part has to be understood
/// with one above it.
#[test]
fn the_shell_depends_one_way() -> Result<()> {
    let mut wrong = Vec::new();
    for (below, above) in [
        ("src/kubernetes", &["crate::kind", "crate::reconcile", "crate::run", "playout_aws::medi"][..]),
        ("src/kinds", &["crate::reconcile", "crate::run", "crate::server", "crate::leader"]),
        ("src/reconcile.rs", &["crate::kinds", "crate::run", "playout_aws::medi", "api::Source", "api::Destination"]),
        ("src/reconcile", &["crate::kinds", "crate::run", "playout_aws::medi", "api::Source", "api::Destination"]),
        ("src/kind.rs", &["crate::kinds", "crate::reconcile", "crate::run"]),
        ("src/stores.rs", &["crate::kind", "crate::reconcile", "crate::run"]),
        ("src/resources.rs", &["crate::kind", "crate::reconcile", "playout_core::kinds", "playout_api"]),
        ("src/resources", &["crate::kind", "crate::reconcile", "playout_core::kinds", "playout_api"]),
        ("src/kinds/source.rs", &["super::destination", "kinds::destination"]),
        ("src/kinds/source", &["super::destination", "kinds::destination"]),
        ("src/kinds/destination.rs", &["super::source::", "kinds::source"]),
        ("src/kinds/destination", &["super::source::", "crate::kinds::source"]),
    ] {
        wrong.extend(places(below, above)?);
    }
    none("this part must not know that one:", &wrong)
}

#[test]
fn nothing_is_called_after_what_it_is_not() -> Result<()> {
    let mut wrong = Vec::new();
    for file in committed()? {
        let named = |part: &&str| ["utils", "util", "common", "helpers", "helper", "manager", "misc"].contains(part);
        if file.ends_with(".rs") && file.split(['/', '.']).any(|part| named(&part)) {
            wrong.push(file);
        }
    }
    none("a name that says nothing:", &wrong)
}

#[test]
fn files_are_short_enough_to_be_read() -> Result<()> {
    let mut long = Vec::new();
    for folder in ["src", "tests", "crates"] {
        for (file, text) in sources(folder)? {
            let lines = code(&text).len();
            if lines > LONGEST {
                long.push(format!("{file}: {lines} lines of code"));
            }
        }
    }
    none("split these:", &long)
}

/// The SDK's input types print stream keys with `{:?}`.
#[test]
fn nothing_of_the_sdk_is_printed() -> Result<()> {
    let mut found = Vec::new();
    for (file, text) in sources("crates/aws/src")? {
        let code = code(&text);
        for (number, line) in &code {
            // The class of a failure is an enum of our own.
            if (line.contains(":?}") || line.contains("dbg!")) && !line.contains(".class") {
                found.push(format!("{file}:{number}: {}", line.trim()));
            }
        }
        let text: String = code.iter().flat_map(|(_, line)| [line.trim(), " "]).collect();
        for log in text.split("tracing::").skip(1).filter_map(|rest| rest.split_once(");")) {
            if log.0.contains("?input") || log.0.contains("(?") || log.0.contains(", ?") || log.0.contains("= ?") {
                found.push(format!("{file}: tracing::{}", log.0));
            }
        }
    }
    none("crates/aws must not print with Debug:", &found)
}

/// The files that git knows.
fn committed() -> Result<Vec<String>> {
    let output = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output().context("git")?;
    ensure!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let files = String::from_utf8(output.stdout)?;
    Ok(files.split('\0').filter(|file| !file.is_empty()).map(str::to_owned).collect())
}

/// The names of all tests.
fn tests() -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for file in committed()?.iter().filter(|file| file.ends_with(".rs")) {
        let Ok(text) = fs::read_to_string(root().join(file)) else { continue };
        let mut is_test = false;
        for line in text.lines().map(str::trim) {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            let name = line.trim_start_matches("async ").strip_prefix("fn ");
            if let Some((name, _)) = name.and_then(|rest| rest.split_once('(')).filter(|_| is_test) {
                found.insert(name.to_owned());
                is_test = false;
            }
        }
    }
    ensure!(found.len() > 500, "only {} tests", found.len());
    Ok(found)
}

#[test]
fn every_invariant_is_held_by_tests_that_exist() -> Result<()> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md"))?;
    let (_, after) = text.split_once("\n## Invariants\n").context("no chapter Invariants")?;
    let chapter = after.split("\n## ").next().unwrap_or_default();
    let tests = tests()?;
    let mut seen = 0;
    for invariant in chapter.split("\n**").skip(1) {
        let (title, _) = invariant.split_once("**").context("a title")?;
        is_held(title, invariant, &tests)?;
        seen += 1;
    }
    ensure!(seen == 8, "{seen} invariants");
    Ok(())
}

/// Whether the tests that a text names behind `Held by` exist.
fn is_held(title: &str, text: &str, tests: &BTreeSet<String>) -> Result<()> {
    let (_, held) = text.split_once("Held by").with_context(|| format!("{title}: held by no test"))?;
    let names: Vec<_> = held.split("\n\n").next().unwrap_or_default().split('`').skip(1).step_by(2).collect();
    let missing: Vec<_> = names.iter().filter(|name| !tests.contains(**name)).collect();
    ensure!(!names.is_empty() && missing.is_empty(), "{title}: there is no test {missing:?}");
    Ok(())
}

#[test]
fn every_decision_is_held_by_tests_that_exist() -> Result<()> {
    let tests = tests()?;
    let mut seen = 0;
    for file in fs::read_dir(root().join("docs/decisions"))? {
        let file = file?.path();
        if !file.ends_with("README.md") {
            is_held(&file.display().to_string(), &fs::read_to_string(&file)?, &tests)?;
            seen += 1;
        }
    }
    ensure!(seen >= 10, "{seen} decisions");
    Ok(())
}

/// A new clippy must not make CI red by itself, and what is shipped is built with what was tested.
#[test]
fn one_version_of_rust_builds_and_tests() -> Result<()> {
    let read = |file: &str| fs::read_to_string(root().join(file)).with_context(|| file.to_owned());
    let pinned = read("rust-toolchain.toml")?;
    let pinned = pinned.split("channel = \"").nth(1).and_then(|rest| rest.split('"').next()).context("a channel")?;
    let image = read("deploy/Dockerfile")?;
    ensure!(image.contains(&format!("/rust:{pinned}-")), "deploy/Dockerfile builds with another Rust than {pinned}");
    Ok(())
}

#[test]
fn nothing_committed_names_a_path_of_somebodys_machine() -> Result<()> {
    // In two parts, so that this file is not found.
    let paths = [["/wo", "rk/"], ["/ho", "me/"], ["/ro", "ot/"], ["/Us", "ers/"]].map(|parts| parts.concat());
    let mut found = Vec::new();
    for file in committed()? {
        // Deleted in the work tree, or no text.
        let Ok(text) = fs::read_to_string(root().join(&file)) else { continue };
        for (number, line) in text.lines().enumerate() {
            let names = |path: &String| {
                line.match_indices(path.as_str()).any(|(at, _)| {
                    // Not the middle of a longer path, as in a URL.
                    !line[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '.')
                })
            };
            if paths.iter().any(names) {
                found.push(format!("{file}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    none("paths of a machine:", &found)
}

/// A folder is what `write` writes.
fn is_generated(folder: &str, target: &str, write: fn(Option<&Path>) -> Result<()>) -> Result<()> {
    let fresh = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{target}-{}", std::process::id()));
    write(Some(&fresh))?;
    let names = |folder: &Path| -> Result<BTreeSet<_>> {
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    };
    let kept = root().join(folder);
    ensure!(names(&fresh)? == names(&kept)?, "{folder}/ has other files than are generated; run: make {target}");
    for name in names(&fresh)? {
        let same = fs::read_to_string(fresh.join(&name))? == fs::read_to_string(kept.join(&name))?;
        ensure!(same, "{folder}/{name} is not what the code says; run: make {target}");
    }
    fs::remove_dir_all(fresh)?;
    Ok(())
}

#[test]
fn crds_are_those_of_the_types() -> Result<()> {
    is_generated("crds", "crds", playout_operator::crds::write)
}

#[test]
fn the_reference_is_that_of_the_code() -> Result<()> {
    is_generated("docs/reference", "reference", playout_operator::reference::write)
}

#[test]
fn crds_have_no_traps() -> Result<()> {
    // What YAML 1.1 reads as a boolean or as nothing.
    const TRAPS: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "~"];
    fn walk(value: &Value, path: &str, wrong: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    let here = format!("{path}.{key}");
                    if TRAPS.contains(&key.to_lowercase().as_str()) {
                        wrong.push(format!("{here}: YAML 1.1 reads this key as another type"));
                    }
                    // The API server does not know it, and warns with every apply.
                    if key == "format" && member.as_str().is_some_and(|format| format.starts_with("uint")) {
                        wrong.push(format!("{here}: {member}"));
                    }
                    for word in member.as_array().filter(|_| key == "enum").into_iter().flatten() {
                        if word.as_str().is_none_or(|word| TRAPS.contains(&word.to_lowercase().as_str())) {
                            wrong.push(format!("{here}: {word} is no text in YAML 1.1"));
                        }
                    }
                    walk(member, &here, wrong);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| walk(item, path, wrong)),
            _ => {}
        }
    }
    let mut wrong = Vec::new();
    for crd in playout_api::crds() {
        let name = crd.spec.names.kind.clone();
        walk(&serde_json::to_value(&crd)?, &name, &mut wrong);
    }
    none("CRDs:", &wrong)
}
