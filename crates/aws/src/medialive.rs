//! AWS Elemental MediaLive: channels and their inputs.
//!
//! The SDK's input and output types print stream keys with `{:?}`. They are built, sent and read here and never printed.

mod alerts;
pub mod channels;
mod convert;
mod encoder;
mod groups;

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_sdk_medialive::Client;
use aws_sdk_medialive::types as sdk;
use playout_core::failure::{Failure, FailureClass};
use playout_core::identity::TAG_CLUSTER;
use playout_core::resources::channel::{
    Alert, Channel, ChannelSettings, ChannelState, Input, InputSource, InputState, NewChannel, NewInput, SrtTarget,
    Target,
};
use playout_core::secret::SecretText;

use crate::caller::{Caller, next_page};
use crate::rate_limit::Urgency;

/// Most that a list gives at once.
const PAGE: i32 = 100;

type Tags = BTreeMap<String, String>;

/// The service, as narrow as we need it.
#[derive(Debug)]
pub struct MediaLive {
    client: Client,
    caller: Arc<Caller>,
}

/// A channel in a list, which says nothing of what it encodes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListedChannel {
    /// Id: digits.
    pub id: String,
    /// ARN.
    pub arn: String,
    /// Name.
    pub name: String,
    /// State. One that is DELETED stands in the list for a while.
    pub state: ChannelState,
    /// Tags.
    pub tags: Tags,
}

/// An input in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedInput {
    /// The input.
    pub input: Input,
    /// Whether it counts as a push input, of which the account may have a few.
    pub is_push: bool,
}

/// What a create has made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Created<State> {
    /// Id: digits.
    pub id: String,
    /// ARN.
    pub arn: String,
    /// State. One that AWS answers from its memory of the same token may be in any.
    pub state: State,
}

impl MediaLive {
    pub(super) fn new(sdk: &SdkConfig, caller: Arc<Caller>) -> Self {
        Self { client: Client::new(sdk), caller }
    }

    /// All channels of the region.
    ///
    /// # Errors
    /// AWS gave no answer, or says of a channel with tags of ours what cannot be understood: without it the list would say that
    /// it is not there.
    pub async fn list_channels(&self, urgency: Urgency) -> Result<Vec<ListedChannel>, Failure> {
        const OPERATION: &str = "medialive:ListChannels";
        let mut channels = Vec::new();
        let mut token = None;
        loop {
            let call = self.client.list_channels().max_results(PAGE).set_next_token(token).send();
            let page = self.caller.read(OPERATION, urgency, call).await?;
            for seen in page.channels() {
                match listed_channel(seen) {
                    Some(channel) => channels.push(channel),
                    None if convert::tags(seen.tags()).contains_key(TAG_CLUSTER) => {
                        return Err(not_understood(OPERATION));
                    }
                    None => {}
                }
            }
            token = next_page(page.next_token());
            if token.is_none() {
                return Ok(channels);
            }
        }
    }

