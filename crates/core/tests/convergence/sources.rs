//! A Source as the walk knows it: what is requested of it, where it may begin, and what must hold of every pass.

pub mod lives;
mod starts;
mod wishes;

pub use starts::{managed, worlds_of};
pub use wishes::source_wishes;

use super::*;
use playout_core::resources::flow::FlowAction;
use starts::*;
use wishes::*;

// ---------------------------------------------------------------------------------------------------- Source

struct SourceShow;

const PASSES: usize = 40;

#[derive(Debug)]
pub struct SourceWish {
    name: &'static str,
    desired: Desired<source::wanted::Wanted>,
    object: Source,
    retain: bool,
    on_air: bool,
    idle: bool,
    failed: &'static [&'static str],
    /// Sources at rest, with their ports, in any order.
    sources: &'static [(&'static str, i32)],
    lead: Option<&'static str>,
    protocol: Protocol,
    active: bool,
    copies: usize,
    /// Whether people confirm what an adoption would change, as soon as they have read it.
    confirms: bool,
}

impl SourceShow {
    fn ownership(flow: &WorldFlow) -> Ownership {
        identity("Source", "studio").ownership(&flow.tags)
    }

    fn observe(world: &World, wish: &SourceWish) -> source::observed::Observed {
        let flow = world.flow.as_ref().filter(|_| world.hidden == 0);
        let mut seen = source::observed::Observed {
            flow: match flow {
                Some(f) => Existence::Present(Box::new(f.flow.clone())),
                None if world.intent > 0 => Existence::Unknown,
                None => Existence::Absent,
            },
            management: Management::Managed,
            ownership: flow.map_or(Ownership::Foreign, Self::ownership),
            tags: flow.map(|f| f.tags.clone()).unwrap_or_default(),
            secrets: world.secrets.clone(),
            users: Users {
                on_air: wish.on_air.then(|| "Destination/tube".to_string()).into_iter().collect(),
                idle: wish.idle.then(|| "Destination/idle".to_string()).into_iter().collect(),
                outputs: Vec::new(),
            },
            auto: wish.object.spec.state == DesiredSourceState::Auto,
            secrets_asked: true,
            secret_names: Vec::new(),
            lost_secrets: Vec::new(),
            inputs: BTreeMap::new(),
            test: TestPhase::None,
            quota: None,
            left: Default::default(),
        };
        seen.management = source::external::management(&wish.object, &identity("Source", "studio"), &seen.tags);
        // What is in a flow on the air is measured, and nothing else.
        let measured = flow.filter(|f| f.flow.state == FlowState::Active).map(|f| f.flow.sources.clone());
        for source in measured.unwrap_or_default() {
            let failed = wish.failed.contains(&source.name.as_str());
            let word = if failed { InputHealth::Failed } else { InputHealth::Healthy };
            crate::fixtures::health(&mut seen, &[(&source.name, word)]);
        }
        if let (true, Some(plan)) = (wish.confirms, Self::shown(&seen, wish)) {
            seen.management = Management::AdoptionPending { shown: Some(plan), told: true };
        }
        seen
    }

    /// What people read of an adoption.
    fn shown(seen: &source::observed::Observed, wish: &SourceWish) -> Option<Vec<String>> {
        match (&seen.management, &seen.flow, &wish.desired) {
            (Management::AdoptionPending { .. }, Existence::Present(flow), Desired::Present(wanted)) => {
                Some(source::external::differences(wanted, seen, flow))
            }
            _ => None,
        }
    }

