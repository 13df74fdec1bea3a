//! Who leads. AWS knows no fencing token, so every change is sent only while the lease is sure to outlast the call.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::Context as _;
use k8s_openapi::api::coordination::v1::Lease;
use kube::Api;
use kube_lease_manager::{DurationSeconds, LeaseManagerBuilder};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::clock::Clock;

/// How long a lease is valid after it was renewed.
const LEASE: DurationSeconds = 30;
/// How long before its end it is renewed.
const GRACE: DurationSeconds = 15;
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

/// Takes part in the election until `stop`, then gives the lease back. `leading` says when we lead.
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
    mut stop: watch::Receiver<bool>,
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
    let result = loop {
        if let Ok(Ok(lease)) = tokio::time::timeout(LOOK, leases.get(NAME)).await {
            fence.set(remaining(&lease, &identity, &fence.clock).map(|left| fence.clock.instant() + left));
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
            _ = stop.wait_for(|stop| *stop) => break Ok(()),
            () = crate::clock::pause(LOOK) => {}
            changed = changes.changed() => if changed.is_err() {
                break Err(anyhow::anyhow!("the election has ended"));
            },
        }
    };
    fence.set(None);
    // Without a listener the manager gives the lease back, and the next replica need not wait for it to run out.
    drop(changes);
    let _ = tokio::time::timeout(LOOK, election).await;
    result
}

/// How long our lease is still valid.
fn remaining(lease: &Lease, identity: &str, clock: &Clock) -> Option<Duration> {
    let spec = lease.spec.as_ref()?;
    if spec.holder_identity.as_deref() != Some(identity) {
        return None;
    }
    let until = spec.renew_time.as_ref()?.0 + Duration::from_secs(LEASE);
    Duration::try_from(until.duration_since(clock.now())).ok()
}

/// A name that no other replica has. The standard library's hasher is seeded at random.
fn random_identity() -> String {
    format!("playout-{:016x}", RandomState::new().build_hasher().finish())
}
