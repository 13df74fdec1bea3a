//! The clients of the API server.

use std::time::Duration;

use anyhow::Context as _;
use http::header::{HeaderValue, USER_AGENT};
use http::{Method, Request};
use kube::client::Body;
use kube::{Client, Config};
use tower::BoxError;

use crate::leader::Fence;

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
    config.headers.push((USER_AGENT, HeaderValue::from_static(NAME)));
    Client::try_from(config).context("the cluster's configuration cannot be used")
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
    use playout_core::plan::FailureClass;
    use serde_json::json;

    use super::*;
    use crate::clock::Clock;
    use crate::kind::api_failure;

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
