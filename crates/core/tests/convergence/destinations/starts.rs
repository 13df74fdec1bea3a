//! Where a Destination may begin.

use super::*;

pub fn destination_starts() -> Vec<World> {
    let source = &source_wishes()[3];
    let mut starts = Vec::new();
    for updating in [false, true] {
        starts.push(World::new(updating));
        for more_outputs in [0, 47, 48] {
            starts.push(World { more_outputs, ..with_others(updating) });
        }
        // Somebody else's output bears our name.
        starts.push(worlds_of(updating, source, |f| {
            let name = id().output_name("primary");
            f.flow.outputs = vec![FlowOutput { name, arn: "arn:foreign".into(), managed_by: None, ..managed() }];
        }));
    }
    starts
}

/// A flow on the air that others use, too.
pub fn with_others(updating: bool) -> World {
    worlds_of(updating, &source_wishes()[3], |f| {
        let by_hand = FlowOutput { name: "by-hand".into(), arn: "arn:hand".into(), managed_by: None, ..managed() };
        f.flow.outputs = vec![managed(), by_hand];
    })
}

/// What the wish comes to, from nothing.
pub fn come_to(wishes: &[Wish], name: &str) -> World {
    let wish = wishes.iter().find(|w| w.name == name).expect("a wish of that name");
    let way = crate::run::<DestinationShow>(&with_others(true), wish, None, &mut Tally::default());
    way.worlds.last().cloned().expect("a world at rest")
}

pub fn live_starts(wishes: &[Wish]) -> Vec<World> {
    let changed = |name: &str, change: &dyn Fn(&mut World)| {
        let mut world = come_to(wishes, name);
        change(&mut world);
        world
    };
    let running = |change: &dyn Fn(&mut WorldChannel)| {
        changed("transcoded, changes at once", &|w| w.live.channels.iter_mut().for_each(change))
    };
    let idle = |change: &dyn Fn(&mut WorldChannel)| {
        changed("transcoded, prepared", &|w| w.live.channels.iter_mut().for_each(change))
    };
    let foreign = running(&|_| {}).live.channels.remove(0).channel.settings;
    let mut with_foreign = with_others(false);
    with_foreign.add_foreign_channel(foreign);
    let mut slow = with_others(true);
    slow.live.lag = 2;
    vec![
        World::new(true),
        with_others(true),
        with_foreign,
        slow,
        World { more_outputs: 48, ..with_others(true) },
        idle(&|c| c.channel.state = ChannelState::CreateFailed),
        idle(&|c| c.channel.state = ChannelState::UpdateFailed),
        running(&|c| c.channel.state = ChannelState::Recovering),
        // Somebody's update left the role out.
        idle(&|c| c.channel.settings.role_arn = None),
        // Of an earlier object of this name.
        running(&|c| {
            c.channel.tags.insert(TAG_UID.into(), "uid-0".into());
        }),
        // Somebody stopped it in the console.
        running(&|c| {
            c.channel.state = ChannelState::Stopping;
            c.died = true;
        }),
        // The Source was made anew.
        changed("transcoded, changes at once", &|w| {
            w.live.inputs.iter_mut().for_each(|i| i.input.flows = vec!["arn:another".into()]);
        }),
        // The status was lost.
        changed("transcoded, the primary is refused", &|w| w.status = None),
        changed("transcoded, refused", &|_| {}),
    ]
}
