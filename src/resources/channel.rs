//! A MediaLive channel and its input: how they are found, and what is done to them.

use std::time::Duration;

use playout_aws::Region;
use playout_core::existence::Existence;
use playout_core::failure::Failure;
use playout_core::identity::Identity;
use playout_core::resources::channel::{Channel, ChannelAction, ChannelState, Input, InputSource, InputState};
use playout_core::resources::flow::Flow;

use super::{AGE, LIST_AGE};
use crate::lanes::Urgency;

/// What is looked for: by a recorded id first, by name and tags second.
#[derive(Debug)]
pub struct Sought<'a> {
    /// Whose it is.
    pub identity: &'a Identity,
    /// The id that is recorded.
    pub recorded: Option<&'a str>,
    /// Somebody has asked for a fresh look.
    pub anew: bool,
    /// How old a list may be.
    pub list_age: Duration,
    /// Whether a create was sent of which no list may show anything yet. What was seen once and is not there now was removed.
    pub may_appear: bool,
    /// With how much patience AWS is asked.
    pub urgency: Urgency,
}

impl Sought<'_> {
    fn none<T>(&self) -> Existence<T> {
        if self.may_appear { Existence::Unknown } else { Existence::Absent }
    }

    fn invalidate(&self, id: &str, region: &Region) {
        if self.anew {
            region.channels.invalidate(id);
        }
    }
}

/// The input.
///
/// # Errors
/// AWS gives no answer, or does not allow it.
pub async fn find_input(sought: &Sought<'_>, region: &Region) -> Result<Existence<Input>, Failure> {
    let Sought { identity, list_age, urgency, .. } = *sought;
    if let Some(id) = sought.recorded {
        sought.invalidate(id, region);
        let found = region.channels.describe_input(id, AGE, urgency).await?;
        if let Some(input) = found.filter(|i| i.state != InputState::Deleted) {
            return Ok(Existence::Present((*input).clone()));
        }
        region.channels.forget(id);
    }
    let name = identity.input_name();
    let listed = region.channels.inputs(list_age, urgency).await?;
    let is_ours =
        |i: &&Input| i.name == name && i.state != InputState::Deleted && identity.ownership(&i.tags).is_ours();
    let ours = listed.iter().map(|l| &l.input).filter(is_ours);
    Ok(ours.min_by(|a, b| a.id.cmp(&b.id)).map_or_else(|| sought.none(), |input| Existence::Present(input.clone())))
}

/// The channel.
///
/// # Errors
/// AWS gives no answer, or does not allow it.
pub async fn find_channel(sought: &Sought<'_>, region: &Region) -> Result<Existence<Channel>, Failure> {
    let Sought { identity, list_age, urgency, .. } = *sought;
    if let Some(id) = sought.recorded {
        sought.invalidate(id, region);
        if let Some(channel) = describe(id, urgency, region).await? {
            return Ok(Existence::Present(channel));
        }
        region.channels.forget(id);
    }
    let name = identity.channel_name();
    let listed = region.channels.list(list_age, urgency).await?;
    for listed in
        listed.iter().filter(|c| c.name == name && !c.state.is_gone() && identity.ownership(&c.tags).is_ours())
    {
        if let Some(channel) = describe(&listed.id, urgency, region).await? {
            return Ok(Existence::Present(channel));
        }
    }
    Ok(sought.none())
}

async fn describe(id: &str, urgency: Urgency, region: &Region) -> Result<Option<Channel>, Failure> {
    let found = region.channels.describe(id, AGE, urgency).await?;
    Ok(found.filter(|c| c.state != ChannelState::Deleted).map(|channel| (*channel).clone()))
}

/// Whether nothing can reach the channel any more: its input is gone, or the flow that the input takes. Not to know is no: a show
/// does not end for it. `flow`: one that was just seen.
pub async fn is_cut_off(
    channel: &Channel,
    input: Option<&Input>,
    flow: Option<&Flow>,
    urgency: Urgency,
    region: &Region,
) -> bool {
    let inputs: Vec<_> = channel.settings.inputs.iter().map(|attachment| &attachment.input).collect();
    let Some(input) = input.filter(|input| inputs.is_empty() || inputs.contains(&&input.id)) else {
        // Its own input is not there; whether the one that it takes is, AWS says by its id.
        for id in &inputs {
            let found = region.channels.describe_input(id, AGE, urgency).await;
            let listed = region.channels.inputs(LIST_AGE, urgency).await;
            let (Ok(found), Ok(listed)) = (found, listed) else { return false };
            let is_there = |input: &Input| input.id == **id && input.state != InputState::Deleted;
            if found.is_some_and(|i| is_there(&i)) || listed.iter().any(|l| is_there(&l.input)) {
                return false;
            }
        }
        return !inputs.is_empty();
    };
    for arn in &input.flows {
        let is_there = flow.is_some_and(|flow| flow.arn == *arn)
            || match region.flows.describe(arn, AGE, urgency).await {
                // A list that still has it may know better.
                Ok(None) => match region.flows.all(LIST_AGE, urgency).await {
                    Ok(all) => all.iter().any(|listed| listed.arn == *arn),
                    Err(_) => true,
                },
                _ => true,
            };
        if is_there {
            return false;
        }
    }
    !input.flows.is_empty()
}

/// Carries out what is to be done to a channel or its input; the id of what was made. `token`: of a create, from the intent that
/// stands on the object.
///
/// # Errors
/// AWS refuses it, or gives no answer.
pub async fn execute(
    action: &ChannelAction,
    token: impl FnOnce() -> String,
    region: &Region,
) -> Result<Option<String>, Failure> {
    let (live, channels) = (&region.medialive, &region.channels);
    match action {
        ChannelAction::CreateInput(new) => {
            let made = live.create_input(new, &token()).await;
            channels.list_changed();
            if let InputSource::Flow(arn) = &new.from {
                region.flows.touched(arn);
            }
            return made.map(|made| Some(made.id));
        }
        ChannelAction::Create(new) => {
            let made = live.create_channel(new, &token()).await;
            channels.list_changed();
            for attachment in &new.settings.inputs {
                channels.touched(&attachment.input);
            }
            return made.map(|made| Some(made.id));
        }
        ChannelAction::Update { id, name, settings } => {
            touched(region, id, live.update_channel(id, name, settings)).await
        }
        ChannelAction::Start { id } => touched(region, id, live.start_channel(id)).await,
        ChannelAction::Stop { id } => touched(region, id, live.stop_channel(id)).await,
        ChannelAction::Delete { id } => touched(region, id, live.delete_channel(id)).await,
        ChannelAction::DeleteInput { id } => touched(region, id, live.delete_input(id)).await,
        ChannelAction::Tag { arn, tags } => {
            let result = live.tag(arn, tags).await;
            channels.invalidate(arn.rsplit(':').next().unwrap_or_default());
            result
        }
    }
    .map(|()| None)
}

async fn touched(region: &Region, id: &str, call: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let result = call.await;
    region.channels.touched(id);
    region.channels.list_changed();
    result
}
