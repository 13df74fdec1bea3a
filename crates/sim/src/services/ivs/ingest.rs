//! The ingest endpoint: who pushes with which key, and what becomes of it.

use std::time::Duration;

use super::channel::Channel;
use super::session::Session;
use super::{State, view};
use crate::config::Config;
use crate::outside::{Outside, Publisher};
use crate::services::ports::{Push, Pushes};

/// Behind the name of the account in the hosts of ingest endpoints (create-channel-cli.html).
const DOMAIN: &str = ".global-contribute.live-video.net";
/// What is pushed goes to the application `app`: `rtmps://ENDPOINT:443/app/KEY` (getting-started-set-up-streaming.html).
const APPLICATION: &str = "app";
/// "1080p (2.1M total pixels, 1920 pixels/edge)" (service-quotas.html).
const EDGE: u64 = 1920;
const PIXELS: u64 = 1920 * 1080;
/// Above this a picture is "more than 480p".
const SMALL: u64 = 480;
/// So many sessions of a channel are remembered.
const SESSIONS: usize = 100;

/// Bits a second that a channel takes of a picture (service-quotas.html, "Ingest bitrate").
fn most(kind: &str, (width, height): (u64, u64)) -> u64 {
    match kind {
        "BASIC" if width.min(height) <= SMALL => 1_500_000,
        "BASIC" => 3_500_000,
        _ => 8_500_000,
    }
}

/// The limit that a push breaks, by its name in eventbridge.html.
fn breach(channel: &Channel, push: &Push) -> Option<&'static str> {
    let (width, height) = push.size;
    if width.max(height) > EDGE || width * height > PIXELS {
        return Some("Ingest Resolution");
    }
    (push.bitrate > most(channel.kind(), push.size)).then_some("Ingest Bitrate")
}

impl State {
    /// The host of the ingest endpoint of all channels of the region.
    pub(super) fn endpoint(&self) -> String {
        format!("{}{DOMAIN}", self.prefix)
    }

    /// Whether this is the host of the ingest endpoint.
    pub(crate) fn is_endpoint(&self, host: &str) -> bool {
        !self.prefix.is_empty() && host.strip_suffix(DOMAIN) == Some(self.prefix.as_str())
    }

    /// The channel that a push is for, by its key and its protocol.
    fn meant(&self, push: &Push) -> Option<&Channel> {
        let has_key = |channel: &&Channel| channel.key.as_ref().is_some_and(|key| key.value == push.stream);
        let channel = self.channels.values().find(has_key)?;
        (push.application == APPLICATION && (push.tls || channel.is("insecureIngest"))).then_some(channel)
    }

    /// Whether a push is taken, or would be. Who has a session goes on, whatever became of the key.
    pub(crate) fn accepts(&self, push: &Push) -> bool {
        if self.turned.contains_key(&push.from) {
            return false;
        }
        let own = |channel: &Channel| channel.pushed().is_some_and(|session| session.from == push.from);
        if self.channels.values().any(own) {
            return true;
        }
        // Another encoder takes a stream over only with a priority (eventbridge.html), which nobody here has.
        self.meant(push).is_some_and(|channel| channel.pushed().is_none() && self.breach(channel, push).is_none())
    }

