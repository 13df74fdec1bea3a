//! Resources as the service shows them.

use serde_json::{Map, Value, json};

use super::channel::Status;
use super::{Channel, Group, Input, State, list};

/// The members of a channel that requests and answers share.
const CHANNEL: [&str; 9] = [
    "name",
    "roleArn",
    "channelClass",
    "destinations",
    "encoderSettings",
    "inputAttachments",
    "inputSpecification",
    "logLevel",
    "maintenance",
];

/// A channel of an answer.
pub(super) fn channel(channel: &Channel) -> Value {
    let mut seen = Map::new();
    for member in CHANNEL {
        if let Some(value) = channel.settings.get(member) {
            seen.insert(member.to_owned(), value.clone());
        }
    }
    // Who compares a request with an answer meets what the service fills in.
    seen.entry("channelClass").or_insert(json!("STANDARD"));
    seen.entry("logLevel").or_insert(json!("DISABLED"));
    let maintenance = seen.entry("maintenance").or_insert(json!({}));
    for (member, value) in [("maintenanceDay", "THURSDAY"), ("maintenanceStartTime", "03:00")] {
        if maintenance.get(member).is_none_or(Value::is_null) {
            maintenance[member] = json!(value);
        }
    }
    for destination in seen.get_mut("destinations").and_then(Value::as_array_mut).into_iter().flatten() {
        fill(destination, &[("mediaPackageSettings", json!([])), ("settings", json!([]))]);
    }
    for attachment in seen.get_mut("inputAttachments").and_then(Value::as_array_mut).into_iter().flatten() {
        fill(attachment, &[("inputSettings", json!({}))]);
        fill(
            &mut attachment["inputSettings"],
            &[
                ("audioSelectors", json!([])),
                ("captionSelectors", json!([])),
                ("deblockFilter", json!("DISABLED")),
                ("denoiseFilter", json!("DISABLED")),
                ("filterStrength", json!(1)),
                ("inputFilter", json!("AUTO")),
                ("sourceEndBehavior", json!("CONTINUE")),
            ],
        );
    }
    if let Some(encoder) = seen.get_mut("encoderSettings") {
        fill_encoder(encoder);
    }
    seen.insert("id".to_owned(), json!(channel.id));
    seen.insert("arn".to_owned(), json!(channel.arn));
    seen.insert("state".to_owned(), json!(channel.status.name()));
    seen.insert("tags".to_owned(), json!(channel.tags));
    let egress: Vec<Value> = channel.egress.iter().map(|ip| json!({ "sourceIp": ip })).collect();
    seen.insert("egressEndpoints".to_owned(), json!(egress));
    let (count, details) = pipelines(channel);
    seen.insert("pipelinesRunningCount".to_owned(), json!(count));
    seen.insert("pipelineDetails".to_owned(), details);
    Value::Object(seen)
}

/// Members that are not there get these values.
fn fill(target: &mut Value, defaults: &[(&str, Value)]) {
    if let Value::Object(target) = target {
        for (member, value) in defaults {
            target.entry((*member).to_owned()).or_insert_with(|| value.clone());
        }
    }
}

fn fill_encoder(encoder: &mut Value) {
    for group in encoder["outputGroups"].as_array_mut().into_iter().flatten() {
        if let Some(rtmp) = group["outputGroupSettings"].get_mut("rtmpGroupSettings") {
            fill(
                rtmp,
                &[
                    ("adMarkers", json!([])),
                    ("authenticationScheme", json!("COMMON")),
                    ("cacheFullBehavior", json!("DISCONNECT_IMMEDIATELY")),
                    ("cacheLength", json!(super::settings::CACHE_LENGTH)),
                    ("captionData", json!("ALL")),
                    ("inputLossAction", json!("EMIT_OUTPUT")),
                    ("restartDelay", json!(super::settings::RESTART_DELAY)),
                ],
            );
        }
        for output in group["outputs"].as_array_mut().into_iter().flatten() {
            fill(output, &[("audioDescriptionNames", json!([])), ("captionDescriptionNames", json!([]))]);
            if let Some(rtmp) = output["outputSettings"].get_mut("rtmpOutputSettings") {
                fill(
                    rtmp,
                    &[
                        ("certificateMode", json!("VERIFY_AUTHENTICITY")),
                        ("connectionRetryInterval", json!(super::settings::RETRY_INTERVAL)),
                        ("numRetries", json!(super::settings::RETRIES)),
                    ],
                );
            }
        }
    }
}

