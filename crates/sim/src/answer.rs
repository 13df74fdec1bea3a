//! What comes back for a request, and what it may still wait for.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use tokio::sync::watch;

use crate::signature::Scope;
use crate::wire;

/// What comes back for a request, and when.
#[derive(Debug)]
pub struct Answer {
    /// Real time to wait before answering.
    pub delay: Duration,
    /// What the caller gets.
    pub outcome: Outcome,
    /// There is more to wait for than `delay`. [`answer`](crate::Sim::answer) does all the waiting; who calls
    /// [`handle`](crate::Sim::handle) and finds this gives it to [`resume`](crate::Sim::resume).
    pub pending: Option<Pending>,
}

/// What the caller of a request gets.
#[derive(Debug)]
pub enum Outcome {
    /// An answer.
    Respond(Response<Bytes>),
    /// The connection closes without a byte.
    DropConnection,
}

/// A request that a fault makes wait.
#[derive(Debug)]
pub struct Pending {
    pub(crate) wait: Wait,
    /// To be processed after the wait; None when it has been.
    pub(crate) request: Option<Box<Resumed>>,
}

/// What a pending request waits for.
#[derive(Debug)]
pub(crate) enum Wait {
    Delay(Duration),
    Release(watch::Receiver<bool>),
}

/// A request that has been read and is known to be genuine.
#[derive(Debug)]
pub(crate) struct Resumed {
    pub(crate) scope: Scope,
    pub(crate) request: wire::Request,
    pub(crate) seq: u64,
    pub(crate) id: String,
}
