//! Alerts of a channel. AWS's words repeat the URL of the output, key and all.

use aws_sdk_medialive::types as sdk;
use playout_core::channel::Alert;
use playout_core::endpoint::Role;

use crate::redact::{Redactor, without_paths};

/// An alert that is set, in words without secrets; `None` for one that is over.
pub fn alert(seen: &sdk::ChannelAlert, redactor: &Redactor) -> Option<Alert> {
    if seen.state() != Some(&sdk::ChannelAlertState::Set) {
        return None;
    }
    let message = seen.message().unwrap_or_default();
    Some(Alert {
        kind: seen.alert_type().unwrap_or_default().to_string(),
        message: redactor.clean(&without_paths(message)).into_owned(),
        role: role(message),
    })
}

/// Which of our output groups an alert speaks of: the one whose name follows "output" or "output group". AWS documents no
/// member for it.
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
    use playout_core::endpoint::Role;

    use super::role;

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