    /// All inputs of the region.
    ///
    /// # Errors
    /// As with [`Self::list_channels`].
    pub async fn list_inputs(&self, urgency: Urgency) -> Result<Vec<ListedInput>, Failure> {
        const OPERATION: &str = "medialive:ListInputs";
        let mut inputs = Vec::new();
        let mut token = None;
        loop {
            let call = self.client.list_inputs().max_results(PAGE).set_next_token(token).send();
            let page = self.caller.read(OPERATION, urgency, call).await?;
            for seen in page.inputs() {
                match convert::input(seen) {
                    Some(input) => inputs.push(ListedInput { input, is_push: is_push(seen.r#type()) }),
                    None if convert::tags(seen.tags()).contains_key(TAG_CLUSTER) => {
                        return Err(not_understood(OPERATION));
                    }
                    None => {}
                }
            }
            token = next_page(page.next_token());
            if token.is_none() {
                return Ok(inputs);
            }
        }
    }

    /// The channel, or `None` when AWS says that there is none. One that is DELETED is still told of for a while.
    ///
    /// # Errors
    /// AWS gave no answer, or one that cannot be understood.
    pub async fn describe_channel(&self, id: &str, urgency: Urgency) -> Result<Option<Channel>, Failure> {
        const OPERATION: &str = "medialive:DescribeChannel";
        let call = self.client.describe_channel().channel_id(id).send();
        let Some(answer) = if_there(self.caller.read(OPERATION, urgency, call).await)? else { return Ok(None) };
        let channel = convert::channel(&answer).ok_or_else(|| not_understood(OPERATION))?;
        // Of a key that has been changed since, nobody else knows that it is one.
        self.learn(&channel.settings);
        Ok(Some(channel))
    }

    /// The input, or `None` when AWS says that there is none. One that is DELETED is still told of for a while.
    ///
    /// # Errors
    /// AWS gave no answer, or one that cannot be understood.
    pub async fn describe_input(&self, id: &str, urgency: Urgency) -> Result<Option<Input>, Failure> {
        const OPERATION: &str = "medialive:DescribeInput";
        let call = self.client.describe_input().input_id(id).send();
        let Some(answer) = if_there(self.caller.read(OPERATION, urgency, call).await)? else { return Ok(None) };
        convert::described_input(&answer).map(Some).ok_or_else(|| not_understood(OPERATION))
    }

    /// Makes an input. To a flow that it takes MediaLive adds an output of its own. Two creates with one token are one.
    ///
    /// # Errors
    /// The call failed. If the failure says that the outcome is unknown, there may be an input. `Absent`: the token has been
    /// used for one that is gone.
    pub async fn create_input(&self, new: &NewInput, token: &str) -> Result<Created<InputState>, Failure> {
        const OPERATION: &str = "medialive:CreateInput";
        let call = self.client.create_input().name(&new.name);
        let call = match &new.from {
            InputSource::Flow(arn) => call
                .r#type(sdk::InputType::Mediaconnect)
                .media_connect_flows(sdk::MediaConnectFlowRequest::builder().flow_arn(arn).build())
                .role_arn(&new.role_arn),
            InputSource::RtmpPush { security_group, streams } => {
                streams.iter().for_each(|stream| self.caller.redactor().learn(stream));
                let at =
                    |stream: &SecretText| sdk::InputDestinationRequest::builder().stream_name(stream.expose()).build();
                call.r#type(sdk::InputType::RtmpPush)
                    .input_security_groups(security_group)
                    .set_destinations(Some(streams.iter().map(at).collect()))
            }
        };
        let call = call.set_tags(Some(new.tags.clone().into_iter().collect())).request_id(token).send();
        let answer = self.caller.change(OPERATION, call).await?;
        let made = answer.input().and_then(|input| {
            let state = InputState::read(input.state()?.as_str())?;
            Some(Created { id: input.id()?.to_string(), arn: input.arn()?.to_string(), state })
        });
        match made {
            Some(made) if matches!(made.state, InputState::Deleting | InputState::Deleted) => Err(gone(OPERATION)),
            made => made.ok_or_else(|| not_understood(OPERATION)),
        }
    }

    /// Makes a channel. Two creates with one token are one.
    ///
    /// # Errors
    /// As with [`Self::create_input`].
    pub async fn create_channel(&self, new: &NewChannel, token: &str) -> Result<Created<ChannelState>, Failure> {
        const OPERATION: &str = "medialive:CreateChannel";
        let specification = convert::specification(&new.settings).ok_or_else(|| incomplete(OPERATION))?;
        self.learn(&new.settings);
        let call = self
            .client
            .create_channel()
            .name(&new.name)
            .channel_class(convert::class(new.settings.class))
            .set_role_arn(new.settings.role_arn.clone())
            .encoder_settings(specification.encoder)
            .set_destinations(Some(specification.destinations))
            .set_input_attachments(Some(specification.attachments))
            .input_specification(specification.input)
            .log_level(specification.log_level)
            .set_tags(Some(new.tags.clone().into_iter().collect()))
            .request_id(token)
            .send();
        let answer = self.caller.change(OPERATION, call).await?;
        let made = answer.channel().and_then(|channel| {
            let state = ChannelState::read(channel.state()?.as_str())?;
            Some(Created { id: channel.id()?.to_string(), arn: channel.arn()?.to_string(), state })
        });
        match made {
            Some(made) if matches!(made.state, ChannelState::Deleting | ChannelState::Deleted) => Err(gone(OPERATION)),
            made => made.ok_or_else(|| not_understood(OPERATION)),
        }
    }

    /// Changes a channel that is idle. All of the settings are sent: what an update leaves out, AWS may take away. So what is somebody
    /// else's and stays is read first, and sent as it is.
    ///
    /// # Errors
    /// The call failed.
    pub async fn update_channel(&self, id: &str, name: &str, settings: &ChannelSettings) -> Result<(), Failure> {
        const OPERATION: &str = "medialive:UpdateChannel";
        let mut role_arn = settings.role_arn.clone();
        let specification = match settings.keeps_foreign {
            false => convert::specification(settings).ok_or_else(|| incomplete(OPERATION))?,
            true => {
                let call = self.client.describe_channel().channel_id(id).send();
                let seen = self.caller.read("medialive:DescribeChannel", Urgency::Change, call).await?;
                role_arn = role_arn.or(seen.role_arn().map(str::to_string));
                convert::beside_others(&seen, settings).ok_or_else(|| not_understood(OPERATION))?
            }
        };
        self.learn(settings);
        let call = self
            .client
            .update_channel()
            .channel_id(id)
            .name(name)
            .set_role_arn(role_arn)
            .encoder_settings(specification.encoder)
            .set_destinations(Some(specification.destinations))
            .set_input_attachments(Some(specification.attachments))
            .input_specification(specification.input)
            .log_level(specification.log_level)
            .send();
        self.caller.change(OPERATION, call).await.map(drop)
    }

    /// Remembers the keys: AWS's refusals and alerts repeat what they are about.
    fn learn(&self, settings: &ChannelSettings) {
        for group in settings.outputs.values() {
            match &group.to {
                Target::Rtmp(target) => self.caller.redactor().learn(&target.stream),
                Target::Srt(SrtTarget { stream_id: Some(id), .. }) => self.caller.redactor().learn(id),
                Target::Srt(_) | Target::Hls(_) | Target::Udp(_) | Target::MediaPackage(_) => {}
            }
        }
    }

    /// Starts a channel.
    ///
    /// # Errors
    /// The call failed.
    pub async fn start_channel(&self, id: &str) -> Result<(), Failure> {
        let call = self.client.start_channel().channel_id(id).send();
        self.caller.change("medialive:StartChannel", call).await.map(drop)
    }

    /// Stops a channel.
    ///
    /// # Errors
    /// The call failed.
    pub async fn stop_channel(&self, id: &str) -> Result<(), Failure> {
        let call = self.client.stop_channel().channel_id(id).send();
        self.caller.stop("medialive:StopChannel", call).await.map(drop)
    }

    /// Removes a channel that is idle. One that is gone already is a success.
    ///
    /// # Errors
    /// The call failed.
    pub async fn delete_channel(&self, id: &str) -> Result<(), Failure> {
        let call = self.client.delete_channel().channel_id(id).send();
        if_there(self.caller.change("medialive:DeleteChannel", call).await).map(drop)
    }

    /// Removes an input that no channel has. One that is gone already is a success.
    ///
    /// # Errors
    /// The call failed.
    pub async fn delete_input(&self, id: &str) -> Result<(), Failure> {
        let call = self.client.delete_input().input_id(id).send();
        if_there(self.caller.change("medialive:DeleteInput", call).await).map(drop)
    }

    /// Lets an input take another flow. MediaLive removes its output from the one and adds it to the other.
    ///
    /// # Errors
    /// The call failed.
    pub async fn update_input(&self, id: &str, name: &str, flow: &str, role_arn: &str) -> Result<(), Failure> {
        let call = self
            .client
            .update_input()
            .input_id(id)
            .name(name)
            .media_connect_flows(sdk::MediaConnectFlowRequest::builder().flow_arn(flow).build())
            .role_arn(role_arn)
            .send();
        self.caller.change("medialive:UpdateInput", call).await.map(drop)
    }

    /// Adds or changes tags.
    ///
    /// # Errors
    /// The call failed.
    pub async fn tag(&self, arn: &str, tags: &Tags) -> Result<(), Failure> {
        let tags = tags.clone().into_iter().collect();
        let call = self.client.create_tags().resource_arn(arn).set_tags(Some(tags)).send();
        self.caller.change("medialive:CreateTags", call).await.map(drop)
    }

    /// The alerts of a channel that are set.
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn alerts(&self, channel: &Channel) -> Result<Vec<Alert>, Failure> {
        let outputs = &channel.settings.outputs;
        let mut found = Vec::new();
        let mut token = None;
        loop {
            // AWS does not say what it lists without a filter.
            let request = self.client.list_alerts().channel_id(&channel.id).state_filter("SET");
            let call = request.set_next_token(token).send();
            let page = self.caller.read("medialive:ListAlerts", Urgency::Check, call).await?;
            found.extend(page.alerts().iter().filter_map(|seen| alerts::alert(seen, outputs, self.caller.redactor())));
            token = next_page(page.next_token());
            if token.is_none() {
                return Ok(found);
            }
        }
    }
}

fn listed_channel(seen: &sdk::ChannelSummary) -> Option<ListedChannel> {
    Some(ListedChannel {
        id: seen.id()?.to_string(),
        arn: seen.arn()?.to_string(),
        name: seen.name().unwrap_or_default().to_string(),
        state: ChannelState::read(seen.state()?.as_str())?,
        tags: convert::tags(seen.tags()),
    })
}

/// Whether inputs of a type count as push inputs: those to which somebody sends. AWS does not say it of all types; for
/// MediaConnect it does (MediaLive user guide, "Input types: push or pull").
fn is_push(kind: Option<&sdk::InputType>) -> bool {
    !matches!(
        kind,
        Some(
            sdk::InputType::Mp4File
                | sdk::InputType::RtmpPull
                | sdk::InputType::SrtCaller
                | sdk::InputType::TsFile
                | sdk::InputType::UrlPull
        )
    )
}

/// What was asked for, or `None` when AWS says that there is no such thing.
fn if_there<T>(result: Result<T, Failure>) -> Result<Option<T>, Failure> {
    match result {
        Err(failure) if failure.class == FailureClass::Absent => Ok(None),
        other => other.map(Some),
    }
}

/// A create was answered from AWS's memory of the token.
fn gone(operation: &str) -> Failure {
    Failure {
        class: FailureClass::Absent,
        operation: operation.into(),
        message: "AWS answered with what an earlier request had made and that is gone".into(),
    }
}

/// A wish that cannot be sent.
fn incomplete(operation: &str) -> Failure {
    Failure {
        class: FailureClass::Invalid,
        operation: operation.into(),
        message: "nothing says what the channel encodes".into(),
    }
}

/// An answer that lacks what it must have; whatever was asked for may have happened.
fn not_understood(operation: &str) -> Failure {
    Failure {
        class: FailureClass::Transient,
        operation: operation.into(),
        message: "AWS's answer lacks required members".into(),
    }
}