    /// What an adoption shows must be all that it does, and nothing that it does not.
    fn untold(seen: &source::observed::Observed, wish: &SourceWish) -> Option<String> {
        let plan = Self::shown(seen, wish)?;
        let Existence::Present(flow) = &seen.flow else { return None };
        let steady = matches!(flow.state, FlowState::Active | FlowState::Standby);
        if !steady || seen.ownership != Ownership::Ours {
            return None;
        }
        let adopted = source::observed::Observed { management: Management::Adopted, ..seen.clone() };
        let acts = match source::plan::plan(&wish.desired, wish.retain, &adopted) {
            // Copies of passwords that nothing reads are no part of the flow.
            Step::Act(actions) => {
                actions.iter().any(|a| !matches!(a, source::plan::Action::Copy(CopyAction::Delete { .. })))
            }
            _ => false,
        };
        (acts == plan.is_empty()).then(|| format!("{plan:?} is told, and afterwards it {acts}"))
    }
}

impl Kind for SourceShow {
    type Wish = SourceWish;
    type Seen = source::observed::Observed;
    type Action = source::plan::Action;
    type Memory = ();

    /// The longest way (a single input replaced by way of a spare, with every change putting the flow into UPDATING) takes 24.
    const PASSES: usize = PASSES;

    fn name(wish: &SourceWish) -> &'static str {
        wish.name
    }

    fn leaves_nothing(wish: &SourceWish) -> bool {
        wish.desired == Desired::Absent && !wish.retain
    }

    fn look(world: &World, wish: &SourceWish) -> Self::Seen {
        let seen = Self::observe(world, wish);
        let untold = Self::untold(&seen, wish);
        assert!(untold.is_none(), "{untold:?} toward {:?} from {}", wish.name, told(world));
        seen
    }

    fn plan(wish: &SourceWish, seen: &Self::Seen) -> Plan<Self::Action, ()> {
        frame(&wish.desired, wish.retain, seen)
    }

    fn goes_first(_: &()) -> bool {
        false
    }

    fn wrongly_decided(_: &World, _: &SourceWish, _: &()) -> Option<String> {
        None
    }

    fn is_steady(_: &World, wish: &SourceWish, seen: &Self::Seen, plan: &Plan<Self::Action, ()>) -> bool {
        let outcome = |second| source::Outcome {
            wanted: match &wish.desired {
                Desired::Present(wanted) => Some(wanted),
                _ => None,
            },
            seen: Some(seen),
            step: Some(&plan.step),
            deferred: &plan.deferred,
            ..source::Outcome::at(at(second))
        };
        let first = source::status::status(&wish.object, &outcome(0), crate::fixtures::REGION);
        let mut object = wish.object.clone();
        object.status = Some(first.clone());
        first == source::status::status(&object, &outcome(3600), crate::fixtures::REGION)
    }

    fn act(world: &mut World, action: &Self::Action) -> Result<(), No> {
        world.act_source(action)
    }

    fn remember(
        _: &mut World,
        _: &SourceWish,
        _: &Self::Seen,
        _: &Plan<Self::Action, ()>,
        _: Option<&Failure>,
    ) -> bool {
        false
    }

    fn intend(world: &mut World, _: &Self::Action, is: bool) {
        world.intent = if is { 4 } else { 0 };
    }

    fn made(world: &mut World, action: &Self::Action, answered: bool) {
        if action.needs_intent() {
            match answered {
                true => world.intent = 0,
                false => world.hidden = 3,
            }
        }
    }

    fn sin(before: &World, after: &World, wish: &SourceWish, action: &Self::Action) -> Option<String> {
        use source::plan::Action as A;
        let foreign = before.flow.as_ref().is_some_and(|f| Self::ownership(f) == Ownership::Foreign);
        match &Self::observe(before, wish).management {
            Management::Managed | Management::Adopted => {}
            Management::Referenced => return Some("a referenced flow was acted upon".into()),
            Management::AdoptionPending { .. } => {
                let anothers = foreign && before.flow.as_ref().is_some_and(|f| owner(&f.tags).is_some());
                let others = |world: &World| world.flow.as_ref().map(|f| (f.flow.clone(), f.output_tags.clone()));
                let tags = matches!(
                    action,
                    A::Flow(FlowAction::Claim { .. })
                        | A::Flow(FlowAction::Adopt { .. })
                        | A::Flow(FlowAction::Release { .. })
                );
                let copy = wish.desired == Desired::Absent && matches!(action, A::Copy(CopyAction::Delete { .. }));
                return match tags || copy {
                    true if anothers && !copy => Some("another object's flow was claimed".into()),
                    true if others(before) == others(after) => None,
                    _ => Some("something was done before it was confirmed".into()),
                };
            }
        }
        if foreign && before.flow != after.flow {
            return Some("a foreign flow was touched".into());
        }
        if before.flow.as_ref().map(|f| &f.flow.outputs) != after.flow.as_ref().map(|f| &f.flow.outputs)
            && !matches!(action, A::Flow(FlowAction::Create(_)))
        {
            return Some("outputs of others were touched".into());
        }
        let kept = |name: &str, settings: &source::wanted::Wanted| {
            // The emergency input has a place only while both others are seen to fail, on the air.
            let flow = before.flow.as_ref().filter(|f| wish.failed.is_empty() || f.flow.state == FlowState::Active);
            let source = flow.and_then(|f| f.flow.sources.iter().find(|s| s.name == name));
            let requested = settings.inputs.iter().find(|i| i.name == name);
            matches!((source, requested), (Some(s), Some(w)) if w.password.is_none() && w.settings.differences(&s.settings).is_empty())
                && wish.sources.iter().any(|(n, _)| *n == name)
        };
        match (action, &wish.desired) {
            (A::Flow(FlowAction::Create(_)), _) if before.flow.is_some() => Some("a second flow was created".into()),
            (
                A::Flow(FlowAction::Create(_))
                | A::Flow(FlowAction::Start { .. })
                | A::Flow(FlowAction::AddSource { .. }),
                Desired::Absent,
            ) => Some("something was made or started that is being deleted".into()),
            (A::Flow(FlowAction::Stop { .. }), _) if wish.active => Some("a flow that is to run was stopped".into()),
            (A::Flow(FlowAction::Delete { .. }), Desired::Present(_)) => {
                Some("a flow that is wanted was deleted".into())
            }
            // AWS does it, and the channel behind the output fails.
            (A::Flow(FlowAction::Delete { .. }), _) if before.flow.as_ref().is_some_and(is_managed) => {
                Some("a flow was deleted from which MediaLive takes".into())
            }
            (
                A::Flow(FlowAction::RemoveSource { name, .. }) | A::Flow(FlowAction::UpdateSource { name, .. }),
                Desired::Present(w),
            ) if kept(name, w) => Some(format!("{name} is as requested and was touched")),
            (A::Flow(FlowAction::RemoveSource { name, .. }), Desired::Present(w))
                if is_only_live(before, wish, name) && w.active_input.is_none() =>
            {
                Some(format!("{name} was taken out, and nothing else receives a signal"))
            }
            (_, Desired::Present(w)) if w.suspended => Some("a suspended Source was acted upon".into()),
            (action, Desired::Present(w))
                if w.problem.is_some()
                    && !matches!(action, A::Flow(FlowAction::Stop { .. }) | A::Flow(FlowAction::LeaveError { .. })) =>
            {
                Some("what cannot be understood was acted upon".into())
            }
            _ => None,
        }
    }

    fn wrong(world: &World, wish: &SourceWish, step: &Step<Self::Action>) -> Option<String> {
        let flow = world.flow.as_ref();
        let foreign = flow.is_some_and(|f| Self::ownership(f) == Ownership::Foreign);
        let expect = |right: bool, text: &str| (!right).then(|| format!("{text}: {step:?}"));
        let seen = Self::observe(world, wish);
        let stuck = |reason| matches!(step, Step::Stalled(p) if p.reason == reason);
        let anothers = foreign && flow.is_some_and(|f| owner(&f.tags).is_some());
        match (&seen.management, &wish.desired) {
            (_, Desired::Invalid(_)) => {}
            (Management::Referenced, Desired::Absent) => return expect(*step == Step::Gone, "it may go"),
            (Management::Managed | Management::Adopted, Desired::Absent)
                if !wish.retain
                    && !wish.idle
                    && !wish.on_air
                    && !foreign
                    && flow.is_some_and(|f| f.flow.outputs.iter().any(|o| o.managed_by.is_none())) =>
            {
                let waits =
                    matches!(step, Step::Wait { on: Waiting::ForeignOutputs(_) | Waiting::ManagedOutputs(_), .. });
                return expect(waits, "outputs of others are on it");
            }
            (_, Desired::Absent) | (Management::Managed, _) => {}
            (_, Desired::Present(_)) if flow.is_none() => {
                return expect(stuck(Reason::ExternalNotFound), "no flow is made");
            }
            (_, Desired::Present(_)) if anothers => return expect(stuck(Reason::ExternalOwned), "it is another's"),
            (Management::Referenced, Desired::Present(_)) => {
                let right = match flow.map(|f| f.flow.state) {
                    Some(FlowState::Active) => *step == Step::Settled,
                    Some(FlowState::Standby) => matches!(step, Step::Wait { on: Waiting::ExternalStopped, .. }),
                    _ => stuck(Reason::FlowError),
                };
                return expect(right, "it is as somebody else left it");
            }
            (Management::AdoptionPending { .. }, Desired::Present(_)) => {
                return expect(!wish.confirms && stuck(Reason::AdoptionPlanned) && !foreign, "it waits for a word");
            }
            (Management::Adopted, Desired::Present(_)) => {}
        }
        match &wish.desired {
            // Of what is not there nobody has a use.
            Desired::Absent if (wish.idle || wish.on_air) && flow.is_some() => {
                let used = |f: &WorldFlow| wish.active || source::plan::is_sending(&f.flow);
                let ours = flow.filter(|_| seen.management.is_own() && !foreign);
                let right = ours.is_none_or(|f| f.flow.state != FlowState::Active || used(f));
                return expect(right && matches!(step, Step::Wait { on: Waiting::InUse(_), .. }), "it is in use");
            }
            Desired::Absent if wish.retain => {
                let idle = |f: &WorldFlow| f.flow.state == FlowState::Active && !source::plan::is_sending(&f.flow);
                let paid = seen.auto && seen.management.is_own() && !foreign && flow.is_some_and(idle);
                return expect(*step == Step::Gone && !paid, "it may go, and runs for nobody");
            }
            Desired::Absent if foreign => return expect(*step == Step::Gone, "the flow is not ours"),
            Desired::Absent if flow.is_some_and(is_managed) => {
                return expect(matches!(step, Step::Wait { on: Waiting::ManagedOutputs(_), .. }), "MediaLive has it");
            }
            Desired::Absent => {
                let clean = flow.is_none() && world.secrets.is_empty();
                return expect(*step == Step::Gone && clean, "something is left, or the finalizer stays");
            }
            Desired::Present(w) if w.suspended => return expect(*step == Step::Settled, "it is suspended"),
            Desired::Present(w) if w.problem.is_some() => {
                let used = |f: &WorldFlow| wish.active || (w.state.is_none() && source::plan::is_sending(&f.flow));
                let right = foreign || flow.is_none_or(|f| f.flow.state != FlowState::Active || used(f));
                return expect(right && matches!(step, Step::Stalled(_)), "it is off where nothing uses it, and told");
            }
            Desired::Present(_) => {}
            Desired::Invalid(problem) => return Some(format!("the wish is valid: {problem:?}")),
        }
        let Some(f) = flow else { return Some(format!("there is no flow: {step:?}")) };
        if foreign {
            return expect(matches!(step, Step::Stalled(p) if p.reason == Reason::NotOurs), "the flow is not ours");
        }
        // One that calls may still have the port on which it listened before.
        let port = |s: &SourceSettings| s.ingest_port.filter(|_| s.protocol != Protocol::SrtCaller).unwrap_or(0);
        let mut sources: Vec<_> = f.flow.sources.iter().map(|s| (s.name.as_str(), port(&s.settings))).collect();
        sources.sort_unstable();
        let wanted = present(wish.desired.clone());
        let encryption = |s: &&playout_core::resources::flow::FlowSource| {
            wanted
                .inputs
                .iter()
                .any(|i| i.name == s.name && i.settings.decryption.is_some() == s.settings.decryption.is_some())
        };
        let interfaces: Vec<_> = f.flow.sources.iter().filter_map(|s| s.settings.vpc_interface.clone()).collect();
        // What AWS takes of a stopped flow only is not there yet, nor what needs it.
        let resized = wanted.size.is_none() || f.flow.size == wanted.size;
        if f.flow.state == FlowState::Active && !resized {
            return expect(*step == Step::Settled, "not settled while the size waits");
        }
        if source::plan::pending_changes(&wanted, &seen).iter().any(|field| field == "inputs") {
            let on_air = f.flow.state == FlowState::Active && source::plan::is_sending(&f.flow);
            return expect(on_air && *step == Step::Settled, "inputs wait for nothing");
        }
        // Under Auto an output that sends is use, whoever's it is: a flow that runs for one is left running.
        let used = wanted.state.is_none() && f.flow.state == FlowState::Active && source::plan::is_sending(&f.flow);
        let active = if wish.active || used { FlowState::Active } else { FlowState::Standby };
        expect(sources == wish.sources, &format!("the inputs are {sources:?}"))
            .or_else(|| expect(*step == Step::Settled, "not settled"))
            .or_else(|| expect(f.flow.sources.iter().all(|s| s.settings.protocol == wish.protocol), "the protocol"))
            .or_else(|| expect(f.flow.sources.iter().filter(encryption).count() == sources.len(), "the encryption"))
            .or_else(|| expect(f.flow.failover.enabled == (sources.len() > 1), "failover"))
            .or_else(|| expect(f.flow.failover.primary.as_deref() == wish.lead, "the lead"))
            .or_else(|| expect(f.flow.failover.merge == wanted.merge.is_some(), "merging"))
            .or_else(|| expect(f.flow.vpc_interfaces.iter().map(|v| v.name.clone()).eq(interfaces), "the interfaces"))
            .or_else(|| expect(f.flow.ndi == wanted.ndi, "NDI"))
            .or_else(|| expect(wanted.size.is_none() || f.flow.size == wanted.size, "the size"))
            .or_else(|| expect(f.flow.state == active, "on or off"))
            .or_else(|| expect(world.secrets.len() == wish.copies, "the copies of passwords"))
            .or_else(|| expect(Self::ownership(f) == Ownership::Ours, "the tags"))
    }

    fn wrong_beside(world: &World, wish: &SourceWish, refused: &Self::Action) -> Option<String> {
        use source::plan::Action as A;
        // What cannot be without it.
        let needed = matches!(
            refused,
            A::Flow(FlowAction::Create(_))
                | A::Flow(FlowAction::Start { .. })
                | A::Flow(FlowAction::Stop { .. })
                | A::Flow(FlowAction::LeaveError { .. })
                | A::Flow(FlowAction::Claim { .. })
                | A::Flow(FlowAction::Adopt { .. })
        );
        let flow = world.flow.as_ref().filter(|f| Self::ownership(f).is_ours() && !needed)?;
        let seen = Self::observe(world, wish);
        if !seen.management.is_own() {
            return None;
        }
        let Desired::Present(wanted) = &wish.desired else { return None };
        let used =
            wanted.state.is_none() && flow.flow.state == FlowState::Active && source::plan::is_sending(&flow.flow);
        let on = wish.active || used;
        let right = wanted.suspended || wanted.problem.is_some() || (flow.flow.state == FlowState::Active) == on;
        (!right).then(|| format!("{refused:?} is refused, and the flow is {}", flow.flow.state.as_str()))
    }

    fn leave(seen: &mut Self::Seen, left: Left) {
        seen.left = left;
    }

    fn nature(_: &mut World, _: &SourceWish) -> bool {
        false
    }
}

