//! A key is nowhere but where it belongs, with the operator as it is shipped: its log at trace level, Events, statuses and metrics
//! of a real API server. The same in process, with more paths that a key can take, is in `tests/in_process/secrets.rs`.

#[path = "../in_process/secrets/canaries.rs"]
mod canaries;

use anyhow::{Result, ensure};
use playout_stage::{kubectl_with_input, wait_until};
use serde_json::{Value, json};

use crate::fixtures::{PATIENCE, Show, object, secret, source};
use canaries::{CHANGED, ENCODED, IN_PATH, IN_QUERY, IN_USER, INPUT, MARK, PASSWORD, RECODED, TWITCH, YOUTUBE, leaks};

fn key(name: &str) -> Value {
    json!({ "secretRef": { "name": name, "key": "key" } })
}

fn destination(name: &str, spec: Value) -> Value {
    let mut all = json!({ "from": { "name": "studio" }, "state": "Running", "updatePolicy": "Restart" });
    for (field, value) in spec.as_object().into_iter().flatten() {
        all[field] = value.clone();
    }
    object("Destination", name, all)
}

fn put(show: &Show, verb: &str, object: &Value) -> Result<()> {
    let args = ["-n", &show.namespace, verb, "-f", "-"];
    kubectl_with_input(show.cluster, args, &object.to_string())?.ok().map(drop)
}

#[tokio::test]
async fn the_operator_lets_no_key_out() -> Result<()> {
    let Some(show) = Show::start_with("secrets", &["--leader-election=false", "--log", "trace"]).await? else {
        return Ok(());
    };
    let parameter = json!({ "region": "us-west-2", "name": "/keys/twitch", "value": TWITCH });
    show.control("POST", "seed", &json!({ "parameters": [parameter] }))?;
    let refused = |contains: &str| {
        let message = format!("1 validation error detected: Value '{contains}' is not accepted");
        json!({ "failBefore": { "status": 400, "code": "BadRequestException", "message": message } })
    };
    let of_channel = |contains: &str| {
        let message = format!("rtmps://a.example.net:443/live2/{contains} is not valid");
        json!({ "failBefore": { "status": 422, "code": "UnprocessableEntityException", "message": message } })
    };
    show.fault("CreateChannel", 1, of_channel(ENCODED))?;
    show.fault("UpdateChannel", 1, of_channel(RECODED))?;
    show.fault("AddFlowOutputs", 2, refused(YOUTUBE))?;
    show.fault("CreateSecret", 1, refused(PASSWORD))?;
    show.fault("UpdateFlowOutput", 1, refused(CHANGED))?;
    show.control("PUT", "receivers/live.twitch.tv", &json!("refuse"))?;
    let url = |url: String| json!({ "platform": "Custom", "url": url, "streamKey": key("harmless") });
    let mut rtmp = source();
    rtmp["metadata"]["name"] = json!("pushed");
    rtmp["spec"]["state"] = json!("Running");
    rtmp["spec"]["inputs"] = json!([{ "name": "encoder", "priority": "Primary", "protocol": "Rtmp",
        "rtmp": { "allowedCidr": "203.0.113.0/24", "streamKey": key("input") } }]);
    let partner = json!({ "platform": "Custom", "url": "srt://198.51.100.7:9000",
        "encryption": { "algorithm": "Aes256", "passwordSecretRef": { "name": "partner", "key": "key" } } });
    let twitch = json!({ "platform": "Twitch", "streamKey": { "ssmParameter": "/keys/twitch" } });
    let objects = [
        secret("youtube", YOUTUBE),
        secret("partner", PASSWORD),
        secret("input", INPUT),
        secret("harmless", "harmless-key"),
        source(),
        rtmp,
        destination("youtube", json!({ "platform": "YouTube", "streamKey": key("youtube") })),
        secret("encoded", ENCODED),
        destination(
            "encoded",
            json!({ "platform": "YouTube", "streamKey": key("encoded"), "delivery": "Transcode", "encoding": "480p30" }),
        ),
        destination("twitch", twitch),
        destination("partner", partner),
        destination("in-path", url(format!("rtmp://ingest.example.net/app/{IN_PATH}"))),
        destination("in-query", url(format!("rtmp://ingest.example.net/app?token={IN_QUERY}"))),
    ];
    // Not applied: that would keep a copy of the manifest, the user's own, in an annotation.
    for object in &objects {
        put(&show, "create", object)?;
    }
    let refused = destination("in-user", url(format!("rtmp://user:{IN_USER}@ingest.example.net/app")));
    ensure!(put(&show, "create", &refused).is_err(), "a URL with a password was taken");
    let ready = ["youtube", "partner", "in-path", "encoded"].map(|name| format!("destination/{name}"));
    for object in ["source/studio", "source/pushed"].into_iter().chain(ready.iter().map(String::as_str)) {
        show.until_condition(object, "Ready", "True", "Running").await?;
    }
    show.until_condition("destination/twitch", "Ready", "False", "NotConnected").await?;
    put(&show, "replace", &secret("youtube", CHANGED))?;
    put(&show, "replace", &secret("encoded", RECODED))?;
    for changed in [CHANGED, RECODED] {
        wait_until(PATIENCE, "the changed key is used", || async {
            let taken = |r: &Value| r["processed"] == true && r["body"].to_string().contains(changed);
            ensure!(show.requests(0)?.iter().any(taken), "it is not");
            anyhow::Ok(Some(()))
        })
        .await?;
    }

    let mut out = show.operator.borrow().log();
    ensure!(out.contains("TRACE"), "this is not trace level");
    for event in show.events().await? {
        out.push_str(&format!("EVENT {event}\n"));
    }
    out.push_str(&show.kubectl("get events,leases,configmaps,serviceaccounts -o json")?);
    for object in show.objects().await? {
        out.push_str(&format!("OBJECT {} {}\n", object["metadata"], object["status"]));
    }
    out.push_str(&show.metrics()?);
    show.kubectl("delete source,destination --all --timeout=60s")?;
    show.operator.borrow_mut().stop()?;
    out.push_str(&show.operator.borrow().log());
    let sent = serde_json::to_string(&show.requests(0)?)?;
    for canary in [YOUTUBE, CHANGED, TWITCH, PASSWORD, INPUT, IN_PATH, IN_QUERY, ENCODED, RECODED] {
        ensure!(sent.contains(canary), "{} was not sent", canary.trim_start_matches(MARK));
    }
    let leaks = leaks(&out);
    ensure!(leaks.is_empty(), "{} lines, the first: {:#?}", leaks.len(), &leaks[..leaks.len().min(20)]);
    Ok(())
}
