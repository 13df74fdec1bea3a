//! The quotas of IVS, as the AWS General Reference lists them (ivs.html). Those without a link to a request for more have no
//! code there.

use serde_json::json;

use crate::services::quota::Kind::{Enforced, Unused};
use crate::services::quota::{Limits, Listed, Quota, fixed, quota};

pub(super) const LIMITS: Limits = Limits {
    read: |config| json!(config.ivs.quotas),
    write: |config, given| serde_json::from_value(given).map(|quotas| config.ivs.quotas = quotas),
};

pub(super) const LISTED: Listed = Listed { name: "Amazon Interactive Video Service", quotas: QUOTAS };

const QUOTAS: &[Quota] = &[
    fixed("Ad configurations", "L-51A00001", Unused(20)),
    quota("Channels", "L-C01DFF58", Enforced(|config| config.ivs.quotas.ivs_channels)),
    quota("Concurrent streams", "L-FD1EB8A7", Enforced(|config| config.ivs.quotas.concurrent_streams)),
    quota("Concurrent views", "L-77A18D5D", Unused(15_000)),
    fixed("Playback authorization key pairs", "L-51A00002", Unused(3)),
    fixed("Playback restriction policies", "L-51A00003", Unused(3)),
    fixed("Stream key", "L-51A00004", Unused(1)),
];
