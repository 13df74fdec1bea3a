//! Metrics of flows.
