//! In what AWS differs from what is asked for, in words without secrets.

use std::collections::BTreeMap;

use super::action::Action;
use super::observed::{Observed, OutputSeen};
use super::plan::changes;
use super::wanted::Wanted;
use crate::endpoint::Role;
use crate::resources::channel::ChannelAction;
use crate::resources::flow::{OutputAction, OutputSettings};

/// In what AWS differs from what this action asks for: fields and both values, where they are no secrets. Empty: that is told by
/// what the action is.
#[must_use]
pub fn difference(wanted: Option<&Wanted>, seen: &Observed, action: &Action) -> String {
    let of_output = |role: &Role, new: Option<&OutputSettings>| {
        let old = seen.outputs.get(role).map(|o| &o.output.settings);
        old.zip(new).map_or_else(Vec::new, |(old, new)| {
            new.differences(old).into_iter().map(|name| both(name, old, new)).collect()
        })
    };
    let requested = |role: &Role| wanted?.outputs.get(role)?.settings.as_ref().ok();
    let list = match action {
        Action::Output(OutputAction::Update { role, settings: Some(settings), .. }) => of_output(role, Some(settings)),
        Action::Output(OutputAction::Remove { role, .. }) => of_output(role, requested(role)),
        Action::Output(OutputAction::Tag { arn, tags }) => {
            let output = seen.outputs.values().find(|o: &&OutputSeen| o.output.arn == *arn);
            output.and_then(|o| o.tags.as_ref()).map_or_else(Vec::new, |old| of_tags(old, tags))
        }
        Action::Channel(ChannelAction::Update { .. }) | Action::Channel(ChannelAction::Stop { .. }) => {
            wanted.map_or_else(Vec::new, |wanted| changes(wanted, seen))
        }
        _ => Vec::new(),
    };
    list.join(", ")
}

fn of_tags(old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<String> {
    let differs = |(key, value): &(&String, &String)| old.get(*key) != Some(value);
    let told = |(key, value)| format!("{key} {} -> {value}", old.get(key).map_or("none", String::as_str));
    new.iter().filter(differs).map(told).collect()
}

fn both(name: &str, old: &OutputSettings, new: &OutputSettings) -> String {
    let value = |s: &OutputSettings| match name {
        // Of an application the first word alone is no secret, and it is not what differs as a rule.
        "url" => {
            let port = s.port.map(|port| format!(":{port}")).unwrap_or_default();
            let tls = if s.rtmp.as_ref().is_some_and(|r| r.tls) { " with TLS" } else { "" };
            Some(format!("{} {}{port}{tls}", s.protocol.as_str(), s.destination.as_deref().unwrap_or_default()))
        }
        "srt.minLatencyMs" => s.min_latency.map(|v| v.to_string()),
        "srt.allowedCidrs" => Some(s.cidr_allow_list.join(" ")),
        _ => None,
    };
    match (value(old), value(new)) {
        (Some(old), Some(new)) if old != new => format!("{name} {old} -> {new}"),
        _ => name.to_string(),
    }
}
