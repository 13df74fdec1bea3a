//! The shell: what talks to Kubernetes and AWS. It decides nothing; `playout-core` does.

pub mod attempts;
pub mod aws;
pub mod clock;
pub mod config;
pub mod crds;
pub mod kind;
pub mod kinds;
pub mod kubernetes;
pub mod lanes;
pub mod leader;
pub mod metrics;
pub mod recent;
pub mod reconcile;
pub mod redact;
pub mod reference;
pub mod run;
pub mod server;
pub mod telemetry;
