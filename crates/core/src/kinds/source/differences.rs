//! What the adoption of a flow would change in it, in words without secrets.

use super::action::Action;
use super::observed::Observed;
use super::target::{failover, failover_differs, is_interface, is_on, is_sending, placed, settled, takes_size};
use super::wanted::{InputWanted, Wanted};
use crate::api::policy::RunState;
use crate::existence::Existence;
use crate::resources::flow::{Failover, Flow, FlowAction, FlowSource, FlowState, Protocol, SourceSettings};
use crate::resources::secret_copy;

/// Each is the end of a sentence that begins with "Adopting it". Empty: the planner would do nothing.
#[must_use]
pub fn differences(wanted: &Wanted, seen: &Observed, flow: &Flow) -> Vec<String> {
    let mut list = Vec::new();
    for (key, value) in wanted.tags.iter().filter(|(key, _)| !key.starts_with("playout.dev/")) {
        match seen.tags.get(key) {
            Some(old) if old == value => {}
            Some(old) => list.push(format!("would change tag {key}: {old} -> {value}")),
            None => list.push(format!("would set tag {key}: {value}")),
        }
    }
    if let (Some(size), Some(old)) = (&wanted.size, &flow.size)
        && size != old
    {
        let when = if takes_size(flow) { "" } else { ", once it is stopped" };
        list.push(format!("would change the flow's size: {old} -> {size}{when}"));
    }
    if let Some(window) = wanted.maintenance.as_ref().filter(|window| flow.maintenance.as_ref() != Some(*window)) {
        list.push(format!("would set the maintenance window to {window}"));
    }
    inputs(wanted, seen, flow, &mut list);
    interfaces(wanted, flow, &mut list);
    match (&wanted.ndi, &flow.ndi) {
        (Some(_), None) => list.push("would switch NDI on".into()),
        (Some(wish), seen) if wish.differs(seen.as_ref()) => list.push("would change NDI discovery".into()),
        // Inputs that speak NDI are not the spec's, and go first.
        (None, Some(_)) if flow.outputs.iter().all(|o| o.settings.protocol != Protocol::Ndi) => {
            list.push("would switch NDI off".into());
        }
        _ => {}
    }
    let placed = placed(wanted, seen, Some(flow));
    let wish = failover(wanted, &placed);
    if failover_differs(&wish, &flow.failover) {
        list.push(failover_in_words(&wish, &flow.failover));
    }
    match (flow.state, is_on(wanted, seen)) {
        (FlowState::Standby, true) => list.push("would start the flow".into()),
        (FlowState::Active, false) if wanted.state == Some(RunState::Stopped) => {
            list.push("would stop the flow: spec.state is Stopped".into());
        }
        (FlowState::Active, false) if !is_sending(flow) => {
            list.push("would stop the flow: spec.state is Auto and nothing uses it".into());
        }
        _ => {}
    }
    list
}

fn inputs(wanted: &Wanted, seen: &Observed, flow: &Flow, list: &mut Vec<String>) {
    let placed = placed(wanted, seen, Some(flow));
    for input in &placed {
        let settings = settled(input, seen);
        let Some(source) = flow.sources.iter().find(|s| s.name == input.name) else {
            list.push(format!("would add input {}: {}", input.name, told(&settings)));
            continue;
        };
        let changes = changes(input, &settings, source, seen);
        if !changes.is_empty() {
            let how = if settings.needs_replacement(&source.settings) { "replace" } else { "change" };
            list.push(format!("would {how} input {}: {}", input.name, changes.join(", ")));
        }
    }
    for source in flow.sources.iter().filter(|s| placed.iter().all(|i| i.name != s.name)) {
        list.push(format!("would remove input {}: {}", source.name, told(&source.settings)));
    }
}

/// As people tell one input from another. Nothing that could be a key.
fn told(settings: &SourceSettings) -> String {
    match settings.ingest_port.or(settings.listener_port) {
        Some(port) => format!("{}, port {port}", settings.protocol.as_str()),
        None => settings.protocol.as_str().into(),
    }
}

