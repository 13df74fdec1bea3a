//! The inputs of channels: what they take.

use std::collections::BTreeMap;

use crate::secret::SecretText;

/// What an input takes.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub enum InputSource {
    /// The flow with this ARN. MediaLive adds an output of its own to it.
    Flow(String),
    /// What somebody pushes by RTMP.
    RtmpPush {
        /// Id of the input security group, which says from where.
        security_group: String,
        /// `application/stream` of each endpoint: one, or one for each of two pipelines. Who knows it can push.
        streams: Vec<SecretText>,
    },
}

/// State of an input, in AWS's words.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(missing_docs, reason = "AWS's own words")]
pub enum InputState {
    Creating,
    Detached,
    Attached,
    Deleting,
    Deleted,
}

impl InputState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Creating, Self::Detached, Self::Attached, Self::Deleting, Self::Deleted];

    /// As AWS spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Detached => "DETACHED",
            Self::Attached => "ATTACHED",
            Self::Deleting => "DELETING",
            Self::Deleted => "DELETED",
        }
    }

    /// Reads AWS's spelling; `None` for a word that this version does not know.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// An input, as observed.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Id: digits.
    pub id: String,
    /// ARN.
    pub arn: String,
    /// Name.
    pub name: String,
    /// State.
    pub state: InputState,
    /// ARNs of the flows that it takes.
    pub flows: Vec<String>,
    /// Who may push to it, and under which names.
    pub push: Push,
    /// Ids of the channels that it is attached to; AWS allows one.
    pub channels: Vec<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// Who may push to an input, and under which names. Empty of one to which nobody pushes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Push {
    /// Ids of its security groups.
    pub security_groups: Vec<String>,
    /// `application/stream` of each endpoint.
    pub streams: Vec<SecretText>,
}

impl Input {
    /// Whether it takes this, and nothing else.
    #[must_use]
    pub fn takes(&self, source: &InputSource) -> bool {
        match source {
            InputSource::Flow(arn) => self.flows == [arn.as_str()],
            InputSource::RtmpPush { security_group, streams } => {
                self.push.security_groups == [security_group.as_str()] && self.push.streams == *streams
            }
        }
    }
}

/// An input to be made.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct NewInput {
    /// Name.
    pub name: String,
    /// What it takes.
    pub from: InputSource,
    /// Role that MediaLive assumes to take a flow.
    pub role_arn: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_takes_what_was_asked_for_or_something_else() {
        let mut input = Input {
            id: "1".into(),
            arn: "arn:1".into(),
            name: "one".into(),
            state: InputState::Detached,
            flows: vec!["arn:flow".into()],
            push: Push::default(),
            channels: Vec::new(),
            tags: BTreeMap::new(),
        };
        let push = |group: &str, stream: &str| InputSource::RtmpPush {
            security_group: group.into(),
            streams: vec![SecretText::new(stream)],
        };
        assert!(input.takes(&InputSource::Flow("arn:flow".into())));
        assert!(!input.takes(&InputSource::Flow("arn:other".into())) && !input.takes(&push("7", "live/a")));
        input.push = Push { security_groups: vec!["7".into()], streams: vec![SecretText::new("live/a")] };
        input.flows.clear();
        assert!(input.takes(&push("7", "live/a")) && !input.takes(&InputSource::Flow("arn:flow".into())));
        assert!(!input.takes(&push("8", "live/a")) && !input.takes(&push("7", "live/b")));
    }
}
