//! The Destination: outputs of the Source's flow, or a MediaLive channel of its own, and the way from one to the other.
//!
//! Here the world also has the object's status, written when the loop writes it: what a Destination remembers is stored there.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use playout_api::destination::RetryWord;
use playout_api::{Destination, RECONCILE_AT};
use playout_core::endpoint::Role;
use playout_core::existence::Existence;
use playout_core::failure::Failure;
use playout_core::fight::Left;
use playout_core::identity::{Identity, Ownership, TAG_UID};
use playout_core::kinds::destination::Outcome;
use playout_core::kinds::destination::memory::{self, Lead, Leads, Memory};
use playout_core::kinds::destination::observed::{ChannelSeen, EndpointSeen, Observed, OutputSeen, Programme};
use playout_core::kinds::destination::plan::{Action as A, housekeeping, plan};
use playout_core::kinds::destination::retry::Phase;
use playout_core::kinds::destination::status::status;
use playout_core::kinds::destination::wanted::Wanted;
use playout_core::plan::{Action as _, Desired, Step};
use playout_core::reasons::Reason;
use playout_core::resources::channel::{ChannelSettings, ChannelState, NewChannel, NewInput, Quotas, Usage};
use playout_core::resources::flow::{FlowOutput, FlowState};
use playout_core::resources::secret_copy::CopyAction;
use playout_core::waiting::{StaysOff, Waiting};
use serde_json::{Value, json};

use super::fixtures::world::live::{LIMIT, Made, WorldChannel};
use super::fixtures::world::{No, World};
use super::fixtures::{
    DestinationPlan, at, backup_json, connected, deleted, destination_json, destination_object, destination_spec_of,
    destination_wanted, identity, outcome_of, present, references, srt_json,
};
use super::{Kind, Tally, everywhere, faults, managed, print, settled, source_wishes, worlds_of};

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
    moves_first: Option<&'static str>,
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

fn wish(name: &'static str, document: Value, changes: &[(&str, Value)]) -> Wish {
    let spec = destination_spec_of(document, changes);
    Wish {
        name,
        desired: destination_wanted(&spec, &references()),
        object: destination_object(spec),
        retain: false,
        told: None,
        refuses: &[],
        on: true,
        signal: true,
        full: false,
        gives_way: false,
        dies: &[],
        moves_first: None,
        fed: &[Role::Primary],
        ready: &[],
        channel: Rest::Nothing,
        either: false,
        lazy: false,
        copies: 0,
        encrypted: false,
        ends: Ends::Settled,
        or: &[],
    }
}

fn restart() -> (&'static str, Value) {
    ("/updatePolicy", json!("Restart"))
}

fn backup(mode: &str) -> (&'static str, Value) {
    ("/backup", backup_json(mode))
}

const STOPPED: (&str, Value) = ("/state", Value::Null);

fn nowhere() -> (&'static str, Value) {
    ("/streamKey/secretRef/name", json!("nowhere"))
}

/// The backup's key.
fn lost() -> (&'static str, Value) {
    ("/backup/streamKey/secretRef/name", json!("nowhere"))
}

fn gone(name: &'static str) -> Wish {
    let mut wish = Wish { desired: Desired::Absent, fed: &[], ends: Ends::Gone, ..wish(name, destination_json(), &[]) };
    deleted(&mut wish.object.metadata);
    wish
}

/// Wishes of one spec have one generation, so that what is remembered under one of them holds under the other.
fn with_generations(mut wishes: Vec<Wish>) -> Vec<Wish> {
    for i in 0..wishes.len() {
        let first = wishes.iter().position(|w| w.object.spec == wishes[i].object.spec).unwrap_or(i);
        wishes[i].object.metadata.generation = i64::try_from(first).ok();
    }
    wishes
}

/// Restarts that are over soon.
fn brief() -> (&'static str, Value) {
    ("/retry", json!({"attempts": 2, "after": "20s", "backoff": "20s"}))
}

