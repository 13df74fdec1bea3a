//! The Kubernetes API, as narrow as the loop needs it.

pub mod client;
pub mod events;
pub mod finalizer;
pub mod fingerprint_key;
pub mod guard;
pub mod secrets;
pub mod status;
pub mod watched;
pub mod written;

use playout_core::failure::{Failure, FailureClass};

/// A failure of the API server, as a failure.
#[must_use]
pub fn api_failure(operation: &str, error: &kube::Error) -> Failure {
    let (class, message) = match error {
        kube::Error::Api(status) => (
            match status.code {
                404 => FailureClass::Absent,
                409 => FailureClass::Conflict,
                429 => FailureClass::Throttled,
                401 | 403 => FailureClass::Denied,
                400..500 => FailureClass::Invalid,
                _ => FailureClass::Transient,
            },
            status.message.clone(),
        ),
        kube::Error::Service(error) if error.is::<client::NotLeading>() => {
            (FailureClass::NotLeading, client::NotLeading.to_string())
        }
        // Other texts may hold whole requests.
        _ => (FailureClass::Transient, "the API server gave no usable answer".to_string()),
    };
    Failure { class, operation: operation.into(), message }
}
