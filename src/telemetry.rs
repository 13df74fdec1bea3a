//! Logs, with everything that is known to be secret taken out of them.

use std::borrow::Cow;
use std::io::{self, Write};

use anyhow::Context as _;
use playout_aws::TRACES_ANSWERS;
use playout_aws::redact::Redactor;
use serde_json::{Map, Value};
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::config::LogFormat;

/// Starts logging to standard error. Panics are logged too, by their place alone: a panic's text may hold anything.
///
/// # Errors
/// The filter cannot be understood, or logging was started before.
pub fn start(format: LogFormat, filter: &str, redactor: Redactor) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).context("--log is not a filter, as in info or playout_operator=debug")?;
    let filter = filter.and(filter_fn(holds_no_answer));
    let lines = fmt::layer().with_writer(Lines { format, redactor, out: io::stderr });
    let registry = tracing_subscriber::registry();
    match format {
        LogFormat::Json => registry.with(lines.json().flatten_event(true).with_filter(filter)).try_init(),
        LogFormat::Human => registry.with(lines.with_ansi(false).with_target(false).with_filter(filter)).try_init(),
    }
    .map_err(|e| anyhow::anyhow!("logging cannot be started: {e}"))?;
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panic");
    }));
    Ok(())
}

/// Here kube's client warns of an answer that it cannot read, with all of the answer: a list of objects, or a Secret.
const PRINTS_ANSWERS: &str = "kube_client::client";

fn holds_no_answer(metadata: &Metadata<'_>) -> bool {
    let aws = *metadata.level() == Level::TRACE && metadata.target().starts_with(TRACES_ANSWERS);
    !aws && metadata.target() != PRINTS_ANSWERS
}

/// Writes one event at a time.
struct Lines<W> {
    format: LogFormat,
    redactor: Redactor,
    out: fn() -> W,
}

impl<'a, W: Write + 'a> MakeWriter<'a> for Lines<W> {
    type Writer = Line<'a, W>;

    fn make_writer(&'a self) -> Line<'a, W> {
        Line { lines: self, text: Vec::with_capacity(256) }
    }
}

/// One event; written whole when it is dropped, so that a secret cannot hide between two writes.
struct Line<'a, W: Write> {
    lines: &'a Lines<W>,
    text: Vec<u8>,
}

impl<W: Write> Write for Line<'_, W> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> Drop for Line<'_, W> {
    fn drop(&mut self) {
        let Lines { format, redactor, out } = self.lines;
        let text = String::from_utf8_lossy(&self.text);
        let clean = match format {
            LogFormat::Json => cleaned(&text, redactor),
            LogFormat::Human => redactor.clean(&text),
        };
        // Nobody can be told that the log cannot be written.
        let _ = out().write_all(clean.as_bytes());
    }
}

/// The line without secrets, still JSON whatever they look like: they are taken out of the values, one by one.
fn cleaned<'a>(line: &'a str, redactor: &Redactor) -> Cow<'a, str> {
    match serde_json::from_str(line) {
        Ok(Value::Object(mut members)) => {
            let ours = members.get("target").and_then(Value::as_str).is_some_and(|t| t.starts_with("playout_"));
            // What we have written ourselves in the code.
            let message = if ours { members.remove("message") } else { None };
            clean(&mut members, redactor);
            members.extend(message.map(|text| ("message".into(), text)));
            Cow::Owned(format!("{}\n", Value::Object(members)))
        }
        _ => redactor.clean(line),
    }
}

/// Names of things that everybody may read: what a tenant's key looks like changes nothing about them.
const PUBLIC: [&str; 5] = ["timestamp", "level", "target", "controller", "namespace"];

fn clean(members: &mut Map<String, Value>, redactor: &Redactor) {
    // Of kube's spans, too: `object`, `object.ref`.
    for (name, value) in members.iter_mut().filter(|(name, _)| !PUBLIC.contains(&name.as_str()) && !is_object(name)) {
        // An action is a value with members, and not a text that holds them.
        if name == "action"
            && let Some(action) = value.as_str().and_then(|text| serde_json::from_str(text).ok())
        {
            *value = action;
        }
        clean_value(value, redactor);
    }
}

fn is_object(name: &str) -> bool {
    name.split('.').next() == Some("object")
}

