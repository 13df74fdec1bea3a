//! From the SDK's types to ours and back. Nothing is decided here.

use aws_sdk_mediaconnect::types as sdk;
use playout_core::resources::flow::ndi::Ndi;
use playout_core::resources::flow::{
    Cipher, Failover, Flow, FlowOutput, FlowSource, FlowState, MaintenanceWindow, NewSource, OutputSettings, Protocol,
    SourceSettings, VpcInterface,
};
use playout_core::secret::SecretText;

use crate::mediaconnect::rtmp::Answer;

/// A flow; what AWS complains of stands beside it. `None` when AWS's answer lacks what every flow has.
pub fn flow(flow: &sdk::Flow, rtmp: &Answer) -> Option<Flow> {
    let mut sources: Vec<&sdk::Source> = flow.sources().iter().collect();
    if sources.is_empty() {
        // The SDK fills in what the model requires and an answer lacks: a flow without a source has one without a name.
        sources.extend(flow.source().filter(|source| source.source_arn().is_some_and(|arn| !arn.is_empty())));
    }
    Some(Flow {
        arn: flow.flow_arn()?.to_string(),
        name: flow.name()?.to_string(),
        state: state(flow.status()?)?,
        egress_ip: flow.egress_ip().map(str::to_string),
        sources: sources.into_iter().filter_map(|s| source(s, rtmp)).collect(),
        failover: flow.source_failover_config().map(failover).unwrap_or_default(),
        vpc_interfaces: flow.vpc_interfaces().iter().filter_map(vpc_interface).collect(),
        ndi: flow.ndi_config().and_then(ndi),
        size: flow.flow_size().map(|s| s.as_str().to_string()),
        maintenance: flow.maintenance().and_then(maintenance),
        outputs: flow.outputs().iter().filter_map(|o| output(o, rtmp)).collect(),
        errors: Vec::new(),
    })
}

/// A state; `None` for one that we do not know, which must not be taken for another.
pub fn state(status: &sdk::Status) -> Option<FlowState> {
    Some(match status {
        sdk::Status::Standby => FlowState::Standby,
        sdk::Status::Active => FlowState::Active,
        sdk::Status::Updating => FlowState::Updating,
        sdk::Status::Deleting => FlowState::Deleting,
        sdk::Status::Starting => FlowState::Starting,
        sdk::Status::Stopping => FlowState::Stopping,
        sdk::Status::Error => FlowState::Error,
        _ => return None,
    })
}

fn failover(config: &sdk::FailoverConfig) -> Failover {
    Failover {
        enabled: config.state() == Some(&sdk::State::Enabled),
        merge: config.failover_mode() == Some(&sdk::FailoverMode::Merge),
        recovery_window: config.recovery_window(),
        primary: config.source_priority().and_then(|p| p.primary_source()).map(str::to_string),
    }
}

fn vpc_interface(v: &sdk::VpcInterface) -> Option<VpcInterface> {
    Some(VpcInterface {
        name: v.name()?.to_string(),
        subnet_id: v.subnet_id().unwrap_or_default().to_string(),
        security_group_ids: v.security_group_ids().to_vec(),
        role_arn: v.role_arn().unwrap_or_default().to_string(),
    })
}

fn maintenance(window: &sdk::Maintenance) -> Option<MaintenanceWindow> {
    Some(MaintenanceWindow {
        day: window.maintenance_day()?.as_str().to_string(),
        start: window.maintenance_start_hour()?.to_string(),
    })
}

fn ndi(config: &sdk::NdiConfig) -> Option<Ndi> {
    let text = |text: Option<&str>| text.unwrap_or_default().to_string();
    let server = |s: &sdk::NdiDiscoveryServerConfig| {
        (text(s.discovery_server_address()), s.discovery_server_port(), text(s.vpc_interface_adapter()))
    };
    (config.ndi_state() == Some(&sdk::NdiState::Enabled)).then(|| Ndi {
        machine_name: config.machine_name().map(str::to_string),
        servers: config.ndi_discovery_servers().iter().map(server).collect(),
    })
}

