//! What a Destination sees of the small AWS, and what a channel must be.

use playout_core::kinds::destination::groups::targets;

use super::*;

pub fn id() -> Identity {
    identity("Destination", "tube")
}

pub fn ours(world: &World, output: &FlowOutput) -> Ownership {
    let tags = world.flow.as_ref().and_then(|f| f.output_tags.get(&output.arn)).cloned().unwrap_or_default();
    id().ownership(&tags)
}

pub fn role(name: &str) -> Option<Role> {
    thread_local!(static NAMES: [(Role, String); 2] =
        [Role::Primary, Role::Backup].map(|role| (role, id().output_name(role.as_str()))));
    NAMES.with(|names| names.iter().find(|(_, n)| n == name).map(|(role, _)| *role))
}

pub fn outputs(world: &World, wish: &Wish) -> BTreeMap<Role, OutputSeen> {
    let mut outputs = BTreeMap::new();
    for output in world.flow.iter().flat_map(|f| &f.flow.outputs) {
        let Some(role) = role(&output.name) else { continue };
        let tags = world.flow.as_ref().and_then(|f| f.output_tags.get(&output.arn)).cloned().unwrap_or_default();
        let seen = OutputSeen {
            ownership: ours(world, output),
            tags: Some(tags),
            measured: Some(connected(output.enabled.then(|| !wish.refuses.contains(&role)))),
            error: None,
            unchanged_for: world.age(&output.name),
            output: output.clone(),
        };
        outputs.insert(role, seen);
    }
    outputs
}

/// The first measurement comes a look after the start.
pub fn channel(seen: &WorldChannel, wish: &Wish) -> ChannelSeen {
    let measured = |role: &Role| {
        let known = seen.channel.state == ChannelState::Running && seen.age >= 20;
        EndpointSeen {
            measured: Some(connected(known.then(|| !wish.refuses.contains(role)))),
            measured_from: None,
            unchanged_for: std::time::Duration::from_secs(seen.age.saturating_sub(if known { 20 } else { 0 })),
        }
    };
    let endpoints = targets(&seen.channel.settings).into_keys().map(|role| (role.into(), measured(&role))).collect();
    ChannelSeen {
        channel: seen.channel.clone(),
        endpoints,
        alerts: Vec::new(),
        input_lost_for: std::time::Duration::ZERO,
        alerts_unread: false,
    }
}

pub fn others(world: &World) -> Vec<(&FlowOutput, Option<&BTreeMap<String, String>>)> {
    let id = id();
    let kept: Vec<_> = world.live.our_inputs(&id).map(|i| &i.input.arn).collect();
    let outputs = world.flow.iter().flat_map(|f| f.flow.outputs.iter().map(|o| (o, f.output_tags.get(&o.arn))));
    outputs
        .filter(|(o, _)| {
            ours(world, o) == Ownership::Foreign && o.managed_by.as_ref().is_none_or(|m| !kept.contains(&m))
        })
        .collect()
}

pub fn is_active(world: &World) -> bool {
    let state = world.flow.as_ref().map(|f| f.flow.state);
    matches!(state, Some(FlowState::Active | FlowState::Updating))
}

/// Paths by which a receiver takes the stream, as far as AWS has shown it.
pub fn on_air(world: &World, wish: &Wish) -> usize {
    if !is_active(world) {
        return 0;
    }
    let takes = |role: &Role| !wish.refuses.contains(role);
    let outputs = world.flow.iter().flat_map(|f| &f.flow.outputs).filter(|o| o.enabled);
    let outputs = outputs.filter(|o| role(&o.name).is_some_and(|r| takes(&r))).count();
    let id = id();
    let proven = |c: &&WorldChannel| {
        c.channel.state == ChannelState::Running && c.age >= 20 && targets(&c.channel.settings).keys().any(takes)
    };
    outputs + world.live.our_channels(&id).filter(proven).count()
}

pub fn holds_back(world: &World) -> bool {
    let retries = world.status.as_ref().and_then(|s| s.retries.as_ref());
    retries.is_some_and(|r| r.state != RetryWord::Trying)
}

