//! Security Token Service: who am I.

use serde_json::{Value, json};

use super::service::PLAIN;
use super::{Call, Region, Service};
use crate::error::ApiError;

pub(crate) const SERVICE: Service = Service {
    name: "sts",
    model: include_str!("model.json"),
    call,
    invalid: "ValidationError",
    throttled: (400, "Throttling"),
    absent: (404, "NoSuchEntity"),
    ..PLAIN
};

fn call(_: &mut Region, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let account = &call.config.account;
    Ok(json!({
        "Account": account,
        "Arn": format!("arn:aws:iam::{account}:user/playout-simulator"),
        "UserId": "AIDAPLAYOUTSIMULATOR",
    }))
}