fn cipher(encryption: &sdk::Encryption) -> Cipher {
    Cipher {
        algorithm: encryption.algorithm().map(|a| a.as_str().to_string()).unwrap_or_default(),
        key_type: encryption.key_type().map(|k| k.as_str().to_string()).unwrap_or_default(),
        role_arn: encryption.role_arn().unwrap_or_default().to_string(),
        secret_arn: encryption.secret_arn().map(str::to_string),
    }
}

fn source(s: &sdk::Source, rtmp: &Answer) -> Option<FlowSource> {
    let name = s.name()?.to_string();
    let t = s.transport();
    Some(FlowSource {
        arn: s.source_arn()?.to_string(),
        settings: SourceSettings {
            protocol: protocol(t),
            description: s.description().unwrap_or_default().to_string(),
            whitelist_cidr: s.whitelist_cidr().map(str::to_string),
            ingest_port: s.ingest_port(),
            max_bitrate: t.and_then(|t| t.max_bitrate()).map(i64::from),
            min_latency: t.and_then(|t| t.min_latency()),
            max_latency: t.and_then(|t| t.max_latency()),
            stream_id: t.and_then(|t| t.stream_id()).map(str::to_string),
            listener_address: t.and_then(|t| t.source_listener_address()).map(str::to_string),
            listener_port: t.and_then(|t| t.source_listener_port()),
            vpc_interface: s.vpc_interface_name().map(str::to_string),
            decryption: s.decryption().map(cipher),
            rtmp: rtmp.sources.get(&name).cloned(),
            ndi_source_name: t.and_then(|t| t.ndi_source_settings()).and_then(|n| n.source_name()).map(str::to_string),
        },
        ingest_ip: s.ingest_ip().map(str::to_string),
        peer_ip: s.peer_ip_address().map(str::to_string),
        name,
    })
}

fn output(o: &sdk::Output, rtmp: &Answer) -> Option<FlowOutput> {
    let name = o.name()?.to_string();
    let t = o.transport();
    // Managed by MediaLive, granted to another account, or on a bridge: somebody else's in each case.
    let managed_by = o.media_live_input_arn().or(o.entitlement_arn()).or(o.bridge_arn()).map(str::to_string);
    Some(FlowOutput {
        arn: o.output_arn()?.to_string(),
        // AWS documents ENABLED as the default.
        enabled: o.output_status() != Some(&sdk::OutputStatus::Disabled),
        settings: OutputSettings {
            protocol: protocol(t),
            destination: o.destination().map(str::to_string),
            port: o.port(),
            min_latency: t.and_then(|t| t.min_latency()),
            cidr_allow_list: t.map(|t| t.cidr_allow_list().to_vec()).unwrap_or_default(),
            stream_id: t.and_then(|t| t.stream_id()).map(SecretText::new),
            encryption: o.encryption().map(cipher),
            rtmp: rtmp.outputs.get(&name).cloned(),
        },
        managed_by,
        listener_address: o.listener_address().map(str::to_string),
        name,
    })
}

fn protocol(transport: Option<&sdk::Transport>) -> Protocol {
    transport.and_then(|t| t.protocol()).map_or(Protocol::Other, |p| Protocol::read(p.as_str()))
}

/// Encryption of a request.
pub fn encryption(cipher: &Cipher) -> sdk::Encryption {
    sdk::Encryption::builder()
        .algorithm(cipher.algorithm.as_str().into())
        .key_type(cipher.key_type.as_str().into())
        .role_arn(&cipher.role_arn)
        .set_secret_arn(cipher.secret_arn.clone())
        .build()
}

/// Encryption of a request that changes it.
pub fn update_encryption(cipher: &Cipher) -> sdk::UpdateEncryption {
    sdk::UpdateEncryption::builder()
        .algorithm(cipher.algorithm.as_str().into())
        .key_type(cipher.key_type.as_str().into())
        .role_arn(&cipher.role_arn)
        .set_secret_arn(cipher.secret_arn.clone())
        .build()
}

/// Bit/s as AWS takes it; admission keeps it far below the bound.
pub fn bits(value: Option<i64>) -> Option<i32> {
    value.and_then(|v| i32::try_from(v).ok())
}