fn passthrough() -> Vec<Wish> {
    use Role::{Backup, Primary};
    let plain = |name, changes: &[(&str, Value)]| {
        let changes: Vec<_> = changes.iter().cloned().chain([brief()]).collect();
        wish(name, destination_json(), &changes)
    };
    let srt = |name, changes: &[(&str, Value)]| wish(name, srt_json(), changes);
    let off = |wish: Wish| Wish { fed: &[], ready: &[], lazy: true, ..wish };
    vec![
        plain("on the air, changes at once", &[restart()]),
        plain("on the air, changes wait", &[]),
        Wish { lazy: true, ends: Ends::FlowOff, on: false, ..plain("wanted while the flow is off", &[]) },
        off(plain("stopped", &[STOPPED])),
        Wish { fed: &[], gives_way: true, ..plain("stopped, and its place is needed", &[STOPPED]) },
        Wish { fed: &[], ready: &[Primary], ..plain("prepared", &[STOPPED, ("/prepare", json!(true))]) },
        plain("another URL at once", &[("/url", json!("rtmps://other.example.com:443/app")), restart()]),
        plain("RTMP without TLS at once", &[("/url", json!("rtmp://other.example.com:1935/app")), restart()]),
        Wish { copies: 1, encrypted: true, ..srt("SRT with a password at once", &[restart()]) },
        srt("SRT without a password at once", &[("/encryption", Value::Null), restart()]),
        Wish { fed: &[Primary, Backup], ..plain("a hot backup", &[backup("Hot"), restart()]) },
        Wish { ready: &[Backup], either: true, ..plain("a backup for failures", &[backup("OnFailure"), restart()]) },
        Wish {
            fed: &[Backup],
            ready: &[Primary],
            refuses: &[Primary],
            ..plain("the primary is refused", &[backup("OnFailure"), restart()])
        },
        Wish {
            fed: &[Backup],
            ready: &[Primary],
            told: Some(Backup),
            ..plain("told to use the backup", &[backup("OnFailure"), restart()])
        },
        Wish {
            fed: &[],
            ready: &[Primary],
            refuses: &[Primary],
            ends: Ends::Told(Reason::GaveUp),
            ..plain("refused", &[restart()])
        },
        Wish {
            lazy: true,
            ends: Ends::Told(Reason::SecretMissing),
            ..plain("its key is missing", &[nowhere(), restart()])
        },
        // What AWS has is fed; what it has not is not made without its key.
        Wish {
            lazy: true,
            refuses: &[Primary],
            ends: Ends::Told(Reason::SecretMissing),
            or: &[Reason::GaveUp],
            ..plain(
                "the backup's key cannot be read while the primary is down",
                &[backup("OnFailure"), lost(), restart()],
            )
        },
        Wish {
            lazy: true,
            refuses: &[Backup],
            ends: Ends::Told(Reason::SecretMissing),
            or: &[Reason::GaveUp],
            ..plain(
                "the primary's key cannot be read while the backup is down",
                &[backup("OnFailure"), nowhere(), restart()],
            )
        },
        Wish {
            fed: &[],
            ready: &[Primary, Backup],
            refuses: &[Primary, Backup],
            ends: Ends::Told(Reason::GaveUp),
            ..plain("both are refused", &[backup("OnFailure"), restart()])
        },
        off(plain("its key is missing, stopped", &[nowhere(), STOPPED])),
        Wish {
            ends: Ends::Told(Reason::InvalidSpec),
            ..off(plain("not to be understood, stopped", &[("/url", json!("rtmp://10.0.0.1/live")), STOPPED]))
        },
        plain("suspended", &[("/suspend", json!(true))]),
        gone("deleted"),
        Wish { retain: true, ..gone("deleted, retained") },
    ]
}

