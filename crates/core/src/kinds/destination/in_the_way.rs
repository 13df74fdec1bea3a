//! What is in the way of more than the step that is taken: it is told beside what is waited for.

use super::Outcome;
use super::connection::{Connection, Fed};
use super::observed::{Observed, Programme};
use super::wanted::Wanted;
use crate::api::destination::Destination;
use crate::endpoint::Role;
use crate::failure::{FailureClass, Problem};
use crate::plan::Step;
use crate::reasons::Reason;
use crate::resources::flow::FlowState;
use crate::waiting::Waiting;
use crate::wording::ended;

/// That the flow is in state ERROR.
pub(super) fn flow_error(source: &str) -> Problem {
    let text = format!("The flow of Source {source} is in state ERROR; the messages of that Source say more.");
    Problem::new(Reason::FlowError, text)
}

/// What AWS has refused because the flow is in state ERROR: no field of the spec is wrong, and it goes on when the Source has taken
/// the flow out of that state. AWS documents no list of what a flow in ERROR takes.
pub(super) fn refused_in_error(destination: &Destination, outcome: &Outcome<'_>) -> Option<String> {
    let failure = outcome.failure.filter(|f| matches!(f.class, FailureClass::Invalid | FailureClass::Conflict))?;
    let in_error = matches!(outcome.seen?.flow, Programme::Flow { state: FlowState::Error, .. });
    let is_of_flow = failure.operation.starts_with("mediaconnect:") || failure.operation.ends_with("Input");
    (in_error && is_of_flow).then(|| {
        let said = ended(&failure.message);
        format!("{} {}: {said}", flow_error(&destination.spec.from.name).message, failure.operation)
    })
}

/// Why an endpoint cannot take the place of one that is waited for, or could not be fed again.
pub(super) fn missing(outcome: &Outcome<'_>, fed: &[Fed]) -> Option<String> {
    let Some(Step::Wait { on, .. }) = outcome.step else { return None };
    let is_outage = on.is_carried_out() || matches!(on, Waiting::Connecting(_) | Waiting::Restarting { .. });
    let wanted = outcome.wanted.filter(|wanted| wanted.running && is_outage && outcome.failure.is_none())?;
    let is_fed = |role: Role| fed.iter().any(|fed| fed.role == role);
    let is_lost = matches!(on, Waiting::Restarting { .. }) || fed.iter().any(|fed| fed.connection == Connection::Down);
    if let Some(text) = held(wanted, outcome.seen?).filter(|_| is_lost) {
        return Some(text);
    }
    let (role, problem) = problems(wanted).min_by_key(|(role, _)| is_fed(*role))?;
    Some(match (role, is_fed(role)) {
        (_, true) => format!("Once it is off the air it cannot be started again: {}", problem.message),
        (Role::Primary, false) => format!("The primary endpoint cannot be fed: {}", problem.message),
        (Role::Backup, false) => format!("The backup endpoint cannot be fed: {}", problem.message),
    })
}

/// That somebody has decided which endpoint is fed, where a failure would else.
fn held(wanted: &Wanted, seen: &Observed) -> Option<String> {
    let endpoints = wanted.outputs.len().max(wanted.channel.as_ref().map_or(0, |channel| channel.endpoints.len()));
    let told = seen.failover.requested.filter(|_| !wanted.hot && endpoints == 2)?.word();
    Some(format!(
        "The annotation playout.dev/active-endpoint: {told} keeps the other endpoint from taking its place; without it that goes by itself."
    ))
}

fn problems(wanted: &Wanted) -> impl Iterator<Item = (Role, &Problem)> {
    let of_outputs = wanted.outputs.iter().filter_map(|(role, o)| Some((*role, o.settings.as_ref().err()?)));
    let endpoints = wanted.channel.iter().flat_map(|channel| &channel.endpoints);
    of_outputs.chain(endpoints.filter_map(|(role, e)| Some((*role, e.target.as_ref().err()?))))
}
