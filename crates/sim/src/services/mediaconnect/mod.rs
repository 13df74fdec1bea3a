//! AWS Elemental MediaConnect: flows.

pub(crate) mod config;
mod edit;
mod flow;
mod flows;
mod life;
mod managed;
mod members;
mod metadata;
mod metrics;
mod outputs;
mod quotas;
mod regions;
mod rules;
mod signals;
mod sources;
mod tags;
mod view;
mod vpc;

pub(crate) use flow::{Flow, Output, Source};
pub(crate) use managed::{add_managed_output, remove_managed_output};

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::ports::Feed;
use super::service::{PLAIN, unknown};
use super::{Call, Region, Service};
use crate::config::Config;
use crate::error::ApiError;
use crate::outside::Outside;
use crate::rate::Rate;
use signals::Signals;

/// The flows of a region.
#[derive(Clone, Default)]
pub(crate) struct State {
    pub(crate) flows: BTreeMap<String, Flow>,
    /// What CloudWatch still knows of flows that are gone.
    departed: Vec<Departed>,
}

#[derive(Clone)]
struct Departed {
    signals: Signals,
    gone: Duration,
}

pub(crate) const SERVICE: Service = Service {
    name: "mediaconnect",
    model: include_str!("model.json"),
    call,
    rate,
    regions: Some(regions::ALL),
    invalid: "BadRequestException",
    throttled: (429, "TooManyRequestsException"),
    absent: (404, "NotFoundException"),
    advance: |region, config, outside, now| {
        let (state, feeds) = region.relays(config);
        state.feed(&feeds);
        advance(state, config, outside, now);
    },
    next: |region, _, _| region.mediaconnect.flows.values().filter_map(Flow::next).min(),
    record: |region, config, outside, now| {
        let (state, feeds) = region.relays(config);
        state.feed(&feeds);
        record(state, config, outside, now);
    },
    disconnect: |region, config, to, now| disconnect(&mut region.mediaconnect, config, to, now),
    metrics: Some(metrics::PUBLISHED),
    limits: Some(quotas::LIMITS),
    listed: Some(quotas::LISTED),
    edit: edit::edit,
    maintain: edit::maintain,
    resources,
    parts: &[("flows", "sources"), ("flows", "outputs")],
    ..PLAIN
};

fn rate(config: &Config, operation: &str) -> Option<Rate> {
    let rates = &config.mediaconnect.rates;
    Some(match operation {
        "DescribeFlow" | "DescribeFlowSourceMetadata" | "DescribeFlowSourceThumbnail" => rates.describe,
        _ => rates.other,
    })
}

fn call(region: &mut Region, call: &mut Call<'_>) -> Result<Value, ApiError> {
    let (state, secrets) = region.flows();
    match call.operation {
        "CreateFlow" => flows::create(state, secrets, call),
        "DescribeFlow" => flows::describe(state, call),
        "ListFlows" => flows::list(state, call),
        "UpdateFlow" => flows::update(state, secrets, call),
        "StartFlow" => flows::start(state, secrets, call),
        "StopFlow" => flows::stop(state, call),
        "DeleteFlow" => flows::delete(state, call),
        "AddFlowSources" => sources::add(state, secrets, call),
        "UpdateFlowSource" => sources::update(state, secrets, call),
        "RemoveFlowSource" => sources::remove(state, secrets, call),
        "AddFlowOutputs" => outputs::add(state, secrets, call),
        "UpdateFlowOutput" => outputs::update(state, secrets, call),
        "RemoveFlowOutput" => outputs::remove(state, call),
        "AddFlowVpcInterfaces" => vpc::add(state, secrets, call),
        "RemoveFlowVpcInterface" => vpc::remove(state, secrets, call),
        "DescribeFlowSourceMetadata" => metadata::describe(state, call),
        "DescribeFlowSourceThumbnail" => metadata::thumbnail(state, call),
        "TagResource" => tags::tag(state, call),
        "UntagResource" => tags::untag(state, call),
        "ListTagsForResource" => tags::list(state, call),
        _ => Err(unknown(call)),
    }
}

