//! Alerts of a channel. AWS's words repeat the URL of the output, key and all.

use std::collections::BTreeMap;

use aws_sdk_medialive::types as sdk;
use playout_core::endpoint::{Receiver, Role};
use playout_core::resources::channel::{Alert, RtmpTarget};

use crate::redact::{Redactor, without_paths};

/// What the types of alerts say that are about the connection of an output (user guide, "Alerts for channels").
const CONNECTION: [&str; 3] = ["rtmp connection", "write to output", "create output file or socket"];

/// An alert that is set, in words without secrets; `None` for one that is over. `targets` is where the channel sends to.
pub fn alert(seen: &sdk::ChannelAlert, targets: &BTreeMap<Role, RtmpTarget>, redactor: &Redactor) -> Option<Alert> {
    if seen.state() != Some(&sdk::ChannelAlertState::Set) {
        return None;
    }
    let (kind, message) = (seen.alert_type().unwrap_or_default(), seen.message().unwrap_or_default());
    Some(Alert {
        kind: kind.to_string(),
        message: redactor.clean(&without_paths(message)).into_owned(),
        role: endpoint(kind, message, targets),
        set: seen.set_timestamp().map(aws_smithy_types::DateTime::secs),
    })
}

/// The endpoint that an alert about a connection speaks of. AWS documents no member for it: it is the one output group or the
/// one host that the text names, or the only one that there is.
fn endpoint(kind: &str, message: &str, targets: &BTreeMap<Role, RtmpTarget>) -> Option<Role> {
    let kind = kind.to_ascii_lowercase();
    if !CONNECTION.iter().any(|words| kind.contains(words)) {
        return None;
    }
    let only = |mut found: Vec<Role>| found.pop().filter(|_| found.is_empty());
    let has_host = |target: &RtmpTarget| host(target).is_some_and(|host| message.contains(&host));
    role(message)
        .filter(|role| targets.contains_key(role))
        .or_else(|| only(targets.iter().filter(|(_, target)| has_host(target)).map(|(role, _)| *role).collect()))
        .or_else(|| only(targets.keys().copied().collect()))
}

fn host(target: &RtmpTarget) -> Option<String> {
    match Receiver::parse(target.url.expose()) {
        Ok(Receiver::Rtmp { host, .. }) => Some(host),
        _ => None,
    }
}

/// Which of our output groups a text speaks of: the one whose name follows "output" or "output group".
fn role(message: &str) -> Option<Role> {
    let message = message.to_ascii_lowercase();
    let words: Vec<_> = message.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let follows = |role: &Role| {
        let name = role.as_str();
        words.windows(2).any(|pair| pair == ["output", name])
            || words.windows(3).any(|three| three == ["output", "group", name])
    };
    let mut named = [Role::Primary, Role::Backup].into_iter().filter(follows);
    named.next().filter(|_| named.next().is_none())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use playout_core::endpoint::Role;
    use playout_core::resources::channel::RtmpTarget;
    use playout_core::secret::SecretText;

    use super::{endpoint, role};

    #[test]
    fn an_alert_is_of_the_endpoint_that_its_text_tells_apart() {
        let to = |host: &str| RtmpTarget {
            url: SecretText::new(format!("rtmp://{host}:1935/app")),
            stream: SecretText::new("key"),
            login: None,
        };
        let one = BTreeMap::from([(Role::Primary, to("a.example"))]);
        let two = BTreeMap::from([(Role::Primary, to("a.example")), (Role::Backup, to("b.example"))]);
        let same = BTreeMap::from([(Role::Primary, to("a.example")), (Role::Backup, to("a.example"))]);
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
            assert_eq!(endpoint(kind, text, targets), of, "{kind}: {text}");
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
        ] {
            assert_eq!(role(text), of, "{text}");
        }
    }
}
