//! What went wrong: a problem that only somebody's help can change, and a call that failed.

use crate::reasons::Reason;
use crate::refusal;
use crate::told::News;
use crate::wording::ended;

/// What only somebody's help can change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The word that stands in conditions.
    pub reason: Reason,
    /// The field, the fact and the remedy. Never a secret.
    pub message: String,
}

impl Problem {
    /// A problem in words.
    #[must_use]
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into() }
    }

    /// What was changed again and again and set back each time is left.
    #[must_use]
    pub fn set_back(what: &str) -> Self {
        let text = format!(
            "{} AWS, or somebody, has set it back each time, so it is left as it is. Find who else writes it, or put into the spec what AWS keeps; the annotation playout.dev/reconcile-at begins anew.",
            ended(what)
        );
        Self::new(Reason::SetBack, text)
    }
}

/// What sort of failure an AWS or API server call had. Decided in one file of the shell, by HTTP status and code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FailureClass {
    /// 404: the thing is not there.
    Absent,
    /// The thing is in a state in which it does not take this call; look again.
    Conflict,
    /// 429: too many calls.
    Throttled,
    /// A limit of the account.
    Quota,
    /// 401 or 403.
    Denied,
    /// AWS does not accept the request: a retry would be refused again.
    Invalid,
    /// 5xx, a lost connection, a timeout. What was asked for may or may not have happened.
    Transient,
    /// We are not, or no longer, the leader.
    NotLeading,
    /// A bug of ours.
    Panic,
}

/// A call that failed, in words without secrets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    /// What sort.
    pub class: FailureClass,
    /// Of which call. Example: `mediaconnect:CreateFlow`.
    pub operation: String,
    /// What was said. Already without secrets.
    pub message: String,
}

impl Failure {
    /// Whether the call may have been carried out although it failed.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        matches!(self.class, FailureClass::Transient | FailureClass::Panic)
    }

    /// Whether it is certain that nothing was made. A conflict says that something is under way: with a token it may be our
    /// own request of before.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        !self.outcome_unknown() && !matches!(self.class, FailureClass::NotLeading | FailureClass::Conflict)
    }

    /// Whether the same call would be refused again.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self.class, FailureClass::Invalid | FailureClass::Denied | FailureClass::Quota)
    }

    /// What an Event says of it.
    #[must_use]
    pub fn news(&self) -> News<'static> {
        News { warning: true, reason: self.reason(), message: self.text().into() }
    }

    /// The word that stands in conditions.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self.class {
            FailureClass::Absent | FailureClass::Conflict => Reason::Retrying,
            FailureClass::Throttled => Reason::Throttled,
            FailureClass::Quota => Reason::QuotaExceeded,
            FailureClass::Denied => Reason::AccessDenied,
            FailureClass::Invalid => Reason::Refused,
            FailureClass::Transient | FailureClass::NotLeading => Reason::AwsUnavailable,
            FailureClass::Panic => Reason::InternalError,
        }
    }

    /// What people read.
    #[must_use]
    pub fn text(&self) -> String {
        let remedy = match self.class {
            FailureClass::Invalid => {
                return format!(
                    "{}: {} {}",
                    self.operation,
                    ended(&self.message),
                    refusal::remedy(&self.operation, &self.message)
                );
            }
            FailureClass::Absent | FailureClass::Conflict | FailureClass::Transient => "The operator tries again.",
            FailureClass::Throttled => "AWS limits the rate of calls; the operator tries again more slowly.",
            FailureClass::Quota => "Ask AWS for a higher quota, or remove something that is not needed.",
            FailureClass::Denied => "Allow the action in the operator's IAM policy (deploy/iam).",
            FailureClass::NotLeading => "Another replica leads now.",
            FailureClass::Panic => "This is a defect of the operator; its log has the details.",
        };
        format!("{}: {} {remedy}", self.operation, ended(&self.message))
    }
}
