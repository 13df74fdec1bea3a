//! The way from the sources that a flow has to those that it is to have, one change at a time.
//!
//! The order keeps a source that carries the show: what is new comes before what is old goes, where there is room, and the only
//! source that receives something is not taken out of a flow that sends. Nothing is asked that AWS refuses: the last source is
//! never removed, nor the one that `sourcePriority` names, and two sources differ in name and port and speak one protocol.
//! What AWS has refused, and what cannot be done now, holds up nothing else.

use super::action::Action;
use super::observed::Observed;
use super::target::{failover, failover_differs, is_ndi_exchange, is_sending, placed, settled};
use super::wanted::{InputWanted, Wanted};
use crate::api::source::InputHealth;
use crate::resources::flow::{Failover, Flow, FlowAction, FlowSource, FlowState, NewSource, Protocol, SourceSettings};

/// The next change.
pub(super) fn next(wanted: &Wanted, seen: &Observed, flow: &Flow) -> Option<Action> {
    Inputs::of(wanted, seen, flow).next()
}

/// The source that is to go and stays, because nothing else that stays is known to receive anything, and the flow sends.
pub(super) fn kept_on_the_air<'a>(wanted: &Wanted, seen: &Observed, flow: &'a Flow) -> Option<&'a FlowSource> {
    let inputs = Inputs::of(wanted, seen, flow);
    match flow.sources.as_slice() {
        [old] => (inputs.needs_a_spare() && inputs.is_live(old)).then_some(old),
        [first, second] => {
            let goes = |s: &FlowSource| inputs.surplus().any(|o| o.arn == s.arn);
            let only = |goes: &FlowSource, stays: &FlowSource| inputs.is_only_live(goes, stays);
            match (goes(first) && only(first, second), goes(second) && only(second, first)) {
                (true, _) => Some(first),
                (_, true) => Some(second),
                _ => None,
            }
        }
        _ => None,
    }
}

/// A source to be made.
pub(super) fn new_source(input: &InputWanted, wanted: &Wanted, seen: &Observed) -> NewSource {
    NewSource { name: input.name.clone(), settings: settled(input, seen), tags: wanted.tags.clone() }
}

/// Whether all is known that AWS has to be told of it: the copy of its password is there.
pub(super) fn is_complete(input: &InputWanted, seen: &Observed) -> bool {
    input.password.is_none() || settled(input, seen).decryption.is_none_or(|cipher| cipher.secret_arn.is_some())
}

struct Inputs<'a> {
    wanted: &'a Wanted,
    seen: &'a Observed,
    flow: &'a Flow,
    placed: Vec<&'a InputWanted>,
}

impl<'a> Inputs<'a> {
    fn of(wanted: &'a Wanted, seen: &'a Observed, flow: &'a Flow) -> Self {
        Self { wanted, seen, flow, placed: placed(wanted, seen, Some(flow)) }
    }

    fn next(&self) -> Option<Action> {
        let lacks: Vec<_> = self.lacks().collect();
        let complete = lacks.iter().filter(|i| is_complete(i, self.seen));
        let missing: Vec<_> = complete.map(|i| new_source(i, self.wanted, self.seen)).collect();
        self.bring_in(&missing)
            .or_else(|| self.update_one())
            // What is to replace it has to be there first.
            .or_else(|| if lacks.is_empty() { self.take_out() } else { None })
            .or_else(|| self.step_aside())
            .or_else(|| self.set_failover())
    }

    fn may(&self, action: Action) -> Option<Action> {
        (!self.seen.left.leaves(&action)).then_some(action)
    }

    fn set(&self, failover: Failover) -> Action {
        Action::Flow(FlowAction::SetFailover { flow: self.flow.arn.clone(), failover })
    }

    fn add(&self, source: NewSource) -> Action {
        Action::Flow(FlowAction::AddSource { flow: self.flow.arn.clone(), source })
    }

    fn update(&self, source: &FlowSource, settings: SourceSettings) -> Action {
        Action::Flow(FlowAction::UpdateSource {
            flow: self.flow.arn.clone(),
            arn: source.arn.clone(),
            name: source.name.clone(),
            settings: Box::new(settings),
        })
    }

    /// Takes a source out beside one that stays.
    fn remove(&self, goes: &FlowSource, stays: &FlowSource) -> Option<Action> {
        if self.is_only_live(goes, stays) {
            return None;
        }
        let flow = self.flow.arn.clone();
        let removal =
            self.may(Action::Flow(FlowAction::RemoveSource { flow, arn: goes.arn.clone(), name: goes.name.clone() }))?;
        let Failover { enabled, merge, primary, .. } = &self.flow.failover;
        let leads = *enabled && !merge && primary.as_ref() == Some(&goes.name);
        if leads {
            let primary = Some(stays.name.clone());
            return self.may(self.set(Failover { enabled: true, primary, ..Failover::default() }));
        }
        Some(removal)
    }

