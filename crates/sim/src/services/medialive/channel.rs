//! A channel and its states.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::air::supply::Supply;
use super::air::{OnAir, Run, pair};
use super::schedule::Schedule;
use super::settings::encoder_list;
use super::{conflict, list, text};
use crate::config::Config;
use crate::error::ApiError;
use crate::services::ports::Feed;

/// The states of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Creating,
    CreateFailed,
    Idle,
    Starting,
    Running,
    Recovering,
    Stopping,
    Deleting,
    Deleted,
    Updating,
    UpdateFailed,
}

/// Where an update is possible, and a deletion.
pub(crate) const CHANGEABLE: &[Status] = &[Status::Idle, Status::CreateFailed, Status::UpdateFailed];

impl Status {
    const ALL: [Self; 11] = [
        Self::Creating,
        Self::CreateFailed,
        Self::Idle,
        Self::Starting,
        Self::Running,
        Self::Recovering,
        Self::Stopping,
        Self::Deleting,
        Self::Deleted,
        Self::Updating,
        Self::UpdateFailed,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::CreateFailed => "CREATE_FAILED",
            Self::Idle => "IDLE",
            Self::Starting => "STARTING",
            Self::Running => "RUNNING",
            Self::Recovering => "RECOVERING",
            Self::Stopping => "STOPPING",
            Self::Deleting => "DELETING",
            Self::Deleted => "DELETED",
            Self::Updating => "UPDATING",
            Self::UpdateFailed => "UPDATE_FAILED",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// How long it lasts when nothing else happens.
    pub(crate) fn duration(self, config: &Config) -> Option<Duration> {
        let durations = &config.medialive.durations;
        match self {
            Self::Creating => Some(durations.channel_creating),
            Self::Starting => Some(durations.channel_starting),
            Self::Stopping => Some(durations.channel_stopping),
            Self::Updating => Some(durations.channel_updating),
            Self::Deleting => Some(durations.channel_deleting),
            Self::Recovering => Some(durations.channel_recovering),
            Self::CreateFailed | Self::Idle | Self::Running | Self::Deleted | Self::UpdateFailed => None,
        }
    }
}

/// A channel. Its settings are kept as they are in requests.
#[derive(Clone)]
pub(crate) struct Channel {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) settings: Map<String, Value>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) status: Status,
    /// When the state ends by itself.
    pub(crate) deadline: Option<Duration>,
    /// It stops to start again: AWS maintains it.
    pub(super) restarting: bool,
    /// When AWS goes on to its second pipeline.
    pub(super) second: Option<Duration>,
    /// Since when it is DELETED.
    pub(crate) gone: Option<Duration>,
    /// Inputs that an update takes away: they stay attached until it is done.
    pub(crate) leaving: Vec<String>,
    /// One address a pipeline.
    pub(crate) egress: Vec<String>,
    pub(crate) schedule: Schedule,
    pub(crate) air: OnAir,
}

impl Channel {
    pub(crate) fn name(&self) -> &str {
        text(&self.settings, "name")
    }

    /// How many pipelines its class has.
    pub(crate) fn pipelines(&self) -> usize {
        pipelines(&self.settings)
    }

    /// Whether an input is attached to it.
    pub(crate) fn attaches(&self, input: &str) -> bool {
        let attached = list(&self.settings, "inputAttachments").iter().any(|attachment| attachment["inputId"] == input);
        self.status != Status::Deleted && (attached || self.leaving.iter().any(|leaving| leaving == input))
    }

    pub(crate) fn enter(&mut self, status: Status, config: &Config, now: Duration) {
        self.status = status;
        self.deadline = status.duration(config).map(|duration| now + duration);
        self.restarting = false;
        if status != Status::Updating {
            self.leaving.clear();
        }
        self.gone = (status == Status::Deleted).then_some(now);
    }

    /// When something happens next by itself.
    pub(super) fn next(&self, supply: &Supply<'_>) -> Option<Duration> {
        let air = self.air.next(self.run(&self.air), supply);
        [self.deadline, self.second, air, self.schedule.next()].into_iter().flatten().min()
    }

    /// Lets everything happen that happens by itself until now, each at its time.
    pub(crate) fn advance(&mut self, supply: &Supply<'_>, config: &Config, now: Duration) {
        while let Some(at) = self.next(supply).filter(|at| *at <= now) {
            let at = at.max(self.air.until);
            self.turn(config, at);
            self.switch(at);
            self.record(supply, config, at);
        }
        self.schedule.forget(now);
        self.record(supply, config, now);
    }

