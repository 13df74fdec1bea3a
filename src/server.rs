//! /healthz, /readyz and /metrics.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context as _;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;

use crate::metrics::Metrics;

/// Whether the process can work: its caches are filled. A standby that waits for the lease is ready, too.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// From now on.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn answer(&self) -> (StatusCode, &'static str) {
        if self.0.load(Ordering::SeqCst) {
            (StatusCode::OK, "ok\n")
        } else {
            (StatusCode::SERVICE_UNAVAILABLE, "the caches are not filled yet\n")
        }
    }
}

/// Listens on both addresses, and serves until the process ends.
///
/// # Errors
/// An address cannot be listened on.
pub async fn start(
    health: SocketAddr,
    metrics_address: SocketAddr,
    readiness: Readiness,
    metrics: Metrics,
) -> anyhow::Result<()> {
    let health_routes = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(move || std::future::ready(readiness.answer())));
    let metrics_routes = Router::new().route("/metrics", get(move || std::future::ready(metrics.render())));
    for (address, routes) in [(health, health_routes), (metrics_address, metrics_routes)] {
        let listener = tokio::net::TcpListener::bind(address).await.with_context(|| {
            format!("cannot listen on {address}; choose another with --health-address or --metrics-address")
        })?;
        tokio::spawn(async move { axum::serve(listener, routes).await });
    }
    Ok(())
}
