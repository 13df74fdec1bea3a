//! `plan(wish, facts) == step` for a Destination with `delivery: Transcode`. Each test is a sentence: one valid fixture, one
//! change.

mod backup;
mod blocked;
mod edits;
mod life;
mod moves;
mod retry;
mod states;

use std::time::Duration;

use playout_api::policy::RetryPolicy;
use playout_core::action::Action as _;
use playout_core::endpoint::Role;
use playout_core::evidence::is_refusal;
use playout_core::existence::Existence;
use playout_core::failover::{FailoverState, Lead, Leads};
use playout_core::identity::{Ownership, TAG_UID};
use playout_core::kinds::destination::connection::MEASUREMENT_PATIENCE;
use playout_core::kinds::destination::memory::Memory;
use playout_core::kinds::destination::observed::{EndpointSeen, NotOurs, Observed, Programme};
use playout_core::kinds::destination::plan::{Action, housekeeping, pending_changes, plan};
use playout_core::kinds::destination::wanted::{Roles, wanted};
use playout_core::plan::{Desired, Memory as _, Step};
use playout_core::reasons::Reason;
use playout_core::resources::channel::{ChannelAction, ChannelState, InputSource, InputState, NewInput, Quotas};
use playout_core::resources::flow::FlowState;
use playout_core::restart::{LONGEST_PAUSE, Phase, RestartPolicy, RestartState};
use playout_core::usage::Usage;
use playout_core::waiting::{StaysOff, Waiting};
use serde_json::{Value, json};

use crate::fixtures::steps::{act, one, stuck, waits};
use crate::fixtures::transcode::*;
use crate::fixtures::{
    FLOW, LIVE_ROLE, REGION, backup_json, connected, dest, destination_seen, destination_wanted, identity, present,
    programme, references, references_at,
};

fn new_input() -> NewInput {
    match one(decide(&live(&[]), &nothing())) {
        Action::Channel(ChannelAction::CreateInput(new)) => *new,
        other => panic!("an input, not {other:?}"),
    }
}
