//! A session: an encoder's connection, and the stream that may come of it.

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::config::Durations;

/// What happened in a session, by the names of eventbridge.html.
#[derive(Clone)]
pub(super) struct Event {
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) at: Duration,
}

const STATE: &str = "IVS Stream State Change";
const HEALTH: &str = "IVS Stream Health Change";
const LIMIT: &str = "IVS Limit Breach";

/// A stream's session tells at most so many events (API_StreamSession.html).
const EVENTS: usize = 500;

/// A session.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) id: String,
    /// Who pushes.
    pub(super) from: String,
    /// The channel as it was then.
    pub(super) channel: Value,
    pub(super) bitrate: u64,
    pub(super) size: (u64, u64),
    created: Duration,
    /// Since when it could be watched.
    pub(super) started: Option<Duration>,
    /// Since when nothing comes over the connection.
    starving: Option<Duration>,
    /// When the connection ended.
    pub(super) disconnected: Option<Duration>,
    /// When it could not be watched any more.
    pub(super) ended: Option<Duration>,
    /// Oldest first.
    pub(super) events: Vec<Event>,
    /// Whether it broke a limit.
    pub(super) failed: bool,
}

/// `st-` and 23 letters and digits.
fn id(channel: &str, number: u64) -> String {
    const SET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let hash = Sha256::digest(format!("{channel} {number}"));
    let letters = hash.iter().take(22).map(|byte| char::from(SET[usize::from(*byte) % SET.len()]));
    format!("st-1{}", letters.collect::<String>())
}

impl Session {
    pub(super) fn new(arn: &str, number: u64, push: (&str, u64, (u64, u64)), channel: Value, at: Duration) -> Self {
        let (from, bitrate, size) = push;
        let mut session = Self {
            id: id(arn, number),
            from: from.to_owned(),
            channel,
            bitrate,
            size,
            created: at,
            started: None,
            starving: None,
            disconnected: None,
            ended: None,
            events: Vec::new(),
            failed: false,
        };
        session.tell(STATE, "Session Created", at);
        session
    }

    fn tell(&mut self, kind: &'static str, name: &'static str, at: Duration) {
        if self.events.len() < EVENTS {
            self.events.push(Event { kind, name, at });
        }
    }

    /// The encoder breaks a limit and is disconnected.
    pub(super) fn fail(&mut self, limit: &'static str, at: Duration) {
        self.failed = true;
        self.tell(LIMIT, limit, at);
        self.disconnect(at);
        self.ended = Some(at);
    }

    pub(super) fn is_live(&self) -> bool {
        self.started.is_some() && self.ended.is_none()
    }

    pub(super) fn health(&self) -> &'static str {
        if self.starving.is_some() || self.disconnected.is_some() { "STARVING" } else { "HEALTHY" }
    }

    /// Whether media comes over the connection.
    pub(super) fn feed(&mut self, sends: bool, at: Duration) {
        match (sends, self.starving) {
            (true, Some(_)) => {
                self.starving = None;
                if self.started.is_some() {
                    self.tell(HEALTH, "Starvation End", at);
                }
            }
            (false, None) => {
                self.starving = Some(at);
                if self.started.is_some() {
                    self.tell(HEALTH, "Starvation Start", at);
                }
            }
            _ => {}
        }
    }

    /// The connection has ended.
    pub(super) fn disconnect(&mut self, at: Duration) {
        if self.disconnected.is_none() {
            self.disconnected = Some(at);
            self.tell(STATE, "Session Ended", at);
        }
    }

    /// Whether it has lasted too long, or has nothing to send for too long.
    pub(super) fn overdue(&self, durations: &Durations, at: Duration) -> bool {
        let starved = self.starving.is_some_and(|since| since + durations.starvation <= at);
        let old = self.started.is_some_and(|since| since + durations.stream_longest <= at);
        self.disconnected.is_none() && (starved || old)
    }

    /// When something happens next by itself.
    pub(super) fn next(&self, durations: &Durations) -> Option<Duration> {
        if self.ended.is_some() {
            return None;
        }
        let ends = self.disconnected.map(|at| at + self.fade(durations));
        let starts = self.started.is_none().then_some(self.created + durations.stream_starting);
        let starved = self.starving.map(|at| at + durations.starvation);
        let old = self.started.map(|at| at + durations.stream_longest);
        match ends {
            Some(_) => ends,
            // While nothing comes it does not start.
            None if self.starving.is_some() => [starved, old].into_iter().flatten().min(),
            None => [starts, old].into_iter().flatten().min(),
        }
    }

    /// How long what was live is watched after its connection.
    fn fade(&self, durations: &Durations) -> Duration {
        if self.started.is_some() { durations.stream_ending } else { Duration::ZERO }
    }

    /// What has become due.
    pub(super) fn turn(&mut self, durations: &Durations, at: Duration) {
        if let Some(disconnected) = self.disconnected
            && self.ended.is_none()
            && disconnected + self.fade(durations) <= at
        {
            self.ended = Some(at);
            if self.started.is_some() {
                self.tell(STATE, "Stream End", at);
            }
        }
        let due = self.created + durations.stream_starting <= at;
        if self.started.is_none() && self.disconnected.is_none() && self.starving.is_none() && due {
            self.started = Some(at);
            self.tell(STATE, "Stream Start", at);
        }
    }
}
