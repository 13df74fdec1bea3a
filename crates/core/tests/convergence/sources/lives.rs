//! The life of a Source, as text.

use super::*;
use crate::transcripts::{Told, conditions, transcript};

impl Told for SourceShow {
    fn spec(wish: &SourceWish) -> Value {
        match wish.desired {
            Desired::Absent => Value::Null,
            Desired::Present(_) | Desired::Invalid(_) => serde_json::to_value(&wish.object.spec).expect("JSON"),
        }
    }

    fn status(
        world: &World,
        wish: &SourceWish,
        seen: &source::observed::Observed,
        plan: &Plan<source::plan::Action, ()>,
    ) -> String {
        let outcome = source::Outcome {
            wanted: match &wish.desired {
                Desired::Present(wanted) => Some(wanted),
                _ => None,
            },
            seen: Some(seen),
            step: Some(&plan.step),
            deferred: &plan.deferred,
            ..source::Outcome::at(at(world.clock))
        };
        let status = source::status::status(&wish.object, &outcome, crate::fixtures::REGION);
        let status = serde_json::to_value(status).expect("JSON");
        conditions(&status["state"], &status)
    }
}

/// Created, used, changed on the air, no longer used, and deleted.
pub fn life() {
    let used = |wish| SourceWish { on_air: true, ..wish };
    let of = |changes: &[(&str, Value)]| source_wish("a life", changes);
    let main = |port| ("/inputs", json!([encrypted(input("main", "Primary", port))]));
    let both = |port| ("/inputs", json!([encrypted(input("main", "Primary", port)), input("reserve", "Backup", 5001)]));
    let wishes = [
        ("created, with one encrypted input", of(&[main(5000)])),
        ("a Destination is on the air", used(of(&[main(5000)]))),
        ("a backup and another port, on the air", used(of(&[both(6000)]))),
        ("the Destination is stopped", of(&[both(6000)])),
        ("deleted", deleting(of(&[both(6000)]))),
    ];
    transcript::<SourceShow>("source.txt", World::new(true), &wishes);
}

/// Two encoders fail one after the other, and the emergency input has its turn.
pub fn with_an_emergency() {
    let three = ("/inputs/2", input("slate", "Emergency", 5002));
    let of = |failed: &'static [&'static str]| SourceWish {
        on_air: true,
        failed,
        ..source_wish("a life", std::slice::from_ref(&three))
    };
    let wishes = [
        ("on the air", of(&[])),
        ("main fails", of(&["main"])),
        ("reserve fails, too", of(&["main", "reserve"])),
        ("main is back", of(&["reserve"])),
        ("both are well", of(&[])),
    ];
    transcript::<SourceShow>("source-emergency.txt", World::new(true), &wishes);
}
