//! The AWS SDK over the simulator, without sockets.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http::{Method, Request};
use playout_sim::{FaultKind, Outcome, Sim, When};
use serde_json::Value;

use super::operator::REGION;
use super::wire::{Alive, Effect, Fault, Wire};

/// Longer than an attempt of the operator may take.
const SLOW: u64 = 12_000;
/// How long after it was sent AWS carries out what it has not answered.
const LATE: std::time::Duration = std::time::Duration::from_secs(20);
/// How long AWS shows something untrue, in seconds.
const LINGER: f64 = 30.0;

/// An answer that AWS may give and the simulator does not.
#[derive(Clone, Debug)]
pub struct Canned {
    pub method: Method,
    /// How the path ends.
    pub path: &'static str,
    /// What the request has in it.
    pub contains: String,
    pub times: usize,
    pub status: u16,
    pub body: Value,
}

/// The answers that are given instead of the simulator's. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Answers(Arc<Mutex<Vec<Canned>>>);

impl Answers {
    pub fn give(&self, canned: Canned) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(canned);
    }

    fn to(&self, request: &Request<Bytes>) -> Option<Outcome> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let canned = all.iter_mut().find(|canned| {
            canned.times > 0
                && canned.method == request.method()
                && request.uri().path().ends_with(canned.path)
                && String::from_utf8_lossy(request.body()).contains(&canned.contains)
        })?;
        canned.times -= 1;
        let response = http::Response::builder().status(canned.status);
        let response = response.header("x-amzn-errortype", "UnprocessableEntityException");
        response.body(Bytes::from(canned.body.to_string())).ok().map(Outcome::Respond)
    }

    /// Whether all have been given as often as they were to be.
    pub fn are_given(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().all(|canned| canned.times == 0)
    }
}

/// Sends to the simulator what the SDK wants sent.
#[derive(Clone)]
pub struct Connector {
    pub sim: Sim,
    pub answers: Answers,
    /// None: a tester's own requests, with which nothing goes wrong.
    pub wire: Option<Wire>,
    pub alive: Arc<Alive>,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpClient for Connector {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let this = self.clone();
        HttpConnectorFuture::new(async move { this.send(request).await })
    }
}

impl Connector {
    async fn send(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        self.alive.check().await;
        let request = request.try_into_http1x().map_err(|e| ConnectorError::other(e.into(), None))?;
        let request = request.map(|body| Bytes::copy_from_slice(body.bytes().unwrap_or_default()));
        let (label, effect) = describe(&request);
        let (place, fault) = match &self.wire {
            Some(wire) => wire.meet(label, effect),
            None => (0, None),
        };
        if fault == Some(Fault::CrashBefore) {
            self.alive.crash().await;
        }
        if matches!(fault, Some(Fault::Late | Fault::LateAndCrashed)) {
            let sim = self.sim.clone();
            tokio::spawn(async move {
                playout_aws::clock::pause(LATE).await;
                let answer = sim.handle(request);
                drop(sim.resume(answer).await);
            });
            if fault == Some(Fault::LateAndCrashed) {
                self.alive.crash().await;
            }
            // Longer than anybody waits.
            std::future::pending::<()>().await;
            return Err(ConnectorError::io("nobody waits".into()));
        }
        if let Some(kind) = fault.and_then(|fault| planted(fault, &request)) {
            self.sim.plant_fault(playout_sim::Fault::new("*", "*", kind));
        }
        let outcome = match self.answers.to(&request) {
            Some(outcome) => outcome,
            None => {
                if let (Some(wire), Some(what)) = (&self.wire, deleted_in_use(&self.sim, &request)) {
                    wire.accuse(what);
                }
                let answer = self.sim.handle(request);
                if matches!(fault, Some(Fault::CrashAfter | Fault::HiddenAndCrashed)) {
                    self.alive.crash().await;
                }
                self.sim.resume(answer).await
            }
        };
        self.alive.check().await;
        let text = match &outcome {
            Outcome::Respond(response) if response.status().is_success() => response.status().as_u16().to_string(),
            Outcome::Respond(response) => {
                format!("{} {}", response.status().as_u16(), String::from_utf8_lossy(response.body()))
            }
            Outcome::DropConnection => "no answer".to_string(),
        };
        if let Some(wire) = &self.wire {
            wire.ended(place, &text);
        }
        match outcome {
            Outcome::Respond(response) => HttpResponse::try_from(response.map(|body| SdkBody::from(body.to_vec())))
                .map_err(|e| ConnectorError::other(e.into(), None)),
            Outcome::DropConnection => Err(ConnectorError::io("the connection was closed".into())),
        }
    }
}

