//! What is to be made: a flow, a source of it, an output of it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Failover, MaintenanceWindow, OutputSettings, SourceSettings, VpcInterface};
use crate::endpoint::Role;
use crate::resources::flow::ndi::Ndi;

/// A flow to be made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewFlow {
    /// Name.
    pub name: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// One or two sources.
    pub sources: Vec<NewSource>,
    /// Between two of them.
    pub failover: Failover,
    /// Size.
    pub size: Option<String>,
    /// Where.
    pub availability_zone: Option<String>,
    /// Interfaces in VPCs.
    pub vpc_interfaces: Vec<VpcInterface>,
    /// NDI.
    pub ndi: Option<Ndi>,
    /// When AWS may restart it for its maintenance.
    pub maintenance: Option<MaintenanceWindow>,
}

/// A source to be made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewSource {
    /// Name.
    pub name: String,
    /// Settings.
    pub settings: SourceSettings,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// An output to be made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NewOutput {
    /// Name.
    pub name: String,
    /// Which.
    pub role: Role,
    /// Settings.
    pub settings: OutputSettings,
    /// Whether it sends at once.
    pub enabled: bool,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}