    /// Whether nobody would see anything any more if it went. A lead that people have given to what is not there yet is theirs.
    fn is_only_live(&self, goes: &FlowSource, stays: &FlowSource) -> bool {
        let told = self.wanted.active_input.as_ref();
        let takes_over = told.is_some_and(|name| self.lacks().any(|input| &input.name == name));
        !takes_over && self.is_live(goes) && !matches!(self.health(stays), InputHealth::Healthy | InputHealth::Degraded)
    }

    /// Whether it is known to receive something that is sent on.
    fn is_live(&self, source: &FlowSource) -> bool {
        self.flow.state == FlowState::Active
            && is_sending(self.flow)
            && matches!(self.health(source), InputHealth::Healthy | InputHealth::Degraded)
    }

    fn health(&self, source: &FlowSource) -> InputHealth {
        self.seen.inputs.get(&source.name).map_or(InputHealth::Unknown, |i| i.health)
    }

    fn is_kept(&self, source: &FlowSource) -> bool {
        let stays = |i: &&InputWanted| !settled(i, self.seen).needs_replacement(&source.settings);
        self.placed.iter().any(|i| i.name == source.name && stays(i))
    }

    /// Inputs that have a place and no source.
    fn lacks(&self) -> impl Iterator<Item = &'a InputWanted> {
        let has = |i: &InputWanted| self.flow.sources.iter().any(|s| s.name == i.name && self.is_kept(s));
        self.placed.iter().copied().filter(move |i| !has(i))
    }

    /// Sources that are not, or not so, among the inputs.
    fn surplus(&self) -> impl Iterator<Item = &'a FlowSource> {
        self.flow.sources.iter().filter(|s| !self.is_kept(s))
    }

    /// Whether what is new cannot stand beside the one source there is, which has its name or its port.
    fn needs_a_spare(&self) -> bool {
        let [old] = self.flow.sources.as_slice() else { return false };
        let lacks: Vec<_> = self.lacks().map(|i| new_source(i, self.wanted, self.seen)).collect();
        !self.is_kept(old)
            && lacks.first().is_some_and(|new| speak_alike(new.settings.protocol, old.settings.protocol))
            && !lacks.iter().any(|new| fits_beside(new, old))
    }

    fn bring_in(&self, missing: &[NewSource]) -> Option<Action> {
        let Self { seen, flow, .. } = self;
        let new = missing.first()?;
        if is_ndi_exchange(&new.settings, &new.name, flow) {
            return None;
        }
        if flow.failover.enabled && flow.failover.merge && !failover(self.wanted, &self.placed).merge {
            // What comes may be of a protocol that cannot be merged.
            return self.may(self.set(Failover { enabled: true, ..Failover::default() }));
        }
        if let [first, second, ..] = flow.sources.as_slice() {
            // A full flow has to give up a place: that of the source which does not lead, if what is missing fits beside
            // the one that does.
            let (leads, follows) = if leads(second, seen, flow) { (second, first) } else { (first, second) };
            let may_go = |s: &FlowSource| self.surplus().any(|o| o.arn == s.arn);
            let helps = |stays: &FlowSource| missing.iter().any(|m| fits_beside(m, stays));
            let goes: Vec<_> =
                [(follows, leads), (leads, follows)].into_iter().filter(|(goes, _)| may_go(goes)).collect();
            let (goes, stays) = goes.iter().find(|(_, stays)| helps(stays)).or(goes.first())?;
            return self.remove(goes, stays);
        }
        let Some(old) = flow.sources.first() else {
            // Somebody has taken the last one away.
            return self.may(self.add(new.clone()));
        };
        let enable = || self.set(Failover { enabled: true, ..Failover::default() });
        let mut fitting = missing.iter().filter(|m| fits_beside(m, old)).peekable();
        if fitting.peek().is_some() {
            let action = fitting.find_map(|fits| self.may(self.add(fits.clone())))?;
            return if flow.failover.enabled { Some(action) } else { self.may(enable()) };
        }
        let kept = self.placed.iter().find(|i| i.name == old.name && self.is_kept(old)).map(|i| settled(i, seen));
        if let Some(settings) = kept.filter(|k| !k.differences(&old.settings).is_empty()) {
            // It stands on a port that it is to leave.
            return self.may(self.update(old, settings));
        }
        if !speak_alike(new.settings.protocol, old.settings.protocol) {
            // Two protocols cannot stand side by side: the one source changes over and keeps the place.
            let same = missing.iter().find(|m| m.name == old.name);
            let settings = same.map_or_else(|| spare(new, flow).settings, |m| m.settings.clone());
            return self.may(self.update(old, settings));
        }
        // What is new needs the name or the port of the last source, which cannot be removed: a spare keeps the place.
        if self.is_live(old) {
            return None;
        }
        let action = self.may(self.add(spare(new, flow)))?;
        if flow.failover.enabled { Some(action) } else { self.may(enable()) }
    }

    /// What each of the kept sources is to be and is not; and whether another one stands on the port that it is to have.
    fn changes(&self) -> impl Iterator<Item = (&'a FlowSource, SourceSettings, bool)> {
        self.placed.iter().filter(|i| is_complete(i, self.seen)).filter_map(|input| {
            let settings = settled(input, self.seen);
            let old = self.flow.sources.iter().find(|s| s.name == input.name && self.is_kept(s))?;
            let blocked = self.flow.sources.iter().any(|s| s.arn != old.arn && same_port(&settings, &s.settings));
            (!settings.differences(&old.settings).is_empty()).then_some((old, settings, blocked))
        })
    }

    fn update_one(&self) -> Option<Action> {
        let mut free = self.changes().filter(|(.., blocked)| !blocked);
        free.find_map(|(old, settings, _)| self.may(self.update(old, settings)))
    }

    fn take_out(&self) -> Option<Action> {
        self.surplus().find_map(|goes| {
            let stays = self.flow.sources.iter().find(|s| s.arn != goes.arn)?;
            self.remove(goes, stays)
        })
    }

    /// Two inputs exchange their ports: one steps aside, if both may be changed.
    fn step_aside(&self) -> Option<Action> {
        let all: Vec<_> = self.changes().collect();
        let may_all = all.iter().all(|(old, settings, _)| self.may(self.update(old, settings.clone())).is_some());
        let (old, settings, _) = all.iter().find(|(.., blocked)| *blocked)?;
        // The one on that port is to leave it, too; else the port is free when what stands on it is gone.
        let exchanged = all.len() > 1;
        if !may_all || !exchanged {
            return None;
        }
        let mut aside = settings.clone();
        aside.ingest_port = free_port(aside.ingest_port, self.flow);
        Some(self.update(old, aside))
    }

    fn set_failover(&self) -> Option<Action> {
        let wish = failover(self.wanted, &self.placed);
        let is_there = |name: &String| self.flow.sources.iter().any(|s| &s.name == name);
        // Of what cannot be brought in, or taken out, now.
        let is_possible = (wish.enabled || self.flow.sources.len() < 2)
            && wish.primary.as_ref().is_none_or(is_there)
            && (!wish.merge || self.surplus().next().is_none());
        (is_possible && failover_differs(&wish, &self.flow.failover)).then(|| self.may(self.set(wish)))?
    }
}

