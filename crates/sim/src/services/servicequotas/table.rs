//! The quotas as the AWS General Reference lists them.

use crate::config::Quotas;

/// A quota of a service.
pub(super) struct Quota {
    pub(super) name: &'static str,
    pub(super) code: &'static str,
    pub(super) adjustable: bool,
    kind: Kind,
}

enum Kind {
    /// The simulator enforces it.
    Enforced(fn(&Quotas) -> usize),
    /// It is about something that the simulator does not have.
    Listed(u32),
}
use Kind::{Enforced, Listed};

impl Quota {
    pub(super) fn value(&self, quotas: &Quotas) -> f64 {
        match self.kind {
            Enforced(value) => value(quotas) as f64,
            Listed(value) => f64::from(value),
        }
    }
}

const fn quota(name: &'static str, code: &'static str, kind: Kind) -> Quota {
    Quota { name, code, adjustable: true, kind }
}

/// Without a link to a request for more, the reference does not tell the code: these are made up.
const fn fixed(name: &'static str, code: &'static str, kind: Kind) -> Quota {
    Quota { name, code, adjustable: false, kind }
}

pub(super) const MEDIALIVE: &[Quota] = &[
    quota("Anywhere Inputs", "L-A4814CCC", Listed(300)),
    quota("CDI Channels", "L-3FDA265B", Listed(2)),
    quota("Channel Placement Groups per Cluster", "L-FF7E5CAC", Listed(100)),
    quota("Channels", "L-D1AFAF75", Enforced(|quotas| quotas.channels)),
    quota("CloudWatch Alarm Template Groups", "L-759E3395", Listed(20)),
    quota("CloudWatch Alarm Templates", "L-9E4BC4C0", Listed(200)),
    quota("Clusters", "L-7BC53EAF", Listed(100)),
    quota("Device Inputs", "L-BDF24E14", Listed(100)),
    quota("EventBridge Rule Template Groups", "L-019F695A", Listed(20)),
    quota("EventBridge Rule Templates", "L-A825B11C", Listed(200)),
    quota("HEVC Channels", "L-05A796F2", Listed(5)),
    quota("Input Security Groups", "L-6A0116BB", Enforced(|quotas| quotas.input_security_groups)),
    quota("MediaLive DescribeThumbnails TPS", "L-63879FB4", Listed(40)),
    quota("Multiplexes", "L-8B49C5C1", Listed(2)),
    quota("Networks", "L-3C46E17E", Listed(100)),
    quota("Nodes per Cluster", "L-22ED1BEF", Listed(100)),
    quota("Pull Inputs", "L-4D7207DE", Enforced(|quotas| quotas.pull_inputs)),
    quota("Push Inputs", "L-9E233AF7", Enforced(|quotas| quotas.push_inputs)),
    quota("Reservations", "L-1F6E2FAF", Listed(50)),
    quota("SDI sources", "L-AAFBD428", Listed(300)),
    quota("Signal Maps", "L-B0CA93DC", Listed(30)),
    quota("UHD Channels", "L-DDE858F0", Listed(1)),
    quota("VPC Inputs", "L-68E02936", Listed(50)),
];

pub(super) const MEDIACONNECT: &[Quota] = &[
    fixed("Bridges", "L-00000001", Listed(40)),
    fixed("Entitlements", "L-00000002", Listed(50)),
    quota("Flows", "L-A99016A8", Enforced(|quotas| quotas.flows)),
    quota("MediaConnectRouterTypeMediaLiveChannelInputs", "L-25EA13F4", Listed(50)),
    fixed("Outputs", "L-00000003", Enforced(|quotas| quotas.outputs_per_flow)),
    quota("RouterInputs", "L-77138741", Listed(20)),
    quota("RouterNetworkInterfaces", "L-6C50CD26", Listed(10)),
    quota("RouterOutputs", "L-58DF4801", Listed(20)),
    quota("StandardTypeDestinationEndpoints", "L-1D9B2049", Listed(1000)),
    quota("StandardTypeSourceEndpoints", "L-FC90A5C2", Listed(1000)),
];
