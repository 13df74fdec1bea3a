//! What the small MediaLive refuses.

use super::*;
use playout_core::resources::channel::ChannelAction;

#[test]
fn what_the_small_medialive_refuses() {
    // The world itself can say no; otherwise all of the above would prove nothing.
    let wishes = with_generations(transcode());
    let running = come_to(&wishes, "transcoded, changes at once");
    let (channel, input) = (running.live.channels[0].channel.clone(), running.live.inputs[0].input.clone());
    let flow = running.flow.as_ref().expect("a flow").flow.arn.clone();
    let tags = channel.tags.clone();
    let of = || channel.id.clone();
    let new_input = |flow: &str| {
        let (name, role_arn) = (input.name.clone(), "arn:role".to_string());
        A::Channel(ChannelAction::CreateInput(Box::new(NewInput {
            name,
            from: InputSource::Flow(flow.into()),
            role_arn,
            tags: tags.clone(),
        })))
    };
    let new_channel = || {
        let (name, settings) = (channel.name.clone(), channel.settings.clone());
        A::Channel(ChannelAction::Create(Box::new(NewChannel { name, settings, tags: tags.clone() })))
    };
    let update = |settings: &ChannelSettings| {
        A::Channel(ChannelAction::Update { id: of(), name: channel.name.clone(), settings: Box::new(settings.clone()) })
    };
    let no = |world: &World, action: &A, conflict: bool| {
        let mut world = world.clone();
        let before = world.live.clone();
        let answer = world.act_destination(action);
        let right = matches!((&answer, conflict), (Err(No::Conflict(_)), true) | (Err(No::Bad(_)), false));
        assert!(right && world.live == before, "{action:?} {answer:?}");
    };
    let fresh = |world: &World| {
        let mut world = world.clone();
        world.live.intend(Made::Input);
        world
    };
    for action in [
        A::Channel(ChannelAction::Start { id: of() }),
        update(&channel.settings),
        A::Channel(ChannelAction::Delete { id: of() }),
        A::Channel(ChannelAction::DeleteInput { id: input.id.clone() }),
    ] {
        no(&running, &action, true);
    }
    no(&fresh(&running), &new_channel(), true);
    for action in [
        A::Channel(ChannelAction::Stop { id: "404".into() }),
        A::Channel(ChannelAction::DeleteInput { id: "404".into() }),
    ] {
        no(&running, &action, false);
    }
    no(&fresh(&running), &new_input("arn:unknown"), false);
    no(&fresh(&World { more_outputs: 48, ..running.clone() }), &new_input(&flow), false);
    let mut full = fresh(&running);
    full.live.others = LIMIT;
    no(&full, &new_input(&flow), true);
    let mut idle = running.clone();
    idle.live.channels[0].channel.state = ChannelState::Idle;
    no(&idle, &A::Channel(ChannelAction::Stop { id: of() }), true);
    no(&idle, &update(&ChannelSettings { role_arn: None, ..channel.settings.clone() }), false);
    no(&idle, &update(&ChannelSettings { outputs: BTreeMap::new(), ..channel.settings.clone() }), false);
    // A repetition by the same token makes nothing, another token a second one.
    let mut twice = fresh(&running);
    for _ in 0..2 {
        twice.live.intend(Made::Input);
        twice.act_destination(&new_input(&flow)).expect("an answer");
        twice.flow.as_mut().expect("a flow").flow.state = FlowState::Active;
        assert_eq!(twice.live.inputs.len(), 2);
    }
    twice.live.intend(Made::Channel);
    twice.live.intend(Made::Input);
    twice.act_destination(&new_input(&flow)).expect("an answer");
    assert_eq!(twice.live.inputs.len(), 3);
}
