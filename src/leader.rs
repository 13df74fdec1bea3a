//! Who leads. AWS knows no fencing token, so every change is sent only while the lease is sure to outlast the call.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube_lease_manager::{DurationSeconds, LeaseManagerBuilder};
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::clock::Clock;

/// How long a lease is valid after it was renewed.
const LEASE: DurationSeconds = 30;
/// How long before its end it is renewed. A renewal is counted from the look before the one that shows it; so much is left
/// that a call fits in at any time.
const GRACE: DurationSeconds = 20;
/// How often the Lease is read back.
const LOOK: Duration = Duration::from_secs(2);
/// Name of the Lease.
const NAME: &str = "playout";

/// Whether we lead, and for how long that is sure.
#[derive(Clone, Debug)]
pub struct Fence {
    clock: Clock,
    until: Arc<RwLock<Option<Instant>>>,
    always: bool,
}

impl Fence {
    /// A fence for a process that needs no election.
    #[must_use]
    pub fn open(clock: Clock) -> Self {
        Self { clock, until: Arc::default(), always: true }
    }

    /// A fence that is shut until the lease is held.
    #[must_use]
    pub fn shut(clock: Clock) -> Self {
        Self { clock, until: Arc::default(), always: false }
    }

    /// Whether we lead for that much longer.
    #[must_use]
    pub fn holds_for(&self, length: Duration) -> bool {
        self.always
            || self
                .until
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .is_some_and(|until| self.clock.instant() + length <= until)
    }

    fn set(&self, until: Option<Instant>) {
        *self.until.write().unwrap_or_else(PoisonError::into_inner) = until;
    }
}

/// How an election is left.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Leave {
    /// The lease is given back: nothing of ours is under way any more.
    GivingBack,
    /// The lease runs out, and what is under way with it.
    RunningOut,
}

/// Takes part in the election until told to leave it. `leading` says when we lead.
///
/// The library elects; it does not say until when the lease is sure, and keeps silent when it cannot renew it. So the Lease is
/// read back, and the fence opened for as long as the renewal that was read is valid.
///
/// # Errors
/// The Lease cannot be made, or it was lost: the process is to end, so that it begins again from what AWS shows.
pub async fn elect(
    client: kube::Client,
    namespace: &str,
    identity: Option<String>,
    fence: Fence,
    leading: watch::Sender<bool>,
    mut leave: oneshot::Receiver<Leave>,
) -> anyhow::Result<()> {
    let identity = identity.unwrap_or_else(random_identity);
    let leases: Api<Lease> = Api::namespaced(client.clone(), namespace);
    let campaign = async || {
        let manager = LeaseManagerBuilder::new(client.clone(), NAME)
            .with_namespace(namespace)
            .with_duration(LEASE)
            .with_grace(GRACE)
            .with_identity(identity.clone())
            .build()
            .await
            .context("the Lease for the election cannot be read or made")?;
        anyhow::Ok(manager.watch().await)
    };
    let (mut changes, mut election) = campaign().await?;
    let mut another_led = false;
    let mut looks = Looks::default();
    let result = loop {
        let began = fence.clock.instant();
        if let Ok(Ok(lease)) = tokio::time::timeout(LOOK, leases.get(NAME)).await {
            fence.set(looks.sure_until(&lease, &identity, began, fence.clock.now()));
            let holder = lease.spec.and_then(|spec| spec.holder_identity);
            if another_led && holder.is_none() {
                // It was given back. The library would sleep until the time at which it would have run out.
                election.abort();
                let _ = election.await;
                (changes, election) = campaign().await?;
            }
            another_led = holder.is_some_and(|holder| holder != identity);
        }
        if fence.holds_for(Duration::ZERO) {
            leading.send_if_modified(|is| !std::mem::replace(is, true));
        } else if *leading.borrow() {
            break Err(anyhow::anyhow!("the lease is lost; ending, to begin again from what AWS shows"));
        }
        tokio::select! {
            leave = &mut leave => break Ok(leave.unwrap_or(Leave::GivingBack)),
            () = crate::clock::pause(LOOK) => {}
            changed = changes.changed() => if changed.is_err() {
                break Err(anyhow::anyhow!("the election has ended"));
            },
        }
    };
    fence.set(None);
    if matches!(result, Ok(Leave::RunningOut)) {
        election.abort();
        let _ = election.await;
    } else {
        // Without a listener the manager gives the lease back, and the next replica need not wait for it to run out.
        drop(changes);
        let _ = tokio::time::timeout(LOOK, election).await;
    }
    result.map(drop)
}

