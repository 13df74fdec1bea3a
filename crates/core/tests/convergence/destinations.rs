//! The Destination: outputs of the Source's flow, or a MediaLive channel of its own, and the way from one to the other.
//!
//! Here the world also has the object's status, written when the loop writes it: what a Destination remembers is stored there.

mod facts;
pub mod lives;
mod refusals;
mod starts;
mod wishes;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use playout_api::destination::RetryWord;
use playout_api::{Destination, RECONCILE_AT};
use playout_core::action::Action as _;
use playout_core::endpoint::Role;
use playout_core::existence::Existence;
use playout_core::failover::{FailoverState, Lead, Leads};
use playout_core::failure::Failure;
use playout_core::fight::Left;
use playout_core::frame::frame;
use playout_core::identity::{Identity, Ownership, TAG_UID};
use playout_core::kinds::destination::Outcome;
use playout_core::kinds::destination::groups;
use playout_core::kinds::destination::memory::{self, Memory};
use playout_core::kinds::destination::observed::{ChannelSeen, EndpointSeen, Observed, OutputSeen, Programme};
use playout_core::kinds::destination::plan::Action as A;
use playout_core::kinds::destination::status::status;
use playout_core::kinds::destination::wanted::Wanted;
use playout_core::plan::{Desired, Step};
use playout_core::reasons::Reason;
use playout_core::resources::channel::{
    ChannelAction, ChannelSettings, ChannelState, InputSource, NewChannel, NewInput, Quotas,
};
use playout_core::resources::flow::{FlowOutput, FlowState, OutputAction};
use playout_core::resources::secret_copy::CopyAction;
use playout_core::restart::Phase;
use playout_core::usage::Usage;
use playout_core::waiting::{StaysOff, Waiting};
use serde_json::{Value, json};

use super::sources::{managed, source_wishes, worlds_of};
use super::{Kind, Tally, everywhere, faults, print, settled};
use crate::fixtures::world::live::{LIMIT, Made, WorldChannel};
use crate::fixtures::world::{No, World};
use crate::fixtures::{
    DestinationPlan, at, backup_json, connected, deleted, destination_json, destination_object, destination_spec_of,
    destination_wanted, identity, outcome_of, present, references, srt_json,
};
use facts::*;
use starts::*;
use wishes::*;

struct DestinationShow;

#[derive(Debug)]
struct Wish {
    name: &'static str,
    desired: Desired<Wanted>,
    object: Destination,
    retain: bool,
    told: Option<Role>,
    refuses: &'static [Role],
    /// Whether the Source keeps its flow on the air.
    on: bool,
    signal: bool,
    /// Whether others use up the quota of channels.
    full: bool,
    /// Whether another Destination needs the places that its outputs have on the flow.
    gives_way: bool,
    /// Its channel stops by itself, each time that it feeds one of these.
    dies: &'static [Role],
    migration_ahead: Option<&'static str>,
    /// Outputs at rest that are fed, and those that are not.
    fed: &'static [Role],
    ready: &'static [Role],
    /// The channel at rest.
    channel: Rest,
    /// One of the two is fed, whichever.
    either: bool,
    /// An output of the state before may be left as it was, stopped.
    lazy: bool,
    copies: usize,
    encrypted: bool,
    ends: Ends,
    /// From some states it ends so.
    or: &'static [Reason],
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Ends {
    Settled,
    FlowOff,
    NoSignal,
    Told(Reason),
    Gone,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Rest {
    Nothing,
    Idle,
    Running(&'static [Role]),
    /// Whatever it was before.
    AsBefore,
}

impl Wish {
    fn wanted(&self) -> Option<&Wanted> {
        match &self.desired {
            Desired::Present(wanted) => Some(wanted),
            Desired::Absent | Desired::Invalid(_) => None,
        }
    }

    fn transcodes(&self) -> bool {
        self.wanted().is_some_and(|w| w.channel.is_some())
    }

    /// With what it remembers.
    fn object(&self, world: &World) -> Destination {
        Destination { status: world.status.as_deref().cloned(), ..self.object.clone() }
    }

    fn outcome<'a>(
        &'a self,
        seen: &'a Observed,
        plan: &'a DestinationPlan,
        failure: Option<&'a Failure>,
        second: i64,
    ) -> Outcome<'a> {
        Outcome { failure, ..outcome_of(self.wanted(), Some(seen), Some(plan), second) }
    }
}

impl Kind for DestinationShow {
    type Wish = Wish;
    type Seen = Observed;
    type Action = A;
    type Memory = Memory;

    /// The longest way: the primary is given up for the backup, and both are refused three times, with pauses.
    const PASSES: usize = 120;

