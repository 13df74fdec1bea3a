//! `stage bench scale --objects N`: how the work grows with the number of objects. Most of them are Destinations that were never
//! started, beside those on the air; both are counted apart, an object.
//!
//! What the operator does stands in three places: its passes in its log, its writes in the audit log of the API server, and its calls to
//! AWS in its metrics.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::{Counts, listed, pause};
use crate::cluster::{Cluster, Found};
use crate::commands::progress;
use crate::{Operator, OperatorOptions, Simulator, kubectl_with_input, request};

/// How many times faster than AWS the simulator runs.
const SPEED: f64 = 50.0;
/// Beside these objects, as many Destinations are on the air, of so many Sources: AWS allows twenty flows, and fifty outputs on each.
const SIZES: [(usize, usize, usize); 2] = [(2_000, 1_000, 20), (0, 100, 4)];
/// What is applied at once.
const APPLIED: usize = 500;
/// Nothing has happened for so long: all is settled.
const QUIET: Duration = Duration::from_secs(4);
/// Until then each object was looked at once more, by the clock.
const LOOKED_AT: Duration = Duration::from_secs(40);
/// How long the steady state is watched.
const STEADY: Duration = Duration::from_secs(60);
/// How long it may take until all objects are settled, an object.
const PATIENCE: Duration = Duration::from_millis(600);