/// A source of a request.
pub fn set_source(new: &NewSource) -> sdk::SetSourceRequest {
    let s = &new.settings;
    sdk::SetSourceRequest::builder()
        .name(&new.name)
        .description(&s.description)
        .protocol(s.protocol.as_str().into())
        .set_whitelist_cidr(s.whitelist_cidr.clone())
        .set_ingest_port(s.ingest_port)
        .set_max_bitrate(bits(s.max_bitrate))
        .set_min_latency(s.min_latency)
        .set_max_latency(s.max_latency)
        .set_stream_id(s.stream_id.clone())
        .set_source_listener_address(s.listener_address.clone())
        .set_source_listener_port(s.listener_port)
        .set_vpc_interface_name(s.vpc_interface.clone())
        .set_decryption(s.decryption.as_ref().map(encryption))
        .set_ndi_source_settings(
            s.ndi_source_name.as_ref().map(|name| sdk::NdiSourceSettings::builder().source_name(name).build()),
        )
        .set_source_tags(Some(new.tags.clone().into_iter().collect()))
        .build()
}

/// Failover of a request.
pub fn failover_config(wish: &Failover) -> sdk::FailoverConfig {
    let state = if wish.enabled { sdk::State::Enabled } else { sdk::State::Disabled };
    let mut config = sdk::FailoverConfig::builder().state(state);
    if wish.enabled {
        let mode = if wish.merge { sdk::FailoverMode::Merge } else { sdk::FailoverMode::Failover };
        config =
            config.failover_mode(mode).set_recovery_window(wish.recovery_window).set_source_priority(priority(wish));
    }
    config.build()
}

/// Failover of a request that changes it.
pub fn update_failover_config(wish: &Failover) -> sdk::UpdateFailoverConfig {
    let state = if wish.enabled { sdk::State::Enabled } else { sdk::State::Disabled };
    let mut config = sdk::UpdateFailoverConfig::builder().state(state);
    if wish.enabled {
        let mode = if wish.merge { sdk::FailoverMode::Merge } else { sdk::FailoverMode::Failover };
        config =
            config.failover_mode(mode).set_recovery_window(wish.recovery_window).set_source_priority(priority(wish));
    }
    config.build()
}

fn priority(wish: &Failover) -> Option<sdk::SourcePriority> {
    wish.primary.as_ref().map(|name| sdk::SourcePriority::builder().primary_source(name).build())
}

/// An interface of a request.
pub fn vpc_interface_request(v: &VpcInterface) -> sdk::VpcInterfaceRequest {
    sdk::VpcInterfaceRequest::builder()
        .name(&v.name)
        .subnet_id(&v.subnet_id)
        .set_security_group_ids(Some(v.security_group_ids.clone()))
        .role_arn(&v.role_arn)
        .build()
}

/// NDI of a request.
pub fn add_maintenance(window: &MaintenanceWindow) -> sdk::AddMaintenance {
    sdk::AddMaintenance::builder()
        .maintenance_day(window.day.as_str().into())
        .maintenance_start_hour(&window.start)
        .build()
}

pub fn ndi_config(ndi: &Ndi) -> sdk::NdiConfig {
    let servers = ndi
        .servers
        .iter()
        .map(|(address, port, interface)| {
            sdk::NdiDiscoveryServerConfig::builder()
                .discovery_server_address(address)
                .set_discovery_server_port(*port)
                .vpc_interface_adapter(interface)
                .build()
        })
        .collect();
    sdk::NdiConfig::builder()
        .ndi_state(sdk::NdiState::Enabled)
        .set_machine_name(ndi.machine_name.clone())
        .set_ndi_discovery_servers(Some(servers))
        .build()
}

#[cfg(test)]
mod tests {
    use super::{Answer, flow, sdk};

    /// As the SDK makes it of an answer without a source, which the model requires.
    #[test]
    fn a_flow_that_has_lost_its_last_source_has_none() {
        let no_source = sdk::Source::builder().name("").source_arn("").build();
        let found = sdk::Flow::builder()
            .flow_arn("arn:aws:mediaconnect:us-west-2:111122223333:flow:1-aa:show")
            .name("show")
            .status(sdk::Status::Standby)
            .source(no_source)
            .build();
        assert_eq!(flow(&found, &Answer::default()).map(|flow| flow.sources.len()), Some(0));
    }
}
