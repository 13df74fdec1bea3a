//! Lives of a Destination, as text.

use super::*;
use crate::transcripts::{Told, conditions, transcript};

impl Told for DestinationShow {
    fn spec(wish: &Wish) -> Value {
        match wish.desired {
            Desired::Absent => Value::Null,
            Desired::Present(_) | Desired::Invalid(_) => serde_json::to_value(&wish.object.spec).expect("JSON"),
        }
    }

    fn status(world: &World, wish: &Wish, seen: &Observed, plan: &DestinationPlan) -> String {
        let status = status(&wish.object(world), &wish.outcome(seen, plan, None, world.clock));
        let status = serde_json::to_value(status).expect("JSON");
        conditions(&status["state"], &status)
    }
}

/// Created, started, changed on the air, stopped and deleted.
fn life(file: &str, more: &[(&'static str, Value)]) {
    let of = |changes: &[(&'static str, Value)], generation: i64| {
        let all: Vec<_> = more.iter().chain(changes).cloned().collect();
        let mut wish = wish("a life", destination_json(), &all);
        wish.object.metadata.generation = Some(generation);
        wish
    };
    let other = ("/url", json!("rtmps://other.example.com:443/app"));
    let wishes = [
        ("created, stopped", Wish { on: false, ..of(&[STOPPED], 1) }),
        ("started", of(&[], 2)),
        ("another URL, on the air", of(std::slice::from_ref(&other), 3)),
        ("which may be changed at once", of(&[other.clone(), restart()], 4)),
        ("stopped", of(&[other, restart(), STOPPED], 5)),
        ("deleted", gone("deleted")),
    ];
    let start = worlds_of(true, &source_wishes()[0], |_| {});
    transcript::<DestinationShow>(file, start, &wishes);
}

pub fn passed_through() {
    life("destination-passthrough.txt", &[]);
}

pub fn transcoded() {
    life("destination-transcode.txt", &[("/delivery", json!("Transcode")), ("/encoding", json!("720p30"))]);
}

/// Refused, tried again, given up, and asked for once more by an edit.
pub fn refused() {
    let of = |refuses: &'static [Role], changes: &[(&str, Value)], generation: i64| {
        let all: Vec<_> = changes.iter().cloned().chain([brief()]).collect();
        let mut wish = Wish { refuses, ..wish("a life", destination_json(), &all) };
        wish.object.metadata.generation = Some(generation);
        wish
    };
    let wishes = [
        ("started, and its receiver refuses", of(&[Role::Primary], &[], 1)),
        ("another URL, where it is taken", of(&[], &[("/url", json!("rtmps://other.example.com:443/app"))], 2)),
    ];
    let start = worlds_of(true, &source_wishes()[0], |_| {});
    transcript::<DestinationShow>("destination-refused.txt", start, &wishes);
}

/// A platform with two ingests: the primary stops taking the stream, and later leads again because somebody says so.
pub fn with_a_backup() {
    let of = |refuses: &'static [Role], told: Option<Role>, generation: i64| {
        let mut wish = Wish { refuses, told, ..wish("a life", destination_json(), &[backup("OnFailure"), brief()]) };
        wish.object.metadata.generation = Some(generation);
        wish
    };
    let wishes = [
        ("started", of(&[], None, 1)),
        ("the primary does not take the stream any more", of(&[Role::Primary], None, 1)),
        ("it takes it again", of(&[], None, 1)),
        ("the annotation tells to use the primary", of(&[], Some(Role::Primary), 1)),
    ];
    transcript::<DestinationShow>("destination-backup.txt", worlds_of(true, &source_wishes()[0], |_| {}), &wishes);
}

/// From an output of the flow to a channel and back, on the air.
pub fn moved() {
    let of = |delivery: &str, generation: i64| {
        let mut wish = wish("a life", destination_json(), &[("/delivery", json!(delivery)), restart()]);
        wish.object.metadata.generation = Some(generation);
        wish
    };
    let wishes = [
        ("passed through", of("Passthrough", 1)),
        ("transcoded from now on", of("Transcode", 2)),
        ("passed through again", of("Passthrough", 3)),
    ];
    transcript::<DestinationShow>("destination-move.txt", worlds_of(true, &source_wishes()[0], |_| {}), &wishes);
}