    fn name(wish: &Wish) -> &'static str {
        wish.name
    }

    fn leaves_nothing(wish: &Wish) -> bool {
        match wish.wanted() {
            Some(wanted) => !wanted.running && !wanted.prepare,
            None => !wish.retain,
        }
    }

    fn look(world: &World, wish: &Wish) -> Observed {
        let id = id();
        let object = wish.object(world);
        let used = |ours: usize| Usage {
            used: ours + world.live.others,
            limit: LIMIT,
            by: vec!["Destination show/other".into()],
        };
        let there = |c: &&WorldChannel| c.channel.state != ChannelState::Deleted;
        Observed {
            flow: match &world.flow {
                None => Programme::NoSource,
                Some(f) => Programme::Flow {
                    arn: f.flow.arn.clone(),
                    state: f.flow.state,
                    outputs_used: f.flow.outputs.len() + world.more_outputs,
                    stopped: (!wish.on).then_some(StaysOff::Told),
                    signal: Some(wish.signal),
                    bitrate_kbps: Some(5000),
                    region: crate::fixtures::REGION.into(),
                },
            },
            outputs: outputs(world, wish),
            secrets: world.secrets.clone(),
            secrets_asked: true,
            secret_names: Vec::new(),
            lost_secrets: Vec::new(),
            input: world.live.input(&id),
            channel: match world.live.channel(&id) {
                Existence::Present(found) => Existence::Present(channel(&found, wish)),
                Existence::Absent => Existence::Absent,
                Existence::Unknown => Existence::Unknown,
            },
            cut_off: match (world.live.channel(&id), world.live.input(&id)) {
                (Existence::Present(_), Existence::Present(input)) => {
                    world.flow.as_ref().is_none_or(|f| !input.flows.contains(&f.flow.arn))
                }
                _ => false,
            },
            quotas: Some(Quotas {
                channels: used(world.live.channels.iter().filter(there).count()),
                inputs: used(world.live.inputs.len()),
                ahead: 0,
            }),
            restart: memory::restart(&object, at(world.clock)),
            failover: FailoverState { requested: wish.told, failed_over_to: memory::failed_over_to(&object) },
            left: Default::default(),
            not_ours: Vec::new(),
            source_lost: None,
            migration_ahead: wish.migration_ahead.map(str::to_string),
            gives_way: wish.gives_way,
            recorded: Default::default(),
        }
    }

    fn plan(wish: &Wish, seen: &Observed) -> DestinationPlan {
        frame(&wish.desired, wish.retain, seen)
    }

    fn goes_first(memory: &Memory) -> bool {
        memory.goes_first
    }

    fn wrongly_decided(before: &World, wish: &Wish, memory: &Memory) -> Option<String> {
        let noted = memory.restart.as_ref().filter(|_| memory.goes_first && memory.is_anew);
        if let Some(tries) = noted.filter(|tries| tries.phase != Phase::Running) {
            let cause = tries.cause.as_deref().unwrap_or_default();
            if !is_true(before, wish, cause) {
                return Some(format!("a restart was counted although nothing failed: {cause}"));
            }
        }
        match &memory.leads {
            Leads::Decided(Lead { why, .. }) if why.contains("by itself") && is_true(before, wish, why) => None,
            Leads::Decided(Lead { to, .. }) if !wish.refuses.contains(&to.other()) => {
                Some("it was switched although what was fed takes the stream".into())
            }
            _ => None,
        }
    }

    fn is_steady(world: &World, wish: &Wish, seen: &Observed, plan: &DestinationPlan) -> bool {
        // What is done now is remembered as done now.
        let is_told = matches!(&plan.step, Step::Act(actions) if actions.iter().any(|a| a.effect().is_kept));
        if is_told || plan.memory.is_anew || matches!(plan.memory.leads, Leads::Decided(_) | Leads::Seen(_)) {
            return true;
        }
        let mut object = wish.object(world);
        let first = status(&object, &wish.outcome(seen, plan, None, world.clock));
        object.status = Some(first.clone());
        first == status(&object, &wish.outcome(seen, plan, None, world.clock + 3600))
    }

    fn remember(
        world: &mut World,
        wish: &Wish,
        seen: &Observed,
        plan: &DestinationPlan,
        failure: Option<&Failure>,
    ) -> bool {
        let now = status(&wish.object(world), &wish.outcome(seen, plan, failure, world.clock));
        let changed = world.status.as_deref() != Some(&now);
        if changed {
            world.status = Some(Rc::new(now));
        }
        changed
    }

