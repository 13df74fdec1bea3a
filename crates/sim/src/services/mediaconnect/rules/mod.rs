//! The rules that a flow must keep, whoever changes it and how.

mod destinations;
mod network;
mod output;
mod source;

pub(super) use network::cidr;
pub(super) use output::{check as check_output, listens};
pub(super) use source::check as check_source;

use serde_json::{Map, Value};

use super::{Flow, bad};
use crate::config::Config;
use crate::error::ApiError;
use crate::services::is_role;
use crate::services::ports::Secrets;

/// The members of a source or output that have a meaning whatever the protocol is.
const COMMON: &[&str] = &["name", "description", "protocol", "outputStatus", "routerIntegrationState"];

/// What one protocol asks for.
struct Protocol {
    required: &'static [&'static str],
    allowed: &'static [&'static str],
}

/// Refuses members that the protocol does not have, and the absence of those that it needs.
fn check_members(rule: &Protocol, what: &str, settings: &Map<String, Value>) -> Result<(), ApiError> {
    let (name, protocol) = (text(settings, "name"), text(settings, "protocol"));
    for member in rule.required {
        let empty = settings.get(*member).is_none_or(|value| value.as_str() == Some(""));
        if empty {
            return Err(bad(format!("{what} {name}: {member} is required for protocol {protocol}.")));
        }
    }
    for member in settings.keys() {
        let known = |set: &[&str]| set.contains(&member.as_str());
        if !known(COMMON) && !known(rule.required) && !known(rule.allowed) {
            return Err(bad(format!("{what} {name}: {member} is not valid for protocol {protocol}.")));
        }
    }
    Ok(())
}

/// Drops what the protocol does not have, for a source or output whose protocol has changed.
pub(super) fn retain_valid(settings: &mut Map<String, Value>, given: &Map<String, Value>, source: bool) {
    let protocol = text(settings, "protocol").to_owned();
    let rule = if source { source::protocol(&protocol) } else { output::protocol(&protocol) };
    let Some(rule) = rule else { return };
    settings.retain(|member, _| {
        let known = |set: &[&str]| set.contains(&member.as_str());
        given.contains_key(member) || known(COMMON) || known(rule.required) || known(rule.allowed)
    });
}

/// Which sources and outputs a request is about: only those are checked one by one. That the secret of another output
/// has gone, or that somebody edited it, is found out when the flow starts.
#[derive(Clone, Copy)]
pub(super) enum Touched<'a> {
    Nothing,
    Everything,
    /// By ARN.
    These(&'a [String]),
}

impl Touched<'_> {
    fn contains(self, arn: &str) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::These(arns) => arns.iter().any(|touched| touched == arn),
        }
    }
}

/// The rules of a flow as it is after a request. `secrets` are those of the flow's region.
pub(super) fn check_flow(
    flow: &Flow,
    touched: Touched<'_>,
    secrets: &dyn Secrets,
    config: &Config,
) -> Result<(), ApiError> {
    unique_names("Source", flow.sources.iter().map(super::Source::name))?;
    unique_names("Output", flow.outputs.iter().map(super::Output::name))?;
    for source in flow.sources.iter().filter(|source| touched.contains(&source.arn)) {
        check_source(flow, &source.settings, secrets)?;
    }
    let own = |output: &&super::Output| output.media_live_input.is_none() && touched.contains(&output.arn);
    for output in flow.outputs.iter().filter(own) {
        check_output(flow, &output.settings, secrets)?;
        destinations::check(flow, output, config)?;
    }
    source::check_together(flow)?;
    output::check_together(flow)?;
    check_maintenance(flow)?;
    network::check(flow)
}

/// "Use 24-hour HH:MM format. Minutes must be 00." (API_AddMaintenance.html)
fn check_maintenance(flow: &Flow) -> Result<(), ApiError> {
    if !flow.settings.contains_key("maintenance") {
        return Ok(());
    }
    let hour = flow.setting(&["maintenance", "maintenanceStartHour"]);
    let valid =
        hour.len() == 5 && hour.strip_suffix(":00").is_some_and(|hour| hour.parse::<u8>().is_ok_and(|hour| hour < 24));
    match valid {
        true => Ok(()),
        false => Err(bad(format!("maintenanceStartHour '{hour}' is not a full hour as HH:00."))),
    }
}

fn unique_names<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), ApiError> {
    let mut seen = Vec::new();
    for name in names {
        if name.is_empty() {
            return Err(bad(format!("{what}: name is required.")));
        }
        if seen.contains(&name) {
            return Err(bad(format!("{what} name {name} is already used in this flow.")));
        }
        seen.push(name);
    }
    Ok(())
}

/// The key that a source or output is encrypted with.
fn check_key(what: &str, protocol: &str, encryption: &Value, secrets: &dyn Secrets) -> Result<(), ApiError> {
    let member = |name: &str| encryption.get(name).and_then(Value::as_str).unwrap_or_default();
    // The service's default, whatever the protocol: an SRT key without a type is refused.
    let kind = if member("keyType").is_empty() { "static-key" } else { member("keyType") };
    let wanted = if protocol.starts_with("srt-") { "srt-password" } else { "static-key" };
    if kind == "speke" && wanted == "static-key" {
        return Err(ApiError::not_simulated("encryption of type speke"));
    }
    if kind != wanted {
        return Err(bad(format!("{what}: keyType {kind} is not valid for protocol {protocol}.")));
    }
    if kind == "static-key" && member("algorithm").is_empty() {
        return Err(bad(format!("{what}: algorithm is required for keyType static-key.")));
    }
    if !is_role(member("roleArn")) {
        return Err(bad(format!("{what}: roleArn '{}' is not the ARN of a role.", member("roleArn"))));
    }
    let secret = member("secretArn");
    if secret.is_empty() {
        return Err(bad(format!("{what}: secretArn is required for keyType {kind}.")));
    }
    if !secrets.readable(secret) {
        return Err(bad(format!("{what}: the secret {secret} could not be read with role {}.", member("roleArn"))));
    }
    Ok(())
}

fn text<'a>(settings: &'a Map<String, Value>, member: &str) -> &'a str {
    settings.get(member).and_then(Value::as_str).unwrap_or_default()
}

fn number(settings: &Map<String, Value>, member: &str) -> Option<i64> {
    settings.get(member).and_then(Value::as_i64)
}

/// Refuses a number outside of its range; an absent one is in it.
fn in_range(what: &str, settings: &Map<String, Value>, member: &str, min: i64, max: i64) -> Result<(), ApiError> {
    match number(settings, member) {
        Some(value) if value < min || value > max => {
            Err(bad(format!("{what}: {member} {value} is out of range; it must be between {min} and {max}.")))
        }
        _ => Ok(()),
    }
}
