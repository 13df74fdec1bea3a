//! Channels and inputs: from the SDK's types to ours and back. Nothing is decided here.
//!
//! Destinations hold stream keys, and the SDK prints them with `{:?}`. They are built and read here and never printed.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_medialive::operation::describe_channel::DescribeChannelOutput;
use aws_sdk_medialive::operation::describe_input::DescribeInputOutput;
use aws_sdk_medialive::types as sdk;
use playout_core::resources::channel::{
    Attachment, Channel, ChannelClass, ChannelSettings, ChannelState, Difference, Input, InputState, OutputName, Part,
    Push,
};
use playout_core::secret::SecretText;

use super::{encoder, groups};

type Tags = BTreeMap<String, String>;

/// What a create and an update of a channel have in common.
pub struct Specification {
    pub encoder: sdk::EncoderSettings,
    pub destinations: Vec<sdk::OutputDestination>,
    pub attachments: Vec<sdk::InputAttachment>,
    pub input: sdk::InputSpecification,
    pub log_level: sdk::LogLevel,
}

/// The specification of a request; `None` for a wish that does not say what is encoded.
pub fn specification(wish: &ChannelSettings) -> Option<Specification> {
    if wish.encodings.is_empty() {
        return None;
    }
    let mut encoder = sdk::EncoderSettings::builder().build();
    encoder::impose(&mut encoder, &wish.encodings, &wish.outputs, false);
    Some(Specification {
        encoder,
        destinations: wish.outputs.iter().map(|(name, group)| groups::destination(name, group)).collect(),
        attachments: wish.inputs.iter().map(attachment).collect(),
        input: input_specification(),
        log_level: LOG_LEVEL,
    })
}

/// The specification of a request to change a channel that was somebody's before: what is not ours stays as AWS describes it.
/// `None`: AWS's answer lacks what every channel has.
pub fn beside_others(seen: &DescribeChannelOutput, wish: &ChannelSettings) -> Option<Specification> {
    let mut encoder = seen.encoder_settings()?.clone();
    encoder::impose(&mut encoder, &wish.encodings, &wish.outputs, true);
    let mut destinations = seen.destinations().to_vec();
    destinations.retain(|destination| {
        let name = OutputName::new(destination.id().unwrap_or_default());
        !name.is_ours() && !wish.outputs.contains_key(&name)
    });
    destinations.extend(wish.outputs.iter().map(|(name, group)| groups::destination(name, group)));
    let mut attachments = seen.input_attachments().to_vec();
    attachments.retain(|found| !wish.inputs.iter().any(|mine| found.input_id() == Some(&mine.input)));
    attachments.extend(wish.inputs.iter().map(attachment));
    Some(Specification {
        encoder,
        destinations,
        attachments,
        input: seen.input_specification()?.clone(),
        log_level: seen.log_level()?.clone(),
    })
}

fn attachment(wish: &Attachment) -> sdk::InputAttachment {
    let mut attachment = sdk::InputAttachment::builder().input_id(&wish.input).build();
    impose_attachment(&mut attachment, &wish.name);
    attachment
}

/// The class, in AWS's words.
pub fn class(class: ChannelClass) -> sdk::ChannelClass {
    match class {
        ChannelClass::SinglePipeline => sdk::ChannelClass::SinglePipeline,
        ChannelClass::Standard => sdk::ChannelClass::Standard,
    }
}

/// What is written to CloudWatch Logs of a channel.
const LOG_LEVEL: sdk::LogLevel = sdk::LogLevel::Warning;

/// The most that an input brings. It is coarse, and billed.
fn input_specification() -> sdk::InputSpecification {
    sdk::InputSpecification::builder()
        .codec(sdk::InputCodec::Avc)
        .resolution(sdk::InputResolution::Hd)
        .maximum_bitrate(sdk::InputMaximumBitrate::Max20Mbps)
        .build()
}

fn impose_attachment(attachment: &mut sdk::InputAttachment, name: &str) {
    attachment.input_attachment_name = Some(name.into());
    let settings = attachment.input_settings.get_or_insert_with(|| sdk::InputSettings::builder().build());
    settings.source_end_behavior = Some(sdk::InputSourceEndBehavior::Continue);
    let selector = encoder::only(&mut settings.audio_selectors, || sdk::AudioSelector::builder().build());
    selector.name = Some(encoder::SELECTOR.into());
    // Without settings of its own a selector takes the first track.
    if selector.selector_settings.as_ref().is_some_and(|s| *s != sdk::AudioSelectorSettings::builder().build()) {
        selector.selector_settings = None;
    }
}

