//! The clients of the API server.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::Context as _;
use http::header::{HeaderValue, USER_AGENT};
use http::{Method, Request};
use kube::client::Body;
use kube::{Client, Config};
use tower::BoxError;

use playout_aws::fence::Fence;

/// Under this name the API server logs our requests; the part before the slash is the field manager of what we write.
const NAME: &str = concat!("playout/", env!("CARGO_PKG_VERSION"));

/// A write that was not sent.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not sent: another replica may lead by now")]
pub struct NotLeading;

/// A client of the cluster that the environment names.
///
/// # Errors
/// It names none.
pub async fn client() -> anyhow::Result<Client> {
    let mut config = Config::infer().await.context("no cluster: set KUBECONFIG, or run in a pod")?;
    if !goes_through_proxy(&config, |name| std::env::var(name).ok()) {
        config.proxy_url = None;
    }
    config.headers.push((USER_AGENT, HeaderValue::from_static(NAME)));
    Client::try_from(config).context("the cluster's configuration cannot be used")
}

/// Whether the proxy of the configuration is for this cluster. One that the kubeconfig names is. One of `HTTPS_PROXY` is not for
/// this machine itself nor for what `NO_PROXY` names; kube 5.0 compares `NO_PROXY` with the host of the proxy.
fn goes_through_proxy(config: &Config, variable: impl Fn(&str) -> Option<String>) -> bool {
    let Some(proxy) = &config.proxy_url else { return true };
    let of_environment = ["HTTPS_PROXY", "https_proxy"].iter().filter_map(|name| variable(name)?.parse().ok());
    if !of_environment.into_iter().any(|uri: http::Uri| uri == *proxy) {
        return true;
    }
    let host = config.cluster_url.host().unwrap_or_default().trim_matches(['[', ']']);
    let address: Option<IpAddr> = host.parse().ok();
    let is_here = host == "localhost" || address.is_some_and(|address| address.is_loopback());
    let exempt = variable("NO_PROXY").or_else(|| variable("no_proxy")).unwrap_or_default();
    !is_here && !exempt.split(',').map(str::trim).any(|entry| is_meant(entry, host, address))
}

/// Whether an entry of `NO_PROXY` means the host: `*`, a name and all below it, an address, or a range.
fn is_meant(entry: &str, host: &str, address: Option<IpAddr>) -> bool {
    let name = entry.trim_start_matches("*.").trim_start_matches('.');
    let below = || host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let in_range = || {
        let (network, bits) = entry.split_once('/')?;
        match (network.parse().ok()?, address?, bits.parse::<u32>().ok()?) {
            (IpAddr::V4(n), IpAddr::V4(a), bits @ 0..=32) => {
                Some((u64::from(n.to_bits() ^ a.to_bits())) >> (32 - bits) == 0)
            }
            (IpAddr::V6(n), IpAddr::V6(a), bits @ 1..=128) => Some((n.to_bits() ^ a.to_bits()) >> (128 - bits) == 0),
            _ => None,
        }
    };
    entry == "*" || (!name.is_empty() && below()) || in_range().unwrap_or(false)
}

/// The client of whatever works under the lease: it sends no write when we may no longer lead. So no pass that was slow overwrites
/// what the next leader has found out. Every write of an object is for the version that was read, so one that is late does no
/// harm either.
#[must_use]
pub fn fenced(client: &Client, fence: &Fence) -> Client {
    let (inner, fence) = (client.clone(), fence.clone());
    let service = tower::service_fn(move |request: Request<Body>| {
        let (client, fence) = (inner.clone(), fence.clone());
        async move {
            if request.method() != Method::GET && !fence.holds_for(Duration::ZERO) {
                return Err(BoxError::from(NotLeading));
            }
            client.send(request).await.map_err(BoxError::from)
        }
    });
    Client::new(service, client.default_namespace())
}

#[cfg(test)]
mod tests {
    use http::Response;
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::Api;
    use kube::api::{Patch, PatchParams};
    use playout_core::failure::FailureClass;
    use serde_json::json;

    use super::*;
    use crate::kind::api_failure;
    use playout_aws::clock::Clock;

    #[test]
    fn a_proxy_of_the_environment_is_not_for_this_machine_nor_for_what_is_exempt() {
        const PROXY: &str = "http://proxy.corp.example:3128";
        let through = |cluster: &str, exempt: &'static str| {
            let mut config = Config::new(cluster.parse().expect("a URL"));
            config.proxy_url = Some(PROXY.parse().expect("a URL"));
            goes_through_proxy(&config, |name| match name {
                "https_proxy" => Some(PROXY.into()),
                "NO_PROXY" => Some(exempt.into()),
                _ => None,
            })
        };
        assert!(through("https://api.example.net", "") && through("https://10.1.2.3:6443", "10.2.0.0/16, ,other"));
        for here in ["https://127.0.0.1:6443", "https://localhost:6443", "https://[::1]:6443"] {
            assert!(!through(here, ""), "{here}");
        }
        for exempt in ["*", "example.net", ".example.net", "*.example.net", "other, api.example.net"] {
            assert!(!through("https://api.example.net", exempt), "{exempt}");
        }
        assert!(through("https://notexample.net", "example.net"));
        assert!(!through("https://10.1.2.3:6443", "10.0.0.0/8") && !through("https://10.1.2.3", "10.1.2.3"));
        assert!(!through("https://[fd00::7]", "fd00::/8") && through("https://[fd00::7]", "fe00::/16"));
        // What the kubeconfig itself names is meant.
        let mut config = Config::new("https://127.0.0.1:6443".parse().expect("a URL"));
        config.proxy_url = Some("http://127.0.0.1:3128".parse().expect("a URL"));
        assert!(goes_through_proxy(&config, |_| Some(PROXY.into())));
    }

    #[tokio::test]
    async fn whoever_does_not_lead_reads_and_writes_nothing() {
        let service = tower::service_fn(|request: Request<Body>| async move {
            let code = if request.method() == Method::GET { 200 } else { 500 };
            let body = json!({ "metadata": { "name": "one" } }).to_string();
            Response::builder().status(code).body(Body::from(body.into_bytes())).map_err(BoxError::from)
        });
        let client = fenced(&Client::new(service, "show"), &Fence::shut(Clock::system()));
        let all = Api::<ConfigMap>::namespaced(client, "show");
        assert!(all.get("one").await.is_ok());
        let error = all.patch("one", &PatchParams::default(), &Patch::Merge(json!({}))).await.expect_err("not sent");
        let failure = api_failure("kubernetes:status", &error);
        assert_eq!(failure.class, FailureClass::NotLeading, "{failure:?}");
        assert_eq!(failure.message, NotLeading.to_string());
    }
}
