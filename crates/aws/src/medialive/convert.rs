//! Channels and inputs: from the SDK's types to ours and back. Nothing is decided here.
//!
//! Destinations hold stream keys, and the SDK prints them with `{:?}`. They are built and read here and never printed.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_medialive::operation::describe_channel::DescribeChannelOutput;
use aws_sdk_medialive::operation::describe_input::DescribeInputOutput;
use aws_sdk_medialive::types as sdk;
use playout_core::endpoint::Role;
use playout_core::resources::channel::{Channel, ChannelSettings, ChannelState, Input, InputState, Login, RtmpTarget};
use playout_core::secret::SecretText;

use super::encoder;

/// Name of an attachment.
const ATTACHMENT: &str = "source";
/// The roles that a target can have.
const ROLES: [Role; 2] = [Role::Primary, Role::Backup];

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
    let roles: Vec<Role> = wish.targets.keys().copied().collect();
    let attachment = |id: &String| {
        let mut attachment = sdk::InputAttachment::builder().input_id(id).build();
        impose_attachment(&mut attachment);
        attachment
    };
    Some(Specification {
        encoder: encoder::write(wish.encoding.as_ref()?, &roles),
        destinations: wish.targets.iter().map(|(role, target)| destination(*role, target)).collect(),
        attachments: wish.inputs.iter().map(attachment).collect(),
        input: input_specification(),
        log_level: LOG_LEVEL,
    })
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

fn destination(role: Role, target: &RtmpTarget) -> sdk::OutputDestination {
    let settings = sdk::OutputDestinationSettings::builder()
        .url(target.url.expose())
        .stream_name(target.stream.expose())
        .set_username(target.login.as_ref().map(|login| login.username.clone()))
        .set_password_param(target.login.as_ref().map(|login| login.password_parameter.clone()))
        .build();
    sdk::OutputDestination::builder().id(role.as_str()).settings(settings).build()
}

fn impose_attachment(attachment: &mut sdk::InputAttachment) {
    attachment.input_attachment_name = Some(ATTACHMENT.into());
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
    let targets: BTreeMap<Role, RtmpTarget> =
        ROLES.into_iter().filter_map(|role| Some((role, target(seen, role)?))).collect();
    let roles: Vec<Role> = targets.keys().copied().collect();
    let attachments = seen.input_attachments();
    let attached_as_asked = attachments.iter().all(|attachment| {
        let mut imposed = attachment.clone();
        impose_attachment(&mut imposed);
        imposed == *attachment
    });
    let as_asked = attached_as_asked
        && seen.channel_class() == Some(&sdk::ChannelClass::SinglePipeline)
        && seen.input_specification() == Some(&input_specification())
        && seen.log_level() == Some(&LOG_LEVEL);
    let encoding = seen.encoder_settings().and_then(|settings| encoder::read(settings, &roles));
    ChannelSettings {
        role_arn: seen.role_arn().filter(|role| !role.is_empty()).map(str::to_string),
        inputs: attachments.iter().filter_map(|a| a.input_id().map(str::to_string)).collect(),
        encoding: encoding.filter(|_| as_asked),
        targets,
    }
}

/// Where the output group of this name sends to: what its one output refers to, by whatever name.
fn target(seen: &DescribeChannelOutput, role: Role) -> Option<RtmpTarget> {
    let groups = seen.encoder_settings()?.output_groups();
    let group = groups.iter().find(|group| group.name() == Some(role.as_str()))?;
    let id = group.outputs().first()?.output_settings()?.rtmp_output_settings()?.destination()?.destination_ref_id()?;
    match seen.destinations().iter().find(|destination| destination.id() == Some(id))?.settings() {
        [one] => {
            let text = |text: Option<&str>| text.unwrap_or_default().to_string();
            let login = Login { username: text(one.username()), password_parameter: text(one.password_param()) };
            Some(RtmpTarget {
                url: SecretText::new(one.url()?),
                stream: SecretText::new(one.stream_name().unwrap_or_default()),
                login: Some(login).filter(|l| !(l.username.is_empty() && l.password_parameter.is_empty())),
            })
        }
        _ => None,
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
        channels: seen.attached_channels().to_vec(),
        tags: tags(seen.tags()),
    })
}

fn flows(flows: &[sdk::MediaConnectFlow]) -> Vec<String> {
    flows.iter().filter_map(|flow| flow.flow_arn().map(str::to_string)).collect()
}

/// Tags of an answer.
pub fn tags(tags: Option<&HashMap<String, String>>) -> Tags {
    tags.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect()
}
