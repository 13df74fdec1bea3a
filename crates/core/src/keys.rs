//! Whether a text can be a stream key or a password: what people paste along with one without seeing it. No message repeats
//! the text; a character that no key has is named with its place.

use crate::reasons::Reason;
use crate::secret::SecretText;

/// What a text is used for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Use {
    /// Stream key of a platform: letters, digits and signs of ASCII, and never a word.
    PlatformKey,
    /// Stream name of an RTMP server, of whatever letters.
    StreamName,
    /// Stream id of SRT or Zixi, which may well be a URL.
    StreamId,
    /// Password.
    Password,
}

/// What is wrong with a text, to follow "the text" in a sentence; `None`: it can be used.
#[must_use]
pub fn fault(text: &SecretText, used_as: Use) -> Option<String> {
    let text = text.expose();
    let mark = |c: char| matches!(c, '"' | '\'' | '`');
    if used_as != Use::Password
        && text.chars().count() > 1
        && text.starts_with(mark)
        && text.ends_with(mark)
        && text.chars().next() == text.chars().next_back()
    {
        return Some("stands in quotation marks".into());
    }
    for (place, c) in (1..).zip(text.chars()) {
        if !allowed(c, used_as) {
            return Some(format!("has {} as character {place}", name(c)));
        }
    }
    // An OvenMediaEngine takes a whole URL as stream id.
    if matches!(used_as, Use::PlatformKey | Use::StreamName) && text.contains("://") {
        return Some("is a whole URL, of which the key is the last part; the rest goes into url".into());
    }
    if used_as == Use::PlatformKey && is_word(text) {
        return Some("is a common word and not a key".into());
    }
    None
}

fn allowed(c: char, used_as: Use) -> bool {
    match used_as {
        Use::PlatformKey => c.is_ascii_graphic(),
        Use::StreamName | Use::StreamId => c.is_ascii_graphic() || c.is_alphanumeric(),
        Use::Password => !c.is_control() && !is_invisible(c),
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

fn name(c: char) -> String {
    let what = match c {
        ' ' => return "a space".into(),
        '\t' => return "a tab".into(),
        '\r' | '\n' => return "a line break".into(),
        '\u{feff}' => "an invisible byte order mark",
        c if is_invisible(c) => "an invisible character",
        c if c.is_whitespace() => "a space",
        c if c.is_control() => "a control character",
        '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}' => "a typographic quotation mark",
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "a typographic dash",
        _ => "a character that keys do not have",
    };
    format!("{what} (U+{:04X})", u32::from(c))
}

/// Words of which every log line, Event and status is full. Nobody's key is one of them; to take one out of all texts would
/// protect nothing and spoil every text, also those of others.
#[must_use]
pub fn is_word(text: &str) -> bool {
    const WORDS: [&str; 62] = [
        "active",
        "address",
        "backup",
        "channel",
        "cluster",
        "condition",
        "connected",
        "created",
        "default",
        "deleted",
        "deleting",
        "destination",
        "disabled",
        "enabled",
        "encoding",
        "endpoint",
        "error",
        "events",
        "failed",
        "failure",
        "false",
        "fields",
        "finalizer",
        "generation",
        "input",
        "inputs",
        "kubernetes",
        "level",
        "listener",
        "medialive",
        "mediaconnect",
        "message",
        "metadata",
        "namespace",
        "object",
        "operation",
        "output",
        "outputs",
        "password",
        "passthrough",
        "playout",
        "preset",
        "primary",
        "reason",
        "receiver",
        "region",
        "running",
        "secret",
        "session",
        "settings",
        "source",
        "standby",
        "started",
        "starting",
        "status",
        "stopped",
        "stopping",
        "stream",
        "streamkey",
        "target",
        "timestamp",
        "warning",
    ];
    let bare: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    WORDS.contains(&bare.as_str()) || Reason::ALL.iter().any(|reason| reason.as_str().to_lowercase() == bare)
}

#[cfg(test)]
mod tests {
    use super::{Use, fault, is_word};
    use crate::secret::SecretText;

    fn said(text: &str, used_as: Use) -> Option<String> {
        fault(&SecretText::new(text), used_as)
    }

    #[test]
    fn what_looks_like_a_key_and_is_none_is_told_with_its_place() {
        for (text, what) in [
            ("\u{feff}abcd-efgh", "has an invisible byte order mark (U+FEFF) as character 1"),
            ("abcd\u{200b}-efgh", "has an invisible character (U+200B) as character 5"),
            ("\u{201c}abcd-efgh\u{201d}", "has a typographic quotation mark (U+201C) as character 1"),
            ("abcd\u{2013}efgh", "has a typographic dash (U+2013) as character 5"),
            ("abcd efgh", "has a space as character 5"),
            ("abcd\u{a0}efgh", "has a space (U+00A0) as character 5"),
            ("abcd\nefgh", "has a line break as character 5"),
            ("\"abcd-efgh\"", "stands in quotation marks"),
            ("'abcd-efgh'", "stands in quotation marks"),
            ("rtmp://a.rtmp.youtube.com/live2/abcd-efgh", "is a whole URL"),
        ] {
            for used_as in [Use::PlatformKey, Use::StreamName] {
                let said = said(text, used_as).expect(text);
                assert!(said.starts_with(what), "{text:?}: {said}");
                assert!(!said.contains("abcd") && !said.contains("efgh"), "{said}");
            }
        }
        assert_eq!(said("default", Use::PlatformKey).as_deref(), Some("is a common word and not a key"));
        assert!(said("clé-d'été", Use::PlatformKey).is_some_and(|said| said.contains("(U+00E9) as character 3")));
    }

    #[test]
    fn what_receivers_take_is_taken() {
        for key in ["live_123_AbC?bandwidthtest=true", "FB-1-0-Ab?s_bl=1&s_sw=0", "sk_us-west-2_abc", "a\"b", "'ab"] {
            assert_eq!(said(key, Use::PlatformKey), None, "{key}");
        }
        assert_eq!(said("stream", Use::StreamName), None);
        assert_eq!(said("café", Use::StreamName), None);
        assert_eq!(said("srt://host:9999/app/stream", Use::StreamId), None);
        assert_eq!(said("#!::r=live/studio,m=publish", Use::StreamId), None);
        assert_eq!(said("correct horse “battery” staple", Use::Password), None);
        assert_eq!(
            said("\u{feff}correct horse", Use::Password).as_deref(),
            Some("has an invisible byte order mark (U+FEFF) as character 1")
        );
    }

    #[test]
    fn words_of_the_operators_own_texts_are_known() {
        for word in ["default", "\"timestamp\"", "Playout", "gaveup", "NotOurs"] {
            assert!(is_word(word), "{word}");
        }
        assert!(!is_word("abcd-efgh-1234") && !is_word("swordfish") && !is_word(""));
    }
}