fn clean_value(value: &mut Value, redactor: &Redactor) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(cleaned) = redactor.clean(text) {
                *text = cleaned;
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(|element| clean_value(element, redactor)),
        Value::Object(members) => clean(members, redactor),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use playout_core::secret::SecretText;

    use super::*;

    static WRITTEN: Mutex<Vec<u8>> = Mutex::new(Vec::new());

    struct Out(MutexGuard<'static, Vec<u8>>);

    impl Write for Out {
        fn write(&mut self, part: &[u8]) -> io::Result<usize> {
            self.0.extend_from_slice(part);
            Ok(part.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Members of a JSON object, each as often as it is there.
    struct Names(Vec<String>);

    impl<'de> serde::Deserialize<'de> for Names {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Names;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("an object")
                }

                fn visit_map<M: serde::de::MapAccess<'de>>(self, mut map: M) -> Result<Names, M::Error> {
                    let mut names = Vec::new();
                    while let Some((name, _)) = map.next_entry::<String, serde::de::IgnoredAny>()? {
                        names.push(name);
                    }
                    Ok(Names(names))
                }
            }
            deserializer.deserialize_map(Visitor)
        }
    }

    /// kube's client prints the whole answer that it cannot read.
    #[test]
    fn no_object_is_printed_whatever_the_filter_says() {
        static TARGETS: Mutex<Vec<String>> = Mutex::new(Vec::new());
        struct Heard;
        impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Heard {
            fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
                TARGETS.lock().expect("no panic").push(event.metadata().target().to_owned());
            }
        }
        let filter = EnvFilter::try_new("trace").expect("a filter").and(filter_fn(holds_no_answer));
        let subscriber = tracing_subscriber::registry().with(Heard.with_filter(filter));
        let list = r#"{"items":[{"metadata":{"annotations":{"note":"secret"}}},{"spec":{"from":3}}]}"#;
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        tracing::subscriber::with_default(subscriber, || {
            let service = tower::service_fn(move |_: http::Request<kube::client::Body>| async move {
                Ok::<_, tower::BoxError>(http::Response::new(kube::client::Body::from(list.as_bytes().to_vec())))
            });
            let listed = runtime.block_on(async {
                let all = kube::Api::<playout_api::Source>::all(kube::Client::new(service, "show"));
                all.list(&kube::api::ListParams::default()).await
            });
            assert!(matches!(listed, Err(kube::Error::SerdeError(_))), "{listed:?}");
            tracing::warn!(target: "kube_runtime::watcher", "heard");
        });
        let mut targets = TARGETS.lock().expect("no panic").clone();
        targets.retain(|target| target.starts_with("kube_client::client") || target == "kube_runtime::watcher");
        assert_eq!(targets, ["kube_runtime::watcher"]);
    }

    /// One line of JSON, whatever a tenant has for a key, with the object's name in it.
    #[test]
    fn every_line_is_json_and_says_of_which_object() {
        let redactor = Redactor::default();
        for key in ["\"weekend\"", "weekend", "youtube", "acting", "\":{}},\"", "controller", "the+key/7", "StartFlow"]
        {
            redactor.learn(&SecretText::new(key));
        }
        let lines = Lines {
            format: LogFormat::Json,
            redactor,
            out: || Out(WRITTEN.lock().unwrap_or_else(PoisonError::into_inner)),
        };
        let subscriber =
            tracing_subscriber::registry().with(fmt::layer().with_writer(lines).json().flatten_event(true));
        tracing::subscriber::with_default(subscriber, || {
            let span =
                tracing::info_span!("pass", controller = "destination", namespace = "weekend", object = "youtube");
            let _in = span.enter();
            tracing::info!(target: "playout_operator::reconcile", action = r#"{"kind":"StartFlow","arn":"a"}"#, "acting");
            tracing::warn!(target: "library", error = "the+key/7, \"weekend\" and weekend", level = "odd", "the key is the+key/7");
        });
        let text = String::from_utf8(WRITTEN.lock().expect("no panic").clone()).expect("UTF-8");
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        assert_eq!(lines.len(), 2, "{text}");
        for (line, value) in text.lines().zip(&lines) {
            for object in [line.to_owned(), value["span"].to_string()] {
                let mut names = serde_json::from_str::<Names>(&object).expect(&object).0;
                names.sort_unstable();
                let all = names.len();
                names.dedup();
                assert_eq!(names.len(), all, "a member stands twice in {object}");
            }
            assert_eq!((&value["span"]["object"], &value["span"]["namespace"]), (&"youtube".into(), &"weekend".into()));
            assert_eq!(value["span"]["name"], "pass");
        }
        assert_eq!((&lines[0]["message"], &lines[0]["action"]["arn"]), (&"acting".into(), &"a".into()));
        assert_eq!(lines[1]["error"], "(secret), (secret) and (secret)");
        assert_eq!(lines[1]["message"], "the key is (secret)");
    }
}
