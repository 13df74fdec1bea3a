//! The quotas of MediaConnect, as the AWS General Reference lists them.

use serde_json::json;

use crate::services::quota::Kind::{Enforced, Unused};
use crate::services::quota::{Limits, Listed, Quota, fixed, quota};

pub(super) const LIMITS: Limits = Limits {
    read: |config| json!(config.mediaconnect.quotas),
    write: |config, given| serde_json::from_value(given).map(|quotas| config.mediaconnect.quotas = quotas),
};

pub(super) const LISTED: Listed = Listed { name: "AWS Elemental MediaConnect", quotas: QUOTAS };

const QUOTAS: &[Quota] = &[
    fixed("Bridges", "L-00000001", Unused(40)),
    fixed("Entitlements", "L-00000002", Unused(50)),
    quota("Flows", "L-A99016A8", Enforced(|config| config.mediaconnect.quotas.flows)),
    quota("MediaConnectRouterTypeMediaLiveChannelInputs", "L-25EA13F4", Unused(50)),
    fixed("Outputs", "L-00000003", Enforced(|config| config.mediaconnect.quotas.outputs_per_flow)),
    quota("RouterInputs", "L-77138741", Unused(20)),
    quota("RouterNetworkInterfaces", "L-6C50CD26", Unused(10)),
    quota("RouterOutputs", "L-58DF4801", Unused(20)),
    quota("StandardTypeDestinationEndpoints", "L-1D9B2049", Unused(1000)),
    quota("StandardTypeSourceEndpoints", "L-FC90A5C2", Unused(1000)),
];
