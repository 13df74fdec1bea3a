//! Conditions as kstatus reads them, made in one place.
//!
//! `Ready` is always there. `Reconciling` and `Stalled` are there only while they are true. A transition time changes only
//! when the status of its condition does, so that a pass in which nothing happened writes nothing.

use std::borrow::Cow;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta, Time};

use crate::failure::{Failure, FailureClass};
use crate::plan::Step;
use crate::reasons::Reason;

macro_rules! conditions {
    ($($id:ident: $name:literal of $kinds:literal = $meaning:literal;)+) => {
        $(#[doc = $meaning] pub const $id: &str = $name;)+

        /// All of them, for the reference: the name, the kinds that have it, what it means.
        pub const ALL: &[(&str, &str, &str)] = &[$(($name, $kinds, $meaning),)+];
    };
}

conditions! {
    READY: "Ready" of "all" = "The wish is carried out, as far as it depends on Playout and on AWS: not that pictures flow. A Destination that is to be stopped is Ready when it is stopped; one without a programme is Ready with reason `NoSignal`. Unknown: it is suspended, or the last look at AWS failed or is too old, and `state` is what was seen last.";
    RECONCILING: "Reconciling" of "all" = "There while the operator works or waits. It goes on by itself; the message says what it waits for, and what you can do.";
    STALLED: "Stalled" of "all" = "There while only your help can change anything. The message says which.";
    DELIVERING: "Delivering" of "Destination" = "Whether the programme reaches the receiver. Unknown where AWS documents no measurement of it.";
    OVER_LIMIT: "OverLimit" of "Destination" = "There while the programme has more kbit/s than the platform accepts.";
    SAME_RECEIVER: "SameReceiver" of "Destination" = "There while another Destination sends to the same receiver with the same key.";
    HEALTHY: "Healthy" of "Source" = "Whether the leading input receives a good signal.";
    INPUT_REACHABLE: "InputReachable" of "Source" = "The answer of the last connection test; Unknown while `status.connectionTest.answered` is not there.";
    ANNOTATION_IGNORED: "AnnotationIgnored" of "Source, Destination" = "There while an annotation has a value that is not acted upon.";
}

/// Longest message that is kept; AWS's own texts can be pages long.
const MESSAGE_LIMIT: usize = 1024;

/// A new list of conditions, built upon the previous one.
#[derive(Debug)]
pub struct Conditions<'a> {
    previous: &'a [Condition],
    generation: Option<i64>,
    now: Timestamp,
    list: Vec<Condition>,
}

/// Three values, as Kubernetes spells them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It could not be told.
    Unknown,
}

