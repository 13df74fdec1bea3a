//! What a Destination with a channel of its own costs, and how fast the operator is between AWS's steps.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::{Bench, counts, percentiles, writes_text};
use crate::kubectl;

/// Times on the air of which the reactions are measured.
const SHOWS: usize = 8;

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
        Ok(report)
    }
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
