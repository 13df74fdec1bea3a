//! The pages of docs/reference/: what the operator takes and says, from the code that takes and says it.
//!
//! No page has a sentence of its own about a field, a flag, a reason or a condition: that stands where the thing itself does.

#![expect(clippy::indexing_slicing, reason = "a member that a JSON value does not have is null, and null is read here")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use clap::Args as _;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use playout_api as api;
use playout_api::destination::DestinationState;
use playout_api::source::SourceState;
use playout_core::conditions;
use playout_core::reasons::Reason;
use serde_json::{Value, json};

use crate::config::Config;
use crate::metrics::Metrics;

/// First line of every generated page.
const HEADER: &str = "<!-- Generated from the code by `make reference`. Do not edit. -->\n\n";

/// One page.
struct Page {
    file: String,
    title: String,
    about: &'static str,
    text: String,
}

/// Writes one page a subject into `dir`, or all to standard output.
///
/// # Errors
/// The folder or a file cannot be written.
pub fn write(dir: Option<&Path>) -> anyhow::Result<()> {
    for Page { file, title, text, .. } in pages()? {
        let page = format!("{HEADER}# {title}\n\n{}\n", text.trim_end());
        match dir {
            None => writeln!(std::io::stdout(), "{page}")?,
            Some(dir) => {
                std::fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
                let file = dir.join(file);
                std::fs::write(&file, page).with_context(|| format!("cannot write {}", file.display()))?;
            }
        }
    }
    Ok(())
}

fn pages() -> anyhow::Result<Vec<Page>> {
    let mut pages = Vec::new();
    for crd in api::crds() {
        pages.push(kind(&crd)?);
    }
    pages.extend([states()?, all_conditions(), reasons(), flags(), metrics()]);
    let rows: String = pages.iter().map(|p| format!("| [{}]({}) | {} |\n", p.title, p.file, p.about)).collect();
    let text = format!("| page | what it has |\n|---|---|\n{rows}");
    pages.push(Page { file: "README.md".into(), title: "Reference".into(), about: "", text });
    Ok(pages)
}

/// A text as a cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn reasons() -> Page {
    let rows: String = Reason::ALL.iter().map(|r| format!("| `{}` | {} |\n", r.as_str(), cell(r.meaning()))).collect();
    let text = format!(
        "Reasons of conditions and Events. They are part of the API and stay. `AlreadyRunning` is reserved: nothing says it yet.\n\n\
         | reason | meaning |\n|---|---|\n{rows}"
    );
    Page { file: "reasons.md".into(), title: "Reasons".into(), about: "every reason of a condition or an Event", text }
}

fn all_conditions() -> Page {
    let row = |(name, of, meaning): &(&str, &str, &str)| format!("| `{name}` | {of} | {} |\n", cell(meaning));
    let rows: String = conditions::ALL.iter().map(row).collect();
    let text = format!(
        "Conditions follow [kstatus](https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md), so `kubectl wait`,\n\
         Argo CD and Flux understand them:\n\n| condition | of | meaning |\n|---|---|---|\n{rows}"
    );
    Page {
        file: "conditions.md".into(),
        title: "Conditions".into(),
        about: "every condition of `status.conditions`",
        text,
    }
}

/// What a word means, as its type says.
fn meaning(kind: &str, word: &Value) -> anyhow::Result<&'static str> {
    let known = match kind {
        "Source" => serde_json::from_value::<SourceState>(word.clone()).map(SourceState::meaning),
        "Destination" => serde_json::from_value::<DestinationState>(word.clone()).map(DestinationState::meaning),
        _ => anyhow::bail!("the states of {kind} have no meanings: add them here"),
    };
    known.with_context(|| format!("{word} is no state of {kind}"))
}

fn states() -> anyhow::Result<Page> {
    let mut text = String::new();
    for crd in api::crds() {
        let kind = &crd.spec.names.kind;
        let words = &schema(&crd)?["properties"]["status"]["properties"]["state"]["enum"];
        // What has nothing in AWS is Ready or it is not.
        let Some(words) = words.as_array() else { continue };
        write!(text, "`status.state` of a {kind}:\n\n| state | meaning |\n|---|---|\n")?;
        for word in words {
            let name = word.as_str().unwrap_or_default();
            writeln!(text, "| `{name}` | {} |", cell(meaning(kind, word)?))?;
        }
        text.push('\n');
    }
    Ok(Page { file: "states.md".into(), title: "States".into(), about: "every word of `status.state`", text })
}

fn flags() -> Page {
    let command = Config::augment_args(clap::Command::new("run"));
    let mut rows = String::new();
    for flag in command.get_arguments() {
        let name = flag.get_long().unwrap_or_default();
        let variable = flag.get_env().and_then(|v| v.to_str()).unwrap_or_default();
        let default: Vec<_> = flag.get_default_values().iter().map(|v| format!("`{}`", v.to_string_lossy())).collect();
        let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
        rows.push_str(&format!("| `--{name}` | `{variable}` | {} | {} |\n", default.join(" "), cell(&help)));
    }
    let text = format!(
        "Of `playout run`. `playout crds` prints the CRDs, and `playout reference` these pages.\n\n\
         | flag | environment | default | meaning |\n|---|---|---|---|\n{rows}"
    );
    Page { file: "flags.md".into(), title: "Flags".into(), about: "every flag and environment variable", text }
}