    fn intend(world: &mut World, action: &A, is: bool) {
        match Made::by(action) {
            Some(made) if is => world.live.intend(made),
            Some(_) => world.live.intent = None,
            None => {}
        }
    }

    fn act(world: &mut World, action: &A) -> Result<(), No> {
        world.act_destination(action)
    }

    fn made(world: &mut World, action: &A, answered: bool) {
        if !answered {
            world.live.hide(action);
        }
    }

    fn sin(before: &World, after: &World, wish: &Wish, action: &A) -> Option<String> {
        let id = id();
        if others(before) != others(after) {
            return Some("an output of another was touched".into());
        }
        let foreign = |w: &World| {
            let channels = w.live.channels.iter().filter(|c| id.ownership(&c.channel.tags) == Ownership::Foreign);
            let inputs = w.live.inputs.iter().filter(|i| id.ownership(&i.input.tags) == Ownership::Foreign);
            (channels.cloned().collect::<Vec<_>>(), inputs.cloned().collect::<Vec<_>>())
        };
        if !before.live.channels.is_empty() && foreign(before) != foreign(after) {
            return Some("a channel or an input of another was touched".into());
        }
        let channels = after.live.our_channels(&id).count();
        if channels > 1 || after.live.our_inputs(&id).count() > 1 {
            return Some("a second channel or input was made".into());
        }
        if matches!(action, A::Channel(ChannelAction::Start { .. })) && !is_active(before) {
            return Some("the channel was started before its flow".into());
        }
        let makes = matches!(
            action,
            A::Output(OutputAction::Add { .. })
                | A::Output(OutputAction::Update { .. })
                | A::Copy(CopyAction::Create { .. })
                | A::Channel(ChannelAction::CreateInput(_))
                | A::Channel(ChannelAction::Create(_))
                | A::Channel(ChannelAction::Update { .. })
                | A::Channel(ChannelAction::Start { .. })
                | A::Channel(ChannelAction::Tag { .. })
        );
        let Some(wanted) = wish.wanted() else {
            return makes.then(|| "something was made or started that is being deleted".into());
        };
        if wanted.suspended {
            return Some("a suspended Destination was acted upon".into());
        }
        let lives = |a: &A| {
            matches!(
                a,
                A::Channel(ChannelAction::CreateInput(_))
                    | A::Channel(ChannelAction::Create(_))
                    | A::Channel(ChannelAction::Update { .. })
            )
        };
        if !wish.transcodes() && lives(action) || !wanted.running && !wanted.prepare && lives(action) {
            return Some("a channel was made or changed that nobody wants".into());
        }
        if !wanted.running {
            let fed = |w: &World| {
                let outputs = w.flow.iter().flat_map(|f| &f.flow.outputs).filter(|o| o.enabled);
                outputs.filter(|o| role(&o.name).is_some()).count()
            };
            let starts = fed(after) > fed(before) || matches!(action, A::Channel(ChannelAction::Start { .. }));
            return starts.then(|| "it began to send unasked".into());
        }
        let fed = |w: &World| {
            let outputs = w.flow.iter().flat_map(|f| &f.flow.outputs).filter(|o| role(&o.name).is_some());
            outputs.filter(|o| o.enabled).count()
        };
        if matches!(action, A::Output(OutputAction::Update { .. }))
            && fed(before) > 0
            && fed(after) == 0
            && !holds_back(before)
        {
            return Some("a switch had one half".into());
        }
        if on_air(before, wish) == 0 || on_air(after, wish) > 0 {
            return None;
        }
        let of_channel = matches!(action, A::Channel(ChannelAction::Stop { .. }));
        if of_channel != wish.transcodes() && wish.dies.is_empty() {
            return Some("the old path went before the new one was seen to work".into());
        }
        // What is told, or was decided, does not wait; nor what is to be stopped for a pause, or because the Source is.
        let switches = wanted.channel.as_ref().is_some_and(|c| c.endpoints.len() == 2) && !wanted.hot;
        // Nor what nothing can reach.
        let cut_off = Self::look(before, wish).cut_off;
        let reason = wanted.may_interrupt || switches || holds_back(before) || !wish.on || cut_off;
        (!reason).then(|| "a running show went off the air".into())
    }

