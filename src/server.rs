//! /healthz, /readyz and /metrics.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context as _;
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::metrics::Metrics;

/// What the metrics are written in. Under another name readers take counters for values of no known type.
/// Source: OpenMetrics 1.0, "Content type".
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether the process can work: its caches are filled, and no other operator works on the same objects. A standby that waits for
/// the lease is ready, too.
#[derive(Clone, Debug, Default)]
pub struct Readiness {
    filled: Arc<AtomicBool>,
    refusal: Arc<RwLock<Option<String>>>,
}

impl Readiness {
    /// The caches are filled from now on.
    pub fn set(&self) {
        self.filled.store(true, Ordering::SeqCst);
    }

    /// Why it may not work, or that it may.
    pub fn refuse(&self, why: Option<&str>) {
        *self.refusal.write().unwrap_or_else(PoisonError::into_inner) = why.map(str::to_owned);
    }

    /// What is said at /readyz.
    #[must_use]
    pub fn answer(&self) -> (StatusCode, String) {
        let refusal = self.refusal.read().unwrap_or_else(PoisonError::into_inner).clone();
        match refusal {
            Some(why) => (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
            None if self.filled.load(Ordering::SeqCst) => (StatusCode::OK, "ok\n".into()),
            None => (StatusCode::SERVICE_UNAVAILABLE, "the caches are not filled yet\n".into()),
        }
    }
}

fn metrics_routes(metrics: Metrics) -> Router {
    let answer = move || std::future::ready(([(CONTENT_TYPE, OPEN_METRICS)], metrics.render()));
    Router::new().route("/metrics", get(answer))
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
    let metrics_routes = metrics_routes(metrics);
    for (address, routes) in [(health, health_routes), (metrics_address, metrics_routes)] {
        let listener = listen(address).await.with_context(|| {
            format!("cannot listen on {address}; choose another with --health-address or --metrics-address")
        })?;
        tokio::spawn(async move { axum::serve(listener, routes).await });
    }
    Ok(())
}

/// `[::]` takes connections of both families; a machine whose kernel has no IPv6 gets `0.0.0.0`.
async fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && error.kind() != ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        bound => bound,
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn metrics_say_what_they_are_written_in() {
        let metrics = Metrics::new();
        metrics.wrote("source", "status");
        let text = metrics.render();
        assert!(text.contains("# TYPE playout_api_server_writes counter") && text.ends_with("# EOF\n"), "{text}");
        let answer = metrics_routes(metrics).oneshot(Request::get("/metrics").body(Body::empty()).expect("a request"));
        let headers = answer.await.expect("an answer").headers().clone();
        assert_eq!(headers[CONTENT_TYPE], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    }

    /// As a pod has it: kubelet asks by the one address that the pod has, of IPv4 or of IPv6.
    #[tokio::test]
    async fn the_default_address_answers_both_families() {
        use clap::Parser as _;
        #[derive(clap::Parser)]
        struct Program {
            #[command(flatten)]
            config: crate::config::Config,
        }
        let config = Program::parse_from(["playout"]).config;
        for address in [config.health_address, config.metrics_address] {
            let listener = listen(SocketAddr::new(address.ip(), 0)).await.expect("an address");
            let port = listener.local_addr().expect("a port").port();
            tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.expect("IPv4");
            let has_ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).await.is_ok();
            assert!(!has_ipv6 || tokio::net::TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await.is_ok(), "IPv6");
        }
    }
}
