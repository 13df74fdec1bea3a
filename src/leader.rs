//! Who leads. AWS knows no fencing token, so every change is sent only while the lease is sure to outlast the call.
//!
//! The election is client-go's, on the same Lease, and not a library's: the library in question takes a lease away by the time that
//! stands in it, so that a replica whose clock is ahead takes a live one; it takes it whatever has happened since it read it; it
//! says neither until when a lease is sure nor that it cannot renew it; and it ends when the API server is away. Here
//! - a lease is another's until it has not been seen to change for its whole length, on one's own monotonic clock;
//! - every write is for the version that was read;
//! - an API server that is away is waited for: nothing is changed meanwhile, and the lease is still ours when it is back.

mod record;
#[cfg(test)]
mod tests;

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::time::Duration;

use k8s_openapi::api::coordination::v1::Lease;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use playout_aws::fence::Fence;
use tokio::sync::{oneshot, watch};

pub use self::record::{LEASE, SCOPE, Scope};
use self::record::{Others, Seen, claimed, given_back};
use crate::metrics::Metrics;
use crate::server::Readiness;

/// How often the Lease is looked at, or renewed.
const TURN: Duration = Duration::from_secs(2);
/// How long the API server may take to answer all that is asked in one turn.
const ANSWER: Duration = Duration::from_secs(5);
/// Of how many turns one looks for other operators while another replica leads.
const ROUND: u32 = 5;

/// How an election is left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Leave {
    /// The lease is given back: nothing of ours is under way any more.
    GivingBack,
    /// The lease runs out, and what is under way with it.
    RunningOut,
}

/// What a turn at the Lease came to.
#[derive(Debug)]
enum Turn {
    /// It is ours, and was renewed just now.
    Ours,
    /// It is another replica's.
    Anothers(String),
    /// Another operator works on our objects, which is told so.
    Refused(String),
    /// It is ours, and the API server does not let us renew it.
    Useless(String),
    /// Somebody was faster.
    Missed,
}

/// One who takes part in the election.
pub struct Candidate {
    client: Client,
    namespace: String,
    scope: Scope,
    identity: String,
    fence: Fence,
    /// The Lease as we have stored it last.
    ours: Option<Lease>,
    /// What looks at it have shown.
    seen: Option<Seen>,
    others: Others,
    may_list: bool,
}

impl Candidate {
    /// The Lease is in `namespace`. `identity` is a name that no other replica has; one is made up if none is given.
    #[must_use]
    pub fn new(client: Client, namespace: &str, scope: Scope, identity: Option<String>, fence: Fence) -> Self {
        Self {
            client,
            namespace: namespace.into(),
            scope,
            identity: identity.unwrap_or_else(|| format!("playout-{:016x}", random())),
            fence,
            ours: None,
            seen: None,
            others: Others::default(),
            may_list: true,
        }
    }

    /// Takes part until told to leave, or until another replica leads. `leading` says when we lead.
    ///
    /// An API server that gives no answer ends nothing: the fence shuts by itself, and opens when the lease is renewed, which it
    /// can be as long as nobody else has taken it.
    ///
    /// # Errors
    /// The lease is lost, or cannot be used: the process is to end, so that it begins again from what AWS shows.
    pub async fn run(
        mut self,
        readiness: &Readiness,
        metrics: &Metrics,
        leading: watch::Sender<bool>,
        mut leave: oneshot::Receiver<Leave>,
    ) -> anyhow::Result<()> {
        let (mut told, mut useless, mut turns) = (String::new(), None, 0_u32);
        let result = loop {
            let leads = *leading.borrow();
            let turn = async { if leads { self.renew().await } else { self.apply(turns % ROUND == 0).await } };
            let turn = tokio::time::timeout(ANSWER, turn).await;
            turns = turns.wrapping_add(1);
            let mut pause = TURN;
            let was_useless = useless.take();
            let news = match turn {
                Ok(Ok(Turn::Ours)) => {
                    readiness.refuse(None);
                    leading.send_if_modified(|is| !std::mem::replace(is, true));
                    String::new()
                }
                Ok(Ok(Turn::Anothers(holder))) if leads => {
                    break Err(anyhow::anyhow!(
                        "the lease is lost to {holder}; ending, to begin again from what AWS shows"
                    ));
                }
                Ok(Ok(Turn::Anothers(holder))) => {
                    readiness.refuse(None);
                    format!("waiting, while {holder} leads")
                }
                Ok(Ok(Turn::Refused(why))) => {
                    readiness.refuse(Some(&why));
                    // Of two who have begun at once and give way to each other, one comes back first.
                    pause += Duration::from_millis(random() % 4000);
                    why
                }
                Ok(Ok(Turn::Useless(why))) => {
                    let now = self.fence.clock().instant();
                    let since = *useless.insert(was_useless.unwrap_or(now));
                    if now >= since + LEASE * 2 {
                        break Err(anyhow::anyhow!("the lease is given up: it cannot be renewed: {why}"));
                    }
                    format!("the lease is ours and cannot be renewed: {why}")
                }
                Ok(Ok(Turn::Missed)) => String::new(),
                Ok(Err(error)) => format!("the API server cannot be asked for the Lease: {error}"),
                Err(_) => "the API server cannot be asked for the Lease: no answer in time".into(),
            };
            if news != told && !news.is_empty() {
                tracing::warn!(lease = self.scope.lease(), lease_namespace = self.namespace, news, "election");
            }
            told = news;
            if leads {
                metrics.leads(self.fence.holds_for(Duration::ZERO));
            }
            tokio::select! {
                leave = &mut leave => break Ok(leave.unwrap_or(Leave::GivingBack)),
                () = playout_aws::clock::pause(pause) => {}
            }
        };
        if matches!(result, Ok(Leave::RunningOut)) {
            self.fence.close();
        } else {
            let _ = tokio::time::timeout(ANSWER, self.give_back()).await;
        }
        result.map(drop)
    }