/// Words after `scale`.
pub(super) fn run(args: &[String]) -> Result<ExitCode> {
    let objects = match args {
        [] => 200,
        [flag, number] if flag == "--objects" => number.parse().context("--objects takes a number")?,
        _ => bail!("stage bench scale [--objects N]"),
    };
    let report = report(objects)?;
    {
        use std::io::Write as _;
        std::io::stdout().lock().write_all(report.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The part of the report for so many Destinations.
pub(super) fn report(objects: usize) -> Result<String> {
    let (_, running, sources) =
        *SIZES.iter().find(|(least, ..)| objects >= *least).context("there is a size for each")?;
    let size = Size { objects, running: running.min(objects), sources };
    let cluster = match Cluster::start()? {
        Found::Cluster(cluster) => cluster,
        Found::Skipped(why) => bail!("{why}"),
    };
    cluster.install_crds()?;
    let simulator = Simulator::start(SPEED)?;
    // Everything else as it is set where nobody sets it.
    let options = OperatorOptions {
        log: "warn,playout_operator::reconcile=trace".into(),
        args: ["--health-interval", "30s", "--metric-period", "10s"].map(Into::into).to_vec(),
        ..OperatorOptions::default()
    };
    let operator = Operator::start(&cluster, simulator.url(), options)?;
    Scale { cluster: &cluster, operator, size }.report()
}

#[derive(Clone, Copy)]
struct Size {
    objects: usize,
    running: usize,
    sources: usize,
}

impl Size {
    /// Whether the Destination of this number is on the air: those are spread evenly.
    fn runs(&self, number: usize) -> bool {
        (number + 1) * self.running / self.objects > number * self.running / self.objects
    }

    fn name(&self, number: usize) -> String {
        format!("{}-{number}", if self.runs(number) { RUNNING } else { STOPPED })
    }

    fn destination(&self, number: usize) -> String {
        // Both sorts are spread over all Sources.
        let before = number * self.running / self.objects;
        let source = if self.runs(number) { before } else { number - before } % self.sources;
        let name = self.name(number);
        let (state, key) = if self.runs(number) { ("Running", number) } else { ("Stopped", 0) };
        format!(
            "
apiVersion: playout.dev/v1alpha1
kind: Destination
metadata: {{name: {name}}}
spec:
  from: {{name: {SOURCE}-{source}}}
  platform: YouTube
  streamKey: {{secretRef: {{name: keys, key: key-{key}}}}}
  state: {state}
---
"
        )
    }

    fn sources(&self) -> String {
        let mut manifest = String::from(
            "apiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData:\n  key-0: not-a-real-key\n",
        );
        for number in (1..self.objects).filter(|number| self.runs(*number)) {
            manifest.push_str(&format!("  key-{number}: not-a-real-key-{number}\n"));
        }
        for number in 0..self.sources {
            manifest.push_str(&format!(
                "---
apiVersion: playout.dev/v1alpha1
kind: Source
metadata: {{name: {SOURCE}-{number}}}
spec:
  inputs:
    - name: encoder
      priority: Primary
      protocol: SrtListener
      srtListener: {{port: {}, allowedCidr: 203.0.113.0/24}}
",
                5000 + number
            ));
        }
        manifest
    }
}

const RUNNING: &str = "running";
const STOPPED: &str = "stopped";
const SOURCE: &str = "source";

/// What was done, since the operator was started.
#[derive(Clone, Default)]
struct Done {
    /// By the beginning of the object's name.
    passes: Counts,
    /// The same of writes of objects.
    writes: Counts,
    /// Calls to AWS, by operation.
    calls: Counts,
}

impl Done {
    fn since(&self, before: &Self) -> Self {
        let less = |after: &Counts, before: &Counts| -> Counts {
            let left = after.iter().map(|(what, count)| (what.clone(), count - before.get(what).copied().unwrap_or(0)));
            left.filter(|(_, count)| *count > 0).collect()
        };
        Self {
            passes: less(&self.passes, &before.passes),
            writes: less(&self.writes, &before.writes),
            calls: less(&self.calls, &before.calls),
        }
    }

    fn reads(&self) -> Counts {
        self.calls.iter().filter(|(what, _)| is_read(what)).map(|(what, count)| (what.clone(), *count)).collect()
    }

    fn changes(&self) -> Counts {
        self.calls.iter().filter(|(what, _)| !is_read(what)).map(|(what, count)| (what.clone(), *count)).collect()
    }
}

fn is_read(operation: &str) -> bool {
    ["Describe", "List", "Get"].iter().any(|word| operation.starts_with(word))
}

struct Scale<'a> {
    cluster: &'a Cluster,
    operator: Operator,
    size: Size,
}

impl Scale<'_> {
    fn report(mut self) -> Result<String> {
        let Size { objects, running, sources } = self.size;
        let mut report = String::new();
        writeln!(report, "{objects} Destinations of {sources} Sources, {running} of them to run")?;
        kubectl_with_input(self.cluster, ["create", "-f", "-"], &self.size.sources())?.ok()?;
        let begun = Instant::now();
        let all: Vec<usize> = (0..objects).collect();
        for some in all.chunks(APPLIED) {
            let manifest: String = some.iter().map(|number| self.size.destination(*number)).collect();
            kubectl_with_input(self.cluster, ["create", "-f", "-"], &manifest)?.ok()?;
        }
        progress(format!("{objects} created in {:.0} s", begun.elapsed().as_secs_f64()));
        let took = self.until_settled(begun)?;
        let done = self.done()?;
        writeln!(report, "until all are settled, {:.0} s", took.as_secs_f64())?;
        self.of_objects(&mut report, &done)?;
        let flows = u64::try_from(sources)?;
        let per_flow = |counts: &Counts, what: &str| tenths(counts.get(what).copied().unwrap_or(0), flows);
        writeln!(report, "  AWS changes              {}", listed(&done.changes()))?;
        writeln!(report, "  AWS reads                {}", listed(&done.reads()))?;
        writeln!(report, "  AddFlowOutputs a flow    {}", per_flow(&done.changes(), "AddFlowOutputs"))?;
        writeln!(report, "  resident memory          {}", self.memory()?)?;
        progress(&report);

        pause(LOOKED_AT);
        let (before, begun) = (self.done()?, Instant::now());
        pause(STEADY);
        let (steady, minutes) = (self.done()?.since(&before), begun.elapsed().as_secs_f64() / 60.0);
        writeln!(report, "left alone for {:.0} s", minutes * 60.0)?;
        self.of_objects(&mut report, &steady)?;
        let reads: u64 = steady.reads().values().sum();
        writeln!(report, "  AWS changes              {}", listed(&steady.changes()))?;
        writeln!(report, "  AWS reads                {}", listed(&steady.reads()))?;
        writeln!(report, "  AWS reads a minute, flow {:.1}", as_number(reads) / minutes / as_number(flows))?;
        writeln!(report, "  resident memory          {}", self.memory()?)?;

        // Its log and the audit log go on; its metrics begin anew.
        let before = Done { calls: Counts::new(), ..self.done()? };
        self.operator.stop()?;
        let begun = Instant::now();
        self.operator.restart()?;
        let first = loop {
            let done = self.done()?.since(&before);
            let passes: u64 = done.passes.values().sum();
            if passes >= u64::try_from(objects + sources)? {
                break done;
            }
            if begun.elapsed() > PATIENCE * u32::try_from(objects + 200)? {
                bail!("after a restart there were {passes} passes");
            }
            pause(Duration::from_millis(500));
        };
        writeln!(report, "after a restart, when there was a pass for each, {:.0} s", begun.elapsed().as_secs_f64())?;
        self.of_objects(&mut report, &first)?;
        writeln!(report, "  AWS changes              {}", listed(&first.changes()))?;
        writeln!(report, "  AWS reads                {}", listed(&first.reads()))?;
        writeln!(report, "  resident memory          {}", self.memory()?)?;
        Ok(report)
    }

    /// Waits until all have the state that they are to have, and nothing more is done for them.
    fn until_settled(&self, begun: Instant) -> Result<Duration> {
        let Size { objects, running, .. } = self.size;
        let patience = PATIENCE * u32::try_from(objects + 200)?;
        let (mut last, mut changed) = (0, Instant::now());
        loop {
            let metrics = self.metrics()?;
            let states = states(&metrics);
            let is = |word: &str| states.get(word).copied().unwrap_or(0);
            let (up, idle) = (is("Running"), is("Idle"));
            let is_there = up == u64::try_from(running)? && idle == u64::try_from(objects - running)?;
            let of_writes = |line: &&str| line.starts_with("playout_api_server_writes_total{");
            let total: u64 = metrics.lines().filter(of_writes).map(value).sum();
            if last != total || !is_there {
                (last, changed) = (total, Instant::now());
            } else if changed.elapsed() >= QUIET {
                return Ok(begun.elapsed().saturating_sub(QUIET));
            }
            if begun.elapsed() > patience {
                bail!("after {:.0} s they are {states:?}", begun.elapsed().as_secs_f64());
            }
            pause(Duration::from_secs(1));
        }
    }

    fn metrics(&self) -> Result<String> {
        Ok(request("GET", &self.operator.metrics_url(), "")?.body)
    }

    fn done(&self) -> Result<Done> {
        let mut done = Done::default();
        for line in fs::read_to_string(self.operator.log_path())?.lines().filter(|line| line.contains("a pass begins"))
        {
            let name = line.split("object=").nth(1).and_then(|rest| rest.trim_start_matches('"').split('-').next());
            *done.passes.entry(name.unwrap_or("?").to_string()).or_default() += 1;
        }
        done.writes = writes(self.cluster.audit_log().context("this cluster writes no audit log")?)?;
        for line in self.metrics()?.lines().filter(|line| line.starts_with("playout_aws_requests_total{")) {
            let what = label(line, "operation").unwrap_or_default();
            *done.calls.entry(what).or_default() += value(line);
        }
        Ok(done)
    }

    /// Passes and writes, an object.
    fn of_objects(&self, report: &mut String, done: &Done) -> Result<()> {
        let Size { objects, running, sources } = self.size;
        for (name, number) in [(RUNNING, running), (STOPPED, objects - running), (SOURCE, sources)] {
            let number = u64::try_from(number)?;
            let of = |counts: &Counts, name: &str| tenths(counts.get(name).copied().unwrap_or(0), number);
            let (passes, writes) = (of(&done.passes, name), of(&done.writes, name));
            writeln!(report, "  a {name:<23}passes {passes}, writes {writes}")?;
        }
        Ok(())
    }

    /// How much memory the operator has, and had at most.
    fn memory(&self) -> Result<String> {
        let pid = self.operator.pid().context("the operator does not run")?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let of = |what: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(what));
            let kib: u64 = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0);
            kib / 1024
        };
        Ok(format!("{} MiB, at most {} MiB", of("VmRSS:"), of("VmHWM:")))
    }
}

