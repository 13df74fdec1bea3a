//! The one place where errors of AWS are classified: by HTTP status and code, and by words only where AWS leaves no choice.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use playout_core::plan::{Failure, FailureClass};

use crate::redact::Redactor;

/// Turns an SDK error into words without secrets.
///
/// The SDK's own `Debug` and `Display` are never used: they may hold the request.
pub fn failure<E: ProvideErrorMetadata>(
    operation: &str,
    error: &SdkError<E, HttpResponse>,
    redactor: &Redactor,
) -> Failure {
    let (class, message) = match error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            let code = service.err().code().unwrap_or_default();
            let message = service.err().message().unwrap_or_default();
            let text = if message.is_empty() { format!("{status} {code}") } else { format!("{code}: {message}") };
            (classify(status, code, message), text)
        }
        SdkError::TimeoutError(_) => (FailureClass::Transient, "no answer in time".to_string()),
        SdkError::DispatchFailure(dispatch) => {
            let what = if dispatch.is_timeout() {
                "no answer in time"
            } else if dispatch.is_io() {
                "the connection was lost or could not be made"
            } else {
                "the request could not be sent; check the operator's AWS credentials"
            };
            (FailureClass::Transient, what.to_string())
        }
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            (classify(status, "", ""), format!("an answer with status {status} that cannot be read"))
        }
        SdkError::ConstructionFailure(_) => {
            (FailureClass::Invalid, "the request could not be built; a required value is missing".to_string())
        }
        _ => (FailureClass::Transient, "an unknown failure".to_string()),
    };
    Failure { class, operation: operation.to_string(), message: redactor.clean(&message).into_owned() }
}

fn classify(status: u16, code: &str, message: &str) -> FailureClass {
    let says = |words: &[&str]| {
        let message = message.to_ascii_lowercase();
        words.iter().any(|w| message.contains(w))
    };
    // The SDK's own list counts LimitExceededException as throttling; for us a limit is a limit.
    if code.contains("LimitExceeded") || code.contains("ServiceQuotaExceeded") {
        return FailureClass::Quota;
    }
    if code.starts_with("Throttl") || code == "TooManyRequestsException" || code == "RequestLimitExceeded" {
        return FailureClass::Throttled;
    }
    match status {
        404 => FailureClass::Absent,
        409 => FailureClass::Conflict,
        429 => FailureClass::Throttled,
        // MediaConnect's own status for a quota.
        402 | 420 => FailureClass::Quota,
        401 | 403 => FailureClass::Denied,
        408 | 500.. => FailureClass::Transient,
        // JSON 1.1 services say with status 400 and a code what others say with a status.
        _ if code == "ParameterNotFound" || code == "ResourceNotFoundException" => FailureClass::Absent,
        _ if code == "ResourceExistsException" => FailureClass::Conflict,
        _ if code.contains("AccessDenied") || code.contains("UnrecognizedClient") => FailureClass::Denied,
        // Secrets Manager: the name of a removed secret is not free at once.
        _ if code == "InvalidRequestException" && says(&["deletion", "deleted"]) => FailureClass::Conflict,
        // MediaConnect models no 409: a wrong state and a taken name are 400, told apart from bad input only by words.
        _ if code == "BadRequestException"
            && says(&[
                "state",
                "status",
                "already exist",
                "already in use",
                "in progress",
                "must stop",
                "currently",
            ]) =>
        {
            FailureClass::Conflict
        }
        _ => FailureClass::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use playout_core::plan::FailureClass;

    use super::classify;

    #[test]
    fn errors_are_told_apart_by_status_and_code() {
        let cases = [
            (404, "NotFoundException", "", FailureClass::Absent),
            (420, "CreateFlow420Exception", "", FailureClass::Quota),
            (400, "LimitExceededException", "", FailureClass::Quota),
            (429, "TooManyRequestsException", "", FailureClass::Throttled),
            (400, "ThrottlingException", "", FailureClass::Throttled),
            (403, "ForbiddenException", "", FailureClass::Denied),
            (503, "ServiceUnavailableException", "", FailureClass::Transient),
            (400, "ParameterNotFound", "", FailureClass::Absent),
            (400, "ResourceExistsException", "", FailureClass::Conflict),
            (400, "BadRequestException", "Invalid CIDR block", FailureClass::Invalid),
            (400, "BadRequestException", "The flow must be in state STANDBY", FailureClass::Conflict),
        ];
        for (status, code, message, class) in cases {
            assert_eq!(classify(status, code, message), class, "{status} {code} {message}");
        }
    }
}
