//! Requests to a simulator: those that AWS would get, and those of testers.

use std::time::Duration;

use bytes::Bytes;
use http::Request;

use crate::answer::{Answer, Outcome, Pending, Wait};
use crate::sim::Sim;
use crate::{control, pipeline};

impl Sim {
    /// Processes a request at once, without waiting and without I/O.
    pub fn handle(&self, request: Request<Bytes>) -> Answer {
        if request.uri().path().starts_with("/_sim") {
            let response = control::handle(self, &request);
            return Answer { delay: Duration::ZERO, outcome: Outcome::Respond(response), pending: None };
        }
        let (parts, body) = request.into_parts();
        pipeline::first(&mut self.lock(), self.clock().as_ref(), parts, body)
    }

    /// Goes on with a request that a fault made wait.
    pub async fn resume(&self, answer: Answer) -> Outcome {
        let Answer { delay, outcome, pending } = answer;
        let Some(Pending { wait, request }) = pending else {
            tokio::time::sleep(delay).await;
            return outcome;
        };
        match wait {
            Wait::Delay(time) => tokio::time::sleep(time).await,
            // An error means that the world is gone, and nothing will ever release the request.
            Wait::Release(mut released) => drop(released.wait_for(|released| *released).await),
        }
        let Some(resumed) = request else {
            tokio::time::sleep(delay).await;
            return outcome;
        };
        let answer = pipeline::resumed(&mut self.lock(), self.clock().as_ref(), *resumed);
        tokio::time::sleep(answer.delay).await;
        answer.outcome
    }

    /// Processes a request and waits as long as AWS, and the faults, would let the caller wait.
    pub async fn answer(&self, request: Request<Bytes>) -> Outcome {
        let answer = self.handle(request);
        self.resume(answer).await
    }
}
