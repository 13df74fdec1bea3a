//! Service Quotas: how many resources the other services let one have.

mod table;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::{Call, Region, Service};
use crate::config::Quotas;
use crate::error::ApiError;
use crate::regions;
use table::{MEDIACONNECT, MEDIALIVE, Quota};

pub(crate) const SERVICE: Service = Service {
    name: "service-quotas",
    call,
    rate: |rates, _| Some(rates.service_quotas),
    regions: Some(regions::GENERAL),
    bucket: super::alone,
    invalid: "IllegalArgumentException",
    throttled: (400, "TooManyRequestsException"),
    absent: (400, "NoSuchResourceException"),
    resources: |_, _, _| Map::new(),
};

/// Lists give so many when nobody asks for a number.
const PAGE: usize = 10;

fn call(_: &mut Region, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let applied = call.config.quotas.clone();
    match call.operation {
        "GetServiceQuota" => get(call, &applied),
        "GetAWSDefaultServiceQuota" => get(call, &Quotas::default()),
        "ListServiceQuotas" => list(call, &applied),
        "ListAWSDefaultServiceQuotas" => list(call, &Quotas::default()),
        other => Err(ApiError::new(404, "UnknownOperationException", format!("Unknown operation {other}"))),
    }
}

fn absent(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "NoSuchResourceException", message)
}

/// The name and the quotas of the service that a request is about.
fn service(call: &Call<'_>) -> Result<(&'static str, &'static [Quota]), ApiError> {
    match call.text("ServiceCode") {
        "medialive" => Ok(("AWS Elemental MediaLive", MEDIALIVE)),
        "mediaconnect" => Ok(("AWS Elemental MediaConnect", MEDIACONNECT)),
        other => Err(absent(format!("The request failed because the specified service does not exist: {other}."))),
    }
}

fn shown(call: &Call<'_>, service: &str, quota: &Quota, quotas: &Quotas) -> Value {
    let code = call.text("ServiceCode");
    json!({
        "ServiceCode": code,
        "ServiceName": service,
        "QuotaArn": format!("arn:aws:servicequotas:{}:{}:{code}/{}", call.region, call.config.account, quota.code),
        "QuotaCode": quota.code,
        "QuotaName": quota.name,
        "Value": quota.value(quotas),
        "Unit": "None",
        "Adjustable": quota.adjustable,
        "GlobalQuota": false,
        "QuotaAppliedAtLevel": "ACCOUNT",
    })
}

fn get(call: &Call<'_>, quotas: &Quotas) -> Result<Value, ApiError> {
    let (name, all) = service(call)?;
    let found = all.iter().find(|quota| quota.code == call.text("QuotaCode"));
    let quota = found.ok_or_else(|| absent("The request failed because the specified quota does not exist."))?;
    Ok(json!({ "Quota": shown(call, name, quota, quotas) }))
}

fn list(call: &Call<'_>, quotas: &Quotas) -> Result<Value, ApiError> {
    let (name, all) = service(call)?;
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
    let meant: Vec<&Quota> = all.iter().filter(|quota| wanted.is_empty() || quota.code == wanted).collect();
    let page: Vec<Value> = meant.iter().skip(skip).take(size).map(|quota| shown(call, name, quota, quotas)).collect();
    let mut answer = json!({ "Quotas": page });
    if meant.len() > skip + size {
        answer["NextToken"] = json!(URL_SAFE_NO_PAD.encode(format!("after {}", skip + size)));
    }
    Ok(answer)
}
