//! The settings of a channel, requested or observed, and in what two of them differ.

use std::collections::BTreeMap;

use super::{OutputGroup, OutputName, Target};
use crate::encoding::Encoding;

/// Whether a channel has one pipeline or two.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub enum ChannelClass {
    /// One. A standard channel takes standard-class inputs only, and a MediaConnect input is that only with two flows in two
    /// Availability Zones (MediaLive user guide, "Choosing the channel class and input class"); a Source has one flow. Two ingest
    /// points are fed by two output groups of the one encode, which also costs less than two pipelines.
    #[default]
    SinglePipeline,
    /// Two.
    Standard,
}

/// Name of something that a channel encodes.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Serialize)]
pub struct EncodingName(String);

impl EncodingName {
    /// A name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// Whether an encoding of this name is ours in a channel that has others, too.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.0.starts_with(OutputName::OURS)
    }

    /// The one of a channel that encodes once.
    #[must_use]
    pub fn main() -> Self {
        Self::new("main")
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An input that a channel takes.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Attachment {
    /// Id of the input.
    pub input: String,
    /// What the channel calls it.
    pub name: String,
}

impl Attachment {
    /// The one of a channel that takes one.
    #[must_use]
    pub fn only(input: impl Into<String>) -> Self {
        Self { input: input.into(), name: "source".into() }
    }
}

/// Settings of a channel, requested or observed.
///
/// A request is complete: AWS's update takes away what it leaves out (the role), so every update carries all of it.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ChannelSettings {
    /// Role that MediaLive assumes. Observed `None`: somebody's update left it out, and the channel cannot start.
    pub role_arn: Option<String>,
    /// How many pipelines it has.
    pub class: ChannelClass,
    /// The inputs that it takes.
    pub inputs: Vec<Attachment>,
    /// What it encodes.
    pub encodings: BTreeMap<EncodingName, Encoding>,
    /// Where it sends to; each group is fed by one encode, which several may share.
    pub outputs: BTreeMap<OutputName, OutputGroup>,
    /// Requested: whether what is not ours in it (groups, encodings, attachments) stays as it is, byte for byte: the channel was
    /// somebody's before. Groups and encodings are ours by their names, see [`OutputName::is_ours`] and [`EncodingName::is_ours`].
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keeps_foreign: bool,
    /// Observed: what is otherwise than in anything that is ever requested, or is nobody's of ours.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub altered: Vec<Difference>,
}

/// In what an observed channel differs from what is requested.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Difference {
    /// The output group; `None`: it is of the whole channel.
    pub output: Option<OutputName>,
    /// What differs.
    pub what: Part,
}

/// What of a channel, or of an output group, can differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
pub enum Part {
    /// The role that MediaLive assumes.
    Role,
    /// The number of pipelines.
    Class,
    /// The inputs.
    Inputs,
    /// What is encoded, or which of it a group sends.
    Encoding,
    /// Something that no field of ours has: it is always the same in what is requested.
    Settings,
    /// Something that is not ours.
    Foreign,
    /// Whether there is such a group.
    Presence,
    /// Where a group sends to: address, or channel.
    Address,
    /// The stream key.
    StreamKey,
    /// Who logs in.
    Username,
    /// By which password.
    Password,
    /// How it is sent: length of segments, latency, encryption and the like.
    Transport,
}

impl ChannelSettings {
    /// What a channel is given that encodes once and takes one input.
    #[must_use]
    pub fn single(role_arn: String, input: String, encoding: Encoding, targets: BTreeMap<OutputName, Target>) -> Self {
        let group = |to| OutputGroup { encoding: EncodingName::main(), to };
        Self {
            role_arn: Some(role_arn),
            class: ChannelClass::SinglePipeline,
            inputs: vec![Attachment::only(input)],
            encodings: BTreeMap::from([(EncodingName::main(), encoding)]),
            outputs: targets.into_iter().map(|(name, to)| (name, group(to))).collect(),
            keeps_foreign: false,
            altered: Vec::new(),
        }
    }

    /// Whether it takes this input.
    #[must_use]
    pub fn takes(&self, input: &str) -> bool {
        self.inputs.iter().any(|attachment| attachment.input == input)
    }

