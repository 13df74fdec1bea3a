//! The quotas of MediaLive, as the AWS General Reference lists them.

use serde_json::json;

use crate::services::quota::Kind::{Enforced, Unused};
use crate::services::quota::{Limits, Listed, Quota, quota};

pub(super) const LIMITS: Limits = Limits {
    read: |config| json!(config.medialive.quotas),
    write: |config, given| serde_json::from_value(given).map(|quotas| config.medialive.quotas = quotas),
};

pub(super) const LISTED: Listed = Listed { name: "AWS Elemental MediaLive", quotas: QUOTAS };

const QUOTAS: &[Quota] = &[
    quota("Anywhere Inputs", "L-A4814CCC", Unused(300)),
    quota("CDI Channels", "L-3FDA265B", Unused(2)),
    quota("Channel Placement Groups per Cluster", "L-FF7E5CAC", Unused(100)),
    quota("Channels", "L-D1AFAF75", Enforced(|config| config.medialive.quotas.channels)),
    quota("CloudWatch Alarm Template Groups", "L-759E3395", Unused(20)),
    quota("CloudWatch Alarm Templates", "L-9E4BC4C0", Unused(200)),
    quota("Clusters", "L-7BC53EAF", Unused(100)),
    quota("Device Inputs", "L-BDF24E14", Unused(100)),
    quota("EventBridge Rule Template Groups", "L-019F695A", Unused(20)),
    quota("EventBridge Rule Templates", "L-A825B11C", Unused(200)),
    quota("HEVC Channels", "L-05A796F2", Unused(5)),
    quota("Input Security Groups", "L-6A0116BB", Enforced(|config| config.medialive.quotas.input_security_groups)),
    quota("MediaLive DescribeThumbnails TPS", "L-63879FB4", Unused(40)),
    quota("Multiplexes", "L-8B49C5C1", Unused(2)),
    quota("Networks", "L-3C46E17E", Unused(100)),
    quota("Nodes per Cluster", "L-22ED1BEF", Unused(100)),
    quota("Pull Inputs", "L-4D7207DE", Enforced(|config| config.medialive.quotas.pull_inputs)),
    quota("Push Inputs", "L-9E233AF7", Enforced(|config| config.medialive.quotas.push_inputs)),
    quota("Reservations", "L-1F6E2FAF", Unused(50)),
    quota("SDI sources", "L-AAFBD428", Unused(300)),
    quota("Signal Maps", "L-B0CA93DC", Unused(30)),
    quota("UHD Channels", "L-DDE858F0", Unused(1)),
    quota("VPC Inputs", "L-68E02936", Unused(50)),
];