/// Whether the flow sends and this is the only one of its sources that has not failed.
fn is_only_live(world: &World, wish: &SourceWish, name: &str) -> bool {
    let flow = world.flow.as_ref().filter(|f| f.flow.state == FlowState::Active && source::plan::is_sending(&f.flow));
    let mut live = flow.iter().flat_map(|f| &f.flow.sources).filter(|s| !wish.failed.contains(&s.name.as_str()));
    matches!((live.next(), live.next()), (Some(only), None) if only.name == name)
}

#[test]
fn a_source_converges_from_every_state_under_every_wish() {
    let (wishes, mut tally) = (source_wishes(), Tally::default());
    let states = everywhere::<SourceShow>(source_starts(), &wishes, 3, 1, &mut tally);
    print(&tally, "Source", states);
    assert!(tally.schedules > 2000);
}

#[test]
fn a_flow_that_was_there_before_is_not_touched_or_only_as_confirmed_from_every_state() {
    let (mut wishes, mut tally) = (external_wishes(), Tally::default());
    let starts = || source_starts().into_iter().chain(external_starts()).collect::<Vec<_>>();
    // Some of the others, for the states that they lead to.
    wishes.extend(source_wishes().into_iter().step_by(4));
    let states = everywhere::<SourceShow>(starts(), &wishes, 3, 1, &mut tally);
    print(&tally, "External", states);
    let wishes = external_wishes();
    let starts = settled::<SourceShow>(&starts(), &wishes, &mut tally);
    faults::<SourceShow>(&starts, &wishes, &mut tally);
    print(&tally, "External with faults", starts.len());
    assert!(tally.schedules > 2000);
}

