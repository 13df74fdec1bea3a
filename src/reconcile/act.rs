//! The act phase of a pass: what was decided is carried out, under the finalizer. It is never given up in the middle of a call.

use kube::{Api, Resource as _, ResourceExt as _};
use playout_core::failure::{Failure, FailureClass};
use playout_core::intent::CreateIntent;
use playout_core::plan::{Action as _, Desired, Memory as _, Step};
use playout_core::reasons::Reason;
use playout_core::told::News;

use super::decide;
use super::look::Looked;
use super::tell_of_change;
use crate::kind::{Context, Kind, Outcome, api_failure};
use crate::kubernetes::guard::Guarded;
use crate::kubernetes::status::{Writer, Wrote};
use crate::kubernetes::{hold, status};

/// What was done.
pub(super) struct Acted {
    /// Identifier of what was created, before any look can show it.
    pub created: Option<String>,
    /// What Events are to tell.
    pub done: Vec<Done>,
    /// How often in a row the same was changed by now.
    pub times: u32,
    /// Whether what is to be remembered was stored before.
    pub is_remembered: bool,
    /// How often in a row AWS has refused by now what it has refused, and what is put aside.
    pub refused: Option<u32>,
}

/// Something that was done, for an Event.
pub(super) struct Done {
    /// Whether somebody may have to do something.
    pub warning: bool,
    /// Its reason.
    pub reason: Reason,
    /// What it says.
    pub sentence: String,
}

impl From<News<'_>> for Done {
    fn from(News { warning, reason, message }: News<'_>) -> Self {
        Self { warning, reason, sentence: message.into_owned() }
    }
}

impl Done {
    pub(super) fn of(action: &impl playout_core::plan::Action) -> Self {
        Self { warning: action.is_warning(), reason: action.reason(), sentence: action.sentence() }
    }
}

/// How often in a row the same change is told by an Event.
const TOLD: u32 = 3;

/// Holds the object and carries out the actions, in order, up to the first that fails: then `looked` has its failure. `object`
/// becomes what is stored.
///
/// # Errors
/// The object changed since it was read: nothing was done, and what it is now has to be decided upon.
pub(super) async fn act<K: Kind>(
    object: &mut K::Object,
    looked: &mut Looked<K>,
    writer: &Writer<'_>,
    api: &Api<Guarded<K::Object>>,
    context: &Context,
) -> Result<Acted, Failure> {
    let uid = object.uid().unwrap_or_default();
    let actions: &[K::Action] = match looked.plan.as_ref().map(|plan| &plan.step) {
        Some(Step::Act(actions)) if looked.failure.is_none() => actions,
        _ => &[],
    };
    // What AWS knows by its token is asked for again with the same one, as long as something may have come of it.
    let role = actions.iter().find_map(|a| a.token_role());
    let repeated = context.open_intent(object).filter(|i| role.is_some_and(|r| i.is_of(r) && !K::was_seen(object, r)));
    let intent = actions
        .iter()
        .any(|a| a.needs_intent())
        .then(|| CreateIntent::now(context.clock.now(), &uid, role, repeated.as_ref()));
    let deleting = object.meta().deletion_timestamp.is_some();
    if !deleting && matches!(looked.desired, Some(Desired::Present(_))) {
        *object = hold::hold(writer, api, object, intent.as_ref())
            .await
            .map_err(|error| api_failure("kubernetes:hold", &error))?;
    }
    let mut acted = Acted { created: None, done: Vec::new(), times: 0, is_remembered: false, refused: None };
    if let Some(plan) = looked.plan.as_ref().filter(|plan| !actions.is_empty() && plan.memory.goes_first()) {
        // What is done rests on it: a crash between the two must not lose it.
        let (desired, seen) = (looked.desired.as_ref(), looked.seen.as_ref());
        let outcome = Outcome::<K> { desired, seen, ..Outcome::at(context.clock.now()).planned(Some(plan)) };
        let before = object.clone();
        let status = |o: &K::Object| K::status(o, &outcome, context);
        let (stored, wrote) = status::write(writer, api, object.clone(), status, |_, _| false)
            .await
            .map_err(|error| api_failure("kubernetes:status", &error))?;
        if wrote == Wrote::Now {
            tell_of_change::<K>(&stored, &before, context).await;
            acted.done.extend(plan.memory.news().into_iter().map(Done::from));
        }
        acted.is_remembered = true;
        *object = stored;
        // It is a decision of its own to try again.
        context.attempts.changed(&uid, &[], "", context.clock.instant());
    }
    for action in actions {
        tracing::info!(action = %serde_json::to_string(action).unwrap_or_default(), "acting");
        let difference = match (&looked.desired, &looked.seen) {
            (Some(desired), Some(seen)) => K::difference(desired, seen, action),
            _ => String::new(),
        };
        match K::execute(object, action, context).await {
            Ok(identifier) => {
                acted.created = identifier.or(acted.created);
                let now = context.clock.instant();
                let in_a_row = context.attempts.changed(&uid, &action.changes(), &difference, now);
                acted.times = acted.times.max(in_a_row);
                if action.ends_intent()
                    && context.open_intent(object).is_some()
                    && let Err(error) = hold::withdraw(writer, api, object).await
                {
                    tracing::debug!(%error, "the intent stays until it ends by itself");
                }
                if in_a_row <= TOLD {
                    acted.done.push(Done::of(action));
                }
            }
            Err(error) => {
                tracing::warn!(class = ?error.class, error = error.message, operation = error.operation, "failed");
                // Or what the token made is gone again.
                let gone = repeated.is_some() && error.class == FailureClass::Absent;
                if action.needs_intent() && (gone || (repeated.is_none() && error.is_certain())) {
                    // A certain "no" to the first request: nothing was made, so nothing has to be waited for.
                    if let Err(error) = hold::withdraw(writer, api, object).await {
                        tracing::debug!(%error, "the intent stays until it ends by itself");
                    }
                }
                // An intent says the same of a create.
                if error.outcome_unknown()
                    && !action.needs_intent()
                    && let Some(seen) = &looked.seen
                {
                    let now = (context.clock.now(), context.clock.instant());
                    let wish = decide::wish::<K>(object, seen);
                    let what = context.attempts.unanswered(&uid, &wish, now, context.config.create_window);
                    match hold::note_unanswered(writer, api, object, &what).await {
                        Ok(stored) => *object = stored,
                        Err(error) => {
                            tracing::warn!(%error, "that AWS has not answered is known to this process alone")
                        }
                    }
                }
                acted.refused = context.attempts.refused(&uid, &action.changes(), &error, context.clock.instant());
                looked.failure = Some(error);
                break;
            }
        }
    }
    Ok(acted)
}