/// Flows, sources and outputs change their states when their time has come.
fn advance(state: &mut State, config: &Config, outside: &Outside, now: Duration) {
    let mut gone = Vec::new();
    for (arn, flow) in &mut state.flows {
        if flow.advance(config, outside, now) {
            gone.push(arn.clone());
        }
    }
    for arn in gone {
        if let Some(flow) = state.flows.remove(&arn) {
            state.departed.push(Departed { signals: flow.signals, gone: flow.deadline.unwrap_or(now) });
        }
    }
    state.departed.retain(|departed| now.saturating_sub(departed.gone) < config.sampling.retention);
}

/// Brings the signals of every flow up to what is at their sources and destinations now.
fn record(state: &mut State, config: &Config, outside: &Outside, now: Duration) {
    for flow in state.flows.values_mut() {
        flow.record(config, outside, now);
    }
}

/// An output loses its connection if it has one, and tries again.
fn disconnect(state: &mut State, config: &Config, (host, stream): (&str, Option<&str>), now: Duration) {
    for flow in state.flows.values_mut() {
        flow.disconnect(config, host, stream, now);
    }
}

pub(crate) fn bad(message: impl Into<String>) -> ApiError {
    ApiError::new(400, "BadRequestException", message)
}

pub(crate) fn not_found(message: impl Into<String>) -> ApiError {
    ApiError::new(404, "NotFoundException", message)
}

impl State {
    /// The flow of a request.
    pub(crate) fn flow(&self, arn: &str) -> Result<&Flow, ApiError> {
        self.flows.get(arn).ok_or_else(|| no_flow(arn))
    }

    /// The flow of a request, to be changed.
    pub(crate) fn flow_mut(&mut self, arn: &str) -> Result<&mut Flow, ApiError> {
        self.flows.get_mut(arn).ok_or_else(|| no_flow(arn))
    }

    /// What outputs send, to the sources that they go to.
    fn feed(&mut self, feeds: &[Feed]) {
        for source in self.flows.values_mut().flat_map(|flow| &mut flow.sources) {
            let here: Vec<&Feed> = feeds.iter().filter(|feed| source.listens(feed)).collect();
            let taken = here.iter().filter(|feed| source.admits(feed)).filter_map(|feed| feed.sends).max();
            source.fed = (!here.is_empty()).then_some(taken);
        }
    }

    /// Whether the source that listens there takes what an output sends; none when there is no such source.
    pub(crate) fn takes(&self, feed: &Feed) -> Option<bool> {
        let all = self.flows.values().flat_map(|flow| flow.sources.iter().map(move |source| (flow, source)));
        let here: Vec<bool> =
            all.filter(|(_, source)| source.listens(feed)).map(|(flow, s)| flow.running() && s.admits(feed)).collect();
        (!here.is_empty()).then(|| here.contains(&true))
    }

    /// By name or ARN, as a tester calls it.
    pub(crate) fn find(&mut self, flow: &str) -> Option<&mut Flow> {
        self.flows.values_mut().find(|candidate| candidate.arn == flow || candidate.name == flow)
    }
}

fn no_flow(arn: &str) -> ApiError {
    not_found(format!("Flow {arn} was not found."))
}

fn resources(region: &Region, config: &Config, now: Duration) -> Map<String, Value> {
    let flows = &region.mediaconnect.flows;
    let described = flows.values().map(|flow| {
        let mut seen = view::flow(flow, config, now);
        seen["tags"] = json!(flow.tags);
        seen["messages"] = json!(flow.messages(now));
        let tagged = |list: &mut Value, tags: Vec<&BTreeMap<String, String>>| {
            for (item, tags) in list.as_array_mut().into_iter().flatten().zip(tags) {
                item["tags"] = json!(tags);
            }
        };
        seen["sources"] = flow.sources.iter().map(|source| view::source(source, flow, config, now)).collect();
        tagged(&mut seen["sources"], flow.sources.iter().map(|source| &source.tags).collect());
        tagged(&mut seen["outputs"], flow.outputs.iter().map(|output| &output.tags).collect());
        seen
    });
    let mut found = Map::new();
    found.insert("flows".to_owned(), described.collect());
    found
}