/// Whether a restart is counted for a reason.
pub fn is_true(before: &World, wish: &Wish, cause: &str) -> bool {
    let id = id();
    let channel = before.live.our_channels(&id).next();
    if cause.contains("by itself") {
        channel.is_some_and(|c| c.died)
    } else if cause.contains("AWS reports") {
        let failed =
            |c: &WorldChannel| matches!(c.channel.state, ChannelState::CreateFailed | ChannelState::UpdateFailed);
        channel.is_some_and(failed)
    } else {
        wish.signal && !wish.refuses.is_empty()
    }
}

pub fn wrong_channel(
    world: &World,
    wish: &Wish,
    wanted: &Wanted,
    channel: Option<&WorldChannel>,
    step: &Step<A>,
) -> Option<String> {
    let expect = |right: bool, text: &str| (!right).then(|| format!("{text}: {step:?}"));
    let id = id();
    let inputs: Vec<_> = world.live.our_inputs(&id).collect();
    let on = world.flow.is_some();
    let targets: Vec<_> = channel.iter().flat_map(|c| targets(&c.channel.settings).into_keys()).collect();
    let told_to_run = wanted.running && wish.ends == Ends::Told(Reason::GaveUp);
    if told_to_run
        && !wanted.may_interrupt
        && *step == Step::Settled
        && targets.iter().any(|role| !wish.refuses.contains(role))
    {
        // It runs as it did before the change, which waits.
        return None;
    }
    let right = match wish.ends {
        Ends::Told(reason) if on || reason != Reason::GaveUp => {
            matches!(step, Step::Stalled(p) if p.reason == reason)
        }
        _ if !wanted.running && !wanted.prepare => *step == Step::Settled,
        _ if !on => matches!(step, Step::Wait { on: Waiting::SourceNotFound(_), .. }),
        Ends::Settled => *step == Step::Settled,
        Ends::FlowOff => matches!(step, Step::Wait { on: Waiting::SourceStopped(..), .. }),
        Ends::NoSignal => matches!(step, Step::Wait { on: Waiting::NoSignal(_), .. }),
        Ends::Told(_) | Ends::Gone => false,
    };
    if !on {
        return expect(right, "the answer is wrong");
    }
    let state = channel.map(|c| c.channel.state);
    let as_requested = match wish.channel {
        Rest::Nothing => channel.is_none() && inputs.is_empty(),
        Rest::Idle => state == Some(ChannelState::Idle),
        Rest::Running(roles) => {
            let roles = targets == roles || !wanted.may_interrupt || wish.either && targets.len() == 1;
            state == Some(ChannelState::Running) && roles
        }
        Rest::AsBefore => true,
    };
    let settings = channel.is_none_or(|c| {
        let requested = wanted.channel.as_ref().map(|w| {
            let input = inputs.first().map(|i| i.input.id.clone()).unwrap_or_default();
            w.settings(|role| targets.contains(&role), &input)
        });
        match requested {
            Some(Ok(requested)) => requested.differences(&c.channel.settings).is_empty(),
            _ => true,
        }
    });
    let is_changed = (wanted.may_interrupt || wish.channel == Rest::Idle) && wish.channel != Rest::AsBefore;
    let taken = |i: &&&crate::fixtures::world::live::WorldInput| {
        world.flow.as_ref().is_some_and(|f| i.input.flows == [f.flow.arn.clone()])
            && i.input.tags.get(TAG_UID).is_some_and(|uid| uid == "uid-1")
    };
    let mine = world.flow.iter().flat_map(|f| &f.flow.outputs);
    let mine: Vec<_> = mine.filter(|o| role(&o.name).is_some() && ours(world, o) != Ownership::Foreign).collect();
    let moved = wish.ends != Ends::Settled || (mine.is_empty() && world.secrets.is_empty());
    expect(right, "the answer is wrong")
        .or_else(|| expect(as_requested, &format!("the channel is {state:?} to {targets:?}")))
        .or_else(|| expect(!is_changed || settings, "the settings of the channel"))
        .or_else(|| expect(!is_changed || inputs.iter().filter(taken).count() == inputs.len(), "the input"))
        .or_else(|| expect(moved, "the old path is still there"))
}
