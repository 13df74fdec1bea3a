//! What every phase of a pass has at hand.

use kube::{Api, ResourceExt as _};
use playout_core::failure::{Failure, FailureClass};
use playout_core::frame::Managed as _;
use playout_core::told::News;

use super::Passed;
use super::pace::{Came, requeue};
use crate::kind::{Context, Kind, Outcome, api_failure};
use crate::kubernetes::events;
use crate::kubernetes::guard::Guarded;
use crate::kubernetes::status::{self, Writer, Wrote};

/// A pass over an object.
pub(super) struct Pass<'a, K: Kind> {
    /// The object, as it is stored by now.
    pub object: K::Object,
    /// Its UID.
    pub uid: String,
    /// Where it is stored.
    pub api: Api<Guarded<K::Object>>,
    /// Counts what is written.
    pub writer: Writer<'a>,
    /// What every pass may use.
    pub context: &'a Context,
}

impl<'a, K: Kind> Pass<'a, K> {
    /// Over this object.
    pub(super) fn over(object: K::Object, context: &'a Context) -> Self {
        let api = Api::namespaced(context.client.clone(), &object.namespace().unwrap_or_default());
        let uid = object.uid().unwrap_or_default();
        Self { object, uid, api, writer: context.writer::<K>(), context }
    }

    /// Writes the status, and tells of what has become different in it. `can_wait`: what only summarises others is left to a later
    /// pass.
    pub(super) async fn write_status(&mut self, outcome: &Outcome<'_, K>, can_wait: bool) -> Result<Wrote, Failure> {
        let compute = |object: &K::Object| K::status(object, outcome, self.context);
        let can_wait = |stored: &_, status: &_| can_wait && K::Object::is_summary(stored, status);
        match status::write(&self.writer, &self.api, self.object.clone(), compute, can_wait).await {
            Ok((stored, wrote)) => {
                let before = std::mem::replace(&mut self.object, stored);
                if wrote == Wrote::Now {
                    self.tell_of_change(&before).await;
                }
                Ok(wrote)
            }
            Err(error) => {
                tracing::warn!(%error, "the status cannot be written");
                Err(api_failure("kubernetes:status", &error))
            }
        }
    }

    /// Events for what has become different, so that `kubectl describe` tells the story.
    pub(super) async fn tell_of_change(&self, before: &K::Object) {
        for news in self.object.news(before) {
            self.publish(&news).await;
        }
    }

    /// An Event.
    pub(super) async fn publish(&self, News { warning, reason, message }: &News<'_>) {
        let Context { recorder, redactor, .. } = self.context;
        events::publish(recorder, redactor, &self.object, *warning, *reason, message).await;
    }

    /// The object is gone: nothing of it is remembered, and nothing is to be done.
    pub(super) fn ended(&self) -> Passed {
        self.context.attempts.forget(&self.uid);
        self.context.looks.forget(&self.uid);
        Passed::NOTHING
    }

    /// It failed.
    pub(super) fn failed(&self, failure: &Failure) -> Passed {
        let nth = match failure.class {
            // That is nothing of the object's.
            FailureClass::NotLeading => 0,
            _ => self.context.attempts.failed(&self.uid),
        };
        requeue::<K::Action>(&self.uid, Came::Failed(failure.class, nth))
    }
}
