//! Quotas: as testers set them, and as the AWS General Reference lists them.

use serde_json::Value;

use crate::config::Config;

/// The quotas of a service in the settings. The names of their members are its own: no other service has them.
pub(crate) struct Limits {
    pub(crate) read: fn(&Config) -> Value,
    pub(crate) write: fn(&mut Config, Value) -> serde_json::Result<()>,
}

/// The quotas of a service in Service Quotas.
pub(crate) struct Listed {
    /// AWS's name of the service.
    pub(crate) name: &'static str,
    pub(crate) quotas: &'static [Quota],
}

/// A quota of a service.
pub(crate) struct Quota {
    pub(crate) name: &'static str,
    pub(crate) code: &'static str,
    pub(crate) adjustable: bool,
    kind: Kind,
}

pub(crate) enum Kind {
    /// The simulator enforces it.
    Enforced(fn(&Config) -> usize),
    /// It is about something that the simulator does not have.
    Unused(u32),
}

impl Quota {
    pub(crate) fn value(&self, config: &Config) -> f64 {
        match self.kind {
            Kind::Enforced(value) => value(config) as f64,
            Kind::Unused(value) => f64::from(value),
        }
    }
}

pub(crate) const fn quota(name: &'static str, code: &'static str, kind: Kind) -> Quota {
    Quota { name, code, adjustable: true, kind }
}

/// Without a link to a request for more, the reference does not tell the code: these are made up.
pub(crate) const fn fixed(name: &'static str, code: &'static str, kind: Kind) -> Quota {
    Quota { name, code, adjustable: false, kind }
}