/// What the looks at the Lease have shown.
#[derive(Debug, Default)]
struct Looks {
    last: Option<Instant>,
    renewal: Option<(Timestamp, Instant)>,
}

impl Looks {
    /// Until when our lease is sure, after a look that began then.
    ///
    /// The time of its renewal is by the system's clock, which may be set: a lease that was renewed "in an hour" would be ours
    /// for an hour. So a renewal also counts from the last look that did not show it yet, on a clock that nobody can set.
    fn sure_until(&mut self, lease: &Lease, identity: &str, began: Instant, now: Timestamp) -> Option<Instant> {
        let last = self.last.replace(began).unwrap_or(began);
        let spec = lease.spec.as_ref().filter(|spec| spec.holder_identity.as_deref() == Some(identity))?;
        let renewed = spec.renew_time.as_ref()?.0;
        let since = match self.renewal {
            Some((known, since)) if known == renewed => since,
            _ => last,
        };
        self.renewal = Some((renewed, since));
        let valid = Duration::from_secs(LEASE);
        let left = Duration::try_from((renewed + valid).duration_since(now)).ok()?;
        Some((began + left).min(since + valid))
    }
}

/// A name that no other replica has. The standard library's hasher is seeded at random.
fn random_identity() -> String {
    format!("playout-{:016x}", RandomState::new().build_hasher().finish())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::coordination::v1::LeaseSpec;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;

    use super::*;

    /// One process's view: seconds by its own clock, and a Lease that was renewed then by the system's clock.
    struct View {
        start: Instant,
        looks: Looks,
    }

    impl View {
        fn new() -> Self {
            Self { start: Clock::starting_at(Timestamp::UNIX_EPOCH).instant(), looks: Looks::default() }
        }

        /// For how long the lease is sure after a look at that second.
        fn look(&mut self, at: u64, holder: &str, renewed: i64) -> Option<u64> {
            let spec = LeaseSpec {
                holder_identity: Some(holder.into()),
                renew_time: Some(MicroTime(Timestamp::from_second(renewed).expect("a time"))),
                ..LeaseSpec::default()
            };
            let lease = Lease { spec: Some(spec), ..Lease::default() };
            let began = self.start + Duration::from_secs(at);
            let now = Timestamp::UNIX_EPOCH + Duration::from_secs(at);
            self.looks.sure_until(&lease, "us", began, now).map(|until| (until - began).as_secs())
        }
    }

    #[test]
    fn a_lease_is_sure_for_thirty_seconds_from_the_last_look_without_the_renewal() {
        let mut view = View::new();
        assert_eq!(view.look(0, "another", 0), None);
        // Renewed between the looks, nobody knows when.
        assert_eq!(view.look(2, "us", 2), Some(28));
        assert_eq!(view.look(4, "us", 2), Some(26));
        assert_eq!(view.look(12, "us", 2), Some(18));
        assert_eq!(view.look(14, "us", 12), Some(28));
        assert_eq!(view.look(16, "another", 15), None);
    }

    #[test]
    fn what_was_left_by_a_process_of_the_same_name_is_as_old_as_it_says() {
        assert_eq!(View::new().look(25, "us", 0), Some(5));
        assert_eq!(View::new().look(31, "us", 0), None);
    }

    #[test]
    fn a_system_clock_that_is_set_forward_makes_no_lease_longer() {
        let mut view = View::new();
        assert_eq!(view.look(0, "us", 0), Some(30));
        let an_hour_on = 3600;
        assert_eq!(view.look(10, "us", an_hour_on), Some(20));
        // Never renewed again: it runs out all the same.
        assert_eq!(view.look(20, "us", an_hour_on), Some(10));
        assert_eq!(view.look(29, "us", an_hour_on), Some(1));
    }

    #[test]
    fn a_system_clock_that_is_set_back_ends_the_lease_early_and_never_late() {
        let mut view = View::new();
        assert_eq!(view.look(10, "us", 10), Some(30));
        assert_eq!(view.look(20, "us", -3600), None);
    }
}
