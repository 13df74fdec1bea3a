//! An input and its states.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::{State, list, text};

/// The life of an input. Whether one that is there is ATTACHED or DETACHED, the channels say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Creating,
    Ready,
    Deleting,
    Deleted,
}

/// An input. Its settings are kept as they are in requests.
#[derive(Clone)]
pub(crate) struct Input {
    pub(crate) id: String,
    pub(crate) arn: String,
    pub(crate) settings: Map<String, Value>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) status: Status,
    /// When the state ends by itself.
    pub(crate) deadline: Option<Duration>,
    /// Since when it is DELETED.
    pub(crate) gone: Option<Duration>,
    /// The addresses of the endpoints, if something is pushed to it.
    pub(crate) addresses: Vec<String>,
}

impl Input {
    pub(crate) fn name(&self) -> &str {
        text(&self.settings, "name")
    }

    pub(crate) fn kind(&self) -> &str {
        text(&self.settings, "type")
    }

    /// Whether it counts as one that is pushed to.
    pub(crate) fn pushed(&self) -> bool {
        super::rules::input::pushed(self.kind())
    }

    /// How many pipelines it can feed.
    pub(crate) fn pipelines(&self) -> usize {
        match self.kind() {
            "RTP_PUSH" => 2,
            "MEDIACONNECT" => list(&self.settings, "mediaConnectFlows").len(),
            "RTMP_PUSH" => list(&self.settings, "destinations").len(),
            "SRT_CALLER" => {
                let sources = self.settings.get("srtSettings").and_then(|srt| srt["srtCallerSources"].as_array());
                sources.map_or(1, Vec::len)
            }
            "SRT_LISTENER" => 1,
            _ => list(&self.settings, "sources").len(),
        }
    }

    /// The flows of a MEDIACONNECT input, the first for the first pipeline.
    pub(crate) fn flows(&self) -> Vec<&str> {
        list(&self.settings, "mediaConnectFlows").iter().filter_map(|flow| flow["flowArn"].as_str()).collect()
    }

    /// Whether it lets in whom this group lets in.
    pub(crate) fn uses(&self, group: &str) -> bool {
        list(&self.settings, "inputSecurityGroups").iter().any(|used| used == group)
    }

    /// The state's name.
    pub(crate) fn state(&self, all: &State) -> &'static str {
        match self.status {
            Status::Creating => "CREATING",
            Status::Deleting => "DELETING",
            Status::Deleted => "DELETED",
            Status::Ready if all.attached(&self.id).is_empty() => "DETACHED",
            Status::Ready => "ATTACHED",
        }
    }

    pub(crate) fn enter(&mut self, status: Status, until: Option<Duration>) {
        self.status = status;
        self.deadline = until;
    }

    /// Changes the state whose time has come. Answers when it went, if it has gone now.
    pub(crate) fn advance(&mut self, now: Duration) -> Option<Duration> {
        let deadline = self.deadline.take_if(|deadline| *deadline <= now)?;
        match self.status {
            Status::Creating => self.status = Status::Ready,
            Status::Deleting => {
                self.status = Status::Deleted;
                self.gone = Some(deadline);
            }
            Status::Ready | Status::Deleted => {}
        }
        self.gone.filter(|gone| *gone == deadline)
    }
}
