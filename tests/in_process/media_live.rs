//! MediaLive's client against the simulator, and against canned answers where every member counts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::fixtures::operator::{MEDIALIVE_ROLE, World};
use crate::fixtures::wire::Alive;
use anyhow::{Context as _, Result, ensure};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use playout_aws::clock::pause;
use playout_aws::cloudwatch::Subject;
use playout_aws::rate_limit::Urgency;
use playout_aws::servicequotas::{self, Limit, Limits};
use playout_aws::{Account, Region};
use playout_core::encoding::{Audio, Channels, Encoding, Framerate, Level, Profile};
use playout_core::endpoint::Role;
use playout_core::failure::FailureClass;
use playout_core::identity::Identity;
use playout_core::resources::channel::{
    Channel, ChannelSettings, ChannelState, InputState, NewChannel, NewInput, RtmpTarget,
};
use playout_core::resources::flow::{Failover, Protocol, SourceSettings};
use playout_core::resources::flow::{NewFlow, NewSource};
use playout_core::secret::SecretText;
use serde_json::{Value, json};

const KEY: &str = "cnry-key-7f3a91";
const BACKUP_KEY: &str = "cnry-backup-0c11d2";

fn encoding() -> Encoding {
    Encoding {
        width: 1920,
        height: 1080,
        framerate: Framerate { numerator: 30_000, denominator: 1001 },
        video_bitrate: 4_500_000,
        buffer_size: 4_500_000,
        gop_milliseconds: 2000,
        b_frames: 2,
        profile: Profile::High,
        level: Level::L4_1,
        audio: Audio { bitrate: 128_000, sample_rate: 48_000, channels: Channels::Stereo },
    }
}

fn target(url: &str, key: &str) -> RtmpTarget {
    RtmpTarget { url: SecretText::new(url), stream: SecretText::new(key), login: None }
}

fn settings(input: &str) -> ChannelSettings {
    ChannelSettings {
        role_arn: Some(MEDIALIVE_ROLE.into()),
        inputs: vec![input.into()],
        encoding: Some(encoding()),
        targets: BTreeMap::from([
            (Role::Primary, target("rtmps://a.example.net:443/live2", KEY)),
            (Role::Backup, target("rtmps://b.example.net:443/live2?backup=1", BACKUP_KEY)),
        ]),
    }
}

fn identity() -> Identity {
    let [cluster, kind, namespace, name, uid] = ["c1", "Destination", "show", "youtube", "u1"].map(str::to_string);
    Identity { cluster, kind, namespace, name, uid }
}

fn new_channel(input: &str) -> NewChannel {
    let tags = identity().tags(&BTreeMap::from([("team".to_string(), "news".to_string())]));
    NewChannel { name: identity().channel_name(), settings: settings(input), tags }
}

/// Answers every request with the same text, and keeps the last request's body.
#[derive(Clone, Debug, Default)]
struct Canned {
    status: u16,
    answer: Arc<Mutex<String>>,
    request: Arc<Mutex<Vec<u8>>>,
    count: Arc<AtomicUsize>,
}

impl HttpClient for Canned {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Canned {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.count.fetch_add(1, Ordering::SeqCst);
        *self.request.lock().expect("a lock") = request.body().bytes().unwrap_or_default().to_vec();
        let answer = SdkBody::from(self.answer.lock().expect("a lock").clone());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(self.status.try_into().expect("a status"), answer)))
    }
}

impl Canned {
    async fn new(status: u16, answer: &Value) -> (Self, Arc<Region>) {
        Self::with(status, answer, Limits::default()).await
    }

    async fn with(status: u16, answer: &Value, limits: Limits) -> (Self, Arc<Region>) {
        let this = Self { status, ..Self::default() };
        this.will_answer(answer);
        let world = World::new(None);
        let mut settings = world.settings(None, &Arc::default(), &world.redactor);
        settings.limits = limits;
        settings.http_client = Some(SharedHttpClient::new(this.clone()));
        (this, Account::new(settings).await.expect("an account").region(None).await)
    }

    fn will_answer(&self, answer: &Value) {
        *self.answer.lock().expect("a lock") = answer.to_string();
    }

