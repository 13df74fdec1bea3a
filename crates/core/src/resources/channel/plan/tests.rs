//! The life of a channel, as two kinds ask for it: with a flow that must be up, and with an input that somebody pushes to.

use std::time::Duration;

use super::*;
use crate::presets::built_in;
use crate::reasons::Reason;
use crate::resources::channel::{Input, OutputName, Push, RtmpTarget, Target};
use crate::secret::SecretText;
use crate::usage::Usage;

const ROLE: &str = "arn:aws:iam::111122223333:role/live";

/// A world of one channel, and what is asked of it.
struct Show {
    tags: BTreeMap<String, String>,
    role: Result<String, Problem>,
    problem: Option<Problem>,
    from: InputSource,
    running: bool,
    kept: bool,
    switches: bool,
    interrupts: bool,
    closed: bool,
    not_yet: bool,
    cut_off: bool,
    input: Existence<Input>,
    channel: Existence<ChannelSeen>,
    quotas: Option<Quotas>,
    left: Left,
    policy: RestartPolicy,
    restart: Option<RestartState>,
}

fn push() -> InputSource {
    InputSource::RtmpPush { security_group: "5".into(), streams: vec![SecretText::new("live/a")] }
}

fn settings(input: &str) -> ChannelSettings {
    let url = SecretText::new("rtmps://a.example.net:443/live");
    let to = Target::Rtmp(RtmpTarget { url, stream: SecretText::new("key"), login: None });
    let targets = BTreeMap::from([(OutputName::new("ivs"), to)]);
    ChannelSettings::single(ROLE.into(), input.into(), built_in("1080p30").expect("a preset"), targets)
}

fn input(state: InputState) -> Input {
    let channels = if state == InputState::Attached { vec!["2".into()] } else { Vec::new() };
    Input {
        id: "1".into(),
        arn: "arn:input".into(),
        name: "tonight".into(),
        state,
        flows: Vec::new(),
        push: Push { security_groups: vec!["5".into()], streams: vec![SecretText::new("live/a")] },
        channels,
        tags: BTreeMap::new(),
    }
}

fn channel(state: ChannelState) -> Existence<ChannelSeen> {
    let channel = Channel {
        id: "2".into(),
        arn: "arn:channel".into(),
        name: "tonight".into(),
        state,
        settings: settings("1"),
        tags: BTreeMap::new(),
    };
    Existence::Present(ChannelSeen {
        channel,
        endpoints: BTreeMap::new(),
        alerts: Vec::new(),
        input_lost_for: Duration::ZERO,
        alerts_unread: false,
    })
}

fn attempt() -> RestartState {
    RestartState::first()
}

impl Show {
    /// Live, with this channel.
    fn with(channel: Existence<ChannelSeen>) -> Self {
        let has = channel.present().is_some();
        Self {
            tags: BTreeMap::new(),
            role: Ok(ROLE.into()),
            problem: None,
            from: push(),
            running: true,
            kept: false,
            switches: false,
            interrupts: false,
            closed: false,
            not_yet: false,
            cut_off: false,
            input: Existence::Present(input(if has { InputState::Attached } else { InputState::Detached })),
            channel,
            quotas: None,
            left: Left::default(),
            policy: RestartPolicy { attempts: 3, after: Duration::from_secs(60), backoff: Duration::from_secs(10) },
            restart: has.then(attempt),
        }
    }

    fn nothing() -> Self {
        Self { input: Existence::Absent, ..Self::with(Existence::Absent) }
    }

    /// What is next, in words.
    fn next(&self) -> String {
        self.next_with(Ok(settings("1")))
    }