    fn wrong(world: &World, wish: &Wish, step: &Step<A>) -> Option<String> {
        let expect = |right: bool, text: &str| (!right).then(|| format!("{text}: {step:?}"));
        let id = id();
        let outputs = world.flow.iter().flat_map(|f| &f.flow.outputs).filter(|o| role(&o.name).is_some());
        let (foreign, mine): (Vec<_>, Vec<_>) = outputs.partition(|o| ours(world, o) == Ownership::Foreign);
        let roles = |enabled| -> Vec<Role> {
            let found = mine.iter().filter(|o| o.enabled == enabled).filter_map(|o| role(&o.name));
            found.collect::<BTreeSet<_>>().into_iter().collect()
        };
        let channel = world.live.our_channels(&id).next();
        let input = world.live.our_inputs(&id).next();
        let nothing = channel.is_none() && input.is_none();
        if wish.desired == Desired::Absent {
            let clean = wish.retain || (mine.is_empty() && world.secrets.is_empty() && nothing);
            return expect(*step == Step::Gone && clean, "something is left, or the finalizer stays");
        }
        let wanted = present(wish.desired.clone());
        if wanted.suspended {
            return expect(*step == Step::Settled, "it is suspended");
        }
        let may_have_one = wanted.running || wanted.prepare && wish.transcodes();
        if !may_have_one && !nothing {
            return Some("a channel is left that nobody wants".into());
        }
        let still = is_active(world) && foreign.iter().any(|o| o.enabled);
        if still && !wanted.running {
            return expect(
                matches!(step, Step::Stalled(p) if p.reason == Reason::NotOurs),
                "what is not ours still sends",
            );
        }
        if !foreign.is_empty() && wanted.problem.is_none() && !wish.transcodes() {
            return expect(matches!(step, Step::Stalled(p) if p.reason == Reason::NotOurs), "it is not ours");
        }
        let used = world.flow.as_ref().map_or(0, |f| f.flow.outputs.len()) + world.more_outputs;
        let told = |reasons: &[Reason]| matches!(step, Step::Stalled(p) if reasons.contains(&p.reason));
        // Asked to, it begins anew, and so does another spec; otherwise it stays given up.
        let again = wish.object.metadata.annotations.is_some();
        if told(&[Reason::GaveUp]) && !again {
            let off = match (wish.transcodes(), wish.channel) {
                (false, _) => roles(true).is_empty(),
                (true, _) if wanted.prepare => channel.is_none_or(|c| c.channel.state == ChannelState::Idle),
                (true, _) => nothing,
            };
            return expect(off && holds_back(world), "it gave up and costs something");
        }
        if wish.transcodes() {
            if world.flow.is_some() && (wanted.running || wanted.prepare) {
                if matches!(step, Step::Wait { on: Waiting::MovesFirst(_), .. }) {
                    return expect(wish.migration_ahead.is_some() && !mine.is_empty() && nothing, "it does not wait");
                }
                let no_room = used >= 50 && input.is_none() || wish.full && channel.is_none();
                if no_room && (wish.on || wanted.prepare) {
                    let reasons = [Reason::QuotaExceeded, Reason::SecretMissing, Reason::RoleMissing];
                    return expect(told(&reasons), "there is no room");
                }
            }
            return wrong_channel(world, wish, &wanted, channel, step);
        }
        let missing = wanted.outputs.len() - mine.len().min(wanted.outputs.len());
        if used + missing > 50 && missing > 0 && (wanted.running || wanted.prepare) {
            return expect(told(&[Reason::QuotaExceeded, Reason::SecretMissing]), "the flow is full");
        }
        let right = match (wish.ends, world.flow.is_some()) {
            (Ends::Settled, true) => *step == Step::Settled,
            (Ends::FlowOff, true) => matches!(step, Step::Wait { on: Waiting::SourceStopped(..), .. }),
            (Ends::Told(reason), true) => told(&[reason]) || told(wish.or),
            (Ends::Told(reason), false) if reason != Reason::GaveUp => told(&[reason]),
            (Ends::Gone | Ends::NoSignal, _) => false,
            (_, false) if !wanted.running && !wanted.prepare => *step == Step::Settled,
            (_, false) => matches!(step, Step::Wait { on: Waiting::SourceNotFound(_), .. }),
        };
        // What waits under WhenStopped, or stays for the next start, is as it was before.
        let as_requested = world.flow.is_none()
            || (wish.lazy && (wish.fed.is_empty() == roles(true).is_empty() || wish.ends != Ends::Settled))
            || (roles(true) == wish.fed && roles(false) == wish.ready)
            // It never goes back by itself: whichever was fed before may still be.
            || (wish.either && roles(true).len() == 1 && roles(false).len() == 1);
        let settings = wish.lazy
            || !wanted.may_interrupt
            || mine.iter().all(|o| {
                o.settings.encryption.is_some() == wish.encrypted && {
                    let wish = role(&o.name).and_then(|r| wanted.outputs.get(&r));
                    wish.and_then(|w| w.settings.as_ref().ok())
                        .is_some_and(|w| w.destination == o.settings.destination && w.rtmp == o.settings.rtmp)
                }
            });
        let copies = wish.lazy || !wanted.may_interrupt || world.flow.is_none() || world.secrets.len() == wish.copies;
        let moved = world.flow.is_none() || wish.ends != Ends::Settled || nothing;
        expect(right, "the answer is wrong")
            .or_else(|| expect(as_requested, &format!("fed {:?}, ready {:?}", roles(true), roles(false))))
            .or_else(|| expect(settings, "the settings"))
            .or_else(|| expect(copies, "the copies of passwords"))
            .or_else(|| expect(moved, "the old path is still there"))
    }

