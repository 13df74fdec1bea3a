//! The one place where errors of AWS are classified: by HTTP status and code, and by words only where AWS leaves no choice.

use std::error::Error;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{DispatchFailure, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use playout_core::conditions::REQUEST_ID;
use playout_core::failure::{Failure, FailureClass};
use serde_json::Value;

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
            let mut text = if message.is_empty() { format!("{status} {code}") } else { format!("{code}: {message}") };
            for (path, error) in validation_errors(service.raw()) {
                text.push_str(&format!("; {path}: {error}"));
            }
            if let Some(id) = request_id(service.raw()) {
                text.push_str(&format!("{REQUEST_ID}{id})"));
            }
            (classify(operation, status, code, message), text)
        }
        SdkError::TimeoutError(_) => (FailureClass::Transient, "no answer in time".to_string()),
        SdkError::DispatchFailure(dispatch) => {
            let what = if dispatch.is_timeout() {
                "no answer in time"
            } else if dispatch.is_io() || dispatch.is_other() && !is_of_credentials(dispatch) {
                // Also one that was closed before the answer, which may have been carried out.
                "the connection was lost or could not be made"
            } else {
                "the request could not be sent; check the operator's AWS credentials"
            };
            (FailureClass::Transient, what.to_string())
        }
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            let id = request_id(response.raw()).map(|id| format!("{REQUEST_ID}{id})")).unwrap_or_default();
            (classify(operation, status, "", ""), format!("an answer with status {status} that cannot be read{id}"))
        }
        SdkError::ConstructionFailure(_) => {
            (FailureClass::Invalid, "the request could not be built; a required value is missing".to_string())
        }
        _ => (FailureClass::Transient, "an unknown failure".to_string()),
    };
    Failure { class, operation: operation.to_string(), message: redactor.clean(&message).into_owned() }
}

