//! Alerts of a channel. AWS's words repeat the URL of the output, key and all.

use aws_sdk_medialive::types as sdk;
use playout_core::channel::Alert;
use playout_core::endpoint::Role;

use crate::redact::Redactor;

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

/// The text with no more of a URL than scheme, host and port. AWS's alerts repeat the URL of the output, which may hold a key.
fn without_paths(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        kept.push_str(before);
        let ends = |c: char| c.is_whitespace() || "\"'<>])".contains(c);
        // An IPv6 address stands in brackets.
        let host = after.strip_prefix('[').and_then(|host| host.find(']')).map_or(0, |end| end + 2);
        let url = &after[..after[host..].find(ends).map_or(after.len(), |end| host + end)];
        let authority = &url[..url.find(['/', '?', '#']).unwrap_or(url.len())];
        kept.push_str(authority.rsplit('@').next().unwrap_or_default());
        rest = &after[url.len()..];
    }
    kept + rest
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

    use super::{role, without_paths};

    #[test]
    fn of_a_url_only_the_host_is_left() {
        for (text, shown) in [
            ("nothing", "nothing"),
            (
                "unable to open output [rtmps://u:p@a.example:443/live2?t=1/key-1].",
                "unable to open output [rtmps://a.example:443].",
            ),
            (
                "rtmp://[2001:db8::1]:1935/app/key and https://b.example",
                "rtmp://[2001:db8::1]:1935 and https://b.example",
            ),
            ("'rtmp://c.example/x', then://", "'rtmp://c.example', then://"),
            ("rtmp://[broken", "rtmp://[broken"),
        ] {
            assert_eq!(without_paths(text), shown);
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