    /// AWS maintains it: the whole channel, where it tells of it and the channel has one pipeline, or one pipeline at a time.
    pub(super) fn restart(&mut self, told: bool, config: &Config, now: Duration) {
        if told && self.pipelines() == 1 {
            self.enter(Status::Stopping, config, now);
            self.restarting = true;
            return;
        }
        let back = now + config.medialive.durations.channel_recovering;
        self.take_away(0, back);
        self.second = (self.pipelines() > 1).then_some(back);
    }

    fn take_away(&mut self, pipeline: usize, back: Duration) {
        if let Some(pipeline) = self.air.pipelines.get_mut(pipeline) {
            pipeline.away = Some(back);
        }
    }

    /// Changes the state whose time has come.
    fn turn(&mut self, config: &Config, at: Duration) {
        if self.second.is_some_and(|second| second <= at) {
            self.second = None;
            self.take_away(1, at + config.medialive.durations.channel_recovering);
        }
        if self.deadline.is_none_or(|deadline| deadline > at) {
            return;
        }
        let next = match self.status {
            Status::Stopping if self.restarting => Status::Starting,
            Status::Creating | Status::Updating | Status::Stopping => Status::Idle,
            Status::Starting | Status::Recovering => Status::Running,
            Status::Deleting => Status::Deleted,
            other => other,
        };
        self.enter(next, config, at);
    }

    /// Does what the schedule asks for. Only a channel that runs can do it; else it is lost.
    fn switch(&mut self, at: Duration) {
        let runs = self.status == Status::Running;
        if let Some(switched) = self.schedule.due(at)
            && runs
        {
            self.air.switched = Some(switched);
        }
    }

    /// Brings what passes through the channel up to this time.
    pub(crate) fn record(&mut self, supply: &Supply<'_>, config: &Config, at: Duration) {
        let mut air = std::mem::take(&mut self.air);
        air.record(self.run(&air), supply, config, at);
        if air.given_up(self.run(&air)) {
            self.enter(Status::Stopping, config, at);
            air.record(self.run(&air), supply, config, at);
        }
        self.air = air;
    }

    /// What it asks of its pipelines.
    fn run<'a>(&'a self, air: &OnAir) -> Run<'a> {
        Run {
            channel: &self.arn,
            egress: &self.egress,
            on: self.status == Status::Running,
            pipelines: self.pipelines(),
            input: self.active_input(air),
            pair: pair(list(&self.settings, "inputAttachments")),
            settings: &self.settings,
        }
    }

    /// What its outputs send by SRT or in datagrams, or are to send when it runs.
    pub(super) fn feeds(&self, config: &Config) -> Vec<Feed> {
        let sends = |group: &Value| {
            let settings = &group["outputGroupSettings"];
            !settings["srtGroupSettings"].is_null() || !settings["udpGroupSettings"].is_null()
        };
        match encoder_list(&self.settings, "outputGroups").iter().any(sends) {
            true => self.air.feeds(&self.settings, &self.egress, config),
            false => Vec::new(),
        }
    }

    /// The attachment that is taken.
    pub(crate) fn active<'a>(&'a self, air: &OnAir) -> Option<&'a Value> {
        let attachments = list(&self.settings, "inputAttachments");
        let switched = air.switched.as_ref().map(|(attachment, _)| attachment);
        let found = switched.and_then(|name| attachments.iter().find(|found| found["inputAttachmentName"] == **name));
        found.or(attachments.first())
    }

    /// The input that is taken.
    fn active_input(&self, air: &OnAir) -> &str {
        self.active(air).and_then(|attachment| attachment["inputId"].as_str()).unwrap_or_default()
    }

    /// Refuses what the state does not allow.
    pub(crate) fn require(&self, allowed: &[Status], refusal: &str) -> Result<(), ApiError> {
        if allowed.contains(&self.status) {
            return Ok(());
        }
        Err(conflict(format!("{refusal} Channel {} is in state {}.", self.id, self.status.name())))
    }
}

/// How many pipelines a channel with these settings has: two, unless it asks for one.
pub(super) fn pipelines(settings: &Map<String, Value>) -> usize {
    if text(settings, "channelClass") == "SINGLE_PIPELINE" { 1 } else { 2 }
}
