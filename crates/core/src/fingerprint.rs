//! Whether a secret text has changed, told without the text.
//!
//! A fingerprint stands where many may read it: in a status, in a name in Secrets Manager. A plain digest of a short password
//! could be guessed from it, so it is keyed (HMAC-SHA256, RFC 2104) with a random key that the operator alone reads. It depends
//! on nothing else, so it is the same after a restart and on every replica.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::identity::letter;
use crate::secret::SecretText;

/// The key of all fingerprints of an installation.
#[derive(Clone)]
pub struct FingerprintKey(Zeroizing<[u8; Self::BYTES]>);

impl FingerprintKey {
    /// Length of a key: that of the digest, which RFC 2104 recommends as the least.
    pub const BYTES: usize = 32;

    /// Takes the key; `None` when this cannot be one.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|key| Self(Zeroizing::new(key)))
    }

    /// Eighty bits, in letters that a name in AWS may have. The namespace is part of it: who may write Secrets in one cannot
    /// find out by trying what stands in those of another.
    #[must_use]
    pub fn of(&self, namespace: &str, text: &SecretText) -> String {
        // A key of any length is taken.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.0.as_slice()) else { return String::new() };
        mac.update(&(namespace.len() as u64).to_be_bytes());
        mac.update(namespace.as_bytes());
        mac.update(text.expose().as_bytes());
        let digest = mac.finalize().into_bytes();
        digest.iter().take(16).map(letter).collect()
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Whether what is known of two values says that they differ. Not to know one is not to know of a change.
#[must_use]
pub fn differ(one: Option<&str>, other: Option<&str>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one != other)
}

#[cfg(test)]
mod tests {
    use super::{FingerprintKey, differ};
    use crate::secret::SecretText;

    fn key(byte: u8) -> FingerprintKey {
        FingerprintKey::read(&[byte; FingerprintKey::BYTES]).expect("a key")
    }

    #[test]
    fn it_depends_on_the_value_the_namespace_and_the_key_alone() {
        let of = |key: &FingerprintKey, namespace, text: &str| key.of(namespace, &SecretText::new(text));
        let first = of(&key(1), "show", "abcd-efgh");
        assert_eq!(first, of(&key(1), "show", "abcd-efgh"));
        for other in [
            of(&key(1), "show", "abcd-efgi"),
            of(&key(1), "news", "abcd-efgh"),
            of(&key(2), "show", "abcd-efgh"),
            of(&key(1), "showa", "bcd-efgh"),
        ] {
            assert_ne!(first, other);
        }
        assert!(first.len() == 16 && first.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()), "{first}");
    }

    /// By Python's hmac: another version of the library, or of this code, must not say that every key has changed.
    #[test]
    fn it_never_changes() {
        assert_eq!(key(7).of("show", &SecretText::new("abcd-efgh")), "jmqiejzwdo5uzncw");
    }

    #[test]
    fn a_key_is_whole_and_does_not_print() {
        assert!(FingerprintKey::read(&[1; 31]).is_none() && FingerprintKey::read(&[1; 33]).is_none());
        assert_eq!(format!("{:?}", key(1)), "(secret)");
    }

    #[test]
    fn what_is_not_known_has_not_changed() {
        assert!(differ(Some("a"), Some("b")));
        for (one, other) in [(Some("a"), Some("a")), (None, Some("a")), (Some("a"), None), (None, None)] {
            assert!(!differ(one, other), "{one:?} {other:?}");
        }
    }
}
