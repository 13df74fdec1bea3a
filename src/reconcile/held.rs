//! What is stored before anything is done: the finalizer, the intent of a create, and what the plan remembers.

use kube::Resource as _;
use playout_core::action::Action as _;
use playout_core::failure::Failure;
use playout_core::frame::Managed as _;
use playout_core::intent::CreateIntent;
use playout_core::plan::{Desired, Memory as _};
use playout_core::told::News;

use super::look::Looked;
use super::pass::Pass;
use crate::kind::{Kind, api_failure};
use crate::kubernetes::finalizer;
use crate::kubernetes::status::Wrote;

/// What is held.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Whether a create is sent again under the intent that stood there before.
    pub is_repeated: bool,
    /// Whether what is to be remembered was stored.
    pub is_remembered: bool,
    /// What is told of what was decided.
    pub news: Vec<News<'static>>,
}

/// Stores it.
///
/// # Errors
/// The object changed since it was read: what it is now has to be decided upon.
pub(super) async fn hold<K: Kind>(pass: &mut Pass<'_, K>, looked: &Looked<K>) -> Result<Held, Failure> {
    let context = pass.context;
    let actions = looked.actions();
    // What AWS knows by its token is asked for again with the same one, as long as something may have come of it.
    let role = actions.iter().find_map(|a| a.token_role());
    let open = context.open_intent(&pass.object);
    let repeated = open.filter(|i| role.is_some_and(|r| i.is_of(r) && !pass.object.was_seen(r)));
    let needs_intent = actions.iter().any(|a| a.needs_intent());
    let intent = needs_intent.then(|| CreateIntent::now(context.clock.now(), &pass.uid, role, repeated.as_ref()));
    let deleting = pass.object.meta().deletion_timestamp.is_some();
    if !deleting && matches!(looked.desired, Some(Desired::Present(_))) {
        pass.object = finalizer::add(&pass.writer, &pass.api, &pass.object, intent.as_ref())
            .await
            .map_err(|error| api_failure("kubernetes:hold", &error))?;
    }
    let mut held = Held { is_repeated: repeated.is_some(), ..Held::default() };
    if let Some(plan) = looked.plan.as_ref().filter(|plan| !actions.is_empty() && plan.memory.goes_first()) {
        // What is done rests on it: a crash between the two must not lose it.
        if pass.write_status(&looked.outcome(context.clock.now()), false).await? == Wrote::Now {
            held.news = plan.memory.news();
        }
        held.is_remembered = true;
        // It is a decision of its own to try again.
        context.attempts.changed(&pass.uid, &[], "", context.clock.instant());
    }
    Ok(held)
}
