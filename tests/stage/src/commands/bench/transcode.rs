//! What a Destination with a channel of its own costs, and how fast the operator is between AWS's steps.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Bench, SOURCE, SPEED, counts, percentiles, writes_text};
use crate::kubectl;

/// Times on the air of which the reactions are measured.
const SHOWS: usize = 8;
/// What takes AWS time on the way up and down, and how many seconds in the simulator. Nobody waits for a flow that stops.
const TRANSITIONS: [(&str, u64); 7] = [
    ("CreateInput", 3),
    ("StartFlow", 20),
    ("CreateChannel", 5),
    ("StartChannel", 120),
    ("StopChannel", 20),
    ("DeleteChannel", 20),
    ("DeleteInput", 5),
];

impl Bench<'_> {
    /// The part of the report on channels.
    pub(super) fn transcode(&self) -> Result<String> {
        let mut report = String::new();
        let (calls, writes) = self.counted(|| {
            self.apply(&destination("transcoded", "Running"))?;
            self.wait_state("transcoded", "Running")?;
            self.switch("transcoded", "Stopped")?;
            self.wait_state("transcoded", "Idle")?;
            kubectl(self.cluster, ["delete", "dest", "transcoded", "--timeout=60s"])?.ok().map(drop)
        })?;
        writeln!(report, "one life of a Destination with delivery Transcode (start, stop, delete)")?;
        writeln!(report, "  AWS changes              {}", counts(&calls, true))?;
        writeln!(report, "  AWS reads                {}", counts(&calls, false))?;
        writeln!(report, "  API server writes        {}", writes_text(&writes))?;

        self.apply(&destination("transcoded", "Stopped"))?;
        self.wait_state("transcoded", "Idle")?;
        let audit = self.cluster.audit_log().context("this cluster writes no audit log")?.to_path_buf();
        let (mut first, mut next) = (Vec::new(), Vec::new());
        for turn in 0..2 * SHOWS {
            let since = self.last_request()?;
            let (state, word) = if turn % 2 == 0 { ("Running", "Running") } else { ("Stopped", "Idle") };
            self.switch("transcoded", state)?;
            let stored = self.stored(&audit, "transcoded")?;
            self.wait_state("transcoded", word)?;
            let log = self.requests(since)?;
            let live = |e: &&Value| e["service"] == "medialive" && e["mutating"] == true;
            let sent = log.iter().find(live).and_then(|e| e["wallMicros"].as_u64()).context("nothing was asked for")?;
            first.push(Duration::from_micros(sent.saturating_sub(stored)));
            next.extend(steps(&log));
        }
        writeln!(report, "own time from the stored wish to the first change of MediaLive, {} switches", first.len())?;
        report.push_str(&percentiles(first)?);
        writeln!(report, "own time from the answer that shows the way free to the next change, {} steps", next.len())?;
        report.push_str(&percentiles(next)?);
        report.push_str(&self.cold()?);
        Ok(report)
    }

    /// Whole ways from a flow that stands by, with what is lost until a look sees that AWS is ready, and without AWS itself.
    fn cold(&self) -> Result<String> {
        let mut report = String::new();
        let source = SOURCE.replace("{name: studio}", "{name: cold}").replace("port: 5000", "port: 5001");
        self.apply(&source)?;
        let (mut up, mut gone) = (Vec::new(), Vec::new());
        for _ in 0..SHOWS {
            let flow_is_off = "--for=jsonpath={.status.state}=Stopped";
            kubectl(self.cluster, ["wait", flow_is_off, "--timeout=60s", "src/cold"])?.ok()?;
            self.apply(&destination("one", "Stopped").replace("{name: studio}", "{name: cold}"))?;
            self.wait_state("one", "Idle")?;
            up.push(self.own(|| {
                self.switch("one", "Running")?;
                self.wait_state("one", "Running")
            })?);
            gone.push(self.own(|| kubectl(self.cluster, ["delete", "dest", "one", "--timeout=60s"])?.ok().map(drop))?);
        }
        writeln!(report, "own time from the wish to Running, the flow stands by, {} times (target 30 s)", up.len())?;
        report.push_str(&percentiles(up)?);
        writeln!(report, "own time from the wish to gone, {} times (target 10 s)", gone.len())?;
        report.push_str(&percentiles(gone)?);
        Ok(report)
    }

    /// How long it takes beside what AWS takes.
    fn own(&self, way: impl FnOnce() -> Result<()>) -> Result<Duration> {
        let (since, begun) = (self.last_request()?, Instant::now());
        way()?;
        let took = begun.elapsed();
        Ok(took.saturating_sub(busy(&self.requests(since)?).div_f64(SPEED)))
    }
}

/// For how long AWS was on its way somewhere, in its own time; what it did side by side counts once.
fn busy(log: &[Value]) -> Duration {
    let (mut busy, mut until) = (0, 0);
    for entry in log.iter().filter(|entry| entry["error"].is_null()) {
        let found = TRANSITIONS.iter().find(|(operation, _)| entry["operation"] == *operation);
        if let (Some((_, seconds)), Some(at)) = (found, entry["simulatedMicros"].as_u64()) {
            let end = at + seconds * 1_000_000;
            busy += end.saturating_sub(at.max(until));
            until = until.max(end);
        }
    }
    Duration::from_micros(busy)
}

/// For every change of MediaLive but the first: how long after the look before it, which showed that AWS was ready for it.
fn steps(log: &[Value]) -> Vec<Duration> {
    let micros = |e: &Value| e["wallMicros"].as_u64().unwrap_or(0);
    let ours: Vec<_> = log.iter().filter(|e| e["service"] == "medialive").collect();
    let mut times = Vec::new();
    for pair in ours.windows(2).skip_while(|pair| pair[0]["mutating"] != true) {
        if pair[1]["mutating"] == true {
            times.push(Duration::from_micros(micros(pair[1]).saturating_sub(micros(pair[0]))));
        }
    }
    times
}

fn destination(name: &str, state: &str) -> String {
    super::destination(name, state).replace("  platform: YouTube\n", "  platform: YouTube\n  delivery: Transcode\n")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::busy;

    #[test]
    fn what_aws_does_side_by_side_counts_once() {
        let entry =
            |operation: &str, second: u64| json!({ "operation": operation, "simulatedMicros": second * 1_000_000 });
        let log =
            [entry("StartFlow", 100), entry("CreateInput", 101), entry("DescribeFlow", 110), entry("CreateInput", 119)];
        assert_eq!(busy(&log), Duration::from_secs(22));
        assert_eq!(busy(&[entry("CreateChannel", 0), entry("StartChannel", 30)]), Duration::from_secs(125));
    }
}
