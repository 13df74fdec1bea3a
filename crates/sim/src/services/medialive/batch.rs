//! Operations on many resources at once. What fails is told one by one.

use serde_json::{Value, json};

use super::{State, bad, channels, groups, inputs};
use crate::error::ApiError;
use crate::services::Call;

type One = fn(&mut State, &str, &Call<'_>) -> Result<Value, ApiError>;

fn each(state: &mut State, call: &Call<'_>, parts: &[(&str, &str, One)]) -> Result<Value, ApiError> {
    if parts.iter().all(|(member, ..)| call.list(member).is_empty()) {
        return Err(bad("The request names no resource."));
    }
    let (mut failed, mut successful) = (Vec::new(), Vec::new());
    for (member, kind, act) in parts {
        for id in call.list(member).iter().filter_map(Value::as_str) {
            let arn = format!("arn:aws:medialive:{}:{}:{kind}:{id}", call.region, call.config.account);
            match act(state, id, call) {
                Ok(done) => successful.push(json!({ "id": id, "arn": arn, "state": done["state"] })),
                Err(error) if error.status == 501 => return Err(error),
                Err(error) => failed.push(json!({
                    "id": id,
                    "arn": arn,
                    "code": error.code,
                    "message": error.message,
                })),
            }
        }
    }
    Ok(json!({ "failed": failed, "successful": successful }))
}

pub(super) fn start(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    refuse_multiplexes(call)?;
    each(state, call, &[("channelIds", "channel", channels::start_one)])
}

pub(super) fn stop(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    refuse_multiplexes(call)?;
    each(state, call, &[("channelIds", "channel", channels::stop_one)])
}

pub(super) fn delete(state: &mut State, call: &mut Call<'_>) -> Result<Value, ApiError> {
    refuse_multiplexes(call)?;
    let parts: [(&str, &str, One); 3] = [
        ("channelIds", "channel", channels::delete_one),
        ("inputIds", "input", inputs::delete_one),
        ("inputSecurityGroupIds", "inputSecurityGroup", groups::delete_one),
    ];
    each(state, call, &parts)
}

fn refuse_multiplexes(call: &Call<'_>) -> Result<(), ApiError> {
    match call.list("multiplexIds").is_empty() {
        true => Ok(()),
        false => Err(ApiError::not_simulated("multiplexes")),
    }
}
