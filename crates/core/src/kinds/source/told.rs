//! What people are told of a Source, as Events.

use super::address::moved;
use super::leading::{named, open, stands_in};
use crate::api::source::{Source, SourceStatus};
use crate::reasons::Reason;
use crate::told::{self, News};

/// What the status of a Source tells that the one before it did not.
#[must_use]
pub fn news<'a>(before: &Source, after: &'a Source) -> Vec<News<'a>> {
    let Some(now) = &after.status else { return Vec::new() };
    let nothing = SourceStatus::default();
    let last = before.status.as_ref().unwrap_or(&nothing);
    let switched = switched(last, now, after);
    let mut news = told::news(&last.conditions, &now.conditions, switched.is_some());
    news.extend(switched);
    for input in &now.inputs {
        let was = last.inputs.iter().find(|i| i.name == input.name);
        let known = was.filter(|was| was.former.is_some()).and_then(|was| was.endpoint.as_ref());
        let is_known = known.is_some_and(|known| input.endpoint.as_ref().is_some_and(|e| e.url == known.url));
        if let Some(sentence) = moved(input).filter(|_| !is_known) {
            news.push(News { warning: true, reason: Reason::NewAddress, message: sentence.into() });
        }
    }
    news
}

/// That another input brings the programme: a warning while it is not the one that is to.
fn switched(last: &SourceStatus, now: &SourceStatus, source: &Source) -> Option<News<'static>> {
    if let Some(failover) = &now.failover {
        let is_new = last.failover.as_ref().is_none_or(|last| last.input != failover.input);
        let message = stands_in(source, failover).into();
        return is_new.then_some(News { warning: true, reason: Reason::Switched, message });
    }
    let run = open(&now.last_runs)?;
    let is_known = last.last_runs.first().is_some_and(|last| last.input == run.input && last.started == run.started);
    // Within one time that the flow was up: a show that begins switches nothing.
    let before = now.last_runs.get(1).filter(|before| before.input != run.input && !is_known)?;
    let (began, up) = (before.started.as_ref()?.0, now.started_at.as_ref()?.0);
    let why = before.reason.as_ref().filter(|_| before.stopped == run.started).map(|why| format!(": {why}"));
    let message = format!(
        "Input {} leads now, and no longer {}{}.",
        named(source, &run.input),
        before.input,
        why.unwrap_or_default()
    );
    (began >= up).then(|| News { warning: false, reason: Reason::Switched, message: message.into() })
}
