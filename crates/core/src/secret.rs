//! Text that must never be seen.

use std::fmt;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// A key, password or URL that holds one. It has no `Display`; `Debug` and `Serialize` say only that there is one.
#[derive(Clone, Eq, PartialEq)]
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes the text out of sight.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is anything in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A short digest that tells two texts apart in memory. Not for logs: a weak password could be guessed from it.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 8] {
        let mut short = [0; 8];
        short.iter_mut().zip(Sha256::digest(self.0.as_bytes())).for_each(|(to, from)| *to = from);
        short
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl serde::Serialize for SecretText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::SecretText;

    #[test]
    fn a_secret_does_not_print() {
        let secret = SecretText::new("abcd-efgh");
        assert_eq!(format!("{secret:?} {:?}", Some(&secret)), "(secret) Some((secret))");
        assert_eq!(serde_json::to_string(&secret).ok().as_deref(), Some("\"(secret)\""));
        assert_eq!(secret.expose(), "abcd-efgh");
    }
}
