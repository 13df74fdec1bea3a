//! The path of a request: who, which operation, faults, rate, model, service, answer.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http::request::Parts;
use serde_json::Value;

use crate::answer::{Answer, Outcome, Pending, Resumed, Wait};
use crate::clock::{Clock, span};
use crate::error::ApiError;
use crate::faults::{FaultKind, PlantedFault, Unanswered, When};
use crate::late::LateCall;
use crate::log::{self, LogEntry};
use crate::model::{self, Table, ViolationKind};
use crate::services::{self, Call, Service};
use crate::signature;
use crate::wire::{self, Protocol};
use crate::world::World;

/// How a request ended, before a fault turns it into something else.
type Ended = Result<Value, ApiError>;

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// A request as it comes from the caller.
pub(crate) fn first(world: &mut World, clock: &dyn Clock, parts: Parts, body: Bytes) -> Answer {
    let now = clock.now();
    carry_out(world, clock, now);
    let id = world.ids.uuid();
    let entry = LogEntry {
        wall_micros: micros(clock.callers().unwrap_or(now)),
        simulated_micros: micros(now),
        method: parts.method.to_string(),
        path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        ..LogEntry::default()
    };
    let seq = world.log.push(entry, world.config.log_capacity);

    let scope = match signature::scope(&parts) {
        Ok(scope) => scope,
        Err(error) => return refuse(world, clock, None, Protocol::RestJson, &error, seq, &id),
    };
    let table = model::table_by_signing_name(&scope.service);
    if let Some(entry) = world.log.entry(seq) {
        entry.service = table.map_or(scope.service.as_str(), |table| table.service.as_str()).to_owned();
        entry.region = scope.region.clone();
        entry.access_key = scope.access_key.clone();
    }
    let Some((table, service)) = table.and_then(|t| services::by_name(&t.service).map(|s| (t, s))) else {
        let error = ApiError::new(404, "UnknownServiceException", format!("No service '{}' here", scope.service));
        return refuse(world, clock, None, Protocol::RestJson, &error, seq, &id);
    };
    let protocol = wire::protocol(table, &parts);
    if let Some(regions) = service.regions
        && !regions.contains(&scope.region.as_str())
        && !world.config.switches.more_regions.contains(&scope.region)
    {
        // There is no such host: nobody answers.
        if let Some(entry) = world.log.entry(seq) {
            entry.message = Some(format!("{} has no endpoint in Region {}", service.name, scope.region));
        }
        return dropped();
    }
    if let Err(error) = signature::verify(&parts, &body, &world.config, clock.callers()) {
        return refuse(world, clock, Some(table), protocol, &error, seq, &id);
    }
    let request = match wire::read(table, protocol, &parts, &body) {
        Ok(request) => request,
        Err(error) => return refuse(world, clock, Some(table), protocol, &error, seq, &id),
    };
    if let Some(entry) = world.log.entry(seq) {
        entry.operation = request.operation.clone();
        entry.mutating = services::mutating(&request.operation);
        entry.names = log::names(&request.input);
        entry.body = request.input.clone();
    }

    let path = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let decoded = percent_encoding::percent_decode_str(&path).decode_utf8_lossy().into_owned();
    let members = request.input.to_string();
    let raw = String::from_utf8_lossy(&body).into_owned();
    let fault = world.faults.hit(service.name, &request.operation, &[&path, &decoded, &members, &raw]);
    if let (Some(planted), Some(entry)) = (&fault, world.log.entry(seq)) {
        entry.fault = serde_json::to_value(&planted.fault.kind).ok();
    }
    let resumed = Resumed { scope, request, seq, id };
    through(world, clock, table, service, resumed, fault)
}

/// A request that has waited unprocessed.
pub(crate) fn resumed(world: &mut World, clock: &dyn Clock, resumed: Resumed) -> Answer {
    let found = model::table_by_signing_name(&resumed.scope.service)
        .and_then(|table| services::by_name(&table.service).map(|service| (table, service)));
    carry_out(world, clock, clock.now());
    match found {
        Some((table, service)) => through(world, clock, table, service, resumed, None),
        None => dropped(),
    }
}