    fn next_with(&self, settings: Result<ChannelSettings, Problem>) -> String {
        let may_interrupt = |_: &[Difference]| self.interrupts;
        let life = Life {
            request: Request {
                name: "tonight",
                tags: &self.tags,
                input_name: "tonight",
                from: self.from.clone(),
                role_arn: self.role.as_ref(),
                problem: self.problem.as_ref(),
                running: self.running,
                kept: self.kept,
                switches: self.switches,
                may_interrupt: &may_interrupt,
            },
            gate: Gate {
                closed: self.closed.then_some(Waiting::ExternalStopped),
                not_yet: self.not_yet.then(|| Step::wait(Waiting::FlowStarting, SOON)),
                no_input: self.not_yet.then(|| Step::wait(Waiting::FlowUpdating, SOON)),
            },
            parts: Parts { input: &self.input, channel: &self.channel },
            cut_off: self.cut_off,
            left: &self.left,
            quotas: self.quotas.as_ref(),
            region: "us-west-2",
            policy: &self.policy,
            restart: self.restart.as_ref(),
        };
        match life.input().map_or_else(|next| next, |_| life.channel(settings)) {
            Next::Step(Step::Act(actions)) => {
                let name =
                    |a: &ChannelAction| format!("{a:?}").split([' ', '(']).next().unwrap_or_default().to_string();
                actions.iter().map(name).collect::<Vec<_>>().join(" ")
            }
            Next::Step(Step::Wait { on, .. }) => format!("wait {}", on.reason()),
            Next::Step(Step::Stalled(problem)) => format!("stalled {}", problem.reason),
            Next::Step(step) => format!("{step:?}").to_lowercase(),
            Next::Remember(state) => format!("remember {:?} {}", state.phase, state.count),
            Next::Failed { has_run, .. } => format!("failed {has_run}"),
            Next::GaveUp(_) => "gave up".into(),
            Next::Up(_) => "up".into(),
        }
    }
}

#[test]
fn it_is_made_in_order_started_once_and_is_up() {
    assert_eq!(Show::nothing().next(), "CreateInput");
    for (state, next) in [
        (InputState::Creating, "wait ChannelCreating"),
        (InputState::Detached, "Create"),
        (InputState::Deleting, "wait ChannelDeleting"),
        // Somebody else's channel takes it.
        (InputState::Attached, "wait InUse"),
    ] {
        let show = Show { input: Existence::Present(input(state)), ..Show::with(Existence::Absent) };
        assert_eq!(show.next(), next, "{state:?}");
    }
    for (state, restart, next) in [
        (ChannelState::Creating, None, "wait ChannelCreating"),
        (ChannelState::Idle, None, "remember Running 0"),
        (ChannelState::Idle, Some(attempt()), "Start"),
        (ChannelState::Starting, Some(attempt()), "wait ChannelStarting"),
        (ChannelState::Running, Some(attempt()), "up"),
        (ChannelState::Recovering, Some(attempt()), "wait ChannelRecovering"),
        (ChannelState::Stopping, Some(attempt()), "wait ChannelStopping"),
    ] {
        assert_eq!(Show { restart, ..Show::with(channel(state)) }.next(), next, "{state:?}");
    }
    assert_eq!(Show { running: false, kept: true, ..Show::with(channel(ChannelState::Idle)) }.next(), "settled");
}

#[test]
fn what_is_missing_is_said_before_anything_is_made() {
    let problem = || Problem::new(Reason::RoleMissing, "There is no role.");
    assert_eq!(Show { role: Err(problem()), ..Show::nothing() }.next(), "stalled RoleMissing");
    assert_eq!(Show { problem: Some(problem()), ..Show::nothing() }.next(), "stalled RoleMissing");
    let full = |used, ahead| Quotas {
        channels: Usage { used, limit: 5, by: Vec::new() },
        inputs: Usage { used: 0, limit: 5, by: Vec::new() },
        ahead,
    };
    assert_eq!(Show { quotas: Some(full(5, 0)), ..Show::nothing() }.next(), "stalled QuotaExceeded");
    assert_eq!(Show { quotas: Some(full(4, 1)), ..Show::nothing() }.next(), "stalled QuotaExceeded");
    // With its input it is its turn.
    assert_eq!(Show { quotas: Some(full(4, 1)), ..Show::with(Existence::Absent) }.next(), "Create");
    assert_eq!(Show { not_yet: true, ..Show::nothing() }.next(), "wait FlowUpdating");
    assert_eq!(Show::with(Existence::Absent).next_with(Err(problem())), "stalled RoleMissing");
    assert_eq!(Show::with(channel(ChannelState::Idle)).next_with(Err(problem())), "stalled RoleMissing");
    assert_eq!(Show::with(channel(ChannelState::Running)).next_with(Err(problem())), "up", "it keeps running");
    let role = Show { role: Err(problem()), ..Show::with(channel(ChannelState::Running)) };
    assert_eq!(role.next(), "up", "nothing is made anew for it");
}

