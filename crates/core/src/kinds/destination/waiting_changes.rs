//! Changes of a channel that runs: which there are, and which wait because they would interrupt it.

use super::connection::{Connection, DEAF_AFTER, of_channel};
use super::groups;
use super::observed::{Observed, Programme};
use super::transcode::active;
use super::wanted::{ChannelWanted, Wanted};
use crate::endpoint::Role;
use crate::fight::{Change, What};
use crate::resources::channel::{CHANNEL, ChannelState};

/// What can cure a receiver that refuses, by the names of the fields of the primary.
const CURES: [&str; 4] = ["url", "streamKey", "username", "password"];

/// Whether the channel may be given other settings.
pub(super) fn may_change(seen: &Observed) -> bool {
    !seen.left.has(&Change::of(CHANNEL, What::Settings))
}

/// Whether a dead endpoint gives its place to this one: it goes only when the other can come.
pub(super) fn has_spare(wanted: &Wanted, channel: &ChannelWanted, seen: &Observed, to: Role) -> bool {
    let can_be_fed = channel.endpoints.get(&to).is_some_and(|e| e.target.is_ok());
    seen.failover.requested.is_none() && !wanted.hot && channel.endpoints.len() == 2 && can_be_fed && may_change(seen)
}

/// Whether a channel is protected from a restart for the sake of these changes. One that gets nothing of a programme that is there
/// is not: it sends a substitute. Nor is one that no receiver has taken for a while, unless the backup is about to take its place,
/// which is a restart anyway. An encoder that pauses, or a platform that restarts, finds the channel as it left it.
pub(super) fn protects(wanted: &Wanted, channel: &ChannelWanted, seen: &Observed, changes: &[&str]) -> bool {
    let Some(now) = seen.channel.present().filter(|now| now.channel.state == ChannelState::Running) else {
        return true;
    };
    let signal = if let Programme::Flow { signal, .. } = &seen.flow { *signal } else { None };
    if signal == Some(true) && now.input_loss().is_some() && now.input_lost_for >= DEAF_AFTER {
        return false;
    }
    let fed = groups::fed(&now.channel.settings);
    let unchanged_for = |role: &Role| now.endpoints.get(&(*role).into()).map(|e| e.unchanged_for).unwrap_or_default();
    let is_dead =
        |role: &Role| of_channel(now, *role) == Connection::Down && unchanged_for(role) >= wanted.restart.dead_after();
    let cures = |change: &&str| {
        let (role, field) = change.strip_prefix("backup.").map_or((Role::Primary, *change), |f| (Role::Backup, f));
        fed.contains(&role) && CURES.contains(&field)
    };
    let gives_way = fed == [Role::Primary] && has_spare(wanted, channel, seen, Role::Backup);
    !fed.iter().all(is_dead) || gives_way && !changes.iter().any(cures)
}

/// Changes that wait because they would interrupt a running channel, by the names of the fields.
pub(super) fn pending_changes(wanted: &Wanted, channel: &ChannelWanted, seen: &Observed) -> Vec<String> {
    let up = seen.channel.present().is_some_and(|now| now.channel.state.is_up());
    if !up || wanted.may_interrupt || !wanted.running {
        return Vec::new();
    }
    let changes = changes(wanted, channel, seen);
    let names: Vec<_> = changes.iter().map(String::as_str).collect();
    if protects(wanted, channel, seen, &names) { changes } else { Vec::new() }
}

/// In what the channel differs from the wish, by the names of the fields.
pub(super) fn changes(wanted: &Wanted, channel: &ChannelWanted, seen: &Observed) -> Vec<String> {
    let (Some(now), Some(input)) = (seen.channel.present(), seen.input.present()) else { return Vec::new() };
    let feeds = |role| wanted.hot || role == active(wanted, channel, seen);
    let Ok(settings) = channel.settings(feeds, &input.id) else { return Vec::new() };
    let differences = groups::fields(&settings.differences(&now.channel.settings));
    let mut list: Vec<_> = differences.into_iter().map(str::to_string).collect();
    let flow = if let Programme::Flow { arn, .. } = &seen.flow { Some(arn) } else { None };
    if flow.is_some_and(|arn| input.flows != [arn.as_str()]) && !list.iter().any(|l| l == "input") {
        list.push("input".into());
    }
    list
}
