//! Where encoders send to, and that it is another place than before: nobody but AWS chooses it, and an encoder in the field knows
//! nothing of it.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::observed::Management;
use crate::age::age;
use crate::api::source::{FormerEndpoint, IngestEndpoint, InputHealth, InputStatus, SourceStatus};
use crate::conditions::whole_second;
use crate::endpoint::shown_application;
use crate::resources::flow::{FlowSource, Protocol};

/// How long a new address is told of, when nobody ever arrives there.
const TOLD_FOR: Duration = Duration::from_secs(7 * 86_400);

/// Where an encoder of this source sends to.
pub(super) fn endpoint(source: &FlowSource, management: &Management) -> Option<IngestEndpoint> {
    let settings = &source.settings;
    // What others have put into a stream id or behind an application may be a key.
    let rtmp = settings.rtmp.as_ref().map(|rtmp| rtmp.application.as_str());
    let (stream_id, application) = match management.is_own() {
        true => (settings.stream_id.clone(), rtmp.map(str::to_string)),
        false => (None, rtmp.map(shown_application)),
    };
    if settings.protocol == Protocol::SrtCaller {
        let address = settings.listener_address.clone()?;
        let port = settings.listener_port;
        let url = format!("srt://{address}:{}?mode=listener", port.unwrap_or_default());
        return Some(IngestEndpoint { address, port, url });
    }
    let address = source.ingest_ip.clone()?;
    let port = settings.ingest_port;
    let at = |default: i32| format!("{address}:{}", port.unwrap_or(default));
    let url = match settings.protocol {
        Protocol::SrtListener => format!("srt://{}?mode=caller", at(5000)),
        Protocol::Rtp | Protocol::RtpFec => format!("rtp://{}", at(5000)),
        Protocol::Rist => format!("rist://{}", at(5000)),
        Protocol::ZixiPush => format!("zixi://{}/{}", at(2088), stream_id.unwrap_or_default()),
        Protocol::RtmpPush => format!("rtmp://{}/{}", at(1935), application.unwrap_or_default()),
        Protocol::Ndi => format!("ndi://{address}"),
        Protocol::SrtCaller | Protocol::Other => return None,
    };
    Some(IngestEndpoint { address, port, url })
}

/// Scheme, address and port. What comes behind them is the spec's own, and is not shown of flows that are not.
fn place(url: &str) -> &str {
    let from = url.find("://").map_or(0, |at| at + 3);
    url[from..].find(['/', '?']).map_or(url, |end| &url[..from + end])
}

/// Whether an encoder sends there. One that listens is called, and NDI finds its way.
fn is_sent_to(url: &str) -> bool {
    !url.ends_with("?mode=listener") && !url.starts_with("ndi:")
}

/// The address before, if the encoder is not known to have come to the one that there is now; and whether it is another one
/// since this very look, so that what was measured until now is of the old one.
pub(super) fn former(
    before: Option<&InputStatus>,
    now_at: Option<&IngestEndpoint>,
    health: Option<InputHealth>,
    now: Timestamp,
) -> (Option<FormerEndpoint>, bool) {
    let last = before.and_then(|b| b.endpoint.as_ref()).map(|e| e.url.as_str());
    let former = before.and_then(|b| b.former.as_ref());
    let known = former.map(|f| f.url.as_str()).or(last).filter(|url| is_sent_to(url));
    let since = |url: &str| FormerEndpoint { url: url.to_string(), since: Some(Time(whole_second(now))) };
    let Some(known) = known else { return (None, false) };
    match now_at {
        None => (former.cloned().or_else(|| Some(since(known))), false),
        Some(new) if !is_sent_to(&new.url) || place(&new.url) == place(known) => (None, false),
        Some(new) if last.is_none_or(|last| place(last) != place(&new.url)) => (Some(since(known)), true),
        Some(_) => {
            let is_there = matches!(health, Some(InputHealth::Healthy | InputHealth::Degraded));
            let is_over = |f: &&FormerEndpoint| f.since.as_ref().is_some_and(|t| age(t.0, now) >= TOLD_FOR);
            (former.filter(|f| !is_there && !is_over(f)).cloned(), false)
        }
    }
}

/// What stays of the inputs while there is no flow: where their encoders still send to.
pub(super) fn without_flow(before: &[InputStatus], now: Timestamp) -> Vec<InputStatus> {
    let of = |input: &InputStatus| {
        let former = former(Some(input), None, None, now).0?;
        Some(InputStatus { name: input.name.clone(), former: Some(former), ..InputStatus::default() })
    };
    before.iter().filter_map(of).collect()
}

/// That the encoder of an input has to send to another place, if it has.
pub(super) fn moved(input: &InputStatus) -> Option<String> {
    let (new, former) = (input.endpoint.as_ref()?, input.former.as_ref()?);
    Some(format!("The encoder of input {} must send to {} now, no longer to {}.", input.name, new.url, former.url))
}

/// The inputs that are to be told of, with the sentence for each.
pub(super) fn all_moved(status: &SourceStatus) -> impl Iterator<Item = (&InputStatus, String)> {
    status.inputs.iter().filter_map(|input| Some((input, moved(input)?)))
}
