//! `playout`: the operator, the CRDs it serves, and the reference of what it says.

// What runs for weeks does not end because of a guess: what cannot be is a value, or is said.
#![deny(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable, clippy::unwrap_used)]

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "playout", version, about = "Puts live video on the air through AWS, as a Kubernetes operator")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the operator. A flag given twice has its last value.
    #[command(args_override_self = true)]
    Run(Box<playout_operator::config::Config>),
    /// Prints what would be done next for objects of a file, from what AWS has as another file says. It asks no cluster and no AWS, and
    /// changes nothing.
    #[command(args_override_self = true)]
    Plan(Box<playout_operator::planned::Arguments>),
    /// Prints the custom resource definitions, or writes one file a kind.
    Crds {
        /// Folder to write to; standard output when it is left out.
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Prints the reference of what the operator takes and says, or writes one page a subject.
    Reference {
        /// Folder to write to; standard output when it is left out.
        #[arg(long)]
        dir: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    // One provider for kube and the AWS SDK; two of them in one process panic at the first connection.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let result = match Arguments::parse().command {
        Command::Run(config) => run(*config),
        Command::Plan(arguments) => plan(*arguments),
        Command::Crds { dir } => playout_operator::crds::write(dir.as_deref()),
        Command::Reference { dir } => playout_operator::reference::write(dir.as_deref()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Logging may not have been started.
            let _ = writeln!(std::io::stderr(), "playout: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn plan(arguments: playout_operator::planned::Arguments) -> anyhow::Result<()> {
    let work = playout_operator::planned::run(arguments);
    let thread = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(move || tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work))?;
    let text = thread.join().map_err(|_| anyhow::anyhow!("the plan cannot be made"))??;
    std::io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// Stack of a worker thread. Unoptimised, the SDK's reader of a MediaLive channel (settings within settings, each with all that
/// it may hold) needs more than the two megabytes of the default. Only what is used takes memory.
const STACK: usize = 16 * 1024 * 1024;

fn run(config: playout_operator::config::Config) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK)
        .build()?
        .block_on(playout_operator::run::run(config))
}