/// Does what is due of the calls that are carried out late, each at its time.
pub(crate) fn carry_out(world: &mut World, clock: &dyn Clock, now: Duration) {
    while let Some(LateCall { due, request }) = world.late.take(now) {
        let found = model::table_by_signing_name(&request.scope.service)
            .and_then(|table| services::by_name(&table.service).map(|service| (table, service)));
        let Some((table, service)) = found else { continue };
        let ended = process(world, clock, table, service, &request, None, due);
        if let Some(entry) = world.log.entry(request.seq) {
            entry.processed = ended.is_ok();
            entry.error = ended.as_ref().err().map(|error| error.code.clone());
            entry.message = ended.as_ref().err().map(|error| error.message.clone());
        }
    }
}

/// From the fault on.
fn through(
    world: &mut World,
    clock: &dyn Clock,
    table: &Table,
    service: &Service,
    resumed: Resumed,
    fault: Option<PlantedFault>,
) -> Answer {
    let now = clock.now();
    let protocol = resumed.request.protocol;
    let planted_error = |status, code: &str, message: &str| {
        let message = if message.is_empty() { format!("Planted fault {code}") } else { message.to_owned() };
        Err(ApiError::new(status, code, message))
    };
    let mut wait = None;
    let kind = fault.as_ref().map(|planted| &planted.fault.kind);
    let (ended, dropped) = match kind {
        Some(FaultKind::FailBefore { status, code, message }) => (planted_error(*status, code, message), false),
        Some(FaultKind::Throttle) => (Err(too_many(service)), false),
        Some(FaultKind::DropBefore) => return self::dropped(),
        Some(FaultKind::Late { seconds, caller }) => {
            world.late.add(now + span(*seconds), resumed);
            return match (&fault, caller) {
                (Some(planted), Unanswered::Hangs) => hangs(planted),
                _ => self::dropped(),
            };
        }
        Some(FaultKind::Delay { milliseconds, when: When::Before }) => {
            return later(Wait::Delay(Duration::from_millis(*milliseconds)), resumed);
        }
        Some(FaultKind::Hold { when: When::Before }) => {
            return match &fault {
                Some(planted) => later(Wait::Release(planted.released()), resumed),
                None => self::dropped(),
            };
        }
        _ => {
            let ended = process(world, clock, table, service, &resumed, kind, now);
            if let Some(entry) = world.log.entry(resumed.seq) {
                entry.processed = ended.is_ok();
            }
            wait = fault.as_ref().filter(|planted| planted.fault.held).map(|planted| Wait::Release(planted.released()));
            match (kind, &fault) {
                (Some(FaultKind::FailAfter { status, code, message }), _) if ended.is_ok() => {
                    (planted_error(*status, code, message), false)
                }
                (Some(FaultKind::DropAfter), _) => (ended, true),
                (Some(FaultKind::Delay { milliseconds, .. }), _) => {
                    wait = Some(Wait::Delay(Duration::from_millis(*milliseconds)));
                    (ended, false)
                }
                (Some(FaultKind::Hold { .. }), Some(planted)) => {
                    wait = Some(Wait::Release(planted.released()));
                    (ended, false)
                }
                _ => (ended, false),
            }
        }
    };
    if dropped {
        return self::dropped();
    }
    let response = match &ended {
        Ok(output) => wire::answer(table, protocol, &resumed.request.operation, output, &resumed.id),
        Err(error) => wire::error(Some(table), protocol, error, &resumed.id),
    };
    finish(world, clock, response, ended.err().as_ref(), resumed.seq, wait)
}