fn metrics() -> Page {
    let exported = Metrics::example().render();
    let mut rows = String::new();
    let mut help = "";
    for line in exported.lines() {
        let (mark, rest) = line.split_at(line.len().min(7));
        let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
        match mark {
            "# HELP " => help = rest,
            "# TYPE " => {
                // As Prometheus stores them.
                let ending = match rest {
                    "counter" => "_total",
                    "info" => "_info",
                    _ => "",
                };
                let series = exported
                    .lines()
                    .find(|l| l.starts_with(&format!("{name}{ending}")) || l.starts_with(&format!("{name}_count")));
                let labels = series.and_then(|l| l.split_once('{')?.1.split_once('}')).map_or("", |(labels, _)| labels);
                let labels: Vec<_> =
                    labels.split(',').filter_map(|l| l.split_once('=')).map(|(l, _)| format!("`{l}`")).collect();
                rows.push_str(&format!("| `{name}{ending}` | {rest} | {} | {} |\n", labels.join(" "), cell(help)));
            }
            _ => {}
        }
    }
    let text = format!(
        "Of `/metrics`. No label has the name of an object: which one it is, `kubectl get playout -A` says.\n\n\
         | metric | type | labels | what it says |\n|---|---|---|---|\n{rows}"
    );
    Page { file: "metrics.md".into(), title: "Metrics".into(), about: "every metric and its labels", text }
}

/// The schema of the version that is served.
fn schema(crd: &CustomResourceDefinition) -> anyhow::Result<Value> {
    let value = serde_json::to_value(crd)?;
    value.pointer("/spec/versions/0/schema/openAPIV3Schema").cloned().context("a CRD has a schema")
}

/// The fields of a kind, and the rules that the API server holds it to.
fn kind(crd: &CustomResourceDefinition) -> anyhow::Result<Page> {
    let names = &crd.spec.names;
    let schema = schema(crd)?;
    let short: Vec<_> = names.short_names.iter().flatten().map(|name| format!("`{name}`")).collect();
    let mut text = format!("{}\n\n", schema["description"].as_str().unwrap_or_default().trim());
    write!(
        text,
        "`apiVersion: {}/{}`, `kind: {}`; short for kubectl: {}. `kubectl explain {}` prints the fields, too.\n\n",
        api::GROUP,
        api::VERSION,
        names.kind,
        short.join(", "),
        names.singular.as_deref().unwrap_or(&names.plural)
    )?;
    for part in ["spec", "status"] {
        let mut rows = Vec::new();
        fields(&schema["properties"][part], "", &mut rows);
        write!(text, "## {part}\n\n| field | type | default | meaning |\n|---|---|---|---|\n{}\n", rows.concat())?;
    }
    let mut rules = Vec::new();
    rules_of(&schema["properties"]["spec"], "", &mut rules);
    if !rules.is_empty() {
        write!(text, "## What is refused\n\nWith these words, each about its field:\n\n{}", rules.concat())?;
    }
    Ok(Page {
        file: format!("{}.md", names.kind.to_lowercase()),
        title: names.kind.clone(),
        about: "every field, and what is refused",
        text,
    })
}

/// The type of a field, as people write it.
fn type_of(schema: &Value) -> String {
    let name = schema["type"].as_str().unwrap_or("any");
    match name {
        "array" => format!("list of {}", type_of(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("map of {}", type_of(&schema["additionalProperties"]))
        }
        "string" if schema["format"] == json!("date-time") => "time".into(),
        name => name.into(),
    }
}

/// The fields below `path`, in the order of the schema, each with those below it.
fn fields(schema: &Value, path: &str, rows: &mut Vec<String>) {
    let required: Vec<_> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let default = match &field["default"] {
            Value::Null if required.contains(&name.as_str()) => "required".into(),
            Value::Null | Value::Object(_) => String::new(),
            Value::String(text) => format!("`{text}`"),
            value => format!("`{value}`"),
        };
        let meaning = cell(field["description"].as_str().unwrap_or_default());
        rows.push(format!("| `{path}` | {} | {default} | {meaning} |\n", type_of(field)));
        // Kubernetes' own; the page about conditions says what they mean.
        if name == "conditions" {
            continue;
        }
        if field["items"]["properties"].is_object() {
            fields(&field["items"], &format!("{path}[]"), rows);
        } else {
            fields(field, &path, rows);
        }
    }
}

/// What the API server says when it refuses, with the field that it names.
fn rules_of(schema: &Value, path: &str, rows: &mut Vec<String>) {
    for rule in schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
        let of = format!("{path}{}", rule["fieldPath"].as_str().unwrap_or_default());
        let row =
            format!("- `{}`: {}\n", of.trim_start_matches('.'), cell(rule["message"].as_str().unwrap_or_default()));
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        rules_of(field, &format!("{path}.{name}"), rows);
    }
    if schema["items"].is_object() {
        rules_of(&schema["items"], &format!("{path}[]"), rows);
    }
}