    /// In what an observed channel differs from this request.
    #[must_use]
    pub fn differences(&self, observed: &Self) -> Vec<Difference> {
        let mut list = Vec::new();
        let mut differs = |what, is: bool| {
            if is {
                list.push(Difference { output: None, what });
            }
        };
        let ids = |settings: &Self| -> Vec<String> { settings.inputs.iter().map(|a| a.input.clone()).collect() };
        let attached = |mine: &Attachment| observed.inputs.iter().find(|other| other.input == mine.input);
        differs(Part::Role, self.role_arn != observed.role_arn && !(self.keeps_foreign && self.role_arn.is_none()));
        differs(Part::Class, self.class != observed.class && !self.keeps_foreign);
        match self.keeps_foreign {
            true => differs(Part::Inputs, self.inputs.iter().any(|mine| attached(mine).is_none())),
            false => differs(Part::Inputs, ids(self) != ids(observed)),
        }
        let is_renamed = |mine: &Attachment| attached(mine).is_some_and(|other| other.name != mine.name);
        differs(Part::Settings, self.inputs.iter().any(is_renamed));
        let is_changed = |(name, mine): (&EncodingName, &Encoding)| observed.encodings.get(name) != Some(mine);
        let surplus = || observed.encodings.keys().any(|name| !self.encodings.contains_key(name));
        differs(Part::Encoding, self.encodings.iter().any(is_changed) || !self.keeps_foreign && surplus());
        let is_left = |difference: &Difference| {
            let Difference { output, what } = difference;
            let is_ours = output.as_ref().is_none_or(|name| self.outputs.contains_key(name) || name.is_ours());
            self.keeps_foreign && (*what == Part::Foreign || !is_ours)
        };
        list.extend(observed.altered.iter().filter(|difference| !is_left(difference)).cloned());
        for (name, mine) in &self.outputs {
            let of = |what| Difference { output: Some(name.clone()), what };
            match observed.outputs.get(name) {
                Some(other) => list.extend(mine.differences(other).into_iter().map(of)),
                None => list.push(of(Part::Presence)),
            }
        }
        for name in observed.outputs.keys().filter(|name| !self.outputs.contains_key(name)) {
            if !self.keeps_foreign || name.is_ours() {
                list.push(Difference { output: Some(name.clone()), what: Part::Presence });
            }
        }
        list
    }
}

