//! What stands in Leases, and what may be read from it.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use kube::ResourceExt as _;
use playout_core::age::age;
use serde_json::{Value, json};
use tokio::time::Instant;

/// How long a lease is valid after it was renewed.
pub const LEASE: Duration = Duration::from_secs(30);
/// Label of the Lease of every operator: whose objects it works on.
pub const SCOPE: &str = "playout.dev/scope";
/// The same for all namespaces. No namespace can have this name: theirs are of small letters.
const ALL: &str = "AllNamespaces";
/// What was renewed that long ago by our wall clock is no operator's: no two clocks are a day apart.
const LONG_AGO: Duration = Duration::from_secs(24 * 3600);

/// Whose objects an operator works on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Scope {
    /// Those of all namespaces.
    All,
    /// Those of one.
    Namespace(String),
}

impl Scope {
    /// As `--namespace` says it.
    #[must_use]
    pub fn of(namespace: Option<&str>) -> Self {
        namespace.map_or(Self::All, |name| Self::Namespace(name.into()))
    }

    /// Name of the Lease, so that operators of two namespaces may have theirs in the same one.
    #[must_use]
    pub fn lease(&self) -> String {
        match self {
            Self::All => "playout".into(),
            Self::Namespace(name) => format!("playout-{name}"),
        }
    }

    /// As the label says it.
    #[must_use]
    pub fn label(&self) -> &str {
        match self {
            Self::All => ALL,
            Self::Namespace(name) => name,
        }
    }

    fn overlaps(&self, label: &str) -> bool {
        *self == Self::All || label == ALL || self.label() == label
    }
}

/// What one has seen of a Lease. Its times are by the clock of whoever wrote them; whether it is renewed is judged by when one has
/// seen it change, on one's own monotonic clock, as client-go does. So no clock has to agree with another.
#[derive(Clone, Debug)]
pub struct Seen {
    spec: LeaseSpec,
    since: Instant,
    last: Instant,
}

impl Seen {
    /// After a look. `before` is what the last one has shown.
    #[must_use]
    pub fn after(before: Option<Self>, lease: &Lease, now: Instant) -> Self {
        let spec = lease.spec.clone().unwrap_or_default();
        match before {
            // While one has not looked for so long, nobody could renew it either, or one would not have seen it.
            Some(before) if before.spec == spec && now < before.last + LEASE / 2 => Self { last: now, ..before },
            _ => Self { spec, since: now, last: now },
        }
    }

    /// Who holds it, if anybody does.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        self.spec.holder_identity.as_deref().filter(|holder| !holder.is_empty())
    }

    /// Who holds it and has not been silent for so many times its length.
    #[must_use]
    pub fn live_holder(&self, times: u32, now: Instant) -> Option<&str> {
        let seconds = self.spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let length = seconds.map_or(LEASE, Duration::from_secs).max(LEASE);
        self.holder().filter(|_| now < self.since + length * times)
    }

    /// Whether this is the term that is held by that name since then.
    #[must_use]
    pub fn is_term(&self, spec: &LeaseSpec) -> bool {
        self.spec.holder_identity == spec.holder_identity && self.spec.acquire_time == spec.acquire_time
    }
}

/// The Lease, held by that name from now on. A change is only taken for the version that was read: nobody who was faster is put out.
#[must_use]
#[expect(clippy::indexing_slicing, reason = "a member of an object that was made here")]
pub fn claimed(lease: Option<&Lease>, identity: &str, scope: &Scope, now: Timestamp) -> Value {
    let spec = lease.and_then(|lease| lease.spec.as_ref());
    let time = json!(k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime(now));
    let mut claim = json!({ "holderIdentity": identity, "leaseDurationSeconds": LEASE.as_secs(), "renewTime": time });
    if spec.is_none_or(|spec| spec.holder_identity.as_deref() != Some(identity)) {
        claim["acquireTime"] = time;
        claim["leaseTransitions"] = json!(spec.and_then(|s| s.lease_transitions).map_or(0, |n| n.saturating_add(1)));
    }
    let metadata = json!({
        "name": scope.lease(),
        "resourceVersion": lease.and_then(|lease| lease.metadata.resource_version.clone()),
        "labels": { SCOPE: scope.label() },
    });
    json!({ "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": claim })
}

/// The Lease, held by nobody: the next replica need not wait for it to run out.
#[must_use]
pub fn given_back(lease: &Lease) -> Value {
    json!({ "metadata": { "resourceVersion": lease.metadata.resource_version }, "spec": { "holderIdentity": null } })
}

/// The operators whose objects are ours, too, as their Leases show them.
#[derive(Debug, Default)]
pub struct Others(BTreeMap<(String, String), (String, Seen)>);

impl Others {
    /// Takes note of a look at the Leases of all operators.
    pub fn note(&mut self, leases: &[Lease], own: (&str, &str), now: Instant) {
        let mut before = std::mem::take(&mut self.0);
        for lease in leases {
            let place = (lease.namespace().unwrap_or_default(), lease.name_any());
            let Some(scope) = lease.labels().get(SCOPE) else { continue };
            if (place.0.as_str(), place.1.as_str()) != own {
                let seen = Seen::after(before.remove(&place).map(|(_, seen)| seen), lease, now);
                self.0.insert(place, (scope.clone(), seen));
            }
        }
    }

    /// One that lives, and how it is told of. Its standbys take over when it has been silent once its length; whoever is not of
    /// them waits twice as long.
    #[must_use]
    pub fn in_the_way(&self, scope: &Scope, now: Instant, wall: Timestamp) -> Option<String> {
        self.0.iter().find_map(|((namespace, name), (label, seen))| {
            let holder = seen.live_holder(2, now).filter(|_| scope.overlaps(label))?;
            let renewed = seen.spec.renew_time.as_ref().map_or(wall, |time| time.0);
            if age(renewed, wall) > LONG_AGO {
                return None;
            }
            let theirs = if label == ALL { "all namespaces".into() } else { format!("namespace {label}") };
            Some(format!(
                "operator {holder} (Lease {namespace}/{name}) works on the objects of {theirs}, and this one would, too: it does \
                 nothing until that one ends. Uninstall one of the two, give each a --namespace of its own, or, for replicas of \
                 one operator, the same --lease-namespace"
            ))
        })
    }
}
