//! `stage bench`: counts and own time, from outside: the simulator's request log, the API server's audit log and the operator's
//! metrics. Counts are the same on every machine; times are not, and are printed as they are.
//!
//! Own time is what the operator adds: from the API server having stored a wish to the first request to AWS. The simulator's
//! clock does not enter. Of a whole way it is what is left without the time in which AWS was on its way somewhere; kubectl's is
//! in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cluster::{Cluster, Found};
use crate::{Operator, OperatorOptions, Simulator, kubectl, kubectl_with_input, request};

mod scale;
mod transcode;

/// How many times faster than AWS the simulator runs.
const SPEED: f64 = 50.0;
/// Destinations of the larger measurements.
const MANY: usize = 20;
/// Destinations of the measurements of scale.
const SCALES: [usize; 3] = [200, 2_000, 10_000];
/// Switches of which the reaction is measured.
const SWITCHES: usize = 40;

pub(crate) fn run(args: &[String]) -> Result<ExitCode> {
    match args.split_first() {
        None => all(),
        Some((part, args)) if part == "scale" => scale::run(args),
        Some((part, _)) => bail!("there is no part {part} of the benchmarks: stage bench [scale [--objects N]]"),
    }
}

fn all() -> Result<ExitCode> {
    let cluster = match Cluster::start()? {
        Found::Cluster(cluster) => cluster,
        Found::Skipped(why) => bail!("{why}"),
    };
    cluster.install_crds()?;
    let simulator = Simulator::start(SPEED)?;
    let options = OperatorOptions { log: "warn".into(), ..OperatorOptions::default() };
    let operator = Operator::start(&cluster, simulator.url(), options)?;
    let bench = Bench { cluster: &cluster, simulator: &simulator, operator: &operator };

    bench.apply(&format!("{SOURCE}{}", destination("first", "Running")))?;
    bench.wait_running("dest/first")?;

    let mut report = String::new();
    let (calls, writes) = bench.counted(|| bench.one_life())?;
    writeln!(report, "one Destination's life (create, start, stop, start, delete) beside a running one")?;
    writeln!(report, "  AWS changes              {}", counts(&calls, true))?;
    writeln!(report, "  AWS reads                {}", counts(&calls, false))?;
    writeln!(report, "  API server writes        {}", writes_text(&writes))?;

    let (calls, writes) = bench.counted(|| {
        let all: String = (0..MANY).map(|i| destination(&format!("d{i}"), "Running")).collect();
        bench.apply(&all)?;
        bench.wait_running("dest --all")
    })?;
    writeln!(report, "{MANY} Destinations applied at once, until all are Ready")?;
    writeln!(report, "  AWS changes              {}", counts(&calls, true))?;
    writeln!(report, "  AWS reads                {}", counts(&calls, false))?;
    writeln!(report, "  API server writes        {}", writes_text(&writes))?;

    let (calls, writes) = bench.counted(|| {
        pause(Duration::from_secs(20));
        Ok(())
    })?;
    writeln!(report, "{} running Destinations left alone for 20 s", MANY + 1)?;
    writeln!(report, "  AWS changes              {}", counts(&calls, true))?;
    writeln!(report, "  AWS reads                {}", counts(&calls, false))?;
    writeln!(report, "  API server writes        {}", writes_text(&writes))?;

    let reactions = bench.reactions()?;
    writeln!(report, "own time from the stored wish to the request to AWS, {} switches", reactions.len())?;
    report.push_str(&percentiles(reactions)?);
    report.push_str(&bench.transcode()?);
    drop(operator);
    for objects in SCALES {
        report.push_str(&scale::report(objects)?);
    }
    {
        use std::io::Write as _;
        std::io::stdout().lock().write_all(report.as_bytes())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn percentiles(mut times: Vec<Duration>) -> Result<String> {
    times.sort();
    let mut text = String::new();
    for (name, part) in [("p50", 50), ("p90", 90), ("p99", 99)] {
        let at = (times.len() * part / 100).min(times.len().saturating_sub(1));
        let took = times.get(at).context("nothing was measured")?;
        writeln!(text, "  {name}                      {:.1} ms", took.as_secs_f64() * 1000.0)?;
    }
    Ok(text)
}

struct Bench<'a> {
    cluster: &'a Cluster,
    simulator: &'a Simulator,
    operator: &'a Operator,
}

type Counts = BTreeMap<String, u64>;

impl Bench<'_> {
    fn apply(&self, manifest: &str) -> Result<()> {
        kubectl_with_input(self.cluster, ["apply", "--server-side", "-f", "-"], manifest)?.ok().map(drop)
    }

    fn wait_running(&self, what: &str) -> Result<()> {
        let args =
            ["wait", "--for=jsonpath={.status.state}=Running", "--timeout=120s"].into_iter().chain(what.split(' '));
        kubectl(self.cluster, args)?.ok().map(drop)
    }

    fn switch(&self, name: &str, state: &str) -> Result<()> {
        let patch = format!("{{\"spec\":{{\"state\":\"{state}\"}}}}");
        kubectl(self.cluster, ["patch", "dest", name, "--type=merge", "-p", patch.as_str()])?.ok().map(drop)
    }

    fn one_life(&self) -> Result<()> {
        self.apply(&destination("second", "Running"))?;
        self.wait_running("dest/second")?;
        self.switch("second", "Stopped")?;
        self.wait_state("second", "Idle")?;
        self.switch("second", "Running")?;
        self.wait_state("second", "Running")?;
        kubectl(self.cluster, ["delete", "dest", "second", "--timeout=60s"])?.ok().map(drop)
    }

    fn wait_state(&self, name: &str, state: &str) -> Result<()> {
        let condition = format!("--for=jsonpath={{.status.state}}={state}");
        kubectl(self.cluster, ["wait", &condition, "--timeout=60s", &format!("dest/{name}")])?.ok().map(drop)
    }

    /// What AWS was asked and the API server was told while something was done.
    fn counted(&self, work: impl FnOnce() -> Result<()>) -> Result<(Vec<Value>, Counts)> {
        let (since, before) = (self.last_request()?, self.writes()?);
        work()?;
        let after = self.writes()?;
        let written = after
            .into_iter()
            .map(|(what, count)| {
                let count = count - before.get(&what).copied().unwrap_or(0);
                (what, count)
            })
            .filter(|(_, count)| *count > 0)
            .collect();
        Ok((self.requests(since)?, written))
    }

    fn requests(&self, since: u64) -> Result<Vec<Value>> {
        let answer = self.simulator.control("GET", &format!("log?since={since}&redacted=1"), "")?;
        let mut log: Value = serde_json::from_str(&answer.body)?;
        match log["entries"].take() {
            Value::Array(entries) => Ok(entries),
            _ => bail!("the simulator's log has no entries"),
        }
    }

    fn last_request(&self) -> Result<u64> {
        Ok(self.requests(0)?.last().and_then(|entry| entry["seq"].as_u64()).unwrap_or(0))
    }

    /// The operator's own count of its writes, by sort.
    fn writes(&self) -> Result<Counts> {
        let text = request("GET", &self.operator.metrics_url(), "")?.body;
        let mut counts = Counts::new();
        for line in text.lines().filter(|line| line.starts_with("playout_api_server_writes_total{")) {
            let what = line.split("what=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or("?");
            let count: u64 = line.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or(0);
            *counts.entry(what.to_string()).or_default() += count;
        }
        Ok(counts)
    }

    /// When the last patch of a Destination was stored.
    fn stored(&self, audit: &Path, name: &str) -> Result<u64> {
        last_patch(&fs::read_to_string(audit)?, name).context("the patch is not in the audit log")
    }

    /// From the audit log's time of a patch to the simulator's time of the output's update.
    fn reactions(&self) -> Result<Vec<Duration>> {
        let audit = self.cluster.audit_log().context("this cluster writes no audit log")?.to_path_buf();
        let mut reactions = Vec::new();
        for turn in 0..SWITCHES {
            let since = self.last_request()?;
            let (state, word) = if turn % 2 == 0 { ("Stopped", "Idle") } else { ("Running", "Running") };
            self.switch("first", state)?;
            self.wait_state("first", word)?;
            let sent = self
                .requests(since)?
                .iter()
                .find(|entry| entry["operation"] == "UpdateFlowOutput")
                .and_then(|entry| entry["wallMicros"].as_u64())
                .context("no output was switched")?;
            reactions.push(Duration::from_micros(sent.saturating_sub(self.stored(&audit, "first")?)));
        }
        Ok(reactions)
    }
}

/// When the last patch of a Destination's spec was answered, in microseconds since 1970.
fn last_patch(audit: &str, name: &str) -> Option<u64> {
    audit.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|event| {
        let reference = &event["objectRef"];
        let ours = event["verb"] == "patch"
            && reference["resource"] == "destinations"
            && reference["name"] == name
            && reference["subresource"].is_null()
            && event["userAgent"].as_str().is_some_and(|agent| agent.starts_with("kubectl"));
        ours.then(|| micros(event["stageTimestamp"].as_str()?)).flatten()
    })
}