    fn sent(&self) -> Value {
        serde_json::from_slice(&self.request.lock().expect("a lock")).expect("JSON")
    }
}

/// What the operator sends to make a channel.
async fn request_of(new: &NewChannel) -> Value {
    let made = json!({ "channel": { "id": "1", "arn": "arn:1", "state": "CREATING" } });
    let (canned, region) = Canned::new(201, &made).await;
    region.media_live.create_channel(new, "token").await.expect("a channel");
    canned.sent()
}

/// The request, as AWS would describe what it made.
fn described(request: &Value) -> Value {
    let mut answer = request.clone();
    answer["id"] = json!("1");
    answer["arn"] = json!("arn:1");
    answer["state"] = json!("IDLE");
    answer
}

/// The paths of all members and elements below a value.
fn paths(value: &Value, at: &str, found: &mut Vec<String>) {
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (format!("{at}/{name}"), value)).collect(),
        Value::Array(elements) => elements.iter().enumerate().map(|(n, value)| (format!("{at}/{n}"), value)).collect(),
        _ => return,
    };
    for (path, value) in inner {
        paths(value, &path, found);
        found.push(path);
    }
}

/// The value changed at a path, and then without what is there.
fn spoiled(value: &Value, path: &str) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let there = value.pointer(path).expect("a path of this value");
    let other = match there {
        Value::String(text) => Some(json!(format!("{text}0"))),
        Value::Number(number) => Some(json!(number.as_f64().expect("a number") + 1.0)),
        _ => None,
    };
    if let Some(other) = other {
        let mut changed = value.clone();
        // Whole numbers stay whole on the wire.
        let whole = other.as_f64().filter(|n| there.is_i64() && n.fract() == 0.0);
        #[expect(clippy::cast_possible_truncation, reason = "small numbers")]
        let other = whole.map_or(other, |n| json!(n as i64));
        *changed.pointer_mut(path).expect("a path") = other;
        all.push((format!("{path} changed"), changed));
    }
    let (parent, last) = path.rsplit_once('/').expect("a path");
    let mut without = value.clone();
    match without.pointer_mut(parent).expect("a path") {
        Value::Object(members) => drop(members.remove(last)),
        Value::Array(elements) => drop(elements.remove(last.parse().expect("a number"))),
        _ => unreachable!("only these have paths below them"),
    }
    all.push((format!("{path} removed"), without));
    all
}

