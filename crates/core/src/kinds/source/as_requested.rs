//! What `Ready` says of a Source whose wish is carried out: also of what is wrong with the programme, since it is what people read.

use super::address::all_moved;
use super::leading::{is_led_anew, named, stands_in};
use super::observed::{Management, Observed};
use super::plan::is_sending;
use super::status::leader;
use crate::api::source::{DesiredSourceState, InputHealth, InputStatus, Source, SourceStatus};
use crate::plan::Deferred;
use crate::reasons::Reason;
use crate::resources::flow::{Flow, FlowState};
use crate::wording::shortened;

/// The reason and the message.
pub(super) fn as_requested(
    status: &SourceStatus,
    source: &Source,
    seen: Option<&Observed>,
    flow: Option<&Flow>,
    waits: &[Deferred],
) -> (Reason, String) {
    if source.spec.suspend {
        let mut text = Reason::Suspended.meaning().to_string();
        // Nothing stops it, and it is paid for.
        if flow.is_some_and(|f| !matches!(f.state, FlowState::Standby | FlowState::Deleting | FlowState::Error)) {
            text += " The flow runs meanwhile and is billed.";
        }
        return (Reason::Suspended, text);
    }
    let runs = matches!(flow.map(|f| f.state), Some(FlowState::Active | FlowState::Updating));
    let (mut reason, mut text) = match runs {
        true => running(status, source, seen, flow),
        false => (Reason::Stopped, "The flow is ready and stopped; a stopped flow costs nothing.".to_string()),
    };
    // Who has an old address hears nothing of a lost signal: the encoder sends.
    let leads = |name: &str| status.active_input.as_deref() == Some(name);
    for (input, sentence) in all_moved(status) {
        if matches!(reason, Reason::Running | Reason::Stopped) || reason == Reason::NoSignal && leads(&input.name) {
            reason = Reason::NewAddress;
        }
        text += &format!(" {sentence}");
    }
    for pending in waits.iter().filter(|_| runs) {
        if reason == Reason::Running {
            reason = Reason::PendingChanges;
        }
        text += &format!(" {}", pending.why);
    }
    (reason, text)
}

/// Who pays for a running flow wants to know what it runs for, and whether anything arrives.
fn running(status: &SourceStatus, source: &Source, seen: Option<&Observed>, flow: Option<&Flow>) -> (Reason, String) {
    let text = purpose(source, seen, flow);
    let Some(leader) = leader(status) else { return (Reason::Running, text) };
    let name = &leader.name;
    let degraded = match leader.health {
        Some(InputHealth::Failed) => {
            return (Reason::NoSignal, format!("{text} Input {name} receives nothing; start the encoder."));
        }
        Some(InputHealth::Degraded) => format!(" Input {name} is degraded; status.inputs has the numbers."),
        _ => String::new(),
    };
    if let Some(failover) = status.failover.as_ref().filter(|failover| failover.input == *name) {
        return (Reason::Switched, format!("{text} {}{degraded}", stands_in(source, failover)));
    }
    let is_one_of_two = status.inputs.iter().filter(|i| i.in_flow).count() > 1;
    let asked = if source.spec.active_input.as_ref() == Some(name) { ", as spec.activeInput says" } else { "" };
    let is_led_anew = seen.zip(flow).is_some_and(|(seen, flow)| is_led_anew(seen, flow));
    let leads = if is_led_anew { "was told to lead" } else { "leads" };
    let leads = format!(" Input {} {leads}{asked}.", named(source, name));
    // What the leader is to be replaced by, if it comes to that.
    let is_deaf = |i: &&InputStatus| i.in_flow && i.name != *name && i.health == Some(InputHealth::Failed);
    let deaf: Vec<_> = status.inputs.iter().filter(is_deaf).map(|i| named(source, &i.name)).collect();
    let leads = deaf.iter().fold(leads, |all, name| format!("{all} Input {name} receives nothing."));
    match degraded.as_str() {
        "" if is_one_of_two => (Reason::Running, text + &leads),
        "" => (Reason::Running, text),
        degraded => (Reason::SignalDegraded, text + degraded),
    }
}

fn purpose(source: &Source, seen: Option<&Observed>, flow: Option<&Flow>) -> String {
    if seen.is_some_and(|s| s.management == Management::Referenced) {
        return "The flow is running. Playout uses it and leaves it as it is.".into();
    }
    let unused = seen.is_some_and(|s| s.users.on_air.is_empty()) && source.spec.state == DesiredSourceState::Auto;
    match flow.filter(|flow| unused && is_sending(flow)) {
        Some(flow) => {
            let names: Vec<_> = flow.outputs.iter().filter(|o| o.enabled).map(|o| o.name.clone()).collect();
            format!(
                "The flow is running for outputs that no Destination here wants on the air: {}. Set state: Stopped to stop it.",
                shortened(&names)
            )
        }
        None => "The flow is running.".into(),
    }
}