    fn breach(&self, channel: &Channel, push: &Push) -> Option<&'static str> {
        let full = self.channels.values().filter(|channel| channel.pushed().is_some()).count() >= self.most;
        breach(channel, push).or(full.then_some("Concurrent Broadcasts"))
    }

    /// When something happens next by itself.
    pub(super) fn next(&self, config: &Config) -> Option<Duration> {
        let durations = &config.ivs.durations;
        let sessions = self.channels.values().filter_map(|channel| channel.sessions.last()?.next(durations));
        sessions.chain(self.turned.values().filter_map(|until| *until)).min()
    }

    /// Brings everything up to who pushes at this time.
    pub(super) fn follow(&mut self, pushes: &dyn Pushes, config: &Config, outside: &Outside, at: Duration) {
        self.most = config.ivs.quotas.concurrent_streams;
        if self.channels.is_empty() {
            return self.turned.clear();
        }
        let endpoint = self.endpoint();
        let mut pushed = pushes.pushes(&endpoint);
        pushed.extend(outside.publishers(&endpoint).map(|(stream, publisher)| of_world(&endpoint, stream, publisher)));
        self.turned.retain(|from, until| match until {
            Some(until) => *until > at,
            None => pushed.iter().any(|push| push.from == *from && push.connected),
        });
        for channel in self.channels.values_mut() {
            watch(channel, config, outside, at);
            let Some(session) = channel.sessions.last_mut().filter(|session| session.ended.is_none()) else { continue };
            let push = pushed.iter().find(|push| push.from == session.from && push.connected);
            match push.filter(|push| !self.turned.contains_key(&push.from)) {
                Some(push) if session.disconnected.is_none() => session.feed(push.sends, at),
                _ => session.disconnect(at),
            }
            if session.overdue(&config.ivs.durations, at) {
                session.disconnect(at);
                let returns = push.and_then(|push| push.returns);
                self.turned.insert(session.from.clone(), returns.map(|after| at + after));
            }
            session.turn(&config.ivs.durations, at);
        }
        for push in &pushed {
            self.begin(push, at);
        }
    }

    /// The session of a push that has none: it begins, or fails over a limit, which only the session tells.
    fn begin(&mut self, push: &Push, at: Duration) {
        let taken = self.channels.values().any(|channel| channel.pushed().is_some_and(|s| s.from == push.from));
        if taken || self.turned.contains_key(&push.from) {
            return;
        }
        let Some(channel) = self.meant(push).filter(|channel| channel.pushed().is_none()) else { return };
        let (arn, breach) = (channel.arn.clone(), self.breach(channel, push));
        let Some(channel) = self.channels.get_mut(&arn) else { return };
        let known = channel.refused.get(&push.from) == Some(&push.since);
        if (!push.connected && (breach.is_none() || known)) || !channel.ends(at) {
            return;
        }
        channel.begun += 1;
        let what = (push.from.as_str(), push.bitrate, push.size);
        let mut session = Session::new(&arn, channel.begun, what, view::channel(channel), at);
        if let Some(limit) = breach {
            session.fail(limit, at);
            channel.refused.insert(push.from.clone(), push.since);
            if push.connected {
                self.turned.insert(push.from.clone(), push.returns.map(|after| at + after));
            }
        }
        channel.sessions.push(session);
        if channel.sessions.len() > SESSIONS {
            channel.sessions.remove(0);
        }
    }

    /// Ends the connection of whoever pushes to a channel. Most encoders connect again.
    pub(super) fn turn_away(&mut self, arn: &str, outside: &Outside, at: Duration) {
        let endpoint = self.endpoint();
        let Some(session) = self.channels.get_mut(arn).and_then(|channel| channel.sessions.last_mut()) else { return };
        session.disconnect(at);
        let mut publishers = outside.publishers(&endpoint);
        let publisher = publishers.find(|(stream, _)| session.from == name(&endpoint, stream));
        let returns = publisher.map(|(stream, publisher)| of_world(&endpoint, stream, publisher).returns);
        self.turned.insert(session.from.clone(), returns.flatten().map(|after| at + after));
    }
}

impl Channel {
    /// Whether what was live is over, so that a new session can begin: the old one ends with it.
    fn ends(&mut self, at: Duration) -> bool {
        match self.sessions.last_mut().filter(|session| session.ended.is_none()) {
            Some(session) => {
                session.disconnect(at);
                false
            }
            None => true,
        }
    }
}

/// Who an encoder of the outside world is.
fn name(endpoint: &str, stream: &str) -> String {
    format!("encoder {endpoint} {stream}")
}

fn of_world(endpoint: &str, stream: &str, publisher: &Publisher) -> Push {
    Push {
        from: name(endpoint, stream),
        host: endpoint.to_owned(),
        application: APPLICATION.to_owned(),
        stream: stream.to_owned(),
        tls: publisher.tls,
        bitrate: publisher.bitrate,
        size: (publisher.width, publisher.height),
        connected: publisher.connected,
        since: Duration::ZERO,
        sends: publisher.bitrate > 0,
        returns: Some(crate::clock::span(publisher.reconnect_seconds)),
    }
}

/// Views come and go some time after the people.
fn watch(channel: &mut Channel, config: &Config, outside: &Outside, at: Duration) {
    let wanted = match channel.live() {
        Some(_) => outside.viewers(&channel.arn, channel.name()),
        None => 0,
    };
    channel.views.prune(at.saturating_sub(config.sampling.retention));
    if channel.live().is_none() {
        channel.views.set(at, 0);
    } else if wanted != channel.watched {
        let durations = &config.ivs.durations;
        let shown = channel.views.at(at).copied().unwrap_or_default();
        channel.views.set(at, shown);
        let after = if wanted > shown { durations.view_appears } else { durations.view_goes };
        channel.views.plan(at + after, wanted);
    }
    channel.watched = wanted;
}