/// What others than kubectl have written, by the beginning of the object's name.
fn writes(audit: &Path) -> Result<Counts> {
    let mut counts = Counts::new();
    for line in fs::read_to_string(audit)?.lines() {
        // The last one may be half there.
        let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
        let is = |what: &str, words: &[&str]| event[what].as_str().is_some_and(|word| words.contains(&word));
        let by_kubectl = event["userAgent"].as_str().is_some_and(|agent| agent.starts_with("kubectl"));
        if by_kubectl || !is("stage", &["ResponseComplete"]) || !is("verb", &["create", "update", "patch", "delete"]) {
            continue;
        }
        let object = &event["objectRef"];
        let name = object["name"].as_str().and_then(|name| name.split('-').next()).unwrap_or("?");
        if matches!(object["resource"].as_str(), Some("sources" | "destinations")) {
            *counts.entry(name.to_string()).or_default() += 1;
        }
    }
    Ok(counts)
}

/// How many Destinations are in which state.
fn states(metrics: &str) -> Counts {
    let ours =
        metrics.lines().filter(|line| line.starts_with("playout_objects{") && line.contains("kind=\"Destination\""));
    ours.filter_map(|line| Some((label(line, "state")?, value(line)))).collect()
}

fn label(line: &str, name: &str) -> Option<String> {
    let start = format!("{name}=\"");
    Some(line.split(&start).nth(1)?.split('"').next()?.to_string())
}

fn value(line: &str) -> u64 {
    line.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn as_number(count: u64) -> f64 {
    count as f64
}

fn tenths(count: u64, of: u64) -> String {
    if of == 0 { "-".into() } else { format!("{:.1}", as_number(count) / as_number(of)) }
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn those_on_the_air_are_spread_evenly() {
        for (objects, running) in [(200, 100), (1_100, 100), (10_000, 1_000), (3, 3)] {
            let size = Size { objects, running, sources: 4 };
            assert_eq!((0..objects).filter(|number| size.runs(*number)).count(), running);
        }
    }
}
