//! The shell: what talks to Kubernetes and AWS. It decides nothing; `playout-core` does.

pub mod crds;
