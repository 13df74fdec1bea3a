//! Starts, supervises and ends the three programs of Playout on loopback: the API server, the AWS simulator and the
//! operator. `make demo`, `make up`, `make down` and `make status` use it through the binary `stage`; integration
//! tests use it as a library:
//!
//! ```no_run
//! use playout_stage::{Cluster, Operator, OperatorOptions, Simulator, kubectl, wait_until};
//! use std::time::Duration;
//!
//! # async fn a_source_becomes_ready() -> anyhow::Result<()> {
//! let Some(cluster) = Cluster::shared() else { return Ok(()) };
//! let simulator = Simulator::start(100.0)?;
//! let operator = Operator::start(cluster, simulator.url(), OperatorOptions::default())?;
//! wait_until(Duration::from_secs(30), "the Source is Ready", || async {
//!     kubectl(cluster, ["wait", "--for=condition=Ready", "--timeout=1s", "source/studio"]).map(|output| output.success)
//! })
//! .await?;
//! # drop(operator);
//! # Ok(())
//! # }
//! ```
//!
//! Nothing outlives the process that started it, however that ends: the programs see their standard input close, and on
//! Linux the kernel kills them with their parent. The exception is `stage up`, whose programs are meant to stay.

mod assets;
mod cluster;
mod commands;
mod http;
mod interrupt;
mod kubectl;
mod objects;
mod operator;
mod ports;
mod process;
mod programs;
mod scratch;
mod shell;
mod simulator;
mod wait;

pub use cluster::{Cluster, Found};
pub use commands::run;
pub use http::{Answer, request};
pub use kubectl::{Output, kubectl, kubectl_with_input};
pub use operator::{Operator, OperatorOptions};
pub use programs::root;
pub use simulator::Simulator;
pub use wait::{Progress, wait_until};
