//! Where a Source may begin.

use super::*;

pub fn worlds_of(updating: bool, of: &SourceWish, change: fn(&mut WorldFlow)) -> World {
    let mut world = World::new(updating);
    for _ in 0..PASSES {
        if let Step::Act(actions) = SourceShow::plan(of, &SourceShow::observe(&world, of)).step {
            for action in actions {
                world.act_source(&action).expect("a fixture");
            }
        }
        world.tick();
    }
    change(world.flow.as_mut().expect("a flow"));
    world
}

pub fn source_starts() -> Vec<World> {
    let wishes = source_wishes();
    let idle = |change: fn(&mut WorldFlow)| worlds_of(true, &wishes[0], change);
    vec![
        World::new(false),
        World::new(true),
        // A create was sent, its answer is not known, and nothing was made.
        World { intent: 3, ..World::new(true) },
        // Somebody else's flow bears our name.
        idle(|f| f.tags.clear()),
        // That of an earlier object of this name.
        idle(|f| {
            f.tags.insert(TAG_UID.into(), "uid-0".into());
        }),
        idle(|f| f.flow.state = FlowState::Error),
        worlds_of(true, &wishes[3], |f| f.flow.outputs.push(managed())),
    ]
}

/// Flows that somebody has made, with an output, in every state; and one that is another object's.
pub fn external_starts() -> Vec<World> {
    let wishes = source_wishes();
    let strange = |of: &SourceWish, state: FlowState, managed_by: Option<String>| {
        let mut world = worlds_of(true, of, |f| f.tags = BTreeMap::from([("team".into(), "news".into())]));
        let flow = world.flow.as_mut().expect("a flow");
        (flow.flow.state, flow.flow.name) = (state, "newsroom".into());
        flow.flow.outputs.push(FlowOutput { managed_by, ..managed() });
        world
    };
    let mut worlds = vec![World::new(true), worlds_of(true, &wishes[4], |f| f.tags.clear())];
    for state in [
        FlowState::Standby,
        FlowState::Active,
        FlowState::Updating,
        FlowState::Starting,
        FlowState::Stopping,
        FlowState::Deleting,
        FlowState::Error,
    ] {
        worlds.push(strange(&wishes[0], state, None));
        worlds.push(strange(&wishes[10], state, managed().managed_by));
    }
    let mut anothers = strange(&wishes[0], FlowState::Active, None);
    anothers.flow.as_mut().expect("a flow").tags = identity("Source", "other").tags(&BTreeMap::new());
    worlds.push(anothers);
    worlds
}

pub fn is_managed(flow: &WorldFlow) -> bool {
    flow.flow.outputs.iter().any(|o| o.managed_by.is_some())
}

pub fn managed() -> FlowOutput {
    FlowOutput {
        name: "medialive".into(),
        arn: "arn:medialive".into(),
        enabled: true,
        settings: crate::fixtures::plain_rtp(),
        managed_by: Some("arn:aws:medialive:us-west-2:111122223333:input:1".into()),
        listener_address: None,
    }
}
