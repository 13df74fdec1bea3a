//! AWS Elemental MediaConnect: flows, sources, outputs.
//!
//! The SDK's input types print stream keys with `{:?}`. They are built and sent here and never printed.

mod convert;
pub mod flows;
mod rtmp;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_mediaconnect::Client;
use aws_sdk_mediaconnect::types as sdk;
use playout_core::failure::{Failure, FailureClass};
use playout_core::resources::flow::ndi::Ndi;
use playout_core::resources::flow::{
    Failover, Flow, MaintenanceWindow, NewFlow, NewOutput, NewSource, OutputSettings, SourceSettings, VpcInterface,
};

use crate::batch::Batch;
use crate::caller::{Caller, next_page};
use crate::mediaconnect::rtmp::{Add, Paths, Rtmp};
use crate::rate_limit::Urgency;
use crate::redact::without_paths;

/// How long outputs of one flow are gathered before they are added in one call.
const GATHERING: Duration = Duration::from_millis(40);

type Tags = BTreeMap<String, String>;

/// The service, as narrow as we need it.
#[derive(Debug)]
pub struct MediaConnect {
    client: Client,
    caller: Arc<Caller>,
    additions: Batch<String, NewOutput, String>,
}

/// A flow in a list. AWS gives no tags there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ListedFlow {
    /// Name.
    pub name: String,
    /// ARN.
    pub arn: String,
}

impl MediaConnect {
    pub(super) fn new(sdk: &SdkConfig, caller: Arc<Caller>) -> Self {
        Self { client: Client::new(sdk), caller, additions: Batch::one_by_one(GATHERING, 50) }
    }