fn transcode() -> Vec<Wish> {
    use Role::{Backup, Primary};
    let live = |name, changes: &[(&str, Value)]| {
        let all = [("/delivery", json!("Transcode")), brief()].into_iter().chain(changes.iter().cloned());
        let wish = wish(name, destination_json(), &all.collect::<Vec<_>>());
        Wish { fed: &[], channel: Rest::Running(&[Primary]), ..wish }
    };
    let off = |wish: Wish| Wish { channel: Rest::Nothing, ..wish };
    let prepare = ("/prepare", json!(true));
    let on_failure = || backup("OnFailure");
    let refused = |wish: Wish| Wish { refuses: &[Primary], ends: Ends::Told(Reason::GaveUp), ..off(wish) };
    let plain = |name, changes: &[(&str, Value)]| {
        let all: Vec<_> = changes.iter().cloned().chain([brief()]).collect();
        wish(name, destination_json(), &all)
    };
    let mut asked = live("on the air, and asked to try again", &[restart()]);
    asked.object.metadata.annotations = Some(BTreeMap::from([(RECONCILE_AT.to_string(), "again".to_string())]));
    let mut no_role = live("MediaLive has no role", &[("/tags", json!({"a": "b"}))]);
    if let Desired::Present(Wanted { channel: Some(channel), .. }) = &mut no_role.desired {
        let problem = playout_core::failure::Problem::new(Reason::RoleMissing, "a role is needed");
        channel.role_arn = Err(problem);
    }
    vec![
        live("transcoded, changes at once", &[restart()]),
        live("transcoded, changes wait", &[]),
        off(live("transcoded, stopped", &[STOPPED])),
        Wish { channel: Rest::Idle, ..live("transcoded, prepared", &[STOPPED, prepare.clone()]) },
        Wish {
            channel: Rest::Idle,
            on: false,
            ends: Ends::FlowOff,
            ..live("prepared and wanted while the flow is off", &[prepare.clone(), restart()])
        },
        live("prepared and on the air", &[prepare.clone(), restart()]),
        Wish {
            channel: Rest::Idle,
            refuses: &[Primary],
            ends: Ends::Told(Reason::GaveUp),
            ..live("prepared and refused", &[prepare, restart()])
        },
        live("another encoding at once", &[("/encoding", json!("720p30")), restart()]),
        live("another URL, changes wait", &[("/url", json!("rtmps://other.example.com:443/app"))]),
        Wish {
            channel: Rest::Running(&[Primary, Backup]),
            ..live("transcoded with a hot backup", &[backup("Hot"), restart()])
        },
        Wish {
            channel: Rest::Running(&[Primary, Backup]),
            refuses: &[Primary],
            ..live("of a hot backup one is refused", &[backup("Hot"), restart()])
        },
        Wish { either: true, ..live("transcoded with a backup for failures", &[on_failure(), restart()]) },
        Wish {
            channel: Rest::Running(&[Backup]),
            refuses: &[Primary],
            ..live("transcoded, the primary is refused", &[on_failure(), restart()])
        },
        Wish {
            channel: Rest::Running(&[Backup]),
            told: Some(Backup),
            ..live("transcoded, told to use the backup", &[on_failure(), restart()])
        },
        Wish { told: Some(Primary), ..live("transcoded, told to use the primary", &[on_failure(), restart()]) },
        Wish {
            refuses: &[Primary, Backup],
            ends: Ends::Told(Reason::GaveUp),
            ..off(live("transcoded, both are refused", &[on_failure(), restart()]))
        },
        refused(live("transcoded, refused", &[restart()])),
        refused(live("transcoded, refused, changes wait", &[])),
        Wish {
            signal: false,
            refuses: &[Primary],
            ends: Ends::NoSignal,
            ..live("the Source has no signal", &[restart()])
        },
        Wish { dies: &[Primary], ends: Ends::Told(Reason::GaveUp), ..off(live("it stops by itself", &[restart()])) },
        Wish {
            channel: Rest::Running(&[Backup]),
            dies: &[Primary],
            ..live("it stops by itself while it feeds the primary", &[on_failure(), restart()])
        },
        asked,
        Wish {
            channel: Rest::AsBefore,
            ends: Ends::Told(Reason::SecretMissing),
            ..live("transcoded, its key is missing", &[nowhere(), restart()])
        },
        off(live("transcoded, its key is missing, stopped", &[nowhere(), STOPPED])),
        Wish { channel: Rest::AsBefore, ends: Ends::Told(Reason::RoleMissing), ..no_role },
        Wish { on: false, ends: Ends::FlowOff, ..off(live("transcoded while the flow is off", &[restart()])) },
        Wish { full: true, ..live("transcoded while there is no room", &[restart()]) },
        Wish { moves_first: Some("other"), ..live("another is moved first", &[restart()]) },
        Wish {
            lazy: true,
            ends: Ends::Told(Reason::InvalidSpec),
            ..off(live(
                "transcoded, not to be understood, stopped",
                &[("/url", json!("rtmp://10.0.0.1/live")), STOPPED],
            ))
        },
        live("transcoded, suspended", &[("/suspend", json!(true))]),
        plain("passed through, changes at once", &[restart()]),
        plain("passed through, changes wait", &[]),
        Wish { fed: &[], lazy: true, ..plain("passed through, stopped", &[STOPPED]) },
        Wish {
            fed: &[],
            ready: &[Primary],
            refuses: &[Primary],
            channel: Rest::AsBefore,
            ends: Ends::Told(Reason::GaveUp),
            ..plain("passed through, refused", &[restart()])
        },
        Wish { copies: 1, encrypted: true, ..wish("passed through with a password", srt_json(), &[restart()]) },
        gone("deleted"),
        Wish { retain: true, ..gone("deleted, retained") },
    ]
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

fn id() -> Identity {
    identity("Destination", "tube")
}

fn ours(world: &World, output: &FlowOutput) -> Ownership {
    let tags = world.flow.as_ref().and_then(|f| f.output_tags.get(&output.arn)).cloned().unwrap_or_default();
    id().ownership(&tags)
}

fn role(name: &str) -> Option<Role> {
    thread_local!(static NAMES: [(Role, String); 2] =
        [Role::Primary, Role::Backup].map(|role| (role, id().output_name(role.as_str()))));
    NAMES.with(|names| names.iter().find(|(_, n)| n == name).map(|(role, _)| *role))
}

fn outputs(world: &World, wish: &Wish) -> BTreeMap<Role, OutputSeen> {
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
fn channel(seen: &WorldChannel, wish: &Wish) -> ChannelSeen {
    let measured = |role: &Role| {
        let known = seen.channel.state == ChannelState::Running && seen.age >= 20;
        EndpointSeen {
            measured: Some(connected(known.then(|| !wish.refuses.contains(role)))),
            measured_from: None,
            unchanged_for: std::time::Duration::from_secs(seen.age.saturating_sub(if known { 20 } else { 0 })),
        }
    };
    let endpoints = seen.channel.settings.targets.keys().map(|role| (*role, measured(role))).collect();
    ChannelSeen { channel: seen.channel.clone(), endpoints, alerts: Vec::new(), alerts_unread: false }
}

fn others(world: &World) -> Vec<(&FlowOutput, Option<&BTreeMap<String, String>>)> {
    let id = id();
    let kept: Vec<_> = world.live.our_inputs(&id).map(|i| &i.input.arn).collect();
    let outputs = world.flow.iter().flat_map(|f| f.flow.outputs.iter().map(|o| (o, f.output_tags.get(&o.arn))));
    outputs
        .filter(|(o, _)| {
            ours(world, o) == Ownership::Foreign && o.managed_by.as_ref().is_none_or(|m| !kept.contains(&m))
        })
        .collect()
}

fn is_active(world: &World) -> bool {
    let state = world.flow.as_ref().map(|f| f.flow.state);
    matches!(state, Some(FlowState::Active | FlowState::Updating))
}

/// Paths by which a receiver takes the stream, as far as AWS has shown it.
fn on_air(world: &World, wish: &Wish) -> usize {
    if !is_active(world) {
        return 0;
    }
    let takes = |role: &Role| !wish.refuses.contains(role);
    let outputs = world.flow.iter().flat_map(|f| &f.flow.outputs).filter(|o| o.enabled);
    let outputs = outputs.filter(|o| role(&o.name).is_some_and(|r| takes(&r))).count();
    let id = id();
    let proven = |c: &&WorldChannel| {
        c.channel.state == ChannelState::Running && c.age >= 20 && c.channel.settings.targets.keys().any(takes)
    };
    outputs + world.live.our_channels(&id).filter(proven).count()
}

fn holds_back(world: &World) -> bool {
    let retries = world.status.as_ref().and_then(|s| s.retries.as_ref());
    retries.is_some_and(|r| r.state != RetryWord::Trying)
}

/// Whether a restart is counted for a reason.
fn is_true(before: &World, wish: &Wish, cause: &str) -> bool {
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
                    region: super::fixtures::REGION.into(),
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
            tries: memory::tries(&object, at(world.clock)),
            told: wish.told,
            decided: memory::decided(&object),
            left: Default::default(),
            not_ours: Vec::new(),
            source_lost: None,
            moves_first: wish.moves_first.map(str::to_string),
            gives_way: wish.gives_way,
            recorded: Default::default(),
        }
    }

    fn plan(wish: &Wish, seen: &Observed) -> DestinationPlan {
        plan(&wish.desired, wish.retain, seen)
    }

    fn housekeeping(wish: &Wish, seen: &Observed) -> Vec<A> {
        wish.wanted().map(|wanted| housekeeping(wanted, seen)).unwrap_or_default()
    }

    fn goes_first(memory: &Memory) -> bool {
        memory.goes_first
    }

    fn wrongly_decided(before: &World, wish: &Wish, memory: &Memory) -> Option<String> {
        let noted = memory.restart.as_ref().filter(|_| memory.goes_first && memory.is_anew);
        if let Some(tries) = noted.filter(|tries| tries.attempt.phase != Phase::Trying) {
            let cause = tries.attempt.cause.as_deref().unwrap_or_default();
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
        let is_told = matches!(&plan.step, Step::Act(actions) if actions.iter().any(A::is_told));
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
        if matches!(action, A::StartChannel { .. }) && !is_active(before) {
            return Some("the channel was started before its flow".into());
        }
        let makes = matches!(
            action,
            A::AddOutput { .. }
                | A::UpdateOutput { .. }
                | A::Copy(CopyAction::Create { .. })
                | A::CreateInput(_)
                | A::CreateChannel(_)
                | A::UpdateChannel { .. }
                | A::StartChannel { .. }
                | A::TagMediaLive { .. }
        );
        let Some(wanted) = wish.wanted() else {
            return makes.then(|| "something was made or started that is being deleted".into());
        };
        if wanted.suspended {
            return Some("a suspended Destination was acted upon".into());
        }
        let lives = |a: &A| matches!(a, A::CreateInput(_) | A::CreateChannel(_) | A::UpdateChannel { .. });
        if !wish.transcodes() && lives(action) || !wanted.running && !wanted.prepare && lives(action) {
            return Some("a channel was made or changed that nobody wants".into());
        }
        if !wanted.running {
            let fed = |w: &World| {
                let outputs = w.flow.iter().flat_map(|f| &f.flow.outputs).filter(|o| o.enabled);
                outputs.filter(|o| role(&o.name).is_some()).count()
            };
            let starts = fed(after) > fed(before) || matches!(action, A::StartChannel { .. });
            return starts.then(|| "it began to send unasked".into());
        }
        let fed = |w: &World| {
            let outputs = w.flow.iter().flat_map(|f| &f.flow.outputs).filter(|o| role(&o.name).is_some());
            outputs.filter(|o| o.enabled).count()
        };
        if matches!(action, A::UpdateOutput { .. }) && fed(before) > 0 && fed(after) == 0 && !holds_back(before) {
            return Some("a switch had one half".into());
        }
        if on_air(before, wish) == 0 || on_air(after, wish) > 0 {
            return None;
        }
        let of_channel = matches!(action, A::StopChannel { .. });
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
                matches!(step, Step::Stuck(p) if p.reason == Reason::NotOurs),
                "what is not ours still sends",
            );
        }
        if !foreign.is_empty() && wanted.problem.is_none() && !wish.transcodes() {
            return expect(matches!(step, Step::Stuck(p) if p.reason == Reason::NotOurs), "it is not ours");
        }
        let used = world.flow.as_ref().map_or(0, |f| f.flow.outputs.len()) + world.more_outputs;
        let told = |reasons: &[Reason]| matches!(step, Step::Stuck(p) if reasons.contains(&p.reason));
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
                    return expect(wish.moves_first.is_some() && !mine.is_empty() && nothing, "it does not wait");
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
        let as_wished = world.flow.is_none()
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
            .or_else(|| expect(as_wished, &format!("fed {:?}, ready {:?}", roles(true), roles(false))))
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
            A::UpdateOutput { enabled: Some(false), .. }
                | A::StopOutput { .. }
                | A::StopChannel { .. }
                | A::RemoveOutput { .. }
                | A::DeleteChannel { .. }
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
            let feeds = channel.channel.settings.targets.keys().any(|role| wish.dies.contains(role));
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

fn wrong_channel(
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
    let targets: Vec<_> = channel.iter().flat_map(|c| c.channel.settings.targets.keys().copied()).collect();
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
            matches!(step, Step::Stuck(p) if p.reason == reason)
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
    let as_wished = match wish.channel {
        Rest::Nothing => channel.is_none() && inputs.is_empty(),
        Rest::Idle => state == Some(ChannelState::Idle),
        Rest::Running(roles) => {
            let roles = targets == roles || !wanted.may_interrupt || wish.either && targets.len() == 1;
            state == Some(ChannelState::Running) && roles
        }
        Rest::AsBefore => true,
    };
    let settings = channel.is_none_or(|c| {
        let wished = wanted.channel.as_ref().map(|w| {
            let input = inputs.first().map(|i| i.input.id.clone()).unwrap_or_default();
            w.settings(|role| targets.contains(&role), &input)
        });
        match wished {
            Some(Ok(wished)) => wished.differences(&c.channel.settings).is_empty(),
            _ => true,
        }
    });
    let is_changed = (wanted.may_interrupt || wish.channel == Rest::Idle) && wish.channel != Rest::AsBefore;
    let taken = |i: &&&super::fixtures::world::live::WorldInput| {
        world.flow.as_ref().is_some_and(|f| i.input.flows == [f.flow.arn.clone()])
            && i.input.tags.get(TAG_UID).is_some_and(|uid| uid == "uid-1")
    };
    let mine = world.flow.iter().flat_map(|f| &f.flow.outputs);
    let mine: Vec<_> = mine.filter(|o| role(&o.name).is_some() && ours(world, o) != Ownership::Foreign).collect();
    let moved = wish.ends != Ends::Settled || (mine.is_empty() && world.secrets.is_empty());
    expect(right, "the answer is wrong")
        .or_else(|| expect(as_wished, &format!("the channel is {state:?} to {targets:?}")))
        .or_else(|| expect(!is_changed || settings, "the settings of the channel"))
        .or_else(|| expect(!is_changed || inputs.iter().filter(taken).count() == inputs.len(), "the input"))
        .or_else(|| expect(moved, "the old path is still there"))
}

fn destination_starts() -> Vec<World> {
    let source = &source_wishes()[3];
    let mut starts = Vec::new();
    for updating in [false, true] {
        starts.push(World::new(updating));
        for more_outputs in [0, 47, 48] {
            starts.push(World { more_outputs, ..with_others(updating) });
        }
        // Somebody else's output bears our name.
        starts.push(worlds_of(updating, source, |f| {
            let name = id().output_name("primary");
            f.flow.outputs = vec![FlowOutput { name, arn: "arn:foreign".into(), managed_by: None, ..managed() }];
        }));
    }
    starts
}

/// A flow on the air that others use, too.
fn with_others(updating: bool) -> World {
    worlds_of(updating, &source_wishes()[3], |f| {
        let by_hand = FlowOutput { name: "by-hand".into(), arn: "arn:hand".into(), managed_by: None, ..managed() };
        f.flow.outputs = vec![managed(), by_hand];
    })
}

/// What the wish comes to, from nothing.
fn come_to(wishes: &[Wish], name: &str) -> World {
    let wish = wishes.iter().find(|w| w.name == name).expect("a wish of that name");
    let way = super::run::<DestinationShow>(&with_others(true), wish, None, &mut Tally::default());
    way.worlds.last().cloned().expect("a world at rest")
}

fn live_starts(wishes: &[Wish]) -> Vec<World> {
    let changed = |name: &str, change: &dyn Fn(&mut World)| {
        let mut world = come_to(wishes, name);
        change(&mut world);
        world
    };
    let running = |change: &dyn Fn(&mut WorldChannel)| {
        changed("transcoded, changes at once", &|w| w.live.channels.iter_mut().for_each(change))
    };
    let idle = |change: &dyn Fn(&mut WorldChannel)| {
        changed("transcoded, prepared", &|w| w.live.channels.iter_mut().for_each(change))
    };
    let foreign = running(&|_| {}).live.channels.remove(0).channel.settings;
    let mut with_foreign = with_others(false);
    with_foreign.add_foreign_channel(foreign);
    let mut slow = with_others(true);
    slow.live.lag = 2;
    vec![
        World::new(true),
        with_others(true),
        with_foreign,
        slow,
        World { more_outputs: 48, ..with_others(true) },
        idle(&|c| c.channel.state = ChannelState::CreateFailed),
        idle(&|c| c.channel.state = ChannelState::UpdateFailed),
        running(&|c| c.channel.state = ChannelState::Recovering),
        // Somebody's update left the role out.
        idle(&|c| c.channel.settings.role_arn = None),
        // Of an earlier object of this name.
        running(&|c| {
            c.channel.tags.insert(TAG_UID.into(), "uid-0".into());
        }),
        // Somebody stopped it in the console.
        running(&|c| {
            c.channel.state = ChannelState::Stopping;
            c.died = true;
        }),
        // The Source was made anew.
        changed("transcoded, changes at once", &|w| {
            w.live.inputs.iter_mut().for_each(|i| i.input.flows = vec!["arn:another".into()]);
        }),
        // The status was lost.
        changed("transcoded, the primary is refused", &|w| w.status = None),
        changed("transcoded, refused", &|_| {}),
    ]
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

#[test]
fn what_the_small_medialive_refuses() {
    // The world itself can say no; otherwise all of the above would prove nothing.
    let wishes = with_generations(transcode());
    let running = come_to(&wishes, "transcoded, changes at once");
    let (channel, input) = (running.live.channels[0].channel.clone(), running.live.inputs[0].input.clone());
    let flow = running.flow.as_ref().expect("a flow").flow.arn.clone();
    let tags = channel.tags.clone();
    let of = || channel.id.clone();
    let new_input = |flow: &str| {
        let (name, role_arn) = (input.name.clone(), "arn:role".to_string());
        A::CreateInput(Box::new(NewInput { name, flow: flow.into(), role_arn, tags: tags.clone() }))
    };
    let new_channel = || {
        let (name, settings) = (channel.name.clone(), channel.settings.clone());
        A::CreateChannel(Box::new(NewChannel { name, settings, tags: tags.clone() }))
    };
    let update = |settings: &ChannelSettings| A::UpdateChannel {
        id: of(),
        name: channel.name.clone(),
        settings: Box::new(settings.clone()),
    };
    let no = |world: &World, action: &A, conflict: bool| {
        let mut world = world.clone();
        let before = world.live.clone();
        let answer = world.act_destination(action);
        let right = matches!((&answer, conflict), (Err(No::Conflict(_)), true) | (Err(No::Bad(_)), false));
        assert!(right && world.live == before, "{action:?} {answer:?}");
    };
    let fresh = |world: &World| {
        let mut world = world.clone();
        world.live.intend(Made::Input);
        world
    };
    for action in [
        A::StartChannel { id: of() },
        update(&channel.settings),
        A::DeleteChannel { id: of() },
        A::DeleteInput { id: input.id.clone() },
    ] {
        no(&running, &action, true);
    }
    no(&fresh(&running), &new_channel(), true);
    for action in [A::StopChannel { id: "404".into() }, A::DeleteInput { id: "404".into() }] {
        no(&running, &action, false);
    }
    no(&fresh(&running), &new_input("arn:unknown"), false);
    no(&fresh(&World { more_outputs: 48, ..running.clone() }), &new_input(&flow), false);
    let mut full = fresh(&running);
    full.live.others = LIMIT;
    no(&full, &new_input(&flow), true);
    let mut idle = running.clone();
    idle.live.channels[0].channel.state = ChannelState::Idle;
    no(&idle, &A::StopChannel { id: of() }, true);
    no(&idle, &update(&ChannelSettings { role_arn: None, ..channel.settings.clone() }), false);
    no(&idle, &update(&ChannelSettings { targets: BTreeMap::new(), ..channel.settings.clone() }), false);
    // A repetition by the same token makes nothing, another token a second one.
    let mut twice = fresh(&running);
    for _ in 0..2 {
        twice.live.intend(Made::Input);
        twice.act_destination(&new_input(&flow)).expect("an answer");
        twice.flow.as_mut().expect("a flow").flow.state = FlowState::Active;
        assert_eq!(twice.live.inputs.len(), 2);
    }
    twice.live.intend(Made::Channel);
    twice.live.intend(Made::Input);
    twice.act_destination(&new_input(&flow)).expect("an answer");
    assert_eq!(twice.live.inputs.len(), 3);
}