    /// What is to be off the air is, whatever AWS does not take; and what is sent goes on when a change of it is refused.
    fn wrong_beside(world: &World, wish: &Wish, refused: &A) -> Option<String> {
        let id = id();
        let outputs = world.flow.iter().flat_map(|f| &f.flow.outputs).filter(|o| role(&o.name).is_some());
        let sends = outputs.filter(|o| o.enabled && ours(world, o) != Ownership::Foreign).count();
        let runs = world.live.our_channels(&id).filter(|c| c.channel.state.is_up()).count();
        let is_stop = matches!(
            refused,
            A::Output(OutputAction::Update { enabled: Some(false), .. })
                | A::Output(OutputAction::Stop { .. })
                | A::Channel(ChannelAction::Stop { .. })
                | A::Output(OutputAction::Remove { .. })
                | A::Channel(ChannelAction::Delete { .. })
        );
        let off = match &wish.desired {
            Desired::Present(wanted) => !wanted.running && !wanted.suspended,
            _ => !wish.retain,
        };
        (off && !is_stop && sends + runs > 0).then(|| format!("{refused:?} is refused, and it is on the air"))
    }

    fn leave(seen: &mut Observed, left: Left) {
        seen.left = left;
    }

    /// The Source starts and stops its flow; others come and go; a channel stops.
    fn nature(world: &mut World, wish: &Wish) -> bool {
        let others = if wish.full { LIMIT } else { world.live.others.min(LIMIT - 1) };
        let mut moved = world.live.others != others;
        world.live.others = others;
        let id = id();
        for channel in &mut world.live.channels {
            let feeds = groups::targets(&channel.channel.settings).keys().any(|role| wish.dies.contains(role));
            let dies = feeds && channel.channel.state == ChannelState::Running && channel.age >= 20;
            if dies && id.ownership(&channel.channel.tags) != Ownership::Foreign {
                channel.channel.state = ChannelState::Stopping;
                channel.died = true;
                moved = true;
            }
        }
        let Some(flow) = &mut world.flow else { return moved };
        let next = match (flow.flow.state, wish.on) {
            (FlowState::Standby, true) => FlowState::Starting,
            (FlowState::Active, false) => FlowState::Stopping,
            _ => return moved,
        };
        flow.flow.state = next;
        true
    }
}

#[test]
fn a_destination_converges_from_every_state_under_every_wish() {
    let (wishes, mut tally) = (with_generations(passthrough()), Tally::default());
    let states = everywhere::<DestinationShow>(destination_starts(), &wishes, 3, 1, &mut tally);
    print(&tally, "Destination", states);
    assert!(tally.schedules > 2000);
}

#[test]
fn a_destination_converges_after_a_crash_a_refusal_or_a_lost_answer_at_every_action() {
    let (wishes, mut tally) = (with_generations(passthrough()), Tally::default());
    let starts = settled::<DestinationShow>(&destination_starts(), &wishes, &mut tally);
    faults::<DestinationShow>(&starts, &wishes, &mut tally);
    print(&tally, "Destination with faults", starts.len());
    assert!(tally.schedules > 2000);
}

#[test]
fn a_transcoded_destination_converges_from_every_state_under_every_wish() {
    let (wishes, mut tally) = (with_generations(transcode()), Tally::default());
    let states = everywhere::<DestinationShow>(live_starts(&wishes), &wishes, 2, 3, &mut tally);
    print(&tally, "Transcode", states);
    assert!(tally.schedules > 2000);
}

#[test]
fn a_transcoded_destination_converges_after_a_crash_a_refusal_or_a_lost_answer_at_every_action() {
    let (wishes, mut tally) = (with_generations(transcode()), Tally::default());
    let starts = live_starts(&wishes);
    faults::<DestinationShow>(&starts, &wishes, &mut tally);
    print(&tally, "Transcode with faults", starts.len());
    assert!(tally.schedules > 2000);
}
