//! Where every request of an operator passes, to AWS and to the API server: it is counted here, and struck by the planted fault.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The operator dies before the request leaves.
    CrashBefore,
    /// The operator dies after the request was processed, and never sees the answer.
    CrashAfter,
    /// Processed, and the connection breaks before the answer.
    Lost,
    /// Refused for the state that the resource is in; the API server: the object has changed.
    Conflict,
    /// Refused for good.
    Refused,
    /// Too many requests.
    Throttled,
    /// An error of the server, and nothing was done.
    ErrorBefore,
    /// An error of the server, although it was done.
    ErrorAfter,
    /// Longer than the operator waits, and never processed.
    SlowBefore,
    /// Longer than the operator waits, and processed.
    SlowAfter,
    /// Not answered, and processed when its caller has long gone.
    Late,
    /// The same, and the operator dies while it waits.
    LateAndCrashed,
    /// Reads do not show the change for a while; of a read: it shows what was before the last change.
    Stale,
    /// What was made is absent from lists for a while.
    HiddenFromLists,
    /// What was made is absent from all reads for a while.
    HiddenFromReads,
    /// The operator dies after what it made, and lists do not show that for a while.
    HiddenAndCrashed,
}

impl Fault {
    /// Whether AWS shows something untrue for a while afterwards.
    pub fn lingers(self) -> bool {
        matches!(
            self,
            Self::Stale
                | Self::HiddenFromLists
                | Self::HiddenFromReads
                | Self::HiddenAndCrashed
                | Self::Late
                | Self::LateAndCrashed
        )
    }
}

/// What a request does, and so what can go wrong with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effect {
    AwsRead,
    AwsChange,
    AwsCreate,
    ApiRead,
    ApiWrite,
}

impl Effect {
    /// Every fault that makes a difference here: of a read, before and after it was processed are the same.
    pub fn faults(self) -> &'static [Fault] {
        use Fault::{
            Conflict, CrashAfter, CrashBefore, ErrorAfter, ErrorBefore, HiddenFromLists, HiddenFromReads, Late,
            LateAndCrashed, Lost, Refused, SlowAfter, SlowBefore, Stale, Throttled,
        };
        match self {
            Self::AwsRead => &[CrashBefore, Lost, Conflict, Refused, Throttled, ErrorBefore, SlowAfter, Stale],
            Self::AwsChange => &[
                CrashBefore,
                CrashAfter,
                Lost,
                Conflict,
                Refused,
                Throttled,
                ErrorBefore,
                ErrorAfter,
                SlowBefore,
                SlowAfter,
                Late,
                LateAndCrashed,
                Stale,
            ],
            Self::AwsCreate => &[
                CrashBefore,
                CrashAfter,
                Lost,
                Conflict,
                Refused,
                Throttled,
                ErrorBefore,
                ErrorAfter,
                SlowBefore,
                SlowAfter,
                Late,
                LateAndCrashed,
                Stale,
                HiddenFromLists,
                HiddenFromReads,
            ],
            Self::ApiRead => &[CrashBefore, Lost, ErrorBefore],
            Self::ApiWrite => &[CrashBefore, CrashAfter, Lost, Conflict, ErrorBefore],
        }
    }
}

/// One request, in the order in which they left.
#[derive(Clone, Debug)]
pub struct Boundary {
    pub label: String,
    pub effect: Effect,
    /// The part of the life in which it left.
    pub phase: usize,
    /// Virtual milliseconds since the start.
    pub at: u128,
    pub outcome: String,
}

impl fmt::Display for Boundary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "phase {} {:>9} ms {} -> {}", self.phase, self.at, self.label, self.outcome)
    }
}

#[derive(Debug)]
struct Inner {
    started: tokio::time::Instant,
    trace: Vec<Boundary>,
    phase: usize,
    planted: Option<(usize, Fault)>,
    /// What strikes the next request of the same label.
    then: Option<Fault>,
    /// What should never have been sent.
    accused: Option<String>,
}

/// The wire. Clones are the same.
#[derive(Clone, Debug)]
pub struct Wire(Arc<Mutex<Inner>>);

impl Wire {
    pub fn new(planted: Option<(usize, Fault)>) -> Self {
        let started = tokio::time::Instant::now();
        Self(Arc::new(Mutex::new(Inner { started, trace: Vec::new(), phase: 0, planted, then: None, accused: None })))
    }

    /// What is sent again after it was struck is struck by this.
    pub fn strike_again(&self, then: Option<Fault>) {
        self.lock().then = then;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request leaves; its number, and what will go wrong with it.
    pub fn meet(&self, label: String, effect: Effect) -> (usize, Option<Fault>) {
        let mut inner = self.lock();
        let (place, at, phase) = (inner.trace.len(), inner.started.elapsed().as_millis(), inner.phase);
        let again = inner.planted.is_some_and(|(p, _)| inner.trace.get(p).is_some_and(|struck| struck.label == label));
        let then = if again { inner.then.take() } else { None };
        let fault = inner.planted.filter(|(planted, _)| *planted == place).map(|(_, fault)| fault).or(then);
        let outcome = fault.map_or_else(|| "...".to_string(), |fault| format!("{fault:?}"));
        inner.trace.push(Boundary { label, effect, phase, at, outcome });
        (place, fault)
    }

    /// What came of it.
    pub fn ended(&self, place: usize, outcome: &str) {
        let mut inner = self.lock();
        let before = &mut inner.trace[place].outcome;
        *before = if before == "..." { outcome.to_string() } else { format!("{before}: {outcome}") };
    }

    /// This should never have been sent, whatever comes of it.
    pub fn accuse(&self, what: String) {
        self.lock().accused.get_or_insert(what);
    }

    pub fn accused(&self) -> Option<String> {
        self.lock().accused.clone()
    }

    pub fn enter(&self, phase: usize) {
        self.lock().phase = phase;
    }

    pub fn trace(&self) -> Vec<Boundary> {
        self.lock().trace.clone()
    }
}

/// Whether an operator's process lives. After its death nothing of it reaches anybody.
#[derive(Debug, Default)]
pub struct Alive {
    dead: AtomicBool,
    died: Notify,
}

impl Alive {
    pub fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.died.notify_one();
    }

    pub async fn death(&self) {
        self.died.notified().await;
    }

    /// Never returns to the dead.
    pub async fn check(&self) {
        if self.dead.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
    }

    /// Dies here.
    pub async fn crash(&self) {
        self.die();
        std::future::pending::<()>().await;
    }
}