    fn leases(&self) -> Api<Lease> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Renews the lease that is ours. While the API server was away it may have run out: it is still ours if nobody has taken it.
    async fn renew(&mut self) -> kube::Result<Turn> {
        let Some(ours) = self.ours.clone() else { return Ok(Turn::Missed) };
        match self.claim(Some(&ours)).await {
            Ok(Turn::Missed) => {}
            Err(kube::Error::Api(refusal)) if (400..500).contains(&refusal.code) && refusal.code != 429 => {
                return Ok(Turn::Useless(refusal.message.clone()));
            }
            other => return other,
        }
        let Some(lease) = self.leases().get_opt(&self.scope.lease()).await? else { return self.claim(None).await };
        let seen = Seen::after(None, &lease, self.fence.clock().instant());
        if ours.spec.as_ref().is_some_and(|spec| seen.is_term(spec)) {
            // A renewal whose answer was lost, or somebody has put a label on it.
            return self.claim(Some(&lease)).await;
        }
        Ok(Turn::Anothers(seen.holder().unwrap_or("nobody").into()))
    }

    /// Takes the lease if it is free, and nobody else works on our objects.
    async fn apply(&mut self, looks_around: bool) -> kube::Result<Turn> {
        if looks_around {
            self.look_for_others().await?;
        }
        let lease = self.leases().get_opt(&self.scope.lease()).await?;
        let now = self.fence.clock().instant();
        if let Some(lease) = &lease {
            self.seen = Some(Seen::after(self.seen.take(), lease, now));
        }
        // If it was deleted, whoever held it may believe in it until it would have run out.
        let holder = self.seen.as_ref().and_then(|seen| seen.live_holder(1, now));
        if let Some(holder) = holder.filter(|holder| *holder != self.identity) {
            return Ok(Turn::Anothers(holder.into()));
        }
        // Before, so that nobody who works is ever troubled; and after, when of two who begin at once each has shown itself.
        if let Some(why) = self.look_for_others().await? {
            return Ok(Turn::Refused(why));
        }
        // Perhaps under our own name: a container that was started again has that of the one that died.
        let left_behind = self.seen.as_ref().is_some_and(|seen| seen.holder().is_some());
        let turn = self.claim(lease.as_ref()).await?;
        if matches!(turn, Turn::Ours) && left_behind {
            self.fence.take_over(now);
        }
        if matches!(turn, Turn::Ours)
            && let Some(why) = self.look_for_others().await?
        {
            self.give_back().await?;
            return Ok(Turn::Refused(why));
        }
        Ok(turn)
    }

    /// Another operator that works on objects that are ours.
    async fn look_for_others(&mut self) -> kube::Result<Option<String>> {
        if !self.may_list {
            return Ok(None);
        }
        let all = Api::<Lease>::all(self.client.clone()).list(&ListParams::default().labels(SCOPE)).await;
        let (now, wall) = (self.fence.clock().instant(), self.fence.clock().now());
        match all {
            Ok(list) => self.others.note(&list.items, (&self.namespace, &self.scope.lease()), now),
            Err(kube::Error::Api(status)) if status.code == 403 => {
                self.may_list = false;
                tracing::warn!(
                    "Leases of other namespaces cannot be listed: another operator that works on the same objects would not be \
                     noticed. Allow to list leases.coordination.k8s.io, as deploy/base/rbac.yaml does"
                );
            }
            Err(error) => return Err(error),
        }
        Ok(self.others.in_the_way(&self.scope, now, wall))
    }

    /// Makes the lease ours for as long as it is valid, counted from before the request: it is stored later than that, and others
    /// count from when they see it.
    async fn claim(&mut self, lease: Option<&Lease>) -> kube::Result<Turn> {
        let sent = self.fence.reading();
        let claim = claimed(lease, &self.identity, &self.scope, sent.wall);
        let stored = match lease {
            Some(_) => self.leases().patch(&self.scope.lease(), &PatchParams::default(), &Patch::Merge(claim)).await,
            None => {
                let new = serde_json::from_value(claim).map_err(kube::Error::SerdeError)?;
                self.leases().create(&PostParams::default(), &new).await
            }
        };
        match stored {
            Ok(stored) => {
                self.fence.renewed(sent, LEASE);
                self.ours = Some(stored);
                Ok(Turn::Ours)
            }
            Err(kube::Error::Api(status)) if [404, 409].contains(&status.code) => Ok(Turn::Missed),
            Err(error) => Err(error),
        }
    }

    /// Gives the lease back, if it is still ours.
    async fn give_back(&mut self) -> kube::Result<()> {
        self.fence.close();
        let Some(ours) = self.ours.take() else { return Ok(()) };
        let patch = Patch::Merge(given_back(&ours));
        match self.leases().patch(&self.scope.lease(), &PatchParams::default(), &patch).await {
            Err(kube::Error::Api(status)) if [404, 409].contains(&status.code) => Ok(()),
            other => other.map(drop),
        }
    }
}

/// The standard library's hasher is seeded at random.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
