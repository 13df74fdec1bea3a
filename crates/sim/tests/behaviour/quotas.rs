//! Service Quotas.

use serde_json::{Value, json};

use crate::aws::{Aws, Failure, REGION, SECRET, outcome, refused, signed};

fn call(aws: &Aws, operation: &str, input: Value) -> Result<Value, Failure> {
    aws.call("service-quotas", operation, input)
}

/// All quotas of a service, whatever the pages.
fn all(aws: &Aws, operation: &str, service: &str) -> Vec<Value> {
    let (mut found, mut token) = (Vec::new(), Value::Null);
    loop {
        let mut request = json!({ "ServiceCode": service });
        if !token.is_null() {
            request["NextToken"] = token;
        }
        let page = call(aws, operation, request).expect("a page");
        found.extend(page["Quotas"].as_array().expect("quotas").clone());
        token = page["NextToken"].clone();
        if token.is_null() {
            return found;
        }
    }
}

fn value(quotas: &[Value], name: &str) -> f64 {
    let found = quotas.iter().find(|quota| quota["QuotaName"] == name).expect("the quota");
    found["Value"].as_f64().expect("a number")
}

#[test]
fn the_quotas_that_hold_are_listed_by_name_and_in_pages() {
    let aws = Aws::new();
    let first = call(&aws, "ListServiceQuotas", json!({ "ServiceCode": "medialive" })).expect("list");
    assert_eq!(first["Quotas"].as_array().map(Vec::len), Some(10));
    let medialive = all(&aws, "ListServiceQuotas", "medialive");
    assert_eq!(medialive.len(), 23);
    assert_eq!(value(&medialive, "Channels"), 5.0);
    assert_eq!(value(&medialive, "Push Inputs"), 5.0);
    assert_eq!(value(&medialive, "Pull Inputs"), 100.0);
    assert_eq!(value(&medialive, "Input Security Groups"), 5.0);
    let mediaconnect = all(&aws, "ListServiceQuotas", "mediaconnect");
    assert_eq!(value(&mediaconnect, "Flows"), 20.0);
    assert_eq!(value(&mediaconnect, "Outputs"), 50.0);
    let outputs = mediaconnect.iter().find(|quota| quota["QuotaName"] == "Outputs").expect("outputs");
    assert_eq!(outputs["Adjustable"], false);
}

#[test]
fn a_quota_that_was_raised_is_told_and_the_default_stays() {
    let aws = Aws::new();
    aws.sim.set_quotas(&json!({ "channels": 12, "flows": 40 })).expect("quotas");
    assert_eq!(value(&all(&aws, "ListServiceQuotas", "medialive"), "Channels"), 12.0);
    assert_eq!(value(&all(&aws, "ListServiceQuotas", "mediaconnect"), "Flows"), 40.0);
    assert_eq!(value(&all(&aws, "ListAWSDefaultServiceQuotas", "medialive"), "Channels"), 5.0);
    let request = json!({ "ServiceCode": "medialive", "QuotaCode": "L-D1AFAF75" });
    let get = |operation: &str| call(&aws, operation, request.clone()).expect("get")["Quota"].clone();
    assert_eq!(get("GetServiceQuota")["Value"], 12.0);
    assert_eq!(get("GetAWSDefaultServiceQuota")["Value"], 5.0);
    let quota = get("GetServiceQuota");
    assert_eq!(quota["QuotaName"], "Channels");
    assert_eq!(quota["Adjustable"], true);
    assert_eq!(quota["QuotaArn"], "arn:aws:servicequotas:eu-west-1:123456789012:medialive/L-D1AFAF75");
}

#[test]
fn what_is_not_there_is_named() {
    let aws = Aws::new();
    let list = |service: &str| call(&aws, "ListServiceQuotas", json!({ "ServiceCode": service }));
    refused(list("ivschat"), 400, "NoSuchResourceException", "ivschat");
    let get = call(&aws, "GetServiceQuota", json!({ "ServiceCode": "medialive", "QuotaCode": "L-0" }));
    refused(get, 400, "NoSuchResourceException", "quota");
    let token = call(&aws, "ListServiceQuotas", json!({ "ServiceCode": "medialive", "NextToken": "x" }));
    refused(token, 400, "InvalidPaginationTokenException", "token");
    let one = json!({ "ServiceCode": "medialive", "QuotaCode": "L-9E233AF7" });
    let one = call(&aws, "ListServiceQuotas", one).expect("list");
    assert_eq!(one["Quotas"][0]["QuotaName"], "Push Inputs");
    assert_eq!(one.get("NextToken"), None);
}

#[test]
fn the_service_is_asked_by_its_target() {
    let aws = Aws::new();
    let headers =
        [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "ServiceQuotasV20190624.GetServiceQuota")];
    let body = json!({ "ServiceCode": "mediaconnect", "QuotaCode": "L-A99016A8" }).to_string();
    let request = signed("POST", "http://sim.test/", &headers, body, "servicequotas", REGION, SECRET);
    let answer = outcome(aws.sim.handle(request)).expect("the quota of flows");
    assert_eq!(answer["Quota"]["Value"], 20.0);
}
