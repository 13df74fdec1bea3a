//! Service Quotas: how many resources the other services let one have.

pub(crate) mod config;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::quota::{Listed, Quota};
use super::service::{PLAIN, unknown};
use super::{Call, Region, Service};
use crate::config::Config;
use crate::error::ApiError;
use crate::regions;

pub(crate) const SERVICE: Service = Service {
    name: "service-quotas",
    model: include_str!("model.json"),
    call,
    rate: |config, _| Some(config.servicequotas.rate),
    regions: Some(regions::GENERAL),
    invalid: "IllegalArgumentException",
    throttled: (400, "TooManyRequestsException"),
    absent: (400, "NoSuchResourceException"),
    ..PLAIN
};

/// Lists give so many when nobody asks for a number.
const PAGE: usize = 10;

fn call(_: &mut Region, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (applied, default) = (call.config, Config::default());
    match call.operation {
        "GetServiceQuota" => get(call, applied),
        "GetAWSDefaultServiceQuota" => get(call, &default),
        "ListServiceQuotas" => list(call, applied),
        "ListAWSDefaultServiceQuotas" => list(call, &default),
        _ => Err(unknown(call)),
    }
}

fn absent(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "NoSuchResourceException", message)
}

/// The quotas of the service that a request is about.
fn service(call: &Call<'_>) -> Result<&'static Listed, ApiError> {
    let code = call.text("ServiceCode");
    let meant = super::ALL.iter().find(|service| service.name == code);
    meant
        .and_then(|service| service.listed.as_ref())
        .ok_or_else(|| absent(format!("The request failed because the specified service does not exist: {code}.")))
}

fn shown(call: &Call<'_>, service: &str, quota: &Quota, config: &Config) -> Value {
    let code = call.text("ServiceCode");
    json!({
        "ServiceCode": code,
        "ServiceName": service,
        "QuotaArn": format!("arn:aws:servicequotas:{}:{}:{code}/{}", call.region, call.config.account, quota.code),
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": quota.value(config),
        "Unit": "None",
        "Adjustable": quota.adjustable,
        "GlobalQuota": false,
        "QuotaAppliedAtLevel": "ACCOUNT",
    })
}

fn get(call: &Call<'_>, config: &Config) -> Result<Value, ApiError> {
    let Listed { name, quotas } = service(call)?;
    let found = quotas.iter().find(|quota| quota.code == call.text("QuotaCode"));
    let quota = found.ok_or_else(|| absent("The request failed because the specified quota does not exist."))?;
    Ok(json!({ "Quota": shown(call, name, quota, config) }))
}

fn list(call: &Call<'_>, config: &Config) -> Result<Value, ApiError> {
    let Listed { name, quotas } = service(call)?;
    let size = call.input.get("MaxResults").and_then(Value::as_u64);
    let size = size.map_or(PAGE, |size| usize::try_from(size).unwrap_or(PAGE));
    let skip = match call.text("NextToken") {
        "" => 0,
        token => URL_SAFE_NO_PAD
            .decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.strip_prefix("after ")?.parse::<usize>().ok())
            .ok_or_else(|| ApiError::new(400, "InvalidPaginationTokenException", "The token is not valid."))?,
    };
    let wanted = call.text("QuotaCode");
    let meant: Vec<&Quota> = quotas.iter().filter(|quota| wanted.is_empty() || quota.code == wanted).collect();
    let page: Vec<Value> = meant.iter().skip(skip).take(size).map(|quota| shown(call, name, quota, config)).collect();
    let mut answer = json!({ "Quotas": page });
    if meant.len() > skip + size {
        answer["NextToken"] = json!(URL_SAFE_NO_PAD.encode(format!("after {}", skip + size)));
    }
    Ok(answer)
}