/// Whether it was not sent because there were no credentials: the SDK has no kind for that, and this is for people alone.
fn is_of_credentials(dispatch: &DispatchFailure) -> bool {
    let mut cause: Option<&dyn Error> = dispatch.as_connector_error().map(|error| error as &dyn Error);
    while let Some(error) = cause {
        if error.to_string().to_ascii_lowercase().contains("credential") {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What AWS's support asks for. The header is that of the services' JSON protocols; CloudWatch's answers have it, too.
fn request_id(response: &HttpResponse) -> Option<&str> {
    ["x-amzn-requestid", "x-amz-request-id"].iter().find_map(|name| response.headers().get(*name))
}

/// What MediaLive says of single fields of a request: their paths, and what is wrong. The other services have no such list.
fn validation_errors(response: &HttpResponse) -> Vec<(String, String)> {
    let body = response.body().bytes().and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
    let list = body.as_ref().and_then(|body| body.get("validationErrors")?.as_array());
    let text = |error: &Value, member: &str| error.get(member)?.as_str().map(str::to_string);
    list.into_iter().flatten().filter_map(|e| Some((text(e, "elementPath")?, text(e, "errorMessage")?))).collect()
}

fn classify(operation: &str, status: u16, code: &str, message: &str) -> FailureClass {
    let said = message;
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|w| message.contains(w));
    // The SDK's own list counts LimitExceededException as throttling; for us a limit is a limit.
    if code.contains("LimitExceeded") || code.contains("ServiceQuotaExceeded") {
        return FailureClass::Quota;
    }
    if code.starts_with("Throttl") || code == "TooManyRequestsException" || code == "RequestLimitExceeded" {
        return FailureClass::Throttled;
    }
    if operation.strip_prefix("medialive:").is_some_and(|name| name.starts_with("Create"))
        && let Some(class) = refused_create(status, &message)
    {
        return class;
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
        // Secrets Manager: the name of a removed secret is not free at once. No page promises the words; without them it is
        // refused, and asked for again.
        _ if code == "InvalidRequestException" && says(&["deletion", "deleted"]) => FailureClass::Conflict,
        // MediaConnect models no 409: that a flow takes no change now is 400, told apart from bad input only by words.
        _ if code == "BadRequestException" && is_of_a_state(operation, said) => FailureClass::Conflict,
        _ => FailureClass::Invalid,
    }
}

/// Whether MediaConnect says that a flow is in a state in which it does not take this call: by the states that it documents
/// (API reference, Flow, status). What is made has no state yet; any other text is about what was sent, and waiting mends none
/// of it.
///
/// No page promises the text. Without it the call counts as refused: it is put aside, told, and sent again after 5 seconds, then
/// more (`playout_core::refused`), and the rest goes on. Both ways are tested (`tests/in_process/faults/words.rs`).
fn is_of_a_state(operation: &str, message: &str) -> bool {
    const STATES: [&str; 6] = ["STANDBY", "ACTIVE", "UPDATING", "DELETING", "STARTING", "STOPPING"];
    let names_one = message.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| STATES.contains(&word));
    // An input of MediaLive is an output on the flow that it takes.
    let is_of_a_flow = operation.starts_with("mediaconnect:") && !operation.contains(":Create")
        || operation == "medialive:CreateInput" && message.to_ascii_lowercase().contains("flow");
    is_of_a_flow && names_one
}

/// MediaLive's creates say with several statuses what only their words tell apart: that the account is full (seen with 403 and
/// 409), and that a request id was used before for something else (400 or 409: CreateInput models no 409).
///
/// No page promises the words. Without them the status decides, and the call is sent again after a pause in any case; both ways are
/// tested (`tests/in_process/faults/words.rs`).
fn refused_create(status: u16, message: &str) -> Option<FailureClass> {
    // What is wrong with a field may well be that it exceeds a limit; a role's name may have the word in it.
    if !(400..500).contains(&status) || [404, 422, 429].contains(&status) || message.contains("not authorized") {
        return None;
    }
    let says_word = |words: &[&str]| message.split(|c: char| !c.is_ascii_alphabetic()).any(|w| words.contains(&w));
    if says_word(&["limit", "limits", "quota", "quotas"]) || message.contains("maximum number") {
        return Some(FailureClass::Quota);
    }
    let reused = ["requestid", "request id", "request token", "idempoten"].iter().any(|word| message.contains(word));
    reused.then_some(FailureClass::Conflict)
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_runtime_api::client::result::SdkError;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;
    use playout_core::failure::FailureClass;
    use playout_core::secret::SecretText;

    use super::{classify, failure};
    use crate::redact::Redactor;

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
        ];
        for (status, code, message, class) in cases {
            assert_eq!(classify("mediaconnect:CreateFlow", status, code, message), class, "{status} {code} {message}");
        }
    }

    #[test]
    fn a_flow_that_takes_no_input_now_is_waited_for() {
        let said = "Flow arn:flow cannot be updated because it is currently STARTING.";
        assert_eq!(classify("medialive:CreateInput", 400, "BadRequestException", said), FailureClass::Conflict);
        assert_eq!(classify("medialive:CreateChannel", 400, "BadRequestException", said), FailureClass::Invalid);
        let other = classify("medialive:CreateInput", 400, "BadRequestException", "roleArn is not valid");
        assert_eq!(other, FailureClass::Invalid);
    }

    #[test]
    fn a_lost_answer_is_no_fault_of_the_credentials() {
        let of = |error: Box<dyn std::error::Error + Send + Sync>| {
            let error: SdkError<ErrorMetadata, HttpResponse> =
                SdkError::dispatch_failure(aws_smithy_runtime_api::client::result::ConnectorError::other(error, None));
            failure("mediaconnect:UpdateFlowOutput", &error, &Redactor::default()).message
        };
        assert_eq!(
            of("connection closed before message completed".into()),
            "the connection was lost or could not be made"
        );
        assert!(of("the credentials provider was not enabled".into()).contains("check the operator's AWS credentials"));
    }

    #[test]
    fn only_the_state_of_a_flow_is_waited_for() {
        let current = "Flow arn:flow cannot be deleted because it is currently ACTIVE.";
        let cases = [
            ("DeleteFlow", current, FailureClass::Conflict),
            ("UpdateFlow", "The flow must be in state STANDBY", FailureClass::Conflict),
            ("AddFlowOutputs", "The flow is UPDATING; try again", FailureClass::Conflict),
            ("CreateFlow", "The flow must be in state STANDBY", FailureClass::Invalid),
            ("CreateFlow", "sourceFailoverConfig.state must be ENABLED", FailureClass::Invalid),
            ("AddFlowOutputs", "outputStatus is not valid", FailureClass::Invalid),
            ("AddFlowOutputs", "Output main: port 5000 is already in use by another output.", FailureClass::Invalid),
            ("UpdateFlowSource", "ingestPort 2088 is currently not supported", FailureClass::Invalid),
        ];
        for (operation, message, class) in cases {
            let operation = format!("mediaconnect:{operation}");
            assert_eq!(classify(&operation, 400, "BadRequestException", message), class, "{operation} {message}");
        }
    }

    #[test]
    fn a_full_account_and_a_used_request_id_are_told_apart_from_other_refusals_of_medialive() {
        let full = "Limit exceeded: you have reached the maximum number of channels (5) in this Region.";
        let used = "This requestId was used before, with other parameters.";
        let role = "User: arn:aws:sts::1:assumed-role/limit is not authorized to perform: medialive:CreateChannel";
        let cases = [
            ("CreateChannel", 403, "ForbiddenException", full, FailureClass::Quota),
            ("CreateChannel", 409, "ConflictException", full, FailureClass::Quota),
            ("CreateInput", 400, "BadRequestException", "Your quota of push inputs is used.", FailureClass::Quota),
            ("CreateInput", 400, "BadRequestException", used, FailureClass::Conflict),
            ("CreateChannel", 409, "ConflictException", used, FailureClass::Conflict),
            ("CreateChannel", 403, "ForbiddenException", role, FailureClass::Denied),
            ("CreateChannel", 422, "UnprocessableEntityException", "bitrate exceeds the limit", FailureClass::Invalid),
            ("CreateChannel", 429, "TooManyRequestsException", "Rate limit exceeded", FailureClass::Throttled),
            ("CreateChannel", 500, "InternalServerErrorException", "limit", FailureClass::Transient),
            ("CreateInput", 400, "BadRequestException", "name is required.", FailureClass::Invalid),
            ("UpdateChannel", 409, "ConflictException", "Channel is in state RUNNING.", FailureClass::Conflict),
            ("UpdateChannel", 404, "NotFoundException", "", FailureClass::Absent),
            ("UpdateChannel", 422, "UnprocessableEntityException", "not valid", FailureClass::Invalid),
            ("StartChannel", 502, "BadGatewayException", "", FailureClass::Transient),
            ("DescribeChannel", 504, "GatewayTimeoutException", "", FailureClass::Transient),
        ];
        for (operation, status, code, message, class) in cases {
            let operation = format!("medialive:{operation}");
            assert_eq!(classify(&operation, status, code, message), class, "{operation} {status} {code} {message}");
        }
    }

    #[test]
    fn what_is_wrong_with_each_field_is_told_without_secrets() {
        let redactor = Redactor::default();
        redactor.learn(&SecretText::new("key-1234"));
        let body = r#"{"message":"The channel is not valid.","validationErrors":[
            {"elementPath":"/destinations/0/settings/0","errorMessage":"streamName key-1234 is not valid"},
            {"elementPath":"/roleArn","errorMessage":"is required"}]}"#;
        let status = 422.try_into().expect("a status");
        let metadata =
            ErrorMetadata::builder().code("UnprocessableEntityException").message("The channel is not valid.").build();
        let mut response = HttpResponse::new(status, SdkBody::from(body));
        response.headers_mut().insert("x-amzn-requestid", "7f3a-91");
        let error = SdkError::service_error(metadata, response);
        let failure = failure("medialive:CreateChannel", &error, &redactor);
        assert_eq!(failure.class, FailureClass::Invalid);
        assert_eq!(
            failure.message,
            "UnprocessableEntityException: The channel is not valid.; /destinations/0/settings/0: streamName (secret) is \
             not valid; /roleArn: is required (request id 7f3a-91)"
        );
    }
}
