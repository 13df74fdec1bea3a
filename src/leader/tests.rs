//! Elections in paused time, of replicas with clocks of their own, over a stand-in for the API server's Leases.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use jiff::{SignedDuration, Timestamp};
use kube::client::Body;
use playout_aws::clock::{Clock, pause};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::*;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// The Leases of a cluster, by namespace and name.
#[derive(Clone, Default)]
struct Server {
    leases: Arc<Mutex<BTreeMap<(String, String), Value>>>,
    version: Arc<std::sync::atomic::AtomicU64>,
    away: Arc<AtomicBool>,
    /// Takes no patches: with the status of its refusal.
    refuses: Arc<Mutex<Option<u16>>>,
}

fn merge(target: &mut Value, patch: &Value) {
    match patch.as_object() {
        None => *target = patch.clone(),
        Some(members) => {
            for (name, value) in members {
                if value.is_null() {
                    target.as_object_mut().map(|t| t.remove(name));
                } else {
                    merge(&mut target[name.as_str()], value);
                }
            }
        }
    }
}

impl Server {
    fn lease(&self, namespace: &str) -> Value {
        let found =
            self.leases.lock().expect("no panic").iter().find(|(place, _)| place.0 == namespace).map(|l| l.1.clone());
        found.unwrap_or_default()
    }

    fn store(&self, place: (String, String), mut lease: Value) -> (u16, Value) {
        let version = self.version.fetch_add(1, Ordering::SeqCst);
        lease["metadata"]["namespace"] = json!(place.0);
        lease["metadata"]["resourceVersion"] = json!(version.to_string());
        self.leases.lock().expect("no panic").insert(place, lease.clone());
        (200, lease)
    }

    fn answer(&self, method: &Method, path: &str, body: &Value) -> (u16, Value) {
        let parts: Vec<&str> = path.trim_matches('/').split('/').skip(3).collect();
        let ["namespaces", namespace, "leases", rest @ ..] = parts.as_slice() else {
            let items: Vec<_> = self.leases.lock().expect("no panic").values().cloned().collect();
            return (200, json!({ "metadata": {}, "items": items }));
        };
        let name = rest.first().copied().or(body["metadata"]["name"].as_str()).unwrap_or_default();
        let place = ((*namespace).to_owned(), name.to_owned());
        let found = self.leases.lock().expect("no panic").get(&place).cloned();
        match (method, found) {
            (&Method::POST, None) => self.store(place, body.clone()),
            (&Method::GET, Some(lease)) => (200, lease),
            (&Method::PATCH, Some(mut lease)) => {
                if let Some(code) = *self.refuses.lock().expect("no panic") {
                    return (code, Value::Null);
                }
                if lease["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"] {
                    return (409, Value::Null);
                }
                merge(&mut lease, body);
                self.store(place, lease)
            }
            (_, Some(_)) => (409, Value::Null),
            (_, None) => (404, Value::Null),
        }
    }

    /// A client that may be cut off alone.
    fn client(&self, cut: &Arc<AtomicBool>) -> Client {
        let (server, cut) = (self.clone(), cut.clone());
        let service = tower::service_fn(move |request: Request<Body>| {
            let (server, cut) = (server.clone(), cut.clone());
            async move {
                pause(Duration::from_millis(5)).await;
                if cut.load(Ordering::SeqCst) || server.away.load(Ordering::SeqCst) {
                    return Err(tower::BoxError::from("connection refused"));
                }
                let (parts, body) = request.into_parts();
                let body = serde_json::from_slice(&body.collect_bytes().await?).unwrap_or(Value::Null);
                let (status, mut answer) = server.answer(&parts.method, parts.uri.path(), &body);
                if status >= 400 {
                    answer = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
                        "code": status, "message": "no", "reason": if status == 404 { "NotFound" } else { "Conflict" } });
                }
                Ok(Response::builder().status(status).body(Body::from(answer.to_string().into_bytes()))?)
            }
        });
        Client::new(service, "none")
    }
}

