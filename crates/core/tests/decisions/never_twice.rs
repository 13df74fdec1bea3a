//! Whose a resource is, and what an intent means: the rules by which nothing is made twice and nothing foreign is touched.

use std::collections::BTreeMap;
use std::time::Duration;

use playout_core::action::{Action as _, Intent};
use playout_core::failure::{Failure, FailureClass};
use playout_core::identity::{Identity, Ownership};
use playout_core::intent::{CreateIntent, FirstSeen, IntentPhase};
use playout_core::kinds::destination::plan::Action;
use playout_core::resources::channel::ChannelAction;

use crate::fixtures::{at, identity};

#[test]
fn who_differs_in_cluster_kind_namespace_or_name_is_another_owner() {
    let ours = identity("Destination", "tube");
    let tags = ours.tags(&BTreeMap::new());
    assert_eq!(ours.ownership(&tags), Ownership::Ours);
    let others = [
        Identity { cluster: "cluster-2".into(), ..ours.clone() },
        Identity { kind: "Source".into(), ..ours.clone() },
        Identity { namespace: "news".into(), ..ours.clone() },
        Identity { name: "tube-2".into(), ..ours.clone() },
    ];
    for other in others {
        assert_eq!(other.ownership(&tags), Ownership::Foreign, "{other:?}");
    }
}

#[test]
fn an_intent_of_another_role_is_no_beginning_of_this_one() {
    let input = CreateIntent::now(at(0), "u1", Some("input"), None);
    let since = |intent: CreateIntent| intent.of.expect("it is repeatable").since;
    assert_eq!(since(CreateIntent::now(at(50), "u1", Some("input"), Some(&input))), at(0));
    assert_eq!(since(CreateIntent::now(at(50), "u1", Some("channel"), Some(&input))), at(50));
}

#[test]
fn an_intent_is_open_for_the_whole_window_and_not_longer() {
    let intent = CreateIntent::now(at(0), "u1", None, None);
    let seen = |second| FirstSeen { at: at(0), ago: Duration::from_secs(second) };
    let phase = |second| intent.phase(seen(second), Duration::from_secs(90));
    for second in [0, 45, 46, 89] {
        assert_eq!(phase(second), IntentPhase::Open, "{second}");
    }
    assert_eq!(phase(90), IntentPhase::Clear);
}

#[test]
fn an_intent_ends_with_the_removal_of_what_it_was_for() {
    let id = || "7".to_string();
    let deletes = [ChannelAction::DeleteInput { id: id() }, ChannelAction::Delete { id: id() }];
    assert!(deletes.into_iter().all(|action| Action::Channel(action).intent() == Intent::Ends));
    assert_eq!(Action::Channel(ChannelAction::Stop { id: id() }).intent(), Intent::None);
}

#[test]
fn only_a_plain_no_is_certain() {
    let failure = |class| Failure { class, operation: "medialive:CreateInput".into(), message: "no".into() };
    for class in [FailureClass::Invalid, FailureClass::Denied, FailureClass::Quota, FailureClass::Throttled] {
        assert!(failure(class).is_certain(), "{class:?}");
    }
    // A conflict may be with our own request of before.
    for class in [FailureClass::Conflict, FailureClass::Transient, FailureClass::Panic, FailureClass::NotLeading] {
        assert!(!failure(class).is_certain(), "{class:?}");
    }
}
