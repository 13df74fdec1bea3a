//! The decision for a Destination. Pure and total: no clock, no client.
//!
//! Every action names something that is this Destination's alone. Nothing here can touch another.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hash::{Hash as _, Hasher};
use std::ops::ControlFlow::{Break, Continue};

pub use super::action::Action;
use super::connection::fed;
use super::differences::difference;
use super::left::last_word;
use super::memory::{Memory, Next, Remember, after};
use super::observed::{Observed, Programme};
use super::outputs::{self, Flow};
use super::restart::known;
use super::transcode::Path;
use super::waiting_changes;
use super::wanted::Wanted;
use crate::failure::Problem;
use crate::fight::Left;
use crate::frame::{Facts, Wish, frame};
use crate::left::Farewell;
use crate::plan::{Deferred, Desired, IN_TRANSITION, Plan, SOON, Step};
use crate::reasons::Reason;
use crate::resources::{channel, secret_copy};
use crate::restart::Phase;
use crate::waiting::Waiting;

/// Decides, in the frame of all kinds.
#[must_use]
pub fn plan(desired: &Desired<Wanted>, retain: bool, seen: &Observed) -> Plan<Action, Memory> {
    frame(desired, retain, seen)
}

impl Wish for Wanted {
    type Seen = Observed;
    type Action = Action;
    type Memory = Memory;

    fn plan(&self, seen: &Observed) -> Plan<Action, Memory> {
        decide(self, seen)
    }

    fn rest(&self, seen: &Observed) -> Plan<Action, Memory> {
        planned(self, seen, &Remember::default(), Step::Settled)
    }

    fn housekeeping(&self, seen: &Observed) -> Vec<Action> {
        housekeeping(self, seen)
    }

    fn is_suspended(&self) -> bool {
        self.suspended
    }

    fn is_on(&self, _: &Observed) -> bool {
        self.running
    }

    fn hash_keys(&self, hash: &mut impl Hasher) {
        self.key_versions.hash(hash);
    }

    fn difference(wanted: Option<&Self>, seen: &Observed, action: &Action) -> String {
        difference(wanted, seen, action)
    }
}

impl Facts for Observed {
    type Action = Action;

    fn retire(&self) -> Step<Action> {
        toward_absent(self)
    }

    fn before_it_goes(&self, _: bool) -> Option<Step<Action>> {
        // Whoever has taken over what it had has all of it.
        self.taken_over_by().map(|_| Step::Gone)
    }

    fn last_word(&self) -> Farewell {
        last_word(self)
    }

    fn leave(&mut self, left: Left) {
        self.left = left;
    }
}

/// What has to be remembered is remembered first, and what is next follows from it.
fn decide(wanted: &Wanted, seen: &Observed) -> Plan<Action, Memory> {
    let (mut now, mut decided) = (Cow::Borrowed(seen), Remember::default());
    // With another key it begins anew, and with the primary.
    if seen.restart.as_ref().is_some_and(|state| state.phase == Phase::GaveUp) && known(wanted, seen).is_none() {
        now.to_mut().failover.failed_over_to = None;
    }
    let step = loop {
        match toward_present(wanted, &now) {
            Continue(step) => break step,
            // One failure is counted once: what follows another one is seen by the next look.
            Break(more) if decided.has(&more) => break wait_for_a_look(wanted, &now),
            Break(Remember { restart, lead }) => {
                let now = now.to_mut();
                if let Some(state) = restart {
                    let before = now.restart.take().and_then(|before| before.key_versions);
                    let keys = wanted.key_versions.as_ref().or(before.as_ref());
                    now.restart = Some(state.clone().with_keys(keys));
                    decided.restart = Some(state);
                }
                if let Some(lead) = lead {
                    now.failover.failed_over_to = Some(lead.to);
                    decided.lead = Some(lead);
                }
            }
        }
    };
    planned(wanted, &now, &decided, step)
}

fn planned(wanted: &Wanted, seen: &Observed, decided: &Remember, step: Step<Action>) -> Plan<Action, Memory> {
    let memory = after(wanted, seen, decided, &step);
    Plan { memory, deferred: deferred(wanted, seen), ..Plan::from(step) }
}

/// What waits for a stop.
fn deferred(wanted: &Wanted, seen: &Observed) -> Vec<Deferred> {
    let fields = pending_changes(wanted, seen);
    if fields.is_empty() {
        return Vec::new();
    }
    let why =
        format!("Changes of {} wait: stop it, or set updatePolicy to Restart, which interrupts it.", fields.join(", "));
    vec![Deferred { fields, why }]
}

fn wait_for_a_look(wanted: &Wanted, seen: &Observed) -> Step<Action> {
    let at = fed(Some(wanted), seen).into_iter().next().map(|fed| fed.at);
    Step::wait(at.map_or(Waiting::ChannelUpdating, Waiting::Connecting), SOON)
}