impl Truth {
    fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl<'a> Conditions<'a> {
    /// Starts from what stands in the status now.
    #[must_use]
    pub fn after(previous: &'a [Condition], generation: Option<i64>, now: Timestamp) -> Self {
        Self { previous, generation, now, list: Vec::new() }
    }

    /// Sets a condition.
    pub fn set(&mut self, type_: &str, truth: Truth, reason: Reason, message: impl Into<String>) -> &mut Self {
        let before = self.previous.iter().find(|c| c.type_ == type_);
        let message = cut(message.into());
        // The same failure has another request id each time; told anew each time, it would be a write for every try.
        let same = before.map(|c| &c.message).filter(|said| without_request_id(said) == without_request_id(&message));
        let message = same.cloned().unwrap_or(message);
        let last_transition_time = match before {
            Some(c) if c.status == truth.as_str() => c.last_transition_time.clone(),
            _ => Time(whole_second(self.now)),
        };
        self.list.retain(|c| c.type_ != type_);
        self.list.push(Condition {
            type_: type_.into(),
            status: truth.as_str().into(),
            reason: reason.as_str().into(),
            message,
            last_transition_time,
            observed_generation: self.generation,
        });
        self
    }

    /// Keeps a condition of the previous status as it was, if it was there.
    pub fn keep(&mut self, type_: &str) -> &mut Self {
        if let Some(c) = self.previous.iter().find(|c| c.type_ == type_) {
            self.list.push(c.clone());
        }
        self
    }

    /// Says of a condition of the previous status that it is not known any more, if it was there.
    pub fn doubt(&mut self, type_: &str, failure: &Failure) -> &mut Self {
        if self.previous.iter().any(|c| c.type_ == type_) {
            let text = "The last look at AWS failed; condition Ready has the reason.";
            self.set(type_, Truth::Unknown, failure.reason(), text);
        }
        self
    }

    /// `Ready`, `Reconciling` and `Stalled` from the outcome of a pass. `settled` is what `Ready` says when the wish is carried
    /// out.
    pub fn outcome<A>(
        &mut self,
        step: Option<&Step<A>>,
        failure: Option<&Failure>,
        settled: (Reason, String),
        acting: Reason,
    ) -> &mut Self {
        if let Some(failure) = failure {
            let (reason, text) = (failure.reason(), failure.text());
            let truth = match failure.class {
                // We do not know what there is; saying "not ready" would be a claim.
                FailureClass::Denied | FailureClass::Transient | FailureClass::Throttled if step.is_none() => {
                    Truth::Unknown
                }
                _ => Truth::False,
            };
            self.set(READY, truth, reason, text.clone());
            return if failure.is_refusal() || failure.class == FailureClass::Panic {
                self.set(STALLED, Truth::True, reason, text)
            } else {
                self.set(RECONCILING, Truth::True, reason, text)
            };
        }
        match step {
            None => self,
            // Nothing is carried out, so nothing is said of the wish.
            Some(Step::Settled) if settled.0 == Reason::Suspended => {
                self.set(READY, Truth::Unknown, settled.0, settled.1)
            }
            Some(Step::Settled | Step::Gone) => self.set(READY, Truth::True, settled.0, settled.1),
            Some(Step::Wait { on, .. }) if on.is_carried_out() => self.set(READY, Truth::True, settled.0, settled.1),
            Some(Step::Act(_)) => self.set(READY, Truth::False, acting, acting.meaning()).set(
                RECONCILING,
                Truth::True,
                acting,
                acting.meaning(),
            ),
            Some(Step::Wait { on, .. }) => self.set(READY, Truth::False, on.reason(), on.message()).set(
                RECONCILING,
                Truth::True,
                on.reason(),
                on.message(),
            ),
            Some(Step::Stalled(problem)) => self.set(READY, Truth::False, problem.reason, problem.message.clone()).set(
                STALLED,
                Truth::True,
                problem.reason,
                problem.message.clone(),
            ),
        }
    }

    /// Beside what is waited for, or is in the way: what AWS has refused, and is put aside for it.
    pub fn beside(&mut self, refusal: Option<&Failure>) -> &mut Self {
        if let (Some(failure), Some(ready)) = (refusal, self.list.iter().find(|c| c.type_ == READY).cloned()) {
            let reason = Reason::ALL.iter().find(|reason| reason.as_str() == ready.reason);
            if let (Some(reason), "False") = (reason, ready.status.as_str()) {
                let text = failure.text();
                // The same refusal has another request id each time.
                if !without_request_id(&ready.message).contains(&*without_request_id(&failure.message)) {
                    self.set(READY, Truth::False, *reason, format!("{} AWS refuses a change: {text}", ready.message));
                }
            }
        }
        self
    }

    /// Behind what `Ready` says: what holds beside it.
    pub fn also(&mut self, sentence: Option<String>) -> &mut Self {
        let (Some(sentence), Some(ready)) = (sentence, self.list.iter().find(|c| c.type_ == READY).cloned()) else {
            return self;
        };
        let truth = [Truth::True, Truth::False].into_iter().find(|truth| truth.as_str() == ready.status);
        match Reason::ALL.iter().find(|reason| reason.as_str() == ready.reason) {
            Some(reason) if !ready.message.contains(&sentence) => {
                self.set(READY, truth.unwrap_or(Truth::Unknown), *reason, format!("{} {sentence}", ready.message))
            }
            _ => self,
        }
    }

    /// The list, in a stable order.
    #[must_use]
    pub fn finish(&mut self) -> Vec<Condition> {
        let mut list = std::mem::take(&mut self.list);
        list.sort_by(|a, b| rank(&a.type_).cmp(&rank(&b.type_)).then_with(|| a.type_.cmp(&b.type_)));
        list
    }
}

/// The conditions of an object that this version does not understand, for the reason that is told: nobody looks at it and nothing is
/// done for it.
#[must_use]
pub fn not_understood(previous: &[Condition], fields: &str, meta: &ObjectMeta, now: Timestamp) -> Vec<Condition> {
    let waits = if meta.deletion_timestamp.is_some() { " Its deletion waits for that." } else { "" };
    let text = format!(
        "This version of the operator does not understand {fields}. What it has in AWS stays as it is: nothing is started, changed, stopped or deleted. Correct the field, or run the version of the operator that knows it.{waits}"
    );
    let mut list = Conditions::after(previous, meta.generation, now);
    list.set(READY, Truth::False, Reason::NotUnderstood, text.clone());
    list.set(STALLED, Truth::True, Reason::NotUnderstood, text);
    list.finish()
}

/// Whether a condition of this type is true.
#[must_use]
pub fn is_true(conditions: &[Condition], type_: &str) -> bool {
    conditions.iter().any(|c| c.type_ == type_ && c.status == "True")
}

fn rank(type_: &str) -> u8 {
    match type_ {
        READY => 0,
        RECONCILING | STALLED => 1,
        _ => 2,
    }
}

/// `metav1.Time` has whole seconds; anything finer would differ from what the API server gives back.
#[must_use]
pub fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// What the id of a request to AWS begins with in a message; it ends with a bracket.
pub const REQUEST_ID: &str = " (request id ";

fn without_request_id(message: &str) -> Cow<'_, str> {
    let around = message.split_once(REQUEST_ID).and_then(|(before, id)| Some((before, id.split_once(')')?.1)));
    around.map_or(Cow::Borrowed(message), |(before, after)| Cow::Owned(format!("{before}{after}")))
}

