//! What every call goes through.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use playout_core::failure::{Failure, FailureClass};

use crate::clock::Clock;
use crate::error::failure;
use crate::fence::Fence;
use crate::rate_limit::{Bucket, Urgency};
use crate::redact::Redactor;

/// Longest that one attempt of a call may take. Shorter than the create window by far, and than the lease.
pub(super) const ATTEMPT: Duration = Duration::from_secs(10);

/// Who counts the calls.
pub trait CallObserver: std::fmt::Debug + Send + Sync {
    /// A call of `operation` (`service:Operation`) has ended with `outcome` (`ok`, or the class of its failure).
    fn called(&self, operation: &str, outcome: &str, took: Duration);
}

/// What every call goes through: its rate limit, the fence, the counters and the classification of its errors.
#[derive(Debug)]
pub struct Caller {
    clock: Clock,
    redactor: Redactor,
    fence: Fence,
    observer: Arc<dyn CallObserver>,
    buckets: Mutex<HashMap<&'static str, Arc<Bucket>>>,
}

impl Caller {
    pub(super) fn new(clock: Clock, redactor: Redactor, fence: Fence, observer: Arc<dyn CallObserver>) -> Self {
        Self { clock, redactor, fence, observer, buckets: Mutex::default() }
    }

    /// What is known to be secret.
    pub(super) fn redactor(&self) -> &Redactor {
        &self.redactor
    }

    /// A call that changes nothing.
    ///
    /// # Errors
    /// The call failed.
    pub fn read<'a, T: 'a, E: ProvideErrorMetadata + 'a>(
        &'a self,
        operation: &'static str,
        urgency: Urgency,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'a,
    ) -> impl Future<Output = Result<T, Failure>> + Send + 'a {
        let call = call.boxed();
        async move {
            self.bucket(operation).take(urgency).await;
            self.timed(operation, call).await
        }
    }

    /// A call that changes something: sent by the leader only, and once.
    ///
    /// # Errors
    /// The call failed, or we do not lead.
    pub fn change<'a, T: 'a, E: ProvideErrorMetadata + 'a>(
        &'a self,
        operation: &'static str,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'a,
    ) -> impl Future<Output = Result<T, Failure>> + Send + 'a {
        self.send(operation, Urgency::Change, call)
    }

    /// A call that takes something off the air: it goes before all others.
    ///
    /// # Errors
    /// The call failed, or we do not lead.
    pub fn stop<'a, T: 'a, E: ProvideErrorMetadata + 'a>(
        &'a self,
        operation: &'static str,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'a,
    ) -> impl Future<Output = Result<T, Failure>> + Send + 'a {
        self.send(operation, Urgency::Stop, call)
    }

    fn send<'a, T: 'a, E: ProvideErrorMetadata + 'a>(
        &'a self,
        operation: &'static str,
        urgency: Urgency,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send + 'a,
    ) -> impl Future<Output = Result<T, Failure>> + Send + 'a {
        let call = call.boxed();
        async move {
            self.bucket(operation).take(urgency).await;
            // After the wait, right before the request goes out. The lease must outlast the attempt.
            if !self.fence.holds_for(ATTEMPT) {
                return Err(Failure {
                    class: FailureClass::NotLeading,
                    operation: operation.into(),
                    message: "not sent: another replica may lead by now".into(),
                });
            }
            self.timed(operation, call).await
        }
    }

    /// The call is boxed: the SDK's futures are large, and they would all lie in the future of a pass, many times over.
    async fn timed<T, E: ProvideErrorMetadata>(
        &self,
        operation: &'static str,
        call: BoxFuture<'_, Result<T, SdkError<E, HttpResponse>>>,
    ) -> Result<T, Failure> {
        let start = self.clock.instant();
        let result = call.await.map_err(|e| failure(operation, &e, &self.redactor));
        let took = self.clock.instant() - start;
        let outcome = result.as_ref().map_or_else(|f| format!("{:?}", f.class), |_| "ok".to_string());
        tracing::debug!(operation, outcome, milliseconds = took.as_millis(), "aws");
        self.observer.called(operation, &outcome, took);
        result
    }

    fn bucket(&self, operation: &'static str) -> Arc<Bucket> {
        let (key, per_second, burst) = limit(operation);
        self.buckets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(key)
            .or_insert_with(|| Arc::new(Bucket::new(self.clock.clone(), per_second, burst)))
            .clone()
    }
}

/// What to ask for next after a page of a list; `None`: it was the last. AWS's own SDKs take an empty token for none.
pub(super) fn next_page(token: Option<&str>) -> Option<String> {
    token.filter(|token| !token.is_empty()).map(str::to_string)
}

/// Calls a second and burst, below what AWS documents (MediaConnect quotas page: DescribeFlow and source metadata 30 a
/// second, every other operation 5, burst 30. MediaLive quotas page: 20 a second and burst 40 for the whole service. Secrets
/// Manager, SSM and CloudWatch allow far more than we need. Service Quotas says nothing).
fn limit(operation: &'static str) -> (&'static str, f64, f64) {
    match operation {
        "mediaconnect:DescribeFlow" => (operation, 25.0, 25.0),
        _ if operation.starts_with("mediaconnect:") => (operation, 4.5, 25.0),
        _ if operation.starts_with("medialive:") => ("medialive", 15.0, 30.0),
        _ if operation.starts_with("servicequotas:") => ("servicequotas", 2.0, 4.0),
        _ => (operation, 10.0, 20.0),
    }
}