/// Whether this source is the one that is sent on: as AWS measures, else as failover says.
fn leads(source: &FlowSource, seen: &Observed, flow: &Flow) -> bool {
    let selected = |s: &FlowSource| seen.inputs.get(&s.name).is_some_and(|i| i.measured.selected == Some(true));
    match flow.sources.iter().find(|s| selected(s)) {
        Some(selected) => selected.arn == source.arn,
        None => flow.failover.primary.as_ref() == Some(&source.name),
    }
}

fn speak_alike(a: Protocol, b: Protocol) -> bool {
    let family = |p| if p == Protocol::RtpFec { Protocol::Rtp } else { p };
    family(a) == family(b)
}

fn same_port(a: &SourceSettings, b: &SourceSettings) -> bool {
    a.ingest_port.is_some() && a.ingest_port == b.ingest_port
}

/// Whether AWS would take it as the second source.
fn fits_beside(new: &NewSource, old: &FlowSource) -> bool {
    new.name != old.name
        && speak_alike(new.settings.protocol, old.settings.protocol)
        && !same_port(&new.settings, &old.settings)
}

/// A source like the new one, for the time until the new one has its place. Its name has capitals, which no input's has.
fn spare(new: &NewSource, flow: &Flow) -> NewSource {
    let mut spare = NewSource { name: format!("{}-SPARE", new.name), ..new.clone() };
    spare.settings.ingest_port = free_port(spare.settings.ingest_port, flow);
    if spare.settings.protocol == Protocol::ZixiPush {
        spare.settings.stream_id = Some(spare.name.clone());
    }
    spare
}

/// A port that no source of the flow has, nor wants next to it: RTP-FEC also uses the second and fourth port above its own.
fn free_port(wanted: Option<i32>, flow: &Flow) -> Option<i32> {
    let taken = |port: i32| flow.sources.iter().any(|s| s.settings.ingest_port.is_some_and(|p| (p - port).abs() < 8));
    wanted
        .map(|wanted| (1..).map(|n| 10_000 + 10 * n).find(|p| !taken(*p) && (p - wanted).abs() >= 8).unwrap_or(wanted))
}