#[test]
fn a_source_converges_after_a_crash_a_refusal_or_a_lost_answer_at_every_action() {
    let (wishes, mut tally) = (source_wishes(), Tally::default());
    let starts = settled::<SourceShow>(&source_starts(), &wishes, &mut tally);
    faults::<SourceShow>(&starts, &wishes, &mut tally);
    print(&tally, "Source with faults", starts.len());
    assert!(tally.schedules > 2000);
}

#[test]
fn what_the_small_aws_refuses() {
    // The world itself can say no; otherwise all of the above would prove nothing.
    let mut world = worlds_of(false, &source_wishes()[0], |_| {});
    let flow = world.flow.clone().expect("a flow").flow;
    let arn = || flow.arn.clone();
    use source::plan::Action as A;
    let failover = playout_core::resources::flow::Failover::default();
    let settings = flow.sources[1].settings.clone();
    let refused = [
        A::Flow(FlowAction::SetFailover { flow: arn(), failover }),
        A::Flow(FlowAction::Stop { flow: arn() }),
        A::Flow(FlowAction::UpdateSource {
            flow: arn(),
            arn: flow.sources[0].arn.clone(),
            name: "main".into(),
            settings: Box::new(settings.clone()),
        }),
        A::Flow(FlowAction::AddSource {
            flow: arn(),
            source: playout_core::resources::flow::NewSource { name: "third".into(), settings, tags: BTreeMap::new() },
        }),
        A::Flow(FlowAction::RemoveSource { flow: arn(), arn: "arn:unknown".into(), name: "x".into() }),
    ];
    for action in refused {
        let before = world.clone();
        assert!(world.act_source(&action).is_err(), "{action:?}");
        assert_eq!(before.flow, world.flow, "a refusal changes nothing");
    }
    let copy = SecretCopy { arn: "arn:1".into(), name: "x".into(), tags: BTreeMap::new() };
    world.secrets.push(copy);
    world.flow.as_mut().expect("a flow").flow.state = FlowState::Updating;
    let answer = world.act_source(&A::Flow(FlowAction::Stop { flow: arn() }));
    assert!(matches!(answer, Err(No::Conflict(_))), "{answer:?}");
}