/// A replica of an operator.
struct Replica {
    clock: Clock,
    fence: Fence,
    cut: Arc<AtomicBool>,
    readiness: Readiness,
    leading: watch::Receiver<bool>,
    leave: Option<oneshot::Sender<Leave>>,
    run: JoinHandle<anyhow::Result<()>>,
}

impl Replica {
    fn start(server: &Server, clock: Clock, name: &str, namespace: &str, scope: Option<&str>) -> Self {
        let (cut, readiness) = (Arc::<AtomicBool>::default(), Readiness::default());
        readiness.set();
        let fence = Fence::shut(clock.clone());
        let candidate =
            Candidate::new(server.client(&cut), namespace, Scope::of(scope), Some(name.into()), fence.clone());
        let (sender, leading) = watch::channel(false);
        let (leave, left) = oneshot::channel();
        let told = readiness.clone();
        let run = tokio::spawn(async move { candidate.run(&told, &Metrics::new(), sender, left).await });
        Self { clock, fence, cut, readiness, leading, leave: Some(leave), run }
    }

    /// It works, and what it sends goes out.
    fn leads(&self) -> bool {
        *self.leading.borrow() && !self.run.is_finished() && self.fence.holds_for(Duration::from_secs(10))
    }

    fn refused(&self) -> Option<String> {
        let (status, said) = self.readiness.answer();
        (status != http::StatusCode::OK).then_some(said)
    }

    async fn end(&mut self) {
        self.leave.take().expect("once").send(Leave::GivingBack).expect("it listens");
        (&mut self.run).await.expect("no panic").expect("no failure");
    }
}

async fn seconds(seconds: u64) {
    pause(Duration::from_secs(seconds)).await;
}

fn clock() -> Clock {
    Clock::starting_at(Timestamp::from_second(1_800_000_000).expect("a time"))
}

/// Two replicas of one operator, the first of which leads.
async fn two(server: &Server, ahead: SignedDuration) -> (Replica, Replica) {
    let clock = clock();
    let one = Replica::start(server, clock.clone(), "one", "home", None);
    seconds(3).await;
    let two = Replica::start(server, clock.ahead_by(ahead), "two", "home", None);
    seconds(6).await;
    assert!(one.leads() && !two.leads());
    (one, two)
}