#[tokio::test(start_paused = true)]
async fn every_member_that_is_sent_is_compared_and_no_other() -> Result<()> {
    let new = new_channel("7");
    let request = request_of(&new).await;
    let (canned, region) = Canned::new(200, &described(&request)).await;
    let seen =
        region.media_live.describe_channel("1", Urgency::Change).await.expect("an answer").context("a channel")?;
    let Channel { id, name, state, settings, tags, .. } = seen;
    ensure!((id.as_str(), &name, state) == ("1", &new.name, ChannelState::Idle));
    ensure!(tags == new.tags);
    ensure!(settings == new.settings, "{:?}", new.settings.differences(&settings));

    let mut all = Vec::new();
    paths(&request, "", &mut all);
    let compared = all.iter().filter(|path| {
        // These are facts of their own, or AWS does not show them.
        !["/name", "/requestId", "/tags"].iter().any(|other| path.starts_with(other))
    });
    let mut count = 0;
    for path in compared {
        for (what, answer) in spoiled(&described(&request), path) {
            canned.will_answer(&answer);
            let seen = region.media_live.describe_channel("1", Urgency::Change).await.expect("an answer");
            let differences = new.settings.differences(&seen.context("a channel")?.settings);
            ensure!(!differences.is_empty(), "{what} makes no difference");
            count += 1;
        }
    }
    ensure!(count > 150, "only {count} changes were tried");

    // What AWS fills in, and what others add beside it, is not ours to judge.
    let mut filled = described(&request);
    filled["maintenance"] = json!({ "maintenanceDay": "THURSDAY" });
    filled["inputAttachments"][0]["inputSettings"]["filterStrength"] = json!(1);
    filled["inputAttachments"][0]["inputSettings"]["audioSelectors"][0]["selectorSettings"] = json!({});
    filled["encoderSettings"]["captionDescriptions"] = json!([]);
    filled["encoderSettings"]["videoDescriptions"][0]["codecSettings"]["h264Settings"]["slices"] = json!(4);
    filled["encoderSettings"]["outputGroups"][0]["outputGroupSettings"]["rtmpGroupSettings"]["adMarkers"] = json!([]);
    filled["encoderSettings"]["outputGroups"][0]["outputs"][0]["captionDescriptionNames"] = json!([]);
    filled["destinations"][0]["mediaPackageSettings"] = json!([]);
    canned.will_answer(&filled);
    let seen =
        region.media_live.describe_channel("1", Urgency::Change).await.expect("an answer").context("a channel")?;
    ensure!(seen.settings == new.settings);

    // A second output group, description, attachment or login is a difference, and so is another track.
    let [groups, videos, inputs] =
        ["/encoderSettings/outputGroups", "/encoderSettings/videoDescriptions", "/inputAttachments"];
    for (list, element) in [
        (groups, json!({ "name": "archive" })),
        (videos, json!({ "name": "small" })),
        (inputs, json!({ "inputId": "8" })),
        ("/destinations/0/settings", json!({ "url": "rtmp://c.example.net/live" })),
    ] {
        let mut more = described(&request);
        more.pointer_mut(list).and_then(Value::as_array_mut).context("a list")?.push(element);
        canned.will_answer(&more);
        let seen = region.media_live.describe_channel("1", Urgency::Change).await.expect("an answer");
        ensure!(!new.settings.differences(&seen.context("a channel")?.settings).is_empty(), "more in {list}");
    }
    for (member, value) in [
        (
            "/destinations/0/settings/0",
            json!({ "url": "rtmps://a.example.net:443/live2", "streamName": KEY, "username": "me" }),
        ),
        (
            "/inputAttachments/0/inputSettings/audioSelectors/0",
            json!({ "name": "default", "selectorSettings": { "audioPidSelection": { "pid": 482 } } }),
        ),
    ] {
        let mut other = described(&request);
        *other.pointer_mut(member).context("a member")? = value;
        canned.will_answer(&other);
        let seen = region.media_live.describe_channel("1", Urgency::Change).await.expect("an answer");
        ensure!(!new.settings.differences(&seen.context("a channel")?.settings).is_empty(), "another {member}");
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn each_encoding_comes_back_as_it_was_sent() -> Result<()> {
    let one = encoding();
    let mut encodings = vec![
        Encoding { width: 640, ..one.clone() },
        Encoding { height: 360, ..one.clone() },
        Encoding { framerate: Framerate::whole(50), ..one.clone() },
        Encoding { video_bitrate: 3_000_000, ..one.clone() },
        Encoding { buffer_size: 3_000_000, ..one.clone() },
        Encoding { b_frames: 0, ..one.clone() },
        Encoding { audio: Audio { bitrate: 96_000, ..one.audio }, ..one.clone() },
        Encoding { audio: Audio { sample_rate: 44_100, ..one.audio }, ..one.clone() },
        Encoding { audio: Audio { channels: Channels::Mono, ..one.audio }, ..one.clone() },
    ];
    encodings.extend([500, 1001, 1500, 2002, 3333, 4000].map(|gop| Encoding { gop_milliseconds: gop, ..one.clone() }));
    encodings.extend([Profile::Baseline, Profile::Main].map(|profile| Encoding { profile, ..one.clone() }));
    use Level::{L3, L3_1, L3_2, L4, L4_2, L5, L5_1, L5_2};
    encodings.extend([L3, L3_1, L3_2, L4, L4_2, L5, L5_1, L5_2].map(|level| Encoding { level, ..one.clone() }));
    for encoding in encodings {
        let mut new = new_channel("7");
        new.settings.encoding = Some(encoding.clone());
        let (_, region) = Canned::new(200, &described(&request_of(&new).await)).await;
        let seen = region.media_live.describe_channel("1", Urgency::Change).await.expect("an answer");
        let seen = seen.context("a channel")?.settings;
        ensure!(seen == new.settings, "{encoding:?}: {:?}", seen.encoding);
        ensure!(seen.encoding != Some(one.clone()));
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_update_has_all_that_the_create_had() -> Result<()> {
    let new = new_channel("7");
    let mut created = request_of(&new).await;
    let (canned, region) = Canned::new(200, &json!({ "channel": {} })).await;
    region.media_live.update_channel("1", &new.name, &new.settings).await.expect("an answer");
    // Tags have calls of their own, and so has the class.
    for member in ["requestId", "tags", "channelClass"] {
        ensure!(created.as_object_mut().and_then(|body| body.remove(member)).is_some(), "{member} was not sent");
    }
    ensure!(canned.sent() == created);
    ensure!(created["roleArn"] == MEDIALIVE_ROLE);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_aws_repeats_of_a_request_is_told_without_the_key() -> Result<()> {
    let refusal = json!({
        "message": format!("Destination rtmps://a.example.net:443/live2/{KEY} is not valid"),
        "validationErrors": [{ "elementPath": "/destinations/0", "errorMessage": format!("streamName {KEY}") }],
    });
    let (_, region) = Canned::new(422, &refusal).await;
    let new = new_channel("7");
    // A key that is no longer the object's is known from what AWS has.
    let (canned, knowing) = Canned::new(200, &described(&request_of(&new).await)).await;
    let seen = knowing.media_live.describe_channel("1", Urgency::Change).await.expect("an answer").expect("a channel");
    ensure!(!format!("{new:?}{}", serde_json::to_string(&new)?).contains("cnry"));
    let failure = region.media_live.create_channel(&new, "token").await.expect_err("a refusal");
    ensure!(failure.class == FailureClass::Invalid && failure.message.contains("/destinations/0"), "{failure:?}");
    ensure!(!failure.message.contains("cnry"), "{failure:?}");

    let alert = |state: &str, message: &str| json!({ "alertType": "Failed RTMP Connection", "state": state, "message": message });
    canned.will_answer(&json!({ "alerts": [
        alert("SET", &format!("Output group backup: unable to open output [rtmps://b.example.net:443/live2/{BACKUP_KEY}].")),
        alert("SET", &format!("The server does not know {KEY}")),
        alert("CLEARED", "nothing"),
    ] }));
    let alerts = knowing.media_live.alerts(&seen).await.expect("alerts");
    ensure!(alerts.len() == 2 && !format!("{alerts:?}").contains("cnry"), "{alerts:?}");
    ensure!(alerts[0].role == Some(Role::Backup) && alerts[0].message.contains("rtmps://b.example.net:443"));
    ensure!(alerts[1].role.is_none());
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_understood_is_not_taken_for_absent() -> Result<()> {
    let strange =
        |tags: Value| json!({ "channels": [{ "id": "1", "arn": "arn:1", "state": "DREAMING", "tags": tags }] });
    let (canned, region) = Canned::new(200, &strange(json!({ "playout.dev/cluster": "c1" }))).await;
    ensure!(region.media_live.list_channels(Urgency::Change).await.is_err(), "it may be ours");
    canned.will_answer(&strange(json!({})));
    ensure!(region.media_live.list_channels(Urgency::Change).await.expect("a list").is_empty());
    canned.will_answer(&json!({ "id": "1", "arn": "arn:1", "state": "DREAMING" }));
    ensure!(region.media_live.describe_channel("1", Urgency::Change).await.is_err());
    Ok(())
}

/// A call until its answer is as wanted.
async fn until<T: fmt::Debug>(what: &str, mut look: impl AsyncFnMut() -> T, is: impl Fn(&T) -> bool) -> Result<T> {
    let mut seen = None;
    for _ in 0..600 {
        let now = look().await;
        if is(&now) {
            return Ok(now);
        }
        seen = Some(now);
        pause(Duration::from_secs(1)).await;
    }
    anyhow::bail!("not {what}: {seen:?}")
}

async fn channel(region: &Region, id: &str, state: ChannelState) -> Result<Arc<Channel>> {
    let look = async || region.channels.describe(id, Duration::ZERO, Urgency::Change).await.expect("an answer");
    let seen = until(state.as_str(), look, |seen| seen.as_ref().is_some_and(|seen| seen.state == state)).await?;
    seen.context("a channel")
}

async fn input(region: &Region, id: &str, state: InputState) -> Result<Arc<playout_core::resources::channel::Input>> {
    let look = async || region.channels.describe_input(id, Duration::ZERO, Urgency::Change).await.expect("an answer");
    let seen = until(state.as_str(), look, |seen| seen.as_ref().is_some_and(|seen| seen.state == state)).await?;
    seen.context("an input")
}

async fn flow(region: &Region, name: &str) -> String {
    let source = NewSource {
        name: "main".into(),
        settings: SourceSettings {
            protocol: Protocol::SrtListener,
            description: "A feed".into(),
            whitelist_cidr: Some("192.0.2.0/24".into()),
            ingest_port: Some(5000),
            max_bitrate: None,
            min_latency: Some(2000),
            max_latency: None,
            stream_id: None,
            listener_address: None,
            listener_port: None,
            vpc_interface: None,
            decryption: None,
            rtmp: None,
            ndi_source_name: None,
        },
        tags: BTreeMap::new(),
    };
    let new = NewFlow {
        name: name.into(),
        tags: BTreeMap::new(),
        sources: vec![source],
        failover: Failover::default(),
        size: None,
        availability_zone: None,
        vpc_interfaces: Vec::new(),
        ndi: None,
        maintenance: None,
    };
    region.media_connect.create_flow(&new).await.expect("a flow")
}

#[tokio::test(start_paused = true)]
async fn a_channel_lives_and_dies_as_the_client_says() -> Result<()> {
    let world = World::new(None);
    let account = Account::new(world.settings(None, &Arc::<Alive>::default(), &world.redactor)).await?;
    let region = account.region(None).await;
    let (live, channels) = (&region.media_live, &region.channels);
    let (first, second) = (flow(&region, "one").await, flow(&region, "two").await);

    let tags = identity().tags(&BTreeMap::new());
    let role_arn = MEDIALIVE_ROLE.to_string();
    let new = NewInput { name: identity().input_name(), flow: first.clone(), role_arn, tags };
    let made = live.create_input(&new, "input-1").await.expect("an input");
    ensure!(live.create_input(&new, "input-1").await.expect("the same").id == made.id, "the token makes one of two");
    let other = NewInput { flow: second.clone(), ..new.clone() };
    let failure = live.create_input(&other, "input-1").await.expect_err("the token is used");
    ensure!(failure.class == FailureClass::Conflict, "{failure:?}");
    let seen = input(&region, &made.id, InputState::Detached).await?;
    ensure!(seen.flows == [first.clone()] && seen.tags == new.tags && seen.channels.is_empty(), "{seen:?}");

    let new = new_channel(&made.id);
    let id = live.create_channel(&new, "channel-1").await.expect("a channel").id;
    ensure!(live.create_channel(&new, "channel-1").await.expect("the same").id == id);
    let seen = channel(&region, &id, ChannelState::Idle).await?;
    ensure!(seen.name == new.name && seen.tags == new.tags);
    ensure!(seen.settings == new.settings, "{:?}", new.settings.differences(&seen.settings));
    ensure!(new.settings.differences(&seen.settings).is_empty());
    ensure!(input(&region, &made.id, InputState::Attached).await?.channels == std::slice::from_ref(&id));

    let list = channels.list(Duration::from_secs(60), Urgency::Change).await.expect("a list");
    ensure!(list.len() == 1 && list[0].id == id && list[0].tags == new.tags, "{list:?}");
    let shared = channels.list(Duration::from_secs(60), Urgency::Change).await.expect("a list");
    ensure!(Arc::ptr_eq(&list, &shared), "one List serves all");
    let usage = servicequotas::channels(&list, region.quotas.limit(Limit::Channels, list.len()).await, "show");
    ensure!((usage.used, usage.limit, usage.by.join(" ").as_str()) == (1, 5, "Destination/youtube"), "{usage:?}");
    let inputs = channels.inputs(Duration::from_secs(60), Urgency::Change).await.expect("a list");
    let usage = servicequotas::push_inputs(&inputs, region.quotas.limit(Limit::PushInputs, inputs.len()).await, "show");
    ensure!((usage.used, usage.by.join(" ").as_str()) == (1, "Destination/youtube"), "{usage:?}");

    world.sim.set_receiver("b.example.net", None, playout_sim::Receiver::Refuse);
    region.media_connect.start_flow(&first).await.expect("a start");
    live.start_channel(&id).await.expect("a start");
    channel(&region, &id, ChannelState::Running).await?;
    let alerts =
        until("an alert", async || live.alerts(&seen).await.expect("alerts"), |found| !found.is_empty()).await?;
    ensure!(alerts.iter().all(|alert| alert.role == Some(Role::Backup)), "{alerts:?}");
    let connected = async |role: Role| {
        let key = format!("{id}/{}", role.as_str());
        region.measurements.read(Subject::ChannelOutput, &key, Duration::ZERO, None).await.expect("a reading")
    };
    until("on the air", async || connected(Role::Primary).await.measured.connected, |on| *on == Some(true)).await?;
    let backup = connected(Role::Backup).await;
    ensure!(backup.measured.connected == Some(false) && backup.until.is_some(), "{backup:?}");
    let whole = connected(Role::Primary).await.measured;
    ensure!(whole.bitrate.is_some_and(|bitrate| (4.0e6..6.0e6).contains(&bitrate)), "{whole:?}");

    let failure = live.update_channel(&id, &new.name, &new.settings).await.expect_err("it runs");
    ensure!(failure.class == FailureClass::Conflict, "{failure:?}");
    live.tag(&seen.arn, &BTreeMap::from([("team".to_string(), "sport".to_string())])).await.expect("a tag");
    channels.doubt(&id);
    ensure!(channel(&region, &id, ChannelState::Running).await?.tags["team"] == "sport");
    ensure!(channels.list(Duration::from_secs(60), Urgency::Change).await.expect("a list")[0].tags["team"] == "sport");

    live.stop_channel(&id).await.expect("a stop");
    channel(&region, &id, ChannelState::Idle).await?;
    let mut wish = new.settings.clone();
    wish.encoding = Some(Encoding { video_bitrate: 6_000_000, buffer_size: 6_000_000, ..encoding() });
    wish.targets = BTreeMap::from([(Role::Primary, target("rtmp://c.example.net:1935/app", "another-key"))]);
    ensure!(wish.differences(&new.settings) == ["encoding", "url", "streamKey", "backup"]);
    live.update_channel(&id, &new.name, &wish).await.expect("an update");
    channels.touched(&id);
    let seen = channel(&region, &id, ChannelState::Idle).await?;
    ensure!(seen.settings == wish, "{:?}", wish.differences(&seen.settings));

    live.update_input(&made.id, &identity().input_name(), &second, MEDIALIVE_ROLE).await.expect("another flow");
    ensure!(input(&region, &made.id, InputState::Attached).await?.flows == [second]);

    ensure!(live.delete_input(&made.id).await.is_err_and(|failure| failure.class == FailureClass::Conflict));
    live.delete_channel(&id).await.expect("a deletion");
    channel(&region, &id, ChannelState::Deleted).await?;
    let failure = live.create_channel(&new, "channel-1").await.expect_err("AWS remembers one that is gone");
    ensure!(failure.class == FailureClass::Absent, "{failure:?}");
    channels.list_changed();
    let list = channels.list(Duration::ZERO, Urgency::Change).await.expect("a list");
    ensure!(servicequotas::channels(&list, 5, "show").used == 0, "a tombstone does not count");
    live.delete_input(&made.id).await.expect("a deletion");
    let gone = async || channels.describe_input(&made.id, Duration::ZERO, Urgency::Change).await.expect("an answer");
    until("gone", gone, Option::is_none).await?;
    live.delete_input(&made.id).await.expect("gone is a success");
    live.delete_channel("4711").await.expect("gone is a success");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_full_account_is_told_from_other_refusals() -> Result<()> {
    let world = World::new(None);
    world.sim.set_quotas(&json!({ "pushInputs": 1, "channels": 12 }))?;
    let account = Account::new(world.settings(None, &Arc::default(), &world.redactor)).await?;
    let region = account.region(None).await;
    ensure!(
        region.quotas.limit(Limit::Channels, 0).await == 12 && region.quotas.limit(Limit::PushInputs, 0).await == 1
    );
    let flow = flow(&region, "one").await;
    let new = |name: &str| NewInput {
        name: name.into(),
        flow: flow.clone(),
        role_arn: MEDIALIVE_ROLE.into(),
        tags: BTreeMap::new(),
    };
    region.media_live.create_input(&new("a"), "a").await.expect("an input");
    let failure = region.media_live.create_input(&new("b"), "b").await.expect_err("a full account");
    ensure!(failure.class == FailureClass::Quota, "{failure:?}");
    let mut wish = new_channel("4711");
    wish.settings.targets.clear();
    let failure = region.media_live.create_channel(&wish, "c").await.expect_err("nothing to send to");
    ensure!(failure.class == FailureClass::Invalid, "{failure:?}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn metrics_of_a_channel_and_of_its_output_groups_are_read() -> Result<()> {
    let answer = json!({ "MetricDataResults": [] });
    let (canned, region) = Canned::new(200, &answer).await;
    let _ = region.measurements.read(Subject::ChannelOutput, "1/backup", Duration::ZERO, None).await;
    let sent = String::from_utf8_lossy(&canned.request.lock().expect("a lock")).into_owned();
    for word in ["AWS/MediaLive", "ActiveOutputs", "ChannelId", "OutputGroupName", "backup", "Pipeline", "NetworkOut"] {
        ensure!(sent.contains(word), "{word} is not in {sent}");
    }
    ensure!(sent.matches("OutputGroupName").count() == 1, "AWS measures NetworkOut of the channel alone: {sent}");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_quota_is_what_the_operator_was_told_else_what_aws_says_else_what_aws_documents() -> Result<()> {
    let quota = |name: &str, value: f64| json!({ "QuotaName": name, "Value": value });
    let said = json!({ "Quotas": [quota("Channels", 12.0), quota("HEVC Channels", 7.0), quota("Flows", 40.0)] });
    let (canned, region) = Canned::with(200, &said, Limits { flows: Some(3), ..Limits::default() }).await;
    ensure!(region.quotas.limit(Limit::Flows, 0).await == 3);
    ensure!(region.quotas.limit(Limit::Channels, 0).await == 12);
    ensure!(region.quotas.limit(Limit::PushInputs, 0).await == 5, "AWS does not say it");
    ensure!(canned.count.load(Ordering::SeqCst) == 1, "one answer serves for both, and the told one asks nobody");
    pause(Duration::from_secs(601)).await;
    canned.will_answer(&json!({ "Quotas": [quota("Channels", 20.0), quota("Push Inputs", 10.0)] }));
    ensure!(
        region.quotas.limit(Limit::PushInputs, 0).await == 10 && region.quotas.limit(Limit::Channels, 0).await == 20
    );

    let (canned, region) = Canned::new(400, &json!({ "__type": "AccessDeniedException", "message": "no" })).await;
    for _ in 0..10 {
        ensure!(region.quotas.limit(Limit::Channels, 0).await == 5 && region.quotas.limit(Limit::Flows, 0).await == 20);
    }
    ensure!(canned.count.load(Ordering::SeqCst) == 2, "a denial is remembered, for each service");
    Ok(())
}

/// AWS's SDKs take an empty token for the end of a list. Who does not asks for the first page for ever.
#[tokio::test(start_paused = true)]
async fn a_list_ends_with_an_empty_token() -> Result<()> {
    let page = json!({ "flows": [], "channels": [], "inputs": [], "nextToken": "", "SecretList": [], "Quotas": [], "NextToken": "" });
    let (canned, region) = Canned::new(200, &page).await;
    let age = Duration::ZERO;
    let lists = async {
        region.media_connect.list_flows(Urgency::Change).await.expect("flows");
        region.secrets.copies(age, Urgency::Change).await.expect("secrets");
        region.media_live.list_channels(Urgency::Change).await.expect("channels");
        region.media_live.list_inputs(Urgency::Change).await.expect("inputs");
        region.quotas.limit(Limit::Flows, 0).await
    };
    tokio::time::timeout(Duration::from_secs(60), lists).await.context("a list has no end")?;
    ensure!(canned.count.load(Ordering::SeqCst) == 5, "{} pages", canned.count.load(Ordering::SeqCst));
    Ok(())
}
