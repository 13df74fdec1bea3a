//! What is written and told of a pass, and when. Pure.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use playout_core::action::Action;
use playout_core::conditions::READY;
use playout_core::failure::Failure;
use playout_core::plan::Step;

/// Whether the status waits for the next look. What was done is seen in a moment, and only what is seen is worth a write; an identifier
/// must not be lost, though, nor what the status alone remembers, and what AWS does not keep is told. `times`: how often in a row
/// the same was changed by now.
pub(super) fn waits_for_a_look<A: Action>(
    step: Option<&Step<A>>,
    failure: Option<&Failure>,
    created: Option<&str>,
    times: u32,
) -> bool {
    let Some(Step::Act(actions)) = step else { return false };
    failure.is_none() && created.is_none() && times <= 1 && !actions.iter().any(|action| action.effect().is_kept)
}

/// What is told of what AWS has refused: that of what is put in order beside the step, and the first of what is put aside, unless
/// the condition that changes by it tells the same. `before`: the conditions before this pass. `put_aside`: how often in a row the
/// `failure` has come, if that is put aside.
pub(super) fn refusals<'a>(
    beside: Option<&'a Failure>,
    failure: Option<&'a Failure>,
    put_aside: Option<u32>,
    before: &[Condition],
) -> impl Iterator<Item = &'a Failure> {
    let ready = before.iter().find(|c| c.type_ == READY).map(|c| c.reason.as_str());
    let another = failure.filter(|failure| put_aside == Some(1) && ready == Some(failure.reason().as_str()));
    beside.into_iter().chain(another).filter(|failure| failure.is_refusal())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
    use playout_core::action::{Action, Effect, Intent};
    use playout_core::failure::{Failure, FailureClass};
    use playout_core::plan::Step;
    use playout_core::reasons::Reason;

    use super::{refusals, waits_for_a_look};

    /// An action, and whether the status alone remembers it.
    #[derive(Debug, serde::Serialize)]
    struct Act(bool);

    impl Action for Act {
        fn intent(&self) -> Intent {
            Intent::None
        }

        fn effect(&self) -> Effect {
            Effect { is_kept: self.0, ..Effect::new(Vec::new(), Reason::Updating, "") }
        }
    }

    fn failure(class: FailureClass) -> Failure {
        Failure { class, operation: "mediaconnect:UpdateFlowOutput".into(), message: "no".into() }
    }

    #[test]
    fn only_what_the_next_look_shows_waits_for_it() {
        let act = Step::Act(vec![Act(false)]);
        let told = Step::Act(vec![Act(false), Act(true)]);
        assert!(waits_for_a_look(Some(&act), None, None, 1));
        assert!(!waits_for_a_look(Some(&told), None, None, 1), "the status alone remembers it");
        assert!(!waits_for_a_look(Some(&act), Some(&failure(FailureClass::Denied)), None, 0), "it failed");
        assert!(!waits_for_a_look(Some(&act), None, Some("arn"), 1), "the identifier would be lost");
        assert!(!waits_for_a_look(Some(&act), None, None, 2), "AWS does not keep it");
        for step in [Some(&Step::<Act>::Settled), Some(&Step::Gone), None] {
            assert!(!waits_for_a_look(step, None, None, 0), "{step:?}: nothing was done");
        }
    }

    #[test]
    fn a_refusal_is_told_once_by_the_condition_or_by_an_event() {
        let denied = failure(FailureClass::Denied);
        let ready = |reason: Reason| {
            vec![Condition {
                type_: "Ready".into(),
                status: "False".into(),
                reason: reason.as_str().into(),
                message: String::new(),
                last_transition_time: Time(jiff::Timestamp::UNIX_EPOCH),
                observed_generation: None,
            }]
        };
        let told = |put_aside, before: &[Condition]| refusals(None, Some(&denied), put_aside, before).count();
        let (same, other) = (ready(denied.reason()), ready(Reason::Running));
        assert_eq!(told(Some(1), &other), 0, "the condition changes by it");
        assert_eq!(told(Some(1), &[]), 0);
        assert_eq!(told(Some(1), &same), 1, "another one is refused for the same reason");
        assert_eq!((told(Some(2), &same), told(None, &same)), (0, 0), "it was told before");
    }

    #[test]
    fn what_is_put_in_order_beside_the_step_is_told_when_aws_says_no_to_it() {
        let [denied, transient] = [FailureClass::Denied, FailureClass::Transient].map(failure);
        assert_eq!(refusals(Some(&denied), None, None, &[]).collect::<Vec<_>>(), [&denied]);
        assert_eq!(refusals(Some(&transient), None, None, &[]).count(), 0, "it is tried again");
    }
}