#[test]
fn what_feeds_it_comes_first_and_a_channel_without_it_goes() {
    let closed = |state| Show { closed: true, ..Show::with(channel(state)) };
    assert_eq!(closed(ChannelState::Running).next(), "Stop");
    assert_eq!(closed(ChannelState::Idle).next(), "Delete");
    assert_eq!(Show { closed: true, ..Show::with(Existence::Absent) }.next(), "DeleteInput");
    assert_eq!(Show { closed: true, ..Show::nothing() }.next(), "wait ExternalStopped");
    let kept = |state| Show { kept: true, ..closed(state) };
    assert_eq!([kept(ChannelState::Running).next(), kept(ChannelState::Idle).next()], ["Stop", "wait ExternalStopped"]);
    let not_yet = |state| Show { not_yet: true, ..Show::with(channel(state)) };
    assert_eq!(not_yet(ChannelState::Idle).next(), "wait FlowStarting");
    assert_eq!(not_yet(ChannelState::Running).next(), "wait FlowStarting", "it is not judged meanwhile");
}

#[test]
fn a_change_waits_for_a_stop_unless_it_may_interrupt_or_switches() {
    let mut other = settings("1");
    other.encodings.values_mut().for_each(|encoding| encoding.video_bitrate += 1);
    let next = |state, interrupts, switches| {
        Show { interrupts, switches, ..Show::with(channel(state)) }.next_with(Ok(other.clone()))
    };
    assert_eq!(next(ChannelState::Running, false, false), "up");
    assert_eq!(next(ChannelState::Running, true, false), "Stop");
    assert_eq!(next(ChannelState::Running, false, true), "Stop");
    assert_eq!(next(ChannelState::Idle, false, false), "Update");
    // It was up, and this stop was ours.
    let restart = Some(RestartState { up: true, ..attempt() });
    let stopped = Show { restart, ..Show::with(channel(ChannelState::Idle)) };
    assert_eq!(stopped.next_with(Ok(other.clone())), "remember Running 0");
    // What somebody sets back each time is left, but a show never begins toward somebody else.
    let left: Left = [Change::of(CHANNEL, What::Settings)].into_iter().collect();
    let fought = |restart| Show { left: left.clone(), restart, ..Show::with(channel(ChannelState::Idle)) };
    assert_eq!(fought(Some(attempt())).next_with(Ok(other.clone())), "Start");
    assert_eq!(fought(None).next_with(Ok(other)), "remember Running 0");
    let mut elsewhere = settings("1");
    elsewhere.outputs.clear();
    assert_eq!(fought(None).next_with(Ok(elsewhere)), "Update");
}

#[test]
fn another_input_waits_for_a_stop_unless_nothing_reaches_the_channel() {
    let from = InputSource::Flow("arn:flow".into());
    let next = |interrupts, cut_off| {
        Show { from: from.clone(), interrupts, cut_off, ..Show::with(channel(ChannelState::Running)) }.next()
    };
    assert_eq!([next(false, false), next(true, false), next(false, true)], ["up", "Stop", "Stop"]);
    let unseen = Show { input: Existence::Absent, ..Show::with(channel(ChannelState::Running)) };
    assert_eq!(unseen.next(), "up", "what the channel takes is there");
    let gone = Show { input: Existence::Absent, cut_off: true, ..Show::with(channel(ChannelState::Idle)) };
    assert_eq!(gone.next(), "Delete");
}