/// Rate, model, service.
fn process(
    world: &mut World,
    clock: &dyn Clock,
    table: &Table,
    service: &Service,
    resumed: &Resumed,
    fault: Option<&FaultKind>,
    now: Duration,
) -> Ended {
    let Resumed { scope, request, seq, .. } = resumed;
    let operation = request.operation.as_str();
    if world.config.throttling
        && let Some(rate) = (service.rate)(&world.config, operation)
        && !world.throttle.take(format!("{}/{}/{}", service.name, scope.region, (service.bucket)(operation)), rate, now)
    {
        return Err(too_many(service));
    }

    let violations = model::check_input(table, operation, &request.input);
    let (unknown, wrong): (Vec<_>, Vec<_>) =
        violations.into_iter().partition(|violation| violation.kind == ViolationKind::UnknownMember);
    let mut texts: Vec<&str> = wrong.iter().map(|violation| violation.message.as_str()).collect();
    if world.config.refuse_unknown_members {
        texts.extend(unknown.iter().map(|violation| violation.message.as_str()));
    }
    if let Some(entry) = world.log.entry(*seq) {
        entry.unknown_members = unknown.iter().map(|violation| violation.path.clone()).collect();
    }
    if !texts.is_empty() {
        let errors = if texts.len() == 1 { "error" } else { "errors" };
        let text = format!("{} validation {errors} detected: {}", texts.len(), texts.join("; "));
        return Err(ApiError::new(400, service.invalid, text));
    }

    let names = log::names(&request.input);
    let mutating = services::mutating(operation);
    world.visibility.forget_the_past(now);
    if !mutating && let Some(hidden) = world.visibility.hidden_from_read(&names) {
        let (status, code) = service.absent;
        return Err(ApiError::new(status, code, format!("Resource {hidden} was not found.")));
    }

    let World { config, regions, outside, ids, faults, visibility, .. } = world;
    let region = regions.entry(scope.region.clone()).or_default();
    services::advance(region, config, outside, now);
    if mutating && faults.any_stale() {
        visibility.before_mutation(service.name, &scope.region, region, now);
    }
    let mut past = match fault {
        _ if mutating => None,
        Some(FaultKind::Stale { seconds }) => visibility.previous(service.name, &scope.region, now, span(*seconds)),
        _ => visibility.served(service.name, &scope.region, now),
    };
    if let Some(past) = &mut past {
        services::advance(past, config, outside, now);
    }
    let mut call = Call {
        operation,
        input: &request.input,
        region: &scope.region,
        now,
        callers: clock.callers().unwrap_or(now),
        speed: if clock.callers().is_some() { clock.speed() } else { 1.0 },
        config,
        outside,
        ids,
        created: Vec::new(),
    };
    let mut output = (service.call)(past.as_mut().unwrap_or(region), &mut call)?;
    let created = call.created;
    if mutating {
        // What one service did may be what another one takes: a flow that stops is an input that is lost.
        services::record(region, config, outside, now);
    }
    match fault {
        Some(FaultKind::HideFromLists { seconds }) => visibility.hide(&created, now + span(*seconds), false),
        Some(FaultKind::HideFromReads { seconds }) => visibility.hide(&created, now + span(*seconds), true),
        Some(FaultKind::Stale { seconds }) if mutating => {
            visibility.serve_previous(service.name, &scope.region, now + span(*seconds));
        }
        _ => {}
    }
    if !mutating {
        visibility.filter(operation, &mut output);
    }
    Ok(output)
}

fn too_many(service: &Service) -> ApiError {
    let (status, code) = service.throttled;
    ApiError::new(status, code, "Rate exceeded")
}

fn refuse(
    world: &mut World,
    clock: &dyn Clock,
    table: Option<&Table>,
    protocol: Protocol,
    error: &ApiError,
    seq: u64,
    id: &str,
) -> Answer {
    let response = wire::error(table, protocol, error, id);
    finish(world, clock, response, Some(error), seq, None)
}

fn finish(
    world: &mut World,
    clock: &dyn Clock,
    response: Response<Bytes>,
    error: Option<&ApiError>,
    seq: u64,
    wait: Option<Wait>,
) -> Answer {
    if let Some(entry) = world.log.entry(seq) {
        entry.status = Some(response.status().as_u16());
        entry.error = error.map(|error| error.code.clone());
        entry.message = error.map(|error| error.message.clone());
        entry.answered = true;
    }
    let delay = world.config.answer.div_f64(clock.speed());
    let pending = wait.map(|wait| Pending { wait, request: None });
    Answer { delay, outcome: Outcome::Respond(response), pending }
}

/// The log has no status for it: the caller saw none.
fn dropped() -> Answer {
    Answer { delay: Duration::ZERO, outcome: Outcome::DropConnection, pending: None }
}

/// No answer comes. Who does not wait sees a connection that closed.
fn hangs(planted: &PlantedFault) -> Answer {
    let pending = Some(Pending { wait: Wait::Release(planted.released()), request: None });
    Answer { delay: Duration::ZERO, outcome: Outcome::DropConnection, pending }
}

/// Nothing has been done yet. Who does not wait sees a connection that closed.
fn later(wait: Wait, resumed: Resumed) -> Answer {
    let pending = Some(Pending { wait, request: Some(Box::new(resumed)) });
    Answer { delay: Duration::ZERO, outcome: Outcome::DropConnection, pending }
}