fn cut(message: String) -> String {
    if message.chars().count() <= MESSAGE_LIMIT {
        return message;
    }
    let mut short: String = message.chars().take(MESSAGE_LIMIT - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::{Conditions, READY, Truth};
    use crate::failure::{Failure, FailureClass};
    use crate::reasons::Reason;

    fn at(second: i64) -> jiff::Timestamp {
        jiff::Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn the_transition_time_moves_only_with_the_status() {
        let first = Conditions::after(&[], Some(1), at(100)).set(READY, Truth::False, Reason::Creating, "a").finish();
        let second =
            Conditions::after(&first, Some(2), at(200)).set(READY, Truth::False, Reason::Updating, "b").finish();
        assert_eq!(second[0].last_transition_time, first[0].last_transition_time);
        let third = Conditions::after(&second, Some(2), at(300)).set(READY, Truth::True, Reason::Running, "c").finish();
        assert_eq!(third[0].last_transition_time.0, at(300));
    }

    #[test]
    fn a_failure_that_comes_again_is_told_with_its_first_request_id() {
        let set = |before: &[_], text: &str| {
            Conditions::after(before, None, at(0)).set(READY, Truth::False, Reason::Refused, text).finish()
        };
        let first = set(&[], "no (request id 1). Try again");
        for (text, said) in [
            ("no (request id 2). Try again", "no (request id 1). Try again"),
            ("yes (request id 2). Try again", "yes (request id 2). Try again"),
            ("no (request id 2). Wait", "no (request id 2). Wait"),
            ("no. Try again", "no (request id 1). Try again"),
            ("no (request id 2", "no (request id 2"),
        ] {
            assert_eq!(set(&first, text)[0].message, said);
        }
    }

    #[test]
    fn a_refusal_that_ready_tells_is_not_told_beside_it_with_another_request_id() {
        let refusal = |id: u8| Failure {
            class: FailureClass::Invalid,
            operation: "mediaconnect:UpdateFlowSource".into(),
            message: format!("BadRequestException: port 1 is not valid (request id {id})"),
        };
        for (ready, times) in [(refusal(1).text(), 1), ("There is no Secret.".to_string(), 1)] {
            let mut list = Conditions::after(&[], None, at(0));
            list.set(READY, Truth::False, Reason::Refused, ready);
            let message = list.beside(Some(&refusal(2))).finish()[0].message.clone();
            assert_eq!(message.matches("port 1 is not valid").count(), times, "{message}");
        }
    }

    #[test]
    fn a_long_message_is_cut() {
        let long = "ä".repeat(5000);
        let list = Conditions::after(&[], None, at(0)).set(READY, Truth::False, Reason::Refused, long).finish();
        assert_eq!(list[0].message.chars().count(), 1024);
    }
}
