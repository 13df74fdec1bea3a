//! The AWS simulator as a process of its own.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::http::{self, Answer};
use crate::process::Process;
use crate::programs::{self, Lifetime};
use crate::scratch::Scratch;
use crate::{ports, request};

/// How long the simulator may take to start.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A simulator that runs as long as this value.
#[derive(Debug)]
pub struct Simulator {
    url: String,
    // Dropped in this order: the process ends before its folder goes.
    process: Process,
    _scratch: Option<Scratch>,
}

impl Simulator {
    /// Starts a simulator on a port of its own whose clock runs `speed` times as fast as AWS.
    pub fn start(speed: f64) -> Result<Self> {
        let scratch = Scratch::new("simulators")?;
        let mut simulator = Self::start_in(speed, scratch.path())?;
        simulator._scratch = Some(scratch);
        Ok(simulator)
    }

    /// The same with the log in a folder that somebody else removes.
    pub(crate) fn start_in(speed: f64, folder: &Path) -> Result<Self> {
        let port = ports::free()?;
        let program = programs::simulator(port, speed, Lifetime::WithParent)?;
        let mut process = Process::start("sim", &program, &folder.join("sim.log"), Lifetime::WithParent)?;
        let url = url(port);
        wait_ready(&mut process, &url)?;
        Ok(Self { url, process, _scratch: None })
    }

    /// Where it listens: the endpoint of every AWS service, and of the control API under `/_sim/`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its log.
    pub fn log(&self) -> &Path {
        &self.process.log
    }

    /// Asks the control API: `simulator.control("GET", "state?counts=1", "")`.
    pub fn control(&self, method: &str, path: &str, body: &str) -> Result<Answer> {
        request(method, &format!("{}/_sim/{path}", self.url), body)
    }

    pub(crate) fn process_mut(&mut self) -> &mut Process {
        &mut self.process
    }
}

pub(crate) fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Whether a simulator answers there.
pub(crate) fn healthy(url: &str) -> bool {
    http::answers(&format!("{url}/_sim/health"))
}

/// How many times as fast as AWS the clock of a running simulator goes; `None` if it does not say.
pub(crate) fn speed(url: &str) -> Option<f64> {
    let answer = request("GET", &format!("{url}/_sim/clock"), "").ok()?;
    serde_json::from_str::<serde_json::Value>(&answer.body).ok()?["speed"].as_f64()
}

/// Sets how many times as fast as AWS the clock of a running simulator goes.
pub(crate) fn set_speed(url: &str, speed: f64) -> Result<()> {
    let body = serde_json::json!({ "speed": speed }).to_string();
    let answer = request("PUT", &format!("{url}/_sim/clock"), &body)?;
    anyhow::ensure!(answer.is_ok(), "the simulator answers {}: {}", answer.status, answer.body);
    Ok(())
}

pub(crate) fn wait_ready(process: &mut Process, url: &str) -> Result<()> {
    process.wait_ready(PATIENCE, "the simulator answers", |_| healthy(url))
}