#[test]
fn it_is_restarted_after_a_pause_and_not_for_ever() {
    let up = RestartState { up: true, since: Duration::from_secs(60), ..attempt() };
    let idle = |restart| Show { restart: Some(restart), ..Show::with(channel(ChannelState::Idle)) };
    assert_eq!(idle(RestartState { since: Duration::from_secs(4), ..up.clone() }).next(), "wait ChannelStarting");
    assert_eq!(idle(up.clone()).next(), "failed true");
    let pauses = |since| {
        let state =
            RestartState { phase: Phase::BackingOff, count: 1, since: Duration::from_secs(since), ..up.clone() };
        idle(state).next()
    };
    assert_eq!([pauses(0), pauses(10)], ["wait Restarting", "remember Running 1"]);
    let held = RestartState { phase: Phase::BackingOff, ..up.clone() };
    assert_eq!(Show { restart: Some(held.clone()), ..Show::with(channel(ChannelState::Running)) }.next(), "Stop");
    assert_eq!(Show::with(channel(ChannelState::UpdateFailed)).next(), "failed false");
    assert_eq!(Show { restart: Some(held), ..Show::with(channel(ChannelState::UpdateFailed)) }.next(), "Delete");
    // What is not on the air is not paid for.
    let gave_up = |kept, channel| {
        let restart = Some(RestartState { phase: Phase::GaveUp, ..up.clone() });
        Show { restart, kept, ..Show::with(channel) }.next()
    };
    assert_eq!(gave_up(false, channel(ChannelState::Running)), "Stop");
    assert_eq!(gave_up(false, channel(ChannelState::Idle)), "Delete");
    assert_eq!(gave_up(true, channel(ChannelState::Idle)), "gave up");
}

#[test]
fn all_of_it_goes_in_order_and_nothing_is_said_to_be_gone_that_may_appear() {
    let next = |input: &Existence<Input>, channel: &Existence<ChannelSeen>| match (Parts { input, channel }).retire() {
        Some(Step::Act(actions)) => format!("{:?}", actions[0]).split(' ').next().unwrap_or_default().to_string(),
        Some(Step::Wait { on, .. }) => format!("wait {}", on.reason()),
        other => format!("{other:?}"),
    };
    let attached = Existence::Present(input(InputState::Attached));
    for (state, step) in [
        (ChannelState::Running, "Stop"),
        (ChannelState::Stopping, "wait ChannelStopping"),
        (ChannelState::Idle, "Delete"),
        (ChannelState::CreateFailed, "Delete"),
        (ChannelState::Deleting, "wait ChannelDeleting"),
        (ChannelState::Deleted, "wait ChannelDeleting"),
    ] {
        assert_eq!(next(&attached, &channel(state)), step, "{state:?}");
    }
    let detached = Existence::Present(input(InputState::Detached));
    assert_eq!(next(&detached, &Existence::Absent), "DeleteInput");
    assert_eq!(next(&detached, &Existence::Unknown), "DeleteInput");
    assert_eq!(next(&Existence::Unknown, &Existence::Absent), "wait Creating");
    assert_eq!(next(&Existence::Absent, &Existence::Unknown), "wait Creating");
    assert_eq!(next(&Existence::Absent, &Existence::Absent), "None");
}

#[test]
fn what_lacks_a_tag_is_tagged_unless_it_goes() {
    let tags = BTreeMap::from([("a".to_string(), "b".to_string())]);
    let arns = |state, input_state| {
        let (input, channel) = (Existence::Present(input(input_state)), channel(state));
        untagged(Parts { input: &input, channel: &channel }, &tags).len()
    };
    assert_eq!(arns(ChannelState::Running, InputState::Attached), 2);
    assert_eq!(arns(ChannelState::Deleting, InputState::Attached), 1);
    assert_eq!(arns(ChannelState::Deleted, InputState::Deleting), 0);
}
