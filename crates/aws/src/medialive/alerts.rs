//! Alerts of a channel. AWS's words repeat the URL of the output, key and all.

use std::collections::BTreeMap;

use aws_sdk_medialive::types as sdk;
use playout_core::resources::channel::{Alert, OutputGroup, OutputName};

use crate::redact::{Redactor, without_paths};

/// What the types of alerts say that are about the connection of an output (user guide, "Alerts for channels").
const CONNECTION: [&str; 3] = ["rtmp connection", "write to output", "create output file or socket"];

/// An alert that is set, in words without secrets; `None` for one that is over. `outputs` is where the channel sends to.
pub fn alert(
    seen: &sdk::ChannelAlert,
    outputs: &BTreeMap<OutputName, OutputGroup>,
    redactor: &Redactor,
) -> Option<Alert> {
    if seen.state() != Some(&sdk::ChannelAlertState::Set) {
        return None;
    }
    let (kind, message) = (seen.alert_type().unwrap_or_default(), seen.message().unwrap_or_default());
    Some(Alert {
        kind: kind.to_string(),
        message: redactor.clean(&without_paths(message)).into_owned(),
        output: group(kind, message, outputs),
        set: seen.set_timestamp().map(aws_smithy_types::DateTime::secs),
    })
}

/// The output group that an alert about a connection speaks of. AWS documents no member for it: it is the one group or the
/// one host that the text names, or the only one that there is.
fn group(kind: &str, message: &str, outputs: &BTreeMap<OutputName, OutputGroup>) -> Option<OutputName> {
    let kind = kind.to_ascii_lowercase();
    if !CONNECTION.iter().any(|words| kind.contains(words)) {
        return None;
    }
    let only = |mut found: Vec<&OutputName>| found.pop().filter(|_| found.is_empty()).cloned();
    let has_host = |group: &OutputGroup| group.to.host().is_some_and(|host| message.contains(&host));
    only(outputs.keys().filter(|name| names(message, name)).collect())
        .or_else(|| only(outputs.iter().filter(|(_, group)| has_host(group)).map(|(name, _)| name).collect()))
        .or_else(|| only(outputs.keys().collect()))
}

/// Whether a text speaks of this output group: its name follows "output" or "output group".
fn names(message: &str, name: &OutputName) -> bool {
    let (message, name) = (words(message), words(name.as_str()));
    let follows = |before: &[&str]| {
        let phrase: Vec<_> = before.iter().map(|word| (*word).to_string()).chain(name.iter().cloned()).collect();
        message.windows(phrase.len()).any(|some| some == phrase)
    };
    !name.is_empty() && (follows(&["output"]) || follows(&["output", "group"]))
}

fn words(text: &str) -> Vec<String> {
    let text = text.to_ascii_lowercase();
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use playout_core::endpoint::Role;
    use playout_core::resources::channel::{EncodingName, OutputGroup, OutputName, RtmpTarget, Target};
    use playout_core::secret::SecretText;

    use super::{group, names};

    #[test]
    fn an_alert_is_of_the_endpoint_that_its_text_tells_apart() {
        let to = |role: Role, host: &str| {
            let url = SecretText::new(format!("rtmp://{host}:1935/app"));
            let to = Target::Rtmp(RtmpTarget { url, stream: SecretText::new("key"), login: None });
            (OutputName::from(role), OutputGroup { encoding: EncodingName::main(), to })
        };
        let one = BTreeMap::from([to(Role::Primary, "a.example")]);
        let two = BTreeMap::from([to(Role::Primary, "a.example"), to(Role::Backup, "b.example")]);
        let same = BTreeMap::from([to(Role::Primary, "a.example"), to(Role::Backup, "a.example")]);
        let lost = "MPEGTS muxer for mediaID [1] unable to open output or stream [rtmp://b.example:1935/app].";
        for (kind, text, targets, of) in [
            ("Failed RTMP Connection", lost, &two, Some(Role::Backup)),
            ("Failed RTMP Connection", lost, &one, Some(Role::Primary)),
            ("Failed RTMP Connection", "Unable to connect.", &one, Some(Role::Primary)),
            ("Failed RTMP Connection", "Unable to connect.", &two, None),
            ("Failed RTMP Connection", "Unable to connect to a.example.", &same, None),
            ("Failed RTMP Connection", "Output group [backup] has lost a.example.", &same, Some(Role::Backup)),
            ("Failed to Create Output File or Socket", lost, &two, Some(Role::Backup)),
            // Not of the receiver: nothing arrives.
            ("Output Group is Paused", "Output group [primary] is paused because the input is lost.", &two, None),
            ("Video Not Detected", "No video is detected.", &one, None),
        ] {
            assert_eq!(group(kind, text, targets), of.map(OutputName::from), "{kind}: {text}");
        }
    }

    #[test]
    fn an_alert_is_of_an_output_group_that_it_names_and_no_other() {
        for (text, of) in [
            ("Connection of output group [primary] was refused", Some(Role::Primary)),
            ("RTMP output backup/backup has stopped", Some(Role::Backup)),
            (
                "Output [primary] of output group [primary] cannot connect to the RTMP endpoint backup.example.net.",
                Some(Role::Primary),
            ),
            ("Output primary and output backup have stopped", None),
            ("The primary input of output 1 is lost", None),
            ("Output primaryish has stopped", None),
            ("Output playout-ab12 has stopped", None),
        ] {
            let mut named = [Role::Primary, Role::Backup].into_iter().filter(|role| names(text, &(*role).into()));
            assert_eq!(named.next().filter(|_| named.next().is_none()), of, "{text}");
        }
    }
}
