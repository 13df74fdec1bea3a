//! Logs, with everything that is known to be secret taken out of them.

use std::io::{self, Write};

use anyhow::Context as _;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::aws::TRACES_ANSWERS;
use crate::config::LogFormat;
use crate::redact::Redactor;

/// Starts logging to standard error. Panics are logged too, by their place alone: a panic's text may hold anything.
///
/// # Errors
/// The filter cannot be understood, or logging was started before.
pub fn start(format: LogFormat, filter: &str, redactor: Redactor) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter).context("--log is not a filter, as in info or playout_operator=debug")?;
    let filter = filter.and(filter_fn(holds_no_answer));
    let lines = fmt::layer().with_writer(Stderr(redactor));
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

fn holds_no_answer(metadata: &Metadata<'_>) -> bool {
    *metadata.level() != Level::TRACE || !metadata.target().starts_with(TRACES_ANSWERS)
}

struct Stderr(Redactor);

impl<'a> MakeWriter<'a> for Stderr {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { redactor: &self.0, text: Vec::with_capacity(256) }
    }
}

/// One event; written whole when it is dropped, so that a secret cannot hide between two writes.
struct Line<'a> {
    redactor: &'a Redactor,
    text: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        // Nobody can be told that the log cannot be written.
        let _ = io::stderr().lock().write_all(self.redactor.clean(&text).as_bytes());
    }
}
