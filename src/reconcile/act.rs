//! The act phase of a pass: what was decided is carried out, under the finalizer. It is never given up in the middle of a call.

use playout_core::action::{Action, Effect, Intent};
use playout_core::failure::{Failure, FailureClass};
use playout_core::told::News;

use super::decide;
use super::held::Held;
use super::look::Looked;
use super::pass::Pass;
use crate::kind::Kind;
use crate::kubernetes::finalizer;

/// What was done.
#[derive(Debug, Default)]
pub(super) struct Acted {
    /// Identifier of what was created, before any look can show it.
    pub created: Option<String>,
    /// What Events are to tell.
    pub news: Vec<News<'static>>,
    /// How often in a row the same was changed by now.
    pub times: u32,
    /// Whether what is to be remembered was stored before.
    pub is_remembered: bool,
    /// How often in a row AWS has refused by now what it has refused, and what is put aside.
    pub put_aside: Option<u32>,
    /// What failed by now: the look, or an action.
    pub failure: Option<Failure>,
}

/// How often in a row the same change is told by an Event.
const TOLD: u32 = 3;

/// Carries out the actions, in order, up to the first that fails.
pub(super) async fn act<K: Kind>(pass: &mut Pass<'_, K>, looked: &Looked<K>, held: Held) -> Acted {
    let Held { is_repeated, is_remembered, news } = held;
    let mut acted = Acted { news, is_remembered, failure: looked.failure.clone(), ..Acted::default() };
    for action in looked.actions() {
        tracing::info!(action = %serde_json::to_string(action).unwrap_or_default(), "acting");
        match K::execute(&pass.object, action, pass.context).await {
            Ok(identifier) => {
                acted.created = identifier.or(acted.created);
                let in_a_row = changed(pass, looked, action).await;
                acted.times = acted.times.max(in_a_row);
                if in_a_row <= TOLD {
                    acted.news.push(news_of(action));
                }
            }
            Err(error) => {
                tracing::warn!(class = ?error.class, error = error.message, operation = error.operation, "failed");
                acted.put_aside = failed(pass, looked, action, is_repeated, &error).await;
                acted.failure = Some(error);
                break;
            }
        }
    }
    acted
}

/// An action was carried out; how often in a row the same was changed by now.
async fn changed<K: Kind>(pass: &Pass<'_, K>, looked: &Looked<K>, action: &K::Action) -> u32 {
    let difference = looked.difference(action);
    let context = pass.context;
    let in_a_row = context.attempts.changed(&pass.uid, &action.changes(), &difference, context.clock.instant());
    if action.intent() == Intent::Ends && context.open_intent(&pass.object).is_some() {
        withdraw(pass).await;
    }
    in_a_row
}

/// An action failed; how often in a row AWS has refused it by now, if it is put aside. `is_repeated`: it was sent again under the
/// intent of an earlier one.
async fn failed<K: Kind>(
    pass: &mut Pass<'_, K>,
    looked: &Looked<K>,
    action: &K::Action,
    is_repeated: bool,
    error: &Failure,
) -> Option<u32> {
    // A certain "no" to the first request: nothing was made, so nothing has to be waited for. Or what the token made is gone again.
    let made_nothing = if is_repeated { error.class == FailureClass::Absent } else { error.is_certain() };
    if action.needs_intent() && made_nothing {
        withdraw(pass).await;
    }
    // An intent says the same of a create.
    if error.outcome_unknown()
        && !action.needs_intent()
        && let Some(seen) = &looked.seen
    {
        unanswered(pass, seen).await;
    }
    let context = pass.context;
    context.attempts.refused(&pass.uid, &action.changes(), error, context.clock.instant())
}

/// Notes that AWS may still carry out what it has not answered.
async fn unanswered<K: Kind>(pass: &mut Pass<'_, K>, seen: &K::Observed) {
    let context = pass.context;
    let now = (context.clock.now(), context.clock.instant());
    let wish = decide::wish::<K>(&pass.object, seen);
    let what = context.attempts.unanswered(&pass.uid, &wish, now, context.config.create_window);
    match finalizer::note_unanswered(&pass.writer, &pass.api, &pass.object, &what).await {
        Ok(stored) => pass.object = stored,
        Err(error) => tracing::warn!(%error, "that AWS has not answered is known to this process alone"),
    }
}

async fn withdraw<K: Kind>(pass: &Pass<'_, K>) {
    if let Err(error) = finalizer::withdraw(&pass.writer, &pass.api, &pass.object).await {
        tracing::debug!(%error, "the intent stays until it ends by itself");
    }
}

/// What an Event tells of an action.
fn news_of(action: &impl Action) -> News<'static> {
    let Effect { is_warning: warning, reason, sentence, .. } = action.effect();
    News { warning, reason, message: sentence.into() }
}

/// What was put in order.
#[derive(Debug, Default)]
pub(super) struct Tidied {
    /// What Events are to tell.
    pub news: Vec<News<'static>>,
    /// What was refused first.
    pub refused: Option<Failure>,
}

impl Tidied {
    /// Whether there was something to put in order.
    pub(super) fn is_something(&self) -> bool {
        !self.news.is_empty() || self.refused.is_some()
    }
}

/// Puts in order what stands beside the step and is in nobody's way.
pub(super) async fn tidy<K: Kind>(pass: &Pass<'_, K>, looked: &Looked<K>, acted: &Acted) -> Tidied {
    let mut tidied = Tidied::default();
    let context = pass.context;
    let Some(chores) = looked.chores().filter(|_| acted.failure.is_none() || looked.stands) else { return tidied };
    if chores.is_empty() {
        context.attempts.is_tidy(&pass.uid);
    } else if context.attempts.may_tidy(&pass.uid, context.clock.instant()) {
        for chore in chores {
            tracing::info!(action = %serde_json::to_string(chore).unwrap_or_default(), "putting in order");
            match Box::pin(K::execute(&pass.object, chore, context)).await {
                Ok(_) => tidied.news.push(news_of(chore)),
                Err(error) => {
                    tracing::warn!(class = ?error.class, error = error.message, operation = error.operation, "not put in order");
                    tidied.refused.get_or_insert(error);
                }
            }
        }
    }
    tidied
}