/// AWS deletes a flow also while MediaLive takes from it, and the channel fails.
fn deleted_in_use(sim: &Sim, request: &Request<Bytes>) -> Option<String> {
    let arn = request.uri().path().strip_prefix("/v1/flows/").filter(|_| request.method() == Method::DELETE)?;
    let flows = sim.state()[REGION]["mediaconnect"]["flows"].clone();
    let flow = flows.as_array()?.iter().find(|flow| flow["flowArn"] == arn.replace("%3A", ":"))?;
    let managed = flow["outputs"].as_array()?.iter().find(|output| !output["mediaLiveInputArn"].is_null())?;
    Some(format!("DeleteFlow was sent while {} took from the flow", managed["mediaLiveInputArn"]))
}

/// The fault in the simulator's words. It strikes the very next request, which is this one.
fn planted(fault: Fault, request: &Request<Bytes>) -> Option<FaultKind> {
    let error = |status, code: &str, message: &str| (status, code.to_string(), message.to_string());
    let before = |(status, code, message)| FaultKind::FailBefore { status, code, message };
    let after = |(status, code, message)| FaultKind::FailAfter { status, code, message };
    let broken = || error(500, "InternalServerErrorException", "An error occurred.");
    let flows = request.uri().host().is_some_and(|host| host.starts_with("mediaconnect"));
    Some(match fault {
        Fault::CrashBefore | Fault::CrashAfter | Fault::Late | Fault::LateAndCrashed => return None,
        Fault::Lost => FaultKind::DropAfter,
        Fault::Conflict if flows => {
            before(error(400, "BadRequestException", "The flow is UPDATING and takes no change now."))
        }
        Fault::Conflict => before(error(409, "ConflictException", "It is being changed.")),
        Fault::Refused => before(error(400, "BadRequestException", "A value is not valid.")),
        Fault::Throttled => FaultKind::Throttle,
        Fault::ErrorBefore => before(broken()),
        Fault::ErrorAfter => after(broken()),
        Fault::SlowBefore => FaultKind::Delay { milliseconds: SLOW, when: When::Before },
        Fault::SlowAfter => FaultKind::Delay { milliseconds: SLOW, when: When::After },
        Fault::Stale => FaultKind::Stale { seconds: LINGER },
        Fault::HiddenFromLists | Fault::HiddenAndCrashed => FaultKind::HideFromLists { seconds: LINGER },
        Fault::HiddenFromReads => FaultKind::HideFromReads { seconds: LINGER },
    })
}

/// What a request is, from the outside.
fn describe(request: &Request<Bytes>) -> (String, Effect) {
    let target = request.headers().get("x-amz-target").and_then(|target| target.to_str().ok());
    let path = request.uri().path();
    let operation = target.and_then(|t| t.rsplit('.').next()).or_else(|| path.split("/operation/").nth(1));
    if let Some(operation) = operation {
        let effect = match operation {
            _ if operation.starts_with("Get") || operation.starts_with("List") => Effect::AwsRead,
            _ if operation.starts_with("Create") => Effect::AwsCreate,
            _ => Effect::AwsChange,
        };
        return (operation.to_string(), effect);
    }
    let parts: Vec<String> = path
        .trim_matches('/')
        .split('/')
        .map(|part| match part.rsplit_once("%3A") {
            Some((_, name)) => format!("*:{name}"),
            None => part.to_string(),
        })
        .collect();
    let creates =
        ["flows", "outputs", "source", "channels", "inputs"].contains(&parts.last().map_or("", String::as_str));
    let effect = match *request.method() {
        Method::GET => Effect::AwsRead,
        Method::POST if creates => Effect::AwsCreate,
        _ => Effect::AwsChange,
    };
    (format!("{} {}", request.method(), parts.join("/")), effect)
}