/// A channel. `None` when AWS's answer lacks what every channel has, or says what we do not understand.
pub fn channel(seen: &DescribeChannelOutput) -> Option<Channel> {
    Some(Channel {
        id: seen.id()?.to_string(),
        arn: seen.arn()?.to_string(),
        name: seen.name().unwrap_or_default().to_string(),
        state: ChannelState::read(seen.state()?.as_str())?,
        settings: settings(seen),
        tags: tags(seen.tags()),
    })
}

fn settings(seen: &DescribeChannelOutput) -> ChannelSettings {
    let attachments = seen.input_attachments();
    let is_as_asked = |attachment: &sdk::InputAttachment| {
        let mut imposed = attachment.clone();
        impose_attachment(&mut imposed, attachment.input_attachment_name().unwrap_or_default());
        imposed == *attachment
    };
    let as_asked = attachments.iter().all(is_as_asked)
        && matches!(seen.channel_class(), Some(sdk::ChannelClass::SinglePipeline | sdk::ChannelClass::Standard))
        && seen.encoder_settings().is_some()
        && seen.input_specification() == Some(&input_specification())
        && seen.log_level() == Some(&LOG_LEVEL);
    let read = seen.encoder_settings().map(|settings| encoder::read(settings, seen.destinations()));
    let encoder::Found { encodings, outputs, mut altered } = read.unwrap_or_default();
    if !as_asked {
        altered.insert(0, Difference { output: None, what: Part::Settings });
    }
    let attached = |found: &sdk::InputAttachment| {
        let name = found.input_attachment_name().unwrap_or_default();
        Some(Attachment { input: found.input_id()?.into(), name: name.into() })
    };
    ChannelSettings {
        role_arn: seen.role_arn().filter(|role| !role.is_empty()).map(str::to_string),
        class: match seen.channel_class() {
            Some(sdk::ChannelClass::Standard) => ChannelClass::Standard,
            _ => ChannelClass::SinglePipeline,
        },
        inputs: attachments.iter().filter_map(attached).collect(),
        encodings,
        outputs,
        keeps_foreign: false,
        altered,
    }
}

/// An input of a list. `None` as with [`channel`].
pub fn input(seen: &sdk::Input) -> Option<Input> {
    Some(Input {
        id: seen.id()?.to_string(),
        arn: seen.arn()?.to_string(),
        name: seen.name().unwrap_or_default().to_string(),
        state: InputState::read(seen.state()?.as_str())?,
        flows: flows(seen.media_connect_flows()),
        push: push(seen.security_groups(), seen.destinations()),
        channels: seen.attached_channels().to_vec(),
        tags: tags(seen.tags()),
    })
}

/// An input that was described. `None` as with [`channel`].
pub fn described_input(seen: &DescribeInputOutput) -> Option<Input> {
    Some(Input {
        id: seen.id()?.to_string(),
        arn: seen.arn()?.to_string(),
        name: seen.name().unwrap_or_default().to_string(),
        state: InputState::read(seen.state()?.as_str())?,
        flows: flows(seen.media_connect_flows()),
        push: push(seen.security_groups(), seen.destinations()),
        channels: seen.attached_channels().to_vec(),
        tags: tags(seen.tags()),
    })
}

/// Who may push to an input, and under which names: AWS shows them in the URLs of its endpoints.
fn push(security_groups: &[String], destinations: &[sdk::InputDestination]) -> Push {
    let stream = |found: &sdk::InputDestination| {
        let (_, rest) = found.url()?.split_once("://")?;
        rest.split_once('/').map(|(_, stream)| SecretText::new(stream))
    };
    Push { security_groups: security_groups.to_vec(), streams: destinations.iter().filter_map(stream).collect() }
}

fn flows(flows: &[sdk::MediaConnectFlow]) -> Vec<String> {
    flows.iter().filter_map(|flow| flow.flow_arn().map(str::to_string)).collect()
}

/// Tags of an answer.
pub fn tags(tags: Option<&HashMap<String, String>>) -> Tags {
    tags.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect()
}
