//! A channel and its stream key.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::session::Session;
use crate::services::track::Track;

/// A channel. Its settings are kept as they are in requests.
#[derive(Clone)]
pub(super) struct Channel {
    pub(super) arn: String,
    /// The last part of the ARN.
    pub(super) id: String,
    pub(super) settings: Map<String, Value>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) ingest: String,
    pub(super) playback: String,
    pub(super) srt: String,
    pub(super) passphrase: String,
    /// One, or none.
    pub(super) key: Option<Key>,
    /// Oldest first.
    pub(super) sessions: Vec<Session>,
    /// How many sessions there were.
    pub(super) begun: u64,
    /// How many views `viewerCount` tells.
    pub(super) views: Track<u64>,
    /// How many there are.
    pub(super) watched: u64,
    /// When whoever was refused over a limit tried the last time.
    pub(super) refused: BTreeMap<String, Duration>,
}

/// A stream key.
#[derive(Clone)]
pub(super) struct Key {
    pub(super) arn: String,
    pub(super) value: String,
    pub(super) tags: BTreeMap<String, String>,
}

impl Channel {
    pub(super) fn text(&self, member: &str) -> &str {
        self.settings.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    pub(super) fn is(&self, member: &str) -> bool {
        self.settings.get(member).and_then(Value::as_bool).unwrap_or_default()
    }

    pub(super) fn name(&self) -> &str {
        self.text("name")
    }

    /// The type; STANDARD, if the request did not say.
    pub(super) fn kind(&self) -> &str {
        match self.text("type") {
            "" => "STANDARD",
            kind => kind,
        }
    }

    /// The session of whoever pushes.
    pub(super) fn pushed(&self) -> Option<&Session> {
        self.sessions.last().filter(|session| session.disconnected.is_none())
    }

    /// The session that viewers can watch.
    pub(super) fn live(&self) -> Option<&Session> {
        self.sessions.last().filter(|session| session.is_live())
    }
}
