//! The last line of defence for keys: what is known to be secret is taken out of every text that leaves the process.
//!
//! The first line is `SecretText`, which cannot be printed. This one covers texts that others write: AWS's error messages,
//! which may repeat a request's values, and the logs of libraries.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use playout_core::keys::is_word;
use playout_core::secret::SecretText;

/// Shorter texts would blank ordinary words, as the words of our own texts would. SRT passwords begin at ten characters, platforms' keys at sixteen.
const SHORTEST: usize = 6;

/// The secrets that this process has seen.
#[derive(Clone, Debug, Default)]
pub struct Redactor(Arc<RwLock<HashMap<[u8; 8], SecretText>>>);

impl Redactor {
    /// Remembers a secret, in the spellings in which it may come back.
    pub fn learn(&self, secret: &SecretText) {
        if secret.expose().len() < SHORTEST || is_word(secret.expose()) {
            return;
        }
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(&secret.fingerprint());
        if known {
            return;
        }
        let text = secret.expose();
        let mut spellings = vec![secret.clone()];
        if let Ok(quoted) = serde_json::to_string(text) {
            spellings.push(SecretText::new(quoted.trim_matches('"')));
        }
        spellings.push(SecretText::new(percent_encoded(text)));
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for spelling in spellings {
            all.insert(spelling.fingerprint(), spelling);
        }
    }

    /// The text without any of them.
    #[must_use]
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<&str> = all.values().map(SecretText::expose).filter(|s| text.contains(s)).collect();
        // The longest first: one key may be the beginning of another, whose end would be left.
        found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        found.iter().fold(Cow::Borrowed(text), |text, secret| Cow::Owned(text.replace(secret, "(secret)")))
    }
}

/// The text with no more of a URL than scheme, host and port. What AWS complains of repeats the URL of the
/// output, which may hold a key.
#[must_use]
pub fn without_paths(text: &str) -> String {
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

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use playout_core::secret::SecretText;

    use super::{Redactor, without_paths};

    #[test]
    fn known_secrets_are_taken_out_in_every_spelling() {
        let redactor = Redactor::default();
        redactor.learn(&SecretText::new("a\"b/c+d=e"));
        let text = r#"value 'a"b/c+d=e' {"k":"a\"b/c+d=e"} ?k=a%22b%2Fc%2Bd%3De"#;
        assert_eq!(redactor.clean(text), r#"value '(secret)' {"k":"(secret)"} ?k=(secret)"#);
        assert_eq!(redactor.clean("nothing here"), "nothing here");
    }

    #[test]
    fn of_a_key_that_begins_like_another_nothing_is_left() {
        for keys in [["key-1234", "key-1234-5678"], ["key-1234-5678", "key-1234"]] {
            let redactor = Redactor::default();
            keys.iter().for_each(|key| redactor.learn(&SecretText::new(*key)));
            assert_eq!(redactor.clean("<key-1234-5678> <key-1234>"), "<(secret)> <(secret)>");
        }
    }

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
}
