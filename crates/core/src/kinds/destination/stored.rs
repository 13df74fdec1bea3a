//! What the words of a Destination's status mean where another version has written them: told from the rest of it. So nothing is
//! made, started or counted anew, and what gave up stays given up, when words are renamed.

use serde_json::{Value, json};

use super::memory::begins_anew;
use crate::api::destination::{
    ActiveEndpoint, Destination, DestinationState, DestinationStatus, OutputStatus, RetryWord,
};
use crate::conditions::STALLED;
use crate::endpoint::Role;
use crate::reasons::Reason;
use crate::resources::channel::ChannelState;
use crate::stored::Stored;

impl Stored for Destination {
    fn least() -> Value {
        json!({ "from": { "name": "" } })
    }

    fn recall(&mut self, left_out: bool) {
        let Some(status) = &mut self.status else { return };
        let mut strange = left_out || status.active_endpoint == Some(ActiveEndpoint::Unknown);
        status.active_endpoint = status.active_endpoint.filter(|endpoint| *endpoint != ActiveEndpoint::Unknown);
        let (fed, attempt) = (fed(status), attempt(status));
        if let Some(failover) = status.failover.as_mut().filter(|f| f.endpoint == ActiveEndpoint::Unknown) {
            failover.endpoint = fed;
            strange = true;
        }
        if let Some(retries) = status.retries.as_mut().filter(|r| r.state == RetryWord::Unknown) {
            retries.state = attempt;
            strange = true;
        }
        if strange {
            // So that the next pass writes all of it anew.
            status.state = Some(DestinationState::Unknown);
        }
    }

    #[expect(clippy::indexing_slicing, reason = "a member of an object that was made here")]
    fn unread(&self) -> Value {
        let mut status = json!({ "state": DestinationState::Unknown });
        if self.status.as_ref().is_some_and(|before| begins_anew(self, before)) {
            // This status is the last that knows of the request.
            status["retries"] = Value::Null;
        }
        status
    }
}

/// The outputs of the flow that send, as recorded.
fn sending(status: &DestinationStatus) -> impl Iterator<Item = &OutputStatus> {
    let sends = |o: &&OutputStatus| o.sending == Some(true) || o.status.as_deref() == Some(super::recorded::ENABLED);
    status.outputs.iter().filter(sends)
}

/// The endpoint that leads: what is fed alone, or what the channel is made for.
fn fed(status: &DestinationStatus) -> ActiveEndpoint {
    let channel = status.channel.as_ref().map_or(&[] as &[_], |c| &c.outputs);
    let is = |role: Role| sending(status).chain(channel).any(|o| o.role == role.word());
    if is(Role::Backup) && !is(Role::Primary) { ActiveEndpoint::Backup } else { ActiveEndpoint::Primary }
}

/// Where the attempts are.
fn attempt(status: &DestinationStatus) -> RetryWord {
    let known = |reason: &str| Reason::ALL.iter().any(|r| r.as_str() == reason);
    let stalled = status.conditions.iter().find(|c| c.type_ == STALLED && c.status == "True");
    if stalled.is_some_and(|c| c.reason == Reason::GaveUp.as_str() || !known(&c.reason)) {
        return RetryWord::GaveUp;
    }
    let up = |state: &str| ChannelState::read(state).is_some_and(ChannelState::is_up);
    let channel = status.channel.as_ref().and_then(|c| c.state.as_deref()).is_some_and(up);
    let has_failed = status.retries.as_ref().is_some_and(|r| r.cause.is_some());
    if has_failed && !channel && sending(status).next().is_none() { RetryWord::Waiting } else { RetryWord::Trying }
}
