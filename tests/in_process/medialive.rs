//! MediaLive's client against the simulator, and against canned answers where every member counts.

mod calls;
mod members;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
use playout_core::kinds::destination::groups::fields;
use playout_core::resources::channel::{
    Channel, ChannelSettings, ChannelState, EncodingName, HlsTarget, InputSource, InputState, MediaPackageTarget,
    NewChannel, NewInput, OutputGroup, OutputName, RtmpTarget, SrtTarget, Target, UdpTarget,
};
use playout_core::resources::flow::{Failover, NewFlow, NewSource, Protocol, SourceSettings};
use playout_core::secret::SecretText;
use serde_json::{Value, json};

use crate::fixtures::wire::Alive;
use crate::fixtures::world::{MEDIALIVE_ROLE, World};

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

fn target(url: &str, key: &str) -> Target {
    Target::Rtmp(RtmpTarget { url: SecretText::new(url), stream: SecretText::new(key), login: None })
}

fn settings(input: &str) -> ChannelSettings {
    let targets = BTreeMap::from([
        (Role::Primary.into(), target("rtmps://a.example.net:443/live2", KEY)),
        (Role::Backup.into(), target("rtmps://b.example.net:443/live2?backup=1", BACKUP_KEY)),
    ]);
    ChannelSettings::single(MEDIALIVE_ROLE.into(), input.into(), encoding(), targets)
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