/// RFC 3339 in UTC, as the audit log has it, in microseconds since 1970.
fn micros(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let mut time = time.split(':');
    let (hour, minute): (i64, i64) = (time.next()?.parse().ok()?, time.next()?.parse().ok()?);
    let (second, fraction) = time.next()?.split_once('.')?;
    let second: i64 = second.parse().ok()?;
    let fraction: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    // Days since 1970 of the proleptic Gregorian calendar, with the year beginning in March.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    u64::try_from(((days * 24 + hour) * 60 + minute) * 60_000_000 + second * 1_000_000 + fraction).ok()
}

fn counts(entries: &[Value], mutating: bool) -> String {
    let mut counts = Counts::new();
    for entry in entries.iter().filter(|entry| entry["mutating"] == mutating) {
        *counts.entry(entry["operation"].as_str().unwrap_or("?").to_string()).or_default() += 1;
    }
    let total: u64 = counts.values().sum();
    format!("{total:<5}{}", listed(&counts))
}

fn writes_text(counts: &Counts) -> String {
    let total: u64 = counts.values().sum();
    format!("{total:<5}{}", listed(counts))
}

fn listed(counts: &Counts) -> String {
    counts.iter().map(|(what, count)| format!("{what} {count}")).collect::<Vec<_>>().join(", ")
}

/// A stretch of time in which nothing is done is what is measured.
fn pause(length: Duration) {
    let until = Instant::now() + length;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        thread::sleep(left);
    }
}

const SOURCE: &str = "
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {streamKey: not-a-real-key}
---
apiVersion: playout.dev/v1alpha1
kind: Source
metadata: {name: studio}
spec:
  inputs:
    - name: encoder
      priority: Primary
      protocol: SrtListener
      srtListener: {port: 5000, allowedCidr: 203.0.113.0/24}
---
";

fn destination(name: &str, state: &str) -> String {
    format!(
        "
apiVersion: playout.dev/v1alpha1
kind: Destination
metadata: {{name: {name}}}
spec:
  from: {{name: studio}}
  platform: YouTube
  streamKey: {{secretRef: {{name: key, key: streamKey}}}}
  state: {state}
---
"
    )
}

#[cfg(test)]
mod tests {
    use super::micros;

    #[test]
    fn the_audit_logs_time_is_read() {
        assert_eq!(micros("1970-01-01T00:00:01.000002Z"), Some(1_000_002));
        assert_eq!(micros("2026-11-21T12:34:56.7Z"), Some(1_795_264_496_700_000));
    }
}