fn toward_absent(seen: &Observed) -> Step<Action> {
    // What cannot be seen cannot be removed; it can be stopped.
    if !seen.recorded.is_empty()
        && let Some(step) = off_the_air(seen)
    {
        return step;
    }
    let ways: Vec<_> = [outputs::retire(seen), retire_channel(seen)].into_iter().flatten().collect();
    match together(ways) {
        Some(step) => step,
        None => match copies(seen) {
            copies if copies.is_empty() => Step::Gone,
            copies => Step::Act(copies),
        },
    }
}

/// The way of the channel and its input to nothing; `None` when nothing is left.
fn retire_channel(seen: &Observed) -> Option<Step<Action>> {
    seen.parts().retire().map(|step| step.map(Action::Channel))
}

/// What can be done now of several ways is done at once; else the first wait is waited.
fn together(ways: Vec<Step<Action>>) -> Option<Step<Action>> {
    let actions: Vec<_> =
        ways.iter().flat_map(|s| if let Step::Act(actions) = s { actions.clone() } else { Vec::new() }).collect();
    if actions.is_empty() { ways.into_iter().next() } else { Some(Step::Act(actions)) }
}

/// Copies of passwords that nothing needs any more.
fn copies(seen: &Observed) -> Vec<Action> {
    secret_copy::unused(std::iter::empty(), &seen.secrets, outputs::read(seen)).into_iter().map(Action::Copy).collect()
}

/// What is put in order beside the step, and holds up nothing: tags, and copies of passwords that nothing reads.
#[must_use]
pub fn housekeeping(wanted: &Wanted, seen: &Observed) -> Vec<Action> {
    if seen.taken_over_by().is_some() {
        return Vec::new();
    }
    let lacks = |tags: &BTreeMap<String, String>| wanted.tags.iter().any(|(k, v)| tags.get(k) != Some(v));
    let mut actions = outputs::untagged(wanted, seen, lacks);
    if wanted.channel.is_some() {
        actions.extend(channel::untagged(seen.parts(), &wanted.tags).into_iter().map(Action::Channel));
    }
    if wanted.problem.is_none() {
        actions.extend(match &wanted.channel {
            None => outputs::unused_copies(wanted, seen),
            Some(_) => copies(seen),
        });
    }
    actions
}

fn not_ours(text: String) -> Step<Action> {
    Step::Stalled(Problem::new(Reason::NotOurs, text))
}

fn toward_present(wanted: &Wanted, seen: &Observed) -> Next {
    if let Some(uid) = seen.taken_over_by() {
        let text = format!(
            "What this Destination had in AWS was taken over by the Destination of the same cluster id, namespace and name that has UID {uid}: two clusters have one identity. This one does nothing any more. Delete it here, which removes nothing in AWS; to take it back, create it anew."
        );
        return Continue(Step::Stalled(Problem::new(Reason::TakenOver, text)));
    }
    // A stop comes alone and before anything that AWS could refuse: what cannot be changed, or not even understood, can
    // still be stopped.
    if !wanted.running {
        if let Some(step) = off_the_air(seen) {
            return Continue(step);
        }
        if seen.gives_way
            && let Some(step) = outputs::retire(seen)
        {
            return Continue(step);
        }
        // Only what streams is paid for: the channel goes with the show.
        let prepared = wanted.prepare && (wanted.channel.is_some() || wanted.problem.is_some());
        if !prepared
            && let Some(step) = retire_channel(seen)
            // An input waits for ever for a channel that is not ours, and that this one still sends comes first.
            && !(matches!(step, Step::Wait { .. }) && seen.still_sends().is_some())
        {
            return Continue(step);
        }
    }
    if let Some(still) = seen.still_sends().filter(|_| !wanted.running) {
        return Continue(not_ours(format!(
            "{still} still sends: it does not bear this Destination's ownership tags and is not touched. Stop or remove it in AWS, or restore its tags. After a change of --cluster-id, start the operator with the old one."
        )));
    }
    if let Some(flow) = &seen.source_lost {
        // What is on the air stays, and what is to be off is.
        return Continue(match wanted.running || wanted.prepare {
            true => not_ours(format!(
                "Flow {flow} is not Source {}'s any more, so nothing is started on it.{} The message of that Source says what to do.",
                wanted.source,
                seen.sends().map_or_else(String::new, |still| format!(" {still} still sends."))
            )),
            false => Step::Settled,
        });
    }
    let Programme::Flow { arn, state, outputs_used, stopped, signal, region, .. } = &seen.flow else {
        return Continue(without_flow(wanted, seen));
    };
    if wanted.region.as_ref().is_some_and(|r| r != region) {
        return Continue(Step::Stalled(Problem::new(
            Reason::RegionMismatch,
            format!("spec.region is not the region of Source {} ({region}); take spec.region out.", wanted.source),
        )));
    }
    if let Some(problem) = &wanted.problem {
        return Continue(Step::Stalled(problem.clone()));
    }
    // Between deliveries: the new path is made and seen to work, then the old one goes.
    let old_path = match &wanted.channel {
        None => retire_channel(seen),
        Some(_) => outputs::retire(seen),
    };
    let new_path_begun = match &wanted.channel {
        None => !seen.outputs.is_empty(),
        Some(_) => !seen.channel.is_absent() || !seen.input.is_absent(),
    };
    if let Some(first) = &seen.migration_ahead
        && wanted.running
        && old_path.is_some()
        && !new_path_begun
    {
        return Continue(Step::wait(Waiting::MovesFirst(first.clone()), 5 * IN_TRANSITION));
    }
    let (state, outputs_used, stopped, signal) = (*state, *outputs_used, stopped.as_ref(), *signal);
    let step = match &wanted.channel {
        None => outputs::next(wanted, seen, &Flow { arn, state, outputs_used, stopped, signal })?,
        Some(channel) => {
            let path = Path { wanted, channel, seen, flow: arn, state, outputs_used, stopped, signal };
            if wanted.running || wanted.prepare { path.next()? } else { Step::Settled }
        }
    };
    Continue(match (step, old_path) {
        (Step::Settled, Some(old_path)) if has_arrived(wanted, seen) => old_path,
        (step, _) => step,
    })
}

