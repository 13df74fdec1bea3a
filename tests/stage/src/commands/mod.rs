//! The commands of the binary.

mod bench;
mod demo;
mod up;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::{assets, process};

/// Starts, shows and ends the API server, the simulator and the operator on loopback.
#[derive(Parser)]
#[command(name = "stage")]
struct Arguments {
    #[command(subcommand)]
    command: Stage,
}

#[derive(Subcommand)]
enum Stage {
    /// Start what is not running, in the background; print shell exports.
    ///
    /// Environment: SPEED, SIM_PORT, OPERATOR_AWS_ENDPOINT, OPERATOR_ARGS. One that is not set keeps what the last `up`
    /// was told; one that is set to nothing goes back to its default.
    Up,
    /// End what `up` has started and remove its state.
    Down,
    /// Show what runs; the exit code is 0 when all three run and answer.
    Status,
    /// Run everything in the foreground with the quickstart example, until Ctrl-C.
    ///
    /// Environment: SPEED (default 10), OPERATOR_ARGS; DEMO_EXIT=1 ends it as soon as all objects are Ready.
    Demo,
    /// Run the benchmarks.
    #[command(disable_help_flag = true)]
    Bench {
        /// For the benchmarks.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    #[command(hide = true)]
    AssetsCluster(assets::Arguments),
    #[command(hide = true)]
    Exec {
        #[arg(long, conflicts_with = "detached")]
        die_with: Option<u32>,
        #[arg(long)]
        detached: bool,
        #[arg(last = true)]
        program: Vec<String>,
    },
}

/// Runs the command line of the process.
pub fn run() -> ExitCode {
    let done = match Arguments::parse().command {
        Stage::Up => up::up().map(|()| ExitCode::SUCCESS),
        Stage::Down => up::down().map(|()| ExitCode::SUCCESS),
        Stage::Status => up::status(),
        Stage::Demo => demo::run(),
        Stage::Bench { args } => bench::run(&args),
        Stage::AssetsCluster(arguments) => assets::run(&arguments).map(|()| ExitCode::SUCCESS),
        Stage::Exec { die_with, detached: _, program } => {
            process::become_program(die_with, &program).map(|()| ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|error| {
        progress(format!("error: {error:#}"));
        ExitCode::FAILURE
    })
}

/// One line of progress on standard error: standard output is for what is asked for.
fn progress(line: impl Display) {
    // Nobody who reads it is no reason to stop.
    let _ = writeln!(io::stderr(), "{line}");
}

/// A variable of the environment or of make's command line; empty is a value.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// How many times as fast as AWS, as people write it.
fn speed(text: &str) -> Result<f64> {
    match text.trim().parse::<f64>() {
        Ok(speed) if speed.is_finite() && speed > 0.0 => Ok(speed),
        _ => {
            anyhow::bail!("SPEED says how many times as fast as AWS the simulator runs, such as 1 or 20; it is {text}")
        }
    }
}

/// A duration in the words of kubectl: `42s`, `5m12s`, `3h7m`.
fn age(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds % 3600 / 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{}s", seconds % 60),
        _ => format!("{hours}h{minutes}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_reads_like_that_of_kubectl() {
        let ages = [42, 312, 11_230].map(|seconds| age(Duration::from_secs(seconds)));
        assert_eq!(ages, ["42s", "5m12s", "3h7m"]);
    }

    #[test]
    fn a_speed_is_a_positive_number() {
        assert!((speed("2.5").unwrap() - 2.5).abs() < f64::EPSILON);
        for wrong in ["", "0", "-1", "inf", "fast"] {
            assert!(speed(wrong).unwrap_err().to_string().contains("SPEED"), "{wrong}");
        }
    }
}