    /// The flow, or `None` when AWS says that there is none.
    ///
    /// # Errors
    /// AWS gave no answer, or one that cannot be understood.
    pub async fn describe_flow(&self, arn: &str, urgency: Urgency) -> Result<Option<Flow>, Failure> {
        const OPERATION: &str = "mediaconnect:DescribeFlow";
        let rtmp = Rtmp::default();
        let call = self.client.describe_flow().flow_arn(arn).customize().interceptor(rtmp.clone()).send();
        let answer = match self.caller.read(OPERATION, urgency, call).await {
            Ok(answer) => answer,
            Err(failure) if failure.class == FailureClass::Absent => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let mut flow =
            answer.flow().and_then(|f| convert::flow(f, &rtmp.answer())).ok_or_else(|| not_understood(OPERATION))?;
        self.learn(&flow);
        let told = answer.messages().map(|m| m.errors()).unwrap_or_default();
        let clean = |text: &String| self.caller.redactor().clean(&without_paths(text)).into_owned();
        flow.errors = told.iter().map(clean).collect();
        Ok(Some(flow))
    }

    /// Remembers the keys, also those of outputs that are not ours: what AWS complains of repeats what it is about.
    fn learn(&self, flow: &Flow) {
        let redactor = self.caller.redactor();
        let sources = flow.sources.iter().filter_map(|s| s.settings.rtmp.as_ref());
        let outputs = flow.outputs.iter().filter_map(|o| o.settings.rtmp.as_ref());
        sources.chain(outputs).for_each(|path| redactor.learn(&path.stream));
        flow.outputs.iter().filter_map(|o| o.settings.stream_id.as_ref()).for_each(|id| redactor.learn(id));
    }

    /// All flows of the region.
    ///
    /// # Errors
    /// AWS gave no answer.
    pub async fn list_flows(&self, urgency: Urgency) -> Result<Vec<ListedFlow>, Failure> {
        let mut flows = Vec::new();
        let mut token = None;
        loop {
            let call = self.client.list_flows().max_results(100).set_next_token(token).send();
            let page = self.caller.read("mediaconnect:ListFlows", urgency, call).await?;
            for flow in page.flows() {
                if let (Some(name), Some(arn)) = (flow.name(), flow.flow_arn()) {
                    flows.push(ListedFlow { name: name.into(), arn: arn.into() });
                }
            }
            token = next_page(page.next_token());
            if token.is_none() {
                return Ok(flows);
            }
        }
    }

    /// Tags of a flow, a source or an output.
    ///
    /// # Errors
    /// AWS gave no answer, or says that it is gone: that is not the same as having no tags, and so being somebody else's.
    pub async fn tags(&self, arn: &str, urgency: Urgency) -> Result<Tags, Failure> {
        let call = self.client.list_tags_for_resource().resource_arn(arn).send();
        let answer = self.caller.read("mediaconnect:ListTagsForResource", urgency, call).await?;
        Ok(answer.tags().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect())
    }

    /// Adds or changes tags.
    ///
    /// # Errors
    /// The call failed.
    pub async fn tag(&self, arn: &str, tags: &Tags) -> Result<(), Failure> {
        let tags = tags.clone().into_iter().collect();
        let call = self.client.tag_resource().resource_arn(arn).set_tags(Some(tags)).send();
        self.caller.change("mediaconnect:TagResource", call).await.map(drop)
    }

    /// Takes tags off.
    ///
    /// # Errors
    /// The call failed.
    pub async fn untag(&self, arn: &str, keys: &[String]) -> Result<(), Failure> {
        let call = self.client.untag_resource().resource_arn(arn).set_tag_keys(Some(keys.to_vec())).send();
        self.caller.change("mediaconnect:UntagResource", call).await.map(drop)
    }

    /// Makes a flow; its ARN.
    ///
    /// # Errors
    /// The call failed. If the failure says that the outcome is unknown, there may be a flow.
    pub async fn create_flow(&self, new: &NewFlow) -> Result<String, Failure> {
        const OPERATION: &str = "mediaconnect:CreateFlow";
        let rtmp = Rtmp::adding(named(new.sources.iter().map(|s| (&s.name, s.settings.rtmp.as_ref()))));
        let some = |list: Vec<_>| (!list.is_empty()).then_some(list);
        let call = self
            .client
            .create_flow()
            .name(&new.name)
            .set_flow_tags(Some(new.tags.clone().into_iter().collect()))
            .set_availability_zone(new.availability_zone.clone())
            .set_flow_size(new.size.as_deref().map(sdk::FlowSize::from))
            .set_sources(Some(new.sources.iter().map(convert::set_source).collect()))
            .set_source_failover_config(new.failover.enabled.then(|| convert::failover_config(&new.failover)))
            .set_vpc_interfaces(some(new.vpc_interfaces.iter().map(convert::vpc_interface_request).collect()))
            .set_ndi_config(new.ndi.as_ref().map(convert::ndi_config))
            .set_maintenance(new.maintenance.as_ref().map(convert::add_maintenance))
            .customize()
            .interceptor(rtmp)
            .send();
        let answer = self.caller.change(OPERATION, call).await?;
        answer.flow().and_then(|f| f.flow_arn()).map(str::to_string).ok_or_else(|| not_understood(OPERATION))
    }

    /// Starts a flow.
    ///
    /// # Errors
    /// The call failed.
    pub async fn start_flow(&self, arn: &str) -> Result<(), Failure> {
        let call = self.client.start_flow().flow_arn(arn).send();
        self.caller.change("mediaconnect:StartFlow", call).await.map(drop)
    }

    /// Stops a flow.
    ///
    /// # Errors
    /// The call failed.
    pub async fn stop_flow(&self, arn: &str) -> Result<(), Failure> {
        let call = self.client.stop_flow().flow_arn(arn).send();
        self.caller.stop("mediaconnect:StopFlow", call).await.map(drop)
    }

    /// Removes a flow. One that is gone already is a success.
    ///
    /// # Errors
    /// The call failed.
    pub async fn delete_flow(&self, arn: &str) -> Result<(), Failure> {
        let call = self.client.delete_flow().flow_arn(arn).send();
        gone_is_fine(self.caller.change("mediaconnect:DeleteFlow", call).await.map(drop))
    }

    /// Changes the size of a flow.
    ///
    /// # Errors
    /// The call failed.
    pub async fn resize_flow(&self, arn: &str, size: &str) -> Result<(), Failure> {
        let call = self.client.update_flow().flow_arn(arn).flow_size(size.into()).send();
        self.caller.change("mediaconnect:UpdateFlow", call).await.map(drop)
    }

    /// Says when AWS may restart a flow for its maintenance.
    ///
    /// # Errors
    /// The call failed.
    pub async fn set_maintenance(&self, arn: &str, window: &MaintenanceWindow) -> Result<(), Failure> {
        let window = sdk::UpdateMaintenance::builder()
            .maintenance_day(window.day.as_str().into())
            .maintenance_start_hour(&window.start)
            .build();
        let call = self.client.update_flow().flow_arn(arn).maintenance(window).send();
        self.caller.change("mediaconnect:UpdateFlow", call).await.map(drop)
    }

    /// Changes NDI discovery, or switches NDI off.
    ///
    /// # Errors
    /// The call failed.
    pub async fn set_ndi(&self, arn: &str, ndi: Option<&Ndi>) -> Result<(), Failure> {
        let off = || sdk::NdiConfig::builder().ndi_state(sdk::NdiState::Disabled).build();
        let call = self.client.update_flow().flow_arn(arn).ndi_config(ndi.map_or_else(off, convert::ndi_config)).send();
        self.caller.change("mediaconnect:UpdateFlow", call).await.map(drop)
    }

    /// Changes how a flow moves between its sources.
    ///
    /// # Errors
    /// The call failed.
    pub async fn set_failover(&self, arn: &str, failover: &Failover) -> Result<(), Failure> {
        let config = convert::update_failover_config(failover);
        let call = self.client.update_flow().flow_arn(arn).source_failover_config(config).send();
        self.caller.change("mediaconnect:UpdateFlow", call).await.map(drop)
    }

    /// Adds interfaces in VPCs.
    ///
    /// # Errors
    /// The call failed.
    pub async fn add_vpc_interfaces(&self, arn: &str, interfaces: &[VpcInterface]) -> Result<(), Failure> {
        let requests = interfaces.iter().map(convert::vpc_interface_request).collect();
        let call = self.client.add_flow_vpc_interfaces().flow_arn(arn).set_vpc_interfaces(Some(requests)).send();
        self.caller.change("mediaconnect:AddFlowVpcInterfaces", call).await.map(drop)
    }

    /// Removes one.
    ///
    /// # Errors
    /// The call failed.
    pub async fn remove_vpc_interface(&self, arn: &str, name: &str) -> Result<(), Failure> {
        let call = self.client.remove_flow_vpc_interface().flow_arn(arn).vpc_interface_name(name).send();
        gone_is_fine(self.caller.change("mediaconnect:RemoveFlowVpcInterface", call).await.map(drop))
    }

    /// Adds a source.
    ///
    /// # Errors
    /// The call failed.
    pub async fn add_source(&self, arn: &str, new: &NewSource) -> Result<(), Failure> {
        let rtmp = Rtmp::adding(named([(&new.name, new.settings.rtmp.as_ref())].into_iter()));
        let source = convert::set_source(new);
        let call = self.client.add_flow_sources().flow_arn(arn).sources(source).customize().interceptor(rtmp).send();
        self.caller.change("mediaconnect:AddFlowSources", call).await.map(drop)
    }

    /// Changes a source.
    ///
    /// # Errors
    /// The call failed.
    pub async fn update_source(&self, flow: &str, arn: &str, s: &SourceSettings) -> Result<(), Failure> {
        let rtmp = Rtmp::adding(s.rtmp.clone().map_or(Add::Nothing, Add::Source));
        let call = self
            .client
            .update_flow_source()
            .flow_arn(flow)
            .source_arn(arn)
            .description(&s.description)
            .protocol(s.protocol.as_str().into())
            .set_whitelist_cidr(s.whitelist_cidr.clone())
            .set_ingest_port(s.ingest_port)
            .set_max_bitrate(convert::bits(s.max_bitrate))
            .set_min_latency(s.min_latency)
            .set_max_latency(s.max_latency)
            .set_stream_id(s.stream_id.clone())
            .set_source_listener_address(s.listener_address.clone())
            .set_source_listener_port(s.listener_port)
            .set_vpc_interface_name(s.vpc_interface.clone())
            .set_decryption(s.decryption.as_ref().map(convert::update_encryption))
            .set_ndi_source_settings(
                s.ndi_source_name.as_ref().map(|name| sdk::NdiSourceSettings::builder().source_name(name).build()),
            )
            .customize()
            .interceptor(rtmp)
            .send();
        self.caller.change("mediaconnect:UpdateFlowSource", call).await.map(drop)
    }

    /// Removes a source.
    ///
    /// # Errors
    /// The call failed.
    pub async fn remove_source(&self, flow: &str, arn: &str) -> Result<(), Failure> {
        let call = self.client.remove_flow_source().flow_arn(flow).source_arn(arn).send();
        gone_is_fine(self.caller.change("mediaconnect:RemoveFlowSource", call).await.map(drop))
    }

    /// Adds an output; its ARN. What several Destinations add within a moment travels in one call.
    ///
    /// # Errors
    /// The call failed for this output.
    pub async fn add_output(self: &Arc<Self>, flow: &str, new: NewOutput) -> Result<String, Failure> {
        let this = self.clone();
        self.additions
            .ask(flow.to_string(), new, move |flow, outputs| {
                let this = this.clone();
                async move { this.add_outputs(&flow, outputs).await }
            })
            .await
    }

    async fn add_outputs(&self, flow: &str, outputs: Vec<NewOutput>) -> Vec<Result<String, Failure>> {
        match self.send_outputs(flow, &outputs).await {
            // What keeps all of them waiting is asked for once, and not once more for each.
            Err(failure)
                if outputs.len() > 1 && failure.class == FailureClass::Conflict && !self.takes_changes(flow).await =>
            {
                outputs.iter().map(|_| Err(failure.clone())).collect()
            }
            // AWS takes all of a batch or none. One Destination's mistake must not be another's: each for itself, then.
            Err(failure) if outputs.len() > 1 && (failure.is_refusal() || failure.class == FailureClass::Conflict) => {
                let mut answers = Vec::with_capacity(outputs.len());
                for output in &outputs {
                    let answer = self.send_outputs(flow, std::slice::from_ref(output)).await;
                    answers.push(answer.and_then(|arns| arn_of(output, &arns)));
                }
                answers
            }
            Err(failure) => outputs.iter().map(|_| Err(failure.clone())).collect(),
            Ok(arns) => outputs.iter().map(|output| arn_of(output, &arns)).collect(),
        }
    }

    /// Whether a flow is seen to be in a state in which AWS takes changes.
    async fn takes_changes(&self, flow: &str) -> bool {
        let seen = self.describe_flow(flow, Urgency::Change).await;
        matches!(seen, Ok(Some(flow)) if flow.state.takes_changes())
    }

    async fn send_outputs(&self, flow: &str, outputs: &[NewOutput]) -> Result<BTreeMap<String, String>, Failure> {
        let rtmp = Rtmp::adding(named(outputs.iter().map(|o| (&o.name, o.settings.rtmp.as_ref()))));
        let requests = outputs.iter().map(add_output_request).collect();
        let call = self
            .client
            .add_flow_outputs()
            .flow_arn(flow)
            .set_outputs(Some(requests))
            .customize()
            .interceptor(rtmp)
            .send();
        let answer = self.caller.change("mediaconnect:AddFlowOutputs", call).await?;
        Ok(answer.outputs().iter().filter_map(|o| Some((o.name()?.to_string(), o.output_arn()?.to_string()))).collect())
    }

    /// Changes an output's settings, or switches it, or both in one call.
    ///
    /// # Errors
    /// The call failed.
    pub async fn update_output(
        &self,
        flow: &str,
        arn: &str,
        settings: Option<&OutputSettings>,
        enabled: Option<bool>,
    ) -> Result<(), Failure> {
        let path = settings.and_then(|s| s.rtmp.clone());
        let rtmp = Rtmp::adding(path.map_or(Add::Nothing, Add::Output));
        let mut call = self.client.update_flow_output().flow_arn(flow).output_arn(arn).set_output_status(
            enabled.map(|on| if on { sdk::OutputStatus::Enabled } else { sdk::OutputStatus::Disabled }),
        );
        if let Some(s) = settings {
            call = call
                .protocol(s.protocol.as_str().into())
                .set_destination(s.destination.clone())
                .set_port(s.port)
                .set_min_latency(s.min_latency)
                .set_cidr_allow_list(allow_list(s))
                .set_stream_id(s.stream_id.as_ref().map(|id| id.expose().to_string()))
                .set_encryption(s.encryption.as_ref().map(convert::update_encryption));
        }
        let call = call.customize().interceptor(rtmp).send();
        let only_stops = settings.is_none() && enabled == Some(false);
        match only_stops {
            true => self.caller.stop("mediaconnect:UpdateFlowOutput", call).await.map(drop),
            false => self.caller.change("mediaconnect:UpdateFlowOutput", call).await.map(drop),
        }
    }

    /// Removes an output. One that is gone already is a success.
    ///
    /// # Errors
    /// The call failed.
    pub async fn remove_output(&self, flow: &str, arn: &str) -> Result<(), Failure> {
        let call = self.client.remove_flow_output().flow_arn(flow).output_arn(arn).send();
        gone_is_fine(self.caller.stop("mediaconnect:RemoveFlowOutput", call).await.map(drop))
    }
}

fn add_output_request(new: &NewOutput) -> sdk::AddOutputRequest {
    let s = &new.settings;
    sdk::AddOutputRequest::builder()
        .name(&new.name)
        .protocol(s.protocol.as_str().into())
        .output_status(if new.enabled { sdk::OutputStatus::Enabled } else { sdk::OutputStatus::Disabled })
        .set_destination(s.destination.clone())
        .set_port(s.port)
        .set_min_latency(s.min_latency)
        .set_cidr_allow_list(allow_list(s))
        .set_stream_id(s.stream_id.as_ref().map(|id| id.expose().to_string()))
        .set_encryption(s.encryption.as_ref().map(convert::encryption))
        .set_output_tags(Some(new.tags.clone().into_iter().collect()))
        .build()
}

fn allow_list(s: &OutputSettings) -> Option<Vec<String>> {
    (!s.cidr_allow_list.is_empty()).then(|| s.cidr_allow_list.clone())
}

fn named<'a>(items: impl Iterator<Item = (&'a String, Option<&'a playout_core::resources::flow::RtmpPath>)>) -> Add {
    let paths: Paths = items.filter_map(|(name, path)| Some((name.clone(), path?.clone()))).collect();
    if paths.is_empty() { Add::Nothing } else { Add::Named(paths) }
}

fn arn_of(output: &NewOutput, arns: &BTreeMap<String, String>) -> Result<String, Failure> {
    arns.get(&output.name).cloned().ok_or_else(|| not_understood("mediaconnect:AddFlowOutputs"))
}

fn gone_is_fine(result: Result<(), Failure>) -> Result<(), Failure> {
    match result {
        Err(failure) if failure.class == FailureClass::Absent => Ok(()),
        other => other,
    }
}

/// An answer that lacks what it must have; whatever was asked for may have happened.
fn not_understood(operation: &str) -> Failure {
    Failure {
        class: FailureClass::Transient,
        operation: operation.into(),
        message: "AWS's answer lacks required members".into(),
    }
}