/// Whether the show is on the new path, or there is none. What AWS does not take of it keeps the old one.
fn has_arrived(wanted: &Wanted, seen: &Observed) -> bool {
    let fed = || seen.outputs.iter().any(|(role, o)| o.output.enabled && wanted.outputs.contains_key(role));
    let up = || seen.channel.present().is_some_and(|c| c.channel.state.is_up());
    !wanted.running || if wanted.channel.is_none() { fed() } else { up() }
}

/// What takes it off the air, on both paths: by what was seen, and by what is recorded where AWS could not be looked at.
fn off_the_air(seen: &Observed) -> Option<Step<Action>> {
    let mut actions: Vec<_> =
        seen.parts().stop().map(Action::Channel).into_iter().chain(seen.recorded.stops()).collect();
    let outputs = outputs::stops(seen);
    match &seen.flow {
        Programme::Flow { state, .. } if !state.takes_changes() && !outputs.is_empty() => {
            if actions.is_empty() {
                return Some(Step::wait(state.waiting(), SOON));
            }
        }
        _ => actions.extend(outputs),
    }
    (!actions.is_empty()).then_some(Step::Act(actions))
}

fn without_flow(wanted: &Wanted, seen: &Observed) -> Step<Action> {
    // A channel that nothing can reach sends black, and costs what one with a show does.
    if seen.cut_off
        && let Some(step) = retire_channel(seen)
    {
        return step;
    }
    if let Some(problem) = wanted.problem.clone().or_else(|| wanted.running.then(|| first_problem(wanted)).flatten()) {
        return Step::Stalled(problem);
    }
    match seen.flow {
        // What may still send is not said to be stopped.
        Programme::NoFlow { certain: false } if !wanted.running => Step::wait(Waiting::CreateOutcome, IN_TRANSITION),
        _ if !wanted.running && !wanted.prepare => Step::Settled,
        Programme::NoSource => Step::wait_for_watch(Waiting::SourceNotFound(wanted.source.clone())),
        Programme::NextSource => Step::wait_for_watch(Waiting::NextSource(wanted.source.clone())),
        _ => Step::wait(Waiting::SourceNotReady(wanted.source.clone()), 5 * IN_TRANSITION),
    }
}

fn first_problem(wanted: &Wanted) -> Option<Problem> {
    let of_outputs = wanted.outputs.values().find_map(|o| o.settings.as_ref().err());
    let of_channel = || {
        let channel = wanted.channel.as_ref()?;
        channel.role_arn.as_ref().err().or_else(|| channel.endpoints.values().find_map(|e| e.target.as_ref().err()))
    };
    of_outputs.or_else(of_channel).cloned()
}

/// Changes that wait because they would interrupt what is on the air, by the names of the fields.
#[must_use]
pub fn pending_changes(wanted: &Wanted, seen: &Observed) -> Vec<String> {
    match &wanted.channel {
        None => outputs::pending_changes(wanted, seen),
        Some(channel) => waiting_changes::pending_changes(wanted, channel, seen),
    }
}

/// Changes of the channel that are not made yet, by the names of the fields.
#[must_use]
pub fn changes(wanted: &Wanted, seen: &Observed) -> Vec<String> {
    wanted.channel.as_ref().map_or_else(Vec::new, |channel| waiting_changes::changes(wanted, channel, seen))
}
