//! The last line of defence for keys: what is known to be secret is taken out of every text that leaves the process.
//!
//! The first line is `SecretText`, which cannot be printed. This one covers texts that others write: AWS's error messages,
//! which may repeat a request's values, and the logs of libraries.
//!
//! A key is whatever a tenant has put into a Secret, so it may be a word like `weekend`. It is taken out where it stands as a whole
//! word, and of what other tenants read only if it is theirs, too: nobody can black out the texts of others.

use std::borrow::{Borrow, Cow};
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use playout_core::keys::is_word;
use playout_core::secret::SecretText;

use crate::clock::Clock;
use crate::recent::Recent;

/// Shorter texts would blank ordinary words. SRT passwords begin at ten characters, platforms' keys at sixteen.
const SHORTEST: usize = 6;
/// How long a key is remembered that no pass has read any more: a key that was changed stands in AWS for a while.
const KEPT: Duration = Duration::from_secs(3600);

/// The secrets that the passes of late have seen.
#[derive(Clone, Debug)]
pub struct Redactor {
    clock: Clock,
    known: Arc<RwLock<Known>>,
}

#[derive(Debug)]
struct Known {
    /// By their spellings. The namespaces of the objects that name them; none: it came out of AWS, and nobody knows whose it is.
    spellings: Recent<Spelling, BTreeSet<String>>,
    /// How long they are, so that the search costs no more when there are more of them.
    lengths: BTreeSet<usize>,
}

/// A secret as it may be written.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Spelling(SecretText);

impl Borrow<str> for Spelling {
    fn borrow(&self) -> &str {
        self.0.expose()
    }
}

impl Hash for Spelling {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.expose().hash(state);
    }
}

impl Default for Redactor {
    fn default() -> Self {
        let known = Known { spellings: Recent::new(KEPT), lengths: BTreeSet::new() };
        Self { clock: Clock::system(), known: Arc::new(RwLock::new(known)) }
    }
}

impl Redactor {
    /// Remembers a secret that came from AWS, in the spellings in which it may come back.
    pub fn learn(&self, secret: &SecretText) {
        self.remember(secret, None);
    }

    /// Remembers a secret that an object of this namespace names.
    pub fn learn_of(&self, namespace: &str, secret: &SecretText) {
        self.remember(secret, Some(namespace));
    }

    fn remember(&self, secret: &SecretText, namespace: Option<&str>) {
        let text = secret.expose();
        if text.len() < SHORTEST || is_word(text) {
            return;
        }
        let quoted = serde_json::to_string(text).unwrap_or_default();
        let now = self.clock.instant();
        let mut all = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for spelling in [text, quoted.trim_matches('"'), &percent_encoded(text)] {
            match all.spellings.get(spelling, now) {
                Some(namespaces) => namespaces.extend(namespace.map(str::to_owned)),
                None => {
                    let namespaces = namespace.map(str::to_owned).into_iter().collect();
                    all.lengths.insert(spelling.len());
                    all.spellings.insert(Spelling(SecretText::new(spelling)), namespaces, now);
                }
            }
        }
    }

    /// The text without any of them.
    #[must_use]
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.cleaned(text, |_| true)
    }

    /// The text without those that may stand in what the users of a namespace read.
    #[must_use]
    pub fn clean_for<'a>(&self, namespace: &str, text: &'a str) -> Cow<'a, str> {
        self.cleaned(text, |namespaces| namespaces.is_empty() || namespaces.contains(namespace))
    }

    fn cleaned<'a>(&self, text: &'a str, is_out: impl Fn(&BTreeSet<String>) -> bool) -> Cow<'a, str> {
        let all = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let (mut kept, mut rest) = (String::new(), 0);
        for start in (0..text.len()).filter(|at| is_edge(text, *at)) {
            if start < rest {
                continue;
            }
            // The longest first: one key may be the beginning of another, whose end would be left.
            let ends = all.lengths.iter().rev().map(|length| start + length).filter(|end| is_edge(text, *end));
            let found = |end: &usize| all.spellings.peek(&text[start..*end]).is_some_and(&is_out);
            if let Some(end) = ends.into_iter().find(found) {
                kept.push_str(&text[rest..start]);
                kept.push_str("(secret)");
                rest = end;
            }
        }
        if rest == 0 { Cow::Borrowed(text) } else { Cow::Owned(kept + &text[rest..]) }
    }
}

/// Whether a word may begin or end here.
fn is_edge(text: &str, at: usize) -> bool {
    if at > text.len() || !text.is_char_boundary(at) {
        return false;
    }
    let (before, after) = text.split_at(at);
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    // In a URL and in quotes, what stands before may be spelled in letters.
    let escaped = || {
        let bytes = before.as_bytes();
        matches!(bytes, [.., b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
            || matches!(bytes, [.., b'\\', b'n' | b'r' | b't'])
    };
    !(before.ends_with(is_word) && after.starts_with(is_word)) || escaped()
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
    fn a_word_is_taken_out_whole_or_not_at_all() {
        let redactor = Redactor::default();
        redactor.learn(&SecretText::new("weekend"));
        redactor.learn(&SecretText::new("straße-7"));
        for (text, shown) in [
            ("Created flow playout-weekend-plain", "Created flow playout-weekend-plain"),
            ("weekends, weekend: weekend", "weekends, (secret): (secret)"),
            ("rtmp%3A%2F%2Fa%2Fweekend and \\nweekend\\n", "rtmp%3A%2F%2Fa%2F(secret) and \\n(secret)\\n"),
            ("straße-7 straße-77", "(secret) straße-77"),
        ] {
            assert_eq!(redactor.clean(text), shown);
        }
    }

    #[test]
    fn nobody_blacks_out_what_others_read() {
        let redactor = Redactor::default();
        redactor.learn_of("mallory", &SecretText::new("weekend"));
        // It comes back out of AWS, and it is still known whose it is.
        redactor.learn(&SecretText::new("weekend"));
        redactor.learn(&SecretText::new("from-aws"));
        let text = "weekend, from-aws";
        assert_eq!(redactor.clean_for("alice", text), "weekend, (secret)");
        assert_eq!(redactor.clean_for("mallory", text), "(secret), (secret)");
        assert_eq!(redactor.clean(text), "(secret), (secret)");
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_no_object_names_any_more_are_forgotten() {
        let redactor = Redactor::default();
        for n in 0..5000 {
            redactor.learn_of("live", &SecretText::new(format!("key-{n:016}")));
            redactor.learn_of("live", &SecretText::new("the-key-in-use"));
            crate::clock::pause(std::time::Duration::from_secs(60)).await;
        }
        let known = redactor.known.read().expect("no panic").spellings.len();
        assert!(known <= 122, "{known} are kept");
        assert_eq!(redactor.clean("the-key-in-use key-0000000000000000"), "(secret) key-0000000000000000");
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