/// In what AWS differs from what this action asks for: fields and both values, where they are no secrets. Empty: that is told by
/// what the action is.
#[must_use]
pub fn difference(seen: &Observed, action: &Action) -> String {
    let Existence::Present(flow) = &seen.flow else { return String::new() };
    let list = match action {
        Action::Flow(FlowAction::UpdateSource { arn, settings, .. }) => {
            let old = flow.sources.iter().find(|s| s.arn == *arn).map(|s| &s.settings);
            old.map_or_else(Vec::new, |old| {
                settings.differences(old).into_iter().map(|name| both(name, old, settings)).collect()
            })
        }
        Action::Flow(FlowAction::Tag { tags, .. }) => tags
            .iter()
            .filter(|(key, value)| seen.tags.get(*key) != Some(value))
            .map(|(key, value)| format!("{key} {} -> {value}", seen.tags.get(key).map_or("none", String::as_str)))
            .collect(),
        Action::Flow(FlowAction::Resize { size, .. }) => {
            vec![format!("flowSize {} -> {size}", flow.size.as_deref().unwrap_or("none"))]
        }
        Action::Flow(FlowAction::SetFailover { failover, .. }) => vec![failover_in_words(failover, &flow.failover)],
        _ => Vec::new(),
    };
    list.join(", ")
}

/// A field and both its values, where they are no secrets.
fn both(name: &str, old: &SourceSettings, new: &SourceSettings) -> String {
    match (value(name, old), value(name, new)) {
        (None, None) => name.to_string(),
        (old, new) => format!("{name} {} -> {}", old.as_deref().unwrap_or("none"), new.as_deref().unwrap_or("none")),
    }
}

fn value(name: &str, s: &SourceSettings) -> Option<String> {
    let text = |value: Option<&String>| value.filter(|v| !v.is_empty()).cloned();
    let number = |value: Option<i32>| value.map(|v| v.to_string());
    match name {
        "protocol" => Some(s.protocol.as_str().to_string()),
        "allowedCidr" => text(s.whitelist_cidr.as_ref()),
        "port" => number(s.ingest_port.or(s.listener_port)),
        "maxBitrate" => s.max_bitrate.map(|v| v.to_string()),
        "minLatencyMs" => number(s.min_latency),
        "maxLatencyMs" => number(s.max_latency),
        "address" => text(s.listener_address.as_ref()),
        "vpcInterface" => text(s.vpc_interface.as_ref()),
        // A stream id, a path or a key: what the flow has may be a secret.
        _ => None,
    }
}

fn changes(input: &InputWanted, settings: &SourceSettings, source: &FlowSource, seen: &Observed) -> Vec<String> {
    let old = &source.settings;
    let mut names = settings.differences(old);
    // The operator's own copy of a password is made after the confirmation, so it cannot be the one that the flow reads.
    let is_copied = |p| secret_copy::find(p, &seen.secrets, old.decryption.as_ref()).is_some();
    if input.password.as_ref().is_some_and(|p| !is_copied(p)) && !names.contains(&"encryption") {
        names.push("encryption");
    }
    // It goes along with any other change, and is none by itself.
    if !names.is_empty() && settings.description != old.description {
        names.push("description");
    }
    names.into_iter().map(|name| both(name, old, settings)).collect()
}

fn interfaces(wanted: &Wanted, flow: &Flow, list: &mut Vec<String>) {
    for wish in &wanted.vpc_interfaces {
        match flow.vpc_interfaces.iter().find(|v| v.name == wish.name) {
            None => list.push(format!("would add VPC interface {}", wish.name)),
            Some(old) if !is_interface(wish, old) => list.push(format!("would replace VPC interface {}", wish.name)),
            Some(_) => {}
        }
    }
    let kept = |name: &str| wanted.vpc_interfaces.iter().any(|w| w.name == name);
    for old in flow.vpc_interfaces.iter().filter(|v| !kept(&v.name)) {
        list.push(format!("would remove VPC interface {}", old.name));
    }
}

fn failover_in_words(wish: &Failover, old: &Failover) -> String {
    match (wish.enabled, wish.merge, &wish.primary) {
        (false, ..) => "would switch failover off".into(),
        (true, true, _) => "would merge the inputs".into(),
        (true, false, Some(primary)) if old.enabled && !old.merge => format!("would let input {primary} lead"),
        (true, false, Some(primary)) => format!("would switch failover on, with input {primary} leading"),
        (true, false, None) => "would switch failover on".into(),
    }
}
