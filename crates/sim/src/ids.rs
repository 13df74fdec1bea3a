//! Identifiers that look like those of AWS and repeat when the world is started at the same time.

use std::collections::BTreeSet;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// Makes identifiers, never the same one twice.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    seed: u128,
    next: u64,
    numbers: BTreeSet<u32>,
}

impl Ids {
    /// The start of the world is the seed: a world that is started again does not give out the old one's identifiers.
    pub(crate) fn new(started: Duration) -> Self {
        Self { seed: started.as_nanos(), next: 0, numbers: BTreeSet::new() }
    }

    fn bytes(&mut self) -> [u8; 32] {
        self.next += 1;
        let mut hash = Sha256::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(self.next.to_le_bytes());
        hash.finalize().into()
    }

    /// Letters and digits of both cases.
    pub(crate) fn mixed(&mut self, length: usize) -> String {
        const SET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let bytes = self.bytes();
        bytes.iter().cycle().take(length).map(|byte| char::from(SET[usize::from(*byte) % SET.len()])).collect()
    }

    /// Hexadecimal digits.
    pub(crate) fn hex(&mut self, length: usize) -> String {
        let digits: String = self.bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        digits.chars().cycle().take(length).collect()
    }

    /// Seven digits, as MediaLive numbers its resources.
    pub(crate) fn number(&mut self) -> String {
        loop {
            let bytes = self.bytes();
            let number = 1_000_000 + u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) % 9_000_000;
            if self.numbers.insert(number) {
                return number.to_string();
            }
        }
    }

    /// In the form of a UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let hex = self.hex(32);
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }
}
