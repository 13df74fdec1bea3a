//! `stage bench`. A benchmark is a function here that starts a [`crate::Cluster`], a [`crate::Simulator`] and a
//! [`crate::Operator`] and measures them from outside.

use std::process::ExitCode;

use anyhow::{Result, bail};

pub(crate) fn run(_args: &[String]) -> Result<ExitCode> {
    bail!("there are no benchmarks yet")
}
