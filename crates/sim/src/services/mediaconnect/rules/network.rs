//! The rules of a flow's network: VPC interfaces, NDI and address ranges.

use std::net::Ipv4Addr;

use serde_json::Value;

use crate::error::ApiError;
use crate::services::mediaconnect::{Flow, Output, Source, bad};

/// Refuses what is not an IPv4 range.
pub(in crate::services::mediaconnect) fn cidr(what: &str, text: &str) -> Result<(), ApiError> {
    let valid = text.split_once('/').is_some_and(|(address, bits)| {
        address.parse::<Ipv4Addr>().is_ok() && bits.parse::<u8>().is_ok_and(|bits| bits <= 32)
    });
    if valid { Ok(()) } else { Err(bad(format!("{what}: '{text}' is not a CIDR block."))) }
}

pub(super) fn check(flow: &Flow) -> Result<(), ApiError> {
    let interfaces = &flow.vpc_interfaces;
    let kind = |interface: &&Value| interface["networkInterfaceType"] == "efa";
    let efa = interfaces.iter().filter(kind).count();
    if efa > 1 || interfaces.len() - efa > 2 {
        return Err(bad("A flow can have at most two ENA and one EFA VPC interfaces."));
    }
    for (index, interface) in interfaces.iter().enumerate() {
        let name = interface["name"].as_str().unwrap_or_default();
        if name.is_empty() {
            return Err(bad("A VPC interface needs a name."));
        }
        if interfaces.iter().take(index).any(|other| other["name"] == name) {
            return Err(bad(format!("VPC interface name {name} is already used in this flow.")));
        }
        if !super::is_role(interface["roleArn"].as_str().unwrap_or_default()) {
            return Err(bad(format!("VPC interface {name}: roleArn is not the ARN of a role.")));
        }
        if interface["securityGroupIds"].as_array().is_none_or(Vec::is_empty) {
            return Err(bad(format!("VPC interface {name}: securityGroupIds must not be empty.")));
        }
    }
    check_ndi(flow)
}

/// NDI needs a large flow and a network of its own.
fn check_ndi(flow: &Flow) -> Result<(), ApiError> {
    if flow.setting(&["ndiConfig", "ndiState"]) != "ENABLED" {
        let mut protocols = flow.sources.iter().map(Source::protocol).chain(flow.outputs.iter().map(Output::protocol));
        return match protocols.any(|protocol| protocol == "ndi-speed-hq") {
            true => Err(bad("The flow has NDI sources or outputs and needs ndiConfig with ndiState ENABLED.")),
            false => Ok(()),
        };
    }
    if !["LARGE", "LARGE_4X"].contains(&flow.setting(&["flowSize"])) {
        return Err(bad("NDI needs a flow of flowSize LARGE."));
    }
    if flow.vpc_interfaces.is_empty() {
        return Err(bad("NDI needs a VPC interface."));
    }
    let servers = flow.settings.get("ndiConfig").and_then(|config| config.get("ndiDiscoveryServers"));
    let servers = servers.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if servers.is_empty() || servers.len() > 3 {
        return Err(bad("NDI needs between one and three ndiDiscoveryServers."));
    }
    for server in servers {
        let adapter = server["vpcInterfaceAdapter"].as_str().unwrap_or_default();
        if !flow.has_interface(adapter) {
            return Err(bad(format!("ndiDiscoveryServers: the flow has no VPC interface {adapter}.")));
        }
    }
    Ok(())
}