/// How many pipelines run, and what they take.
fn pipelines(channel: &Channel) -> (usize, Value) {
    if channel.status != Status::Running {
        return (0, json!([]));
    }
    let attachments = list(&channel.settings, "inputAttachments");
    let active = |index: usize| {
        let taken = channel.air.pipelines.get(index).map(|pipeline| pipeline.input());
        let found = attachments.iter().find(|attachment| attachment["inputId"].as_str() == taken);
        let found = found.or_else(|| channel.active(&channel.air));
        found.and_then(|attachment| attachment["inputAttachmentName"].as_str()).unwrap_or_default()
    };
    let away = |index: &usize| channel.air.pipelines.get(*index).is_some_and(|pipeline| pipeline.away.is_some());
    let detail = |index: usize| {
        let mut detail = json!({ "activeInputAttachmentName": active(index), "pipelineId": index.to_string() });
        if let Some((_, action)) = &channel.air.switched {
            detail["activeInputSwitchActionName"] = json!(action);
        }
        detail
    };
    let details: Vec<Value> = (0..channel.pipelines()).filter(|index| !away(index)).map(detail).collect();
    (details.len(), json!(details))
}

/// The short form of lists.
pub(super) fn summary(of: &Channel) -> Value {
    let mut seen = channel(of);
    if let Value::Object(seen) = &mut seen {
        seen.remove("encoderSettings");
        seen.remove("pipelineDetails");
    }
    seen
}

/// An input of an answer.
pub(super) fn input(input: &Input, all: &State) -> Value {
    let settings = &input.settings;
    let attached: Vec<&str> = match input.gone {
        Some(_) => Vec::new(),
        None => all.attached(&input.id).into_iter().map(|channel| channel.id.as_str()).collect(),
    };
    let class = if input.pipelines() < 2 { "SINGLE_PIPELINE" } else { "STANDARD" };
    let mut seen = json!({
        "id": input.id,
        "arn": input.arn,
        "name": settings.get("name"),
        "type": input.kind(),
        "state": input.state(all),
        "inputClass": class,
        "inputSourceType": "STATIC",
        "attachedChannels": attached,
        "destinations": destinations(input),
        "inputDevices": [],
        "inputPartnerIds": [],
        "mediaConnectFlows": list(settings, "mediaConnectFlows"),
        "securityGroups": list(settings, "inputSecurityGroups"),
        "sources": list(settings, "sources"),
        "tags": input.tags,
        "inputNetworkLocation": "AWS",
    });
    for member in ["roleArn", "srtSettings"] {
        if let Some(value) = settings.get(member) {
            seen[member] = value.clone();
        }
    }
    seen
}

/// The endpoints that something is pushed to.
fn destinations(input: &Input) -> Vec<Value> {
    let named = list(&input.settings, "destinations");
    let endpoint = |(index, ip): (usize, &String)| match input.kind() {
        "RTMP_PUSH" => {
            let stream = named.get(index).and_then(|named| named["streamName"].as_str()).unwrap_or_default();
            json!({ "ip": ip, "port": "1935", "url": format!("rtmp://{ip}:1935/{stream}") })
        }
        "SRT_LISTENER" => json!({ "ip": ip, "port": "5001", "url": format!("srt://{ip}:5001") }),
        _ => json!({ "ip": ip, "port": "5000", "url": format!("rtp://{ip}:5000") }),
    };
    input.addresses.iter().enumerate().map(endpoint).collect()
}

/// An input security group of an answer.
pub(super) fn group(group: &Group, all: &State) -> Value {
    let inputs: Vec<&str> = all.users(&group.id).map(|input| input.id.as_str()).collect();
    let state = match (group.gone, inputs.is_empty()) {
        (Some(_), _) => "DELETED",
        (None, true) => "IDLE",
        (None, false) => "IN_USE",
    };
    json!({
        "id": group.id,
        "arn": group.arn,
        "state": state,
        "inputs": inputs,
        "channels": [],
        "whitelistRules": group.rules,
        "tags": group.tags,
    })
}