impl OutputGroup {
    /// In what an observed group differs from this request.
    fn differences(&self, observed: &Self) -> Vec<Part> {
        let mut list = Vec::new();
        let mut differs = |what, is: bool| {
            if is {
                list.push(what);
            }
        };
        differs(Part::Encoding, self.encoding != observed.encoding);
        match (&self.to, &observed.to) {
            (Target::Rtmp(mine), Target::Rtmp(other)) => {
                let user = |target: &super::RtmpTarget| target.login.as_ref().map(|l| l.username.clone());
                let password = |target: &super::RtmpTarget| target.login.as_ref().map(|l| l.password_parameter.clone());
                differs(Part::Address, mine.url != other.url);
                differs(Part::StreamKey, mine.stream != other.stream);
                differs(Part::Username, user(mine) != user(other));
                differs(Part::Password, password(mine) != password(other));
            }
            (Target::Hls(mine), Target::Hls(other)) => {
                differs(Part::Address, mine.url != other.url || mine.modifier != other.modifier);
                let how = |target: &super::HlsTarget| (target.segment_seconds, target.keeps_all);
                differs(Part::Transport, how(mine) != how(other));
            }
            (Target::Udp(mine), Target::Udp(other)) => {
                differs(Part::Address, mine.url != other.url);
                differs(Part::Transport, mine.fec != other.fec);
            }
            (Target::Srt(mine), Target::Srt(other)) => {
                differs(Part::Address, mine.url != other.url);
                differs(Part::StreamKey, mine.stream_id != other.stream_id);
                differs(Part::Password, mine.passphrase_secret_arn != other.passphrase_secret_arn);
                differs(Part::Transport, mine.latency_ms != other.latency_ms);
            }
            (Target::MediaPackage(mine), Target::MediaPackage(other)) => differs(Part::Address, mine != other),
            _ => differs(Part::Address, true),
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::super::{HlsTarget, MediaPackageTarget, SrtTarget, UdpTarget};
    use super::*;
    use crate::presets::built_in;

    fn name(text: &str) -> OutputName {
        OutputName::new(text)
    }

    fn hls(url: &str) -> Target {
        Target::Hls(HlsTarget { url: url.into(), modifier: "_1".into(), segment_seconds: 6, keeps_all: true })
    }

    fn srt() -> SrtTarget {
        SrtTarget {
            url: "srt://198.51.100.7:5000".into(),
            stream_id: None,
            passphrase_secret_arn: Some("arn:secret".into()),
            latency_ms: 2000,
        }
    }

    fn settings(targets: &[(&str, Target)]) -> ChannelSettings {
        let targets = targets.iter().map(|(text, to)| (name(text), to.clone())).collect();
        ChannelSettings::single("arn:role".into(), "7".into(), built_in("1080p30").expect("a preset"), targets)
    }

    fn told(wish: &ChannelSettings, seen: &ChannelSettings) -> Vec<(Option<String>, Part)> {
        let of = |d: Difference| (d.output.map(|name| name.as_str().to_string()), d.what);
        wish.differences(seen).into_iter().map(of).collect()
    }

    #[test]
    fn each_part_of_a_target_is_told_with_its_group() {
        let udp = |fec| Target::Udp(UdpTarget { url: "rtp://198.51.100.7:5000".into(), fec });
        let v2 = |channel: &str| {
            Target::MediaPackage(MediaPackageTarget::V2 { group: "news".into(), channel: channel.into() })
        };
        for (wish, seen, what) in [
            (hls("s3ssl://a/one"), hls("s3ssl://a/two"), Part::Address),
            (udp(true), udp(false), Part::Transport),
            (Target::Srt(srt()), Target::Srt(SrtTarget { latency_ms: 120, ..srt() }), Part::Transport),
            (Target::Srt(srt()), Target::Srt(SrtTarget { passphrase_secret_arn: None, ..srt() }), Part::Password),
            (v2("one"), v2("two"), Part::Address),
            (v2("one"), udp(true), Part::Address),
        ] {
            let of = |to: &Target| settings(&[("relay", to.clone()), ("recording", hls("s3ssl://a/same"))]);
            assert_eq!(told(&of(&wish), &of(&seen)), [(Some("relay".into()), what)], "{wish:?} {seen:?}");
            assert_eq!(told(&of(&wish), &of(&wish)), []);
        }
    }

    #[test]
    fn a_group_that_is_missing_or_too_many_is_told() {
        let (one, two) = (settings(&[("a", hls("s3ssl://a/one"))]), settings(&[("b", hls("s3ssl://a/one"))]));
        assert_eq!(told(&one, &two), [(Some("a".into()), Part::Presence), (Some("b".into()), Part::Presence)]);
    }

    #[test]
    fn what_is_of_the_whole_channel_is_told_once() {
        let wish = settings(&[("a", hls("s3ssl://a/one"))]);
        let mut seen = wish.clone();
        seen.role_arn = None;
        seen.class = ChannelClass::Standard;
        seen.inputs = vec![Attachment::only("8")];
        seen.encodings.values_mut().for_each(|encoding| encoding.video_bitrate += 1);
        seen.altered = vec![Difference { output: None, what: Part::Settings }];
        let parts: Vec<_> = told(&wish, &seen).into_iter().map(|(_, what)| what).collect();
        assert_eq!(parts, [Part::Role, Part::Class, Part::Inputs, Part::Encoding, Part::Settings]);
        seen = wish.clone();
        seen.inputs = vec![Attachment { input: "7".into(), name: "other".into() }];
        assert_eq!(told(&wish, &seen), [(None, Part::Settings)]);
    }

    #[test]
    fn of_a_channel_that_was_somebodys_only_what_is_ours_is_compared() {
        let ours = ("playout-relay", Target::Srt(srt()));
        let wish = ChannelSettings { role_arn: None, keeps_foreign: true, ..settings(std::slice::from_ref(&ours)) };
        let mut seen = settings(&[ours, ("viewers", hls("mediastoressl://a/one"))]);
        seen.class = ChannelClass::Standard;
        seen.inputs.push(Attachment { input: "99".into(), name: "theirs".into() });
        seen.encodings.insert(EncodingName::new("theirs"), built_in("720p30").expect("a preset"));
        seen.altered = vec![
            Difference { output: None, what: Part::Foreign },
            Difference { output: Some(name("viewers")), what: Part::Settings },
        ];
        assert_eq!(told(&wish, &seen), []);
        // A group of ours that is not requested any more goes, and one that was altered is told.
        seen.outputs.insert(name("playout-gone"), seen.outputs[&name("playout-relay")].clone());
        seen.altered.push(Difference { output: Some(name("playout-relay")), what: Part::Settings });
        let all = [(Some("playout-relay".into()), Part::Settings), (Some("playout-gone".into()), Part::Presence)];
        assert_eq!(told(&wish, &seen), all);
        assert!(!told(&ChannelSettings { keeps_foreign: false, ..wish }, &seen).is_empty());
    }
}