#[tokio::test(start_paused = true)]
async fn a_standby_whose_clock_is_set_back_leads_when_the_leader_dies() {
    for step in [-60, -3600, 60, 3600] {
        let (one, two) = two(&Server::default(), SignedDuration::ZERO).await;
        two.clock.step(SignedDuration::from_secs(step));
        seconds(10).await;
        one.run.abort();
        seconds(35).await;
        assert!(two.leads(), "after a step of {step} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_live_lease_is_taken_by_no_clock() {
    for ahead in [SignedDuration::from_secs(60), HOUR, -HOUR] {
        let server = Server::default();
        let (one, two) = two(&server, ahead).await;
        for _ in 0..100 {
            seconds(3).await;
            assert!(one.leads() && !two.leads(), "a clock that is {ahead} ahead");
        }
        assert_eq!(server.lease("home")["spec"]["leaseTransitions"], 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_take_over_is_for_the_version_that_was_read() {
    let (server, clock, cut) = (Server::default(), clock(), Arc::<AtomicBool>::default());
    let candidate = |name: &str| {
        Candidate::new(server.client(&cut), "home", Scope::All, Some(name.into()), Fence::shut(clock.clone()))
    };
    let (mut one, mut two) = (candidate("one"), candidate("two"));
    assert!(matches!(one.claim(None).await, Ok(Turn::Ours)));
    let read = two.leases().get("playout").await.expect("it is there");
    assert!(matches!(one.renew().await, Ok(Turn::Ours)));
    assert!(matches!(two.claim(Some(&read)).await, Ok(Turn::Missed)), "a renewal in between was overwritten");
    // Nor does whoever gives back late what is another's by now.
    let stale = two.leases().get("playout").await.expect("it is there");
    assert!(matches!(one.renew().await, Ok(Turn::Ours)));
    two.ours = Some(stale);
    two.give_back().await.expect("no failure");
    assert_eq!(server.lease("home")["spec"]["holderIdentity"], "one");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_somebody_has_deleted_is_made_anew_and_never_twice() {
    let server = Server::default();
    let (one, two) = two(&server, SignedDuration::ZERO).await;
    for _ in 0..20 {
        server.leases.lock().expect("no panic").clear();
        seconds(3).await;
        assert!(one.leads() && !two.leads());
    }
    one.run.abort();
    server.leases.lock().expect("no panic").clear();
    seconds(20).await;
    assert!(!two.leads(), "who held it may not have noticed");
    seconds(15).await;
    assert!(two.leads());
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_was_away_ends_nothing() {
    let server = Server::default();
    server.away.store(true, Ordering::SeqCst);
    let first = Replica::start(&server, clock(), "one", "home", None);
    seconds(3600).await;
    assert!(!first.run.is_finished() && !first.leads());
    server.away.store(false, Ordering::SeqCst);
    seconds(3).await;
    assert!(first.leads(), "seconds after its return");
    let second = Replica::start(&server, first.clock.ahead_by(HOUR), "two", "home", None);
    seconds(6).await;

    server.away.store(true, Ordering::SeqCst);
    seconds(15).await;
    assert!(first.leads(), "a hiccup shuts nothing");
    seconds(15).await;
    assert!(!first.fence.holds_for(Duration::ZERO) && !second.fence.holds_for(Duration::ZERO));
    seconds(3600).await;
    assert!(!first.run.is_finished() && !second.run.is_finished());
    server.away.store(false, Ordering::SeqCst);
    seconds(3).await;
    assert!(first.leads() && !second.leads(), "the same leads as before, seconds after its return");
    seconds(60).await;
    assert!(first.leads() && !second.leads());
}

#[tokio::test(start_paused = true)]
async fn whoever_is_cut_off_is_shut_out_before_another_leads_and_ends() {
    let (mut one, two) = two(&Server::default(), SignedDuration::ZERO).await;
    one.cut.store(true, Ordering::SeqCst);
    let mut gap = 0;
    while !two.leads() {
        pause(Duration::from_millis(100)).await;
        gap += u32::from(!one.fence.holds_for(Duration::ZERO));
        assert!(!one.fence.holds_for(Duration::ZERO) || !two.fence.holds_for(Duration::ZERO), "both may send");
    }
    assert!((1..60).contains(&gap), "{gap} tenths of a second without anybody");
    one.cut.store(false, Ordering::SeqCst);
    let ended = (&mut one.run).await.expect("no panic").expect_err("the lease is lost").to_string();
    assert!(ended.contains("lost to two"), "{ended}");
    seconds(60).await;
    assert!(two.leads());
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_has_slept_sends_nothing_before_it_has_looked() {
    let (one, _two) = two(&Server::default(), SignedDuration::ZERO).await;
    // Its monotonic clock stood still.
    one.clock.step(SignedDuration::from_secs(60));
    assert!(!one.fence.holds_for(Duration::ZERO));
    seconds(3).await;
    assert!(one.leads(), "nobody else has taken it");
    one.clock.step(SignedDuration::from_secs(-60));
    assert!(one.leads());
    one.cut.store(true, Ordering::SeqCst);
    seconds(31).await;
    assert!(!one.fence.holds_for(Duration::ZERO), "a clock that was set back makes no lease longer");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_held_and_cannot_be_used_is_given_up() {
    let server = Server::default();
    let (mut one, _two) = two(&server, SignedDuration::ZERO).await;
    *server.refuses.lock().expect("no panic") = Some(403);
    seconds(31).await;
    assert!(!one.fence.holds_for(Duration::ZERO));
    let since = one.clock.instant();
    let ended = (&mut one.run).await.expect("no panic").expect_err("it is of no use").to_string();
    assert!(ended.contains("given up"), "{ended}");
    assert!(one.clock.instant() - since < LEASE * 2);
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_given_back_is_taken_at_once() {
    let server = Server::default();
    let (mut one, two) = two(&server, HOUR).await;
    one.end().await;
    seconds(3).await;
    assert!(two.leads() && !two.fence.took_over(two.clock.instant(), HOUR.unsigned_abs()));
    // One that dies gives nothing back, and its name says nothing of what it has sent.
    two.run.abort();
    let again = Replica::start(&server, two.clock.clone(), "two", "home", None);
    seconds(3).await;
    assert!(again.leads() && again.fence.took_over(again.clock.instant(), Duration::from_secs(10)));
    seconds(10).await;
    assert!(!again.fence.took_over(again.clock.instant(), Duration::from_secs(10)));
}

#[tokio::test(start_paused = true)]
async fn an_operator_does_nothing_beside_another_of_the_same_objects() {
    for (first, second) in [(None, None), (None, Some("live")), (Some("live"), None), (Some("live"), Some("live"))] {
        let server = Server::default();
        let mut one = Replica::start(&server, clock(), "one", "home", first);
        seconds(10).await;
        let two = Replica::start(&server, one.clock.ahead_by(HOUR), "two", "elsewhere", second);
        seconds(300).await;
        let why = two.refused().expect("it is not ready");
        assert!(one.leads() && one.refused().is_none() && !two.leads(), "{first:?} {second:?}");
        assert!(why.contains("operator one (Lease home/playout"), "{why}");
        one.end().await;
        seconds(10).await;
        assert!(two.leads() && two.refused().is_none(), "the other has ended: {:?}", two.refused());
    }
}

#[tokio::test(start_paused = true)]
async fn operators_of_other_namespaces_work_side_by_side() {
    let server = Server::default();
    let pairs = [("one", "home", "live"), ("two", "home", "test"), ("three", "elsewhere", "third")];
    let all: Vec<_> = pairs
        .map(|(name, home, scope)| Replica::start(&server, clock(), name, home, Some(scope)))
        .into_iter()
        .collect();
    seconds(10).await;
    assert!(all.iter().all(|replica| replica.leads() && replica.refused().is_none()));
}

#[tokio::test(start_paused = true)]
async fn of_two_who_begin_at_once_one_works() {
    for _ in 0..20 {
        let server = Server::default();
        let both = [("one", "home"), ("two", "elsewhere")]
            .map(|(name, home)| Replica::start(&server, clock(), name, home, None));
        for _ in 0..600 {
            pause(Duration::from_millis(100)).await;
            let working = both.iter().filter(|replica| *replica.leading.borrow()).count();
            assert!(working < 2, "both work");
        }
        assert!(both.iter().filter(|replica| replica.leads()).count() == 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_was_left_behind_is_no_operator() {
    let server = Server::default();
    let gone = Replica::start(&server, clock(), "gone", "home", None);
    seconds(5).await;
    gone.run.abort();
    // Its own standby is the first who takes over.
    let (other, standby) = (
        Replica::start(&server, gone.clock.clone(), "other", "elsewhere", None),
        Replica::start(&server, gone.clock.clone(), "standby", "home", None),
    );
    seconds(40).await;
    assert!(standby.leads() && !other.leads());
    standby.run.abort();
    seconds(90).await;
    assert!(other.leads(), "{:?}", other.refused());
    // Of what was left long ago a new process knows at once that nobody has it.
    other.run.abort();
    gone.clock.step(HOUR * 25);
    let third = Replica::start(&server, gone.clock.clone(), "third", "third", Some("live"));
    seconds(3).await;
    assert!(third.leads(), "{:?}", third.refused());
}
