//! The operator as a process: what integration tests start, kill and start again.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use anyhow::Result;

use crate::cluster::Cluster;
use crate::process::{GRACE, Process};
use crate::programs::{self, Lifetime, OperatorSettings, Program};
use crate::scratch::Scratch;
use crate::{http, ports};

/// How long the operator may take until it is ready.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How an operator is started. `Default` is: log level `info,playout=debug`, ports of its own, wait until it is ready.
#[derive(Clone, Debug)]
pub struct OperatorOptions {
    /// The log filter, as in `RUST_LOG`: `trace`, `info,kube=debug`.
    pub log: String,
    /// More arguments for `playout run`.
    pub args: Vec<String>,
    /// More environment variables.
    pub env: Vec<(String, String)>,
    /// The port of the metrics; a free one by default.
    pub metrics_port: Option<u16>,
    /// The port of the health checks; a free one by default.
    pub health_port: Option<u16>,
    /// Whether it is told the roles that AWS's services assume.
    pub roles: bool,
    /// Whether `start` and `restart` wait until `/readyz` answers.
    pub wait_ready: bool,
}

impl Default for OperatorOptions {
    fn default() -> Self {
        Self {
            log: "info,playout=debug,playout_operator=debug,playout_aws=debug,playout_core=debug".into(),
            args: Vec::new(),
            env: Vec::new(),
            metrics_port: None,
            health_port: None,
            roles: true,
            wait_ready: true,
        }
    }
}

/// An operator that runs until it is stopped or killed, and not longer than this value.
#[derive(Debug)]
pub struct Operator {
    program: Program,
    metrics_port: u16,
    health_port: u16,
    wait_ready: bool,
    log: PathBuf,
    // Dropped in this order: the process ends before its folder goes.
    process: Option<Process>,
    _scratch: Option<Scratch>,
}

impl Operator {
    /// Starts an operator on the cluster that talks to the AWS at `aws_endpoint`: a simulator's URL, or that of a proxy
    /// in front of it.
    pub fn start(cluster: &Cluster, aws_endpoint: &str, options: OperatorOptions) -> Result<Self> {
        let scratch = Scratch::new("operators")?;
        let mut operator = Self::start_in(cluster.kubeconfig(), aws_endpoint, &options, scratch.path())?;
        operator._scratch = Some(scratch);
        Ok(operator)
    }

    /// The same with the log in a folder that somebody else removes.
    pub(crate) fn start_in(
        kubeconfig: &Path,
        aws_endpoint: &str,
        options: &OperatorOptions,
        folder: &Path,
    ) -> Result<Self> {
        let metrics_port = options.metrics_port.map_or_else(ports::free, Ok)?;
        let health_port = options.health_port.map_or_else(ports::free, Ok)?;
        let program = programs::operator(&OperatorSettings {
            kubeconfig,
            aws_endpoint,
            metrics_port,
            health_port,
            log: Some(&options.log),
            roles: options.roles,
            args: &options.args,
            env: &options.env,
        })?;
        let log = folder.join("operator.log");
        let wait_ready = options.wait_ready;
        let mut operator = Self { program, metrics_port, health_port, wait_ready, log, process: None, _scratch: None };
        operator.restart()?;
        Ok(operator)
    }

    /// SIGKILL: what a lost node does to an operator.
    pub fn kill(&mut self) -> Result<()> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
        }
        Ok(())
    }

    /// SIGTERM, and not waiting for the end.
    pub fn terminate(&self) {
        if let Some(process) = &self.process {
            process.terminate();
        }
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Result<Option<String>> {
        self.process.as_mut().map_or(Ok(None), Process::ended)
    }

    /// SIGTERM, and how it ended; SIGKILL where it has not after five seconds. `None` if it was not running.
    pub fn stop(&mut self) -> Result<Option<ExitStatus>> {
        self.process.take().map(|mut process| process.stop(GRACE)).transpose()
    }

    /// Starts it again with the same arguments and addresses; kills it first if it still runs. The log goes on.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        let mut process = Process::start("operator", &self.program, &self.log, Lifetime::WithParent)?;
        if self.wait_ready {
            wait_ready(&mut process, self.health_port)?;
        }
        self.process = Some(process);
        Ok(())
    }

    /// Its process id, if it has one.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.identity.pid)
    }

    /// The file it logs to, over all restarts.
    pub fn log_path(&self) -> &Path {
        &self.log
    }

    /// All that it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Where its metrics are.
    pub fn metrics_url(&self) -> String {
        metrics_url(self.metrics_port)
    }

    /// Where its health checks are, without a path: append `/readyz`.
    pub fn health_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.health_port)
    }

    pub(crate) fn process_mut(&mut self) -> Option<&mut Process> {
        self.process.as_mut()
    }
}

pub(crate) fn metrics_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/metrics")
}

/// Whether an operator says on that port that it is ready.
pub(crate) fn healthy(health_port: u16) -> bool {
    http::answers(&format!("http://127.0.0.1:{health_port}/readyz"))
}

pub(crate) fn wait_ready(process: &mut Process, health_port: u16) -> Result<()> {
    process.wait_ready(PATIENCE, "the operator is ready", |_| healthy(health_port))
}
