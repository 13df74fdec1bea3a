//! One `send` of a create is one request, for every service that the design names, with the clients as the operator sets them
//! up. With the SDK's default a lost answer makes three: three flows, three channels, three bills.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use playout_aws::account::{Account, Settings, sdk_config};
use playout_aws::clock::Clock;
use playout_aws::fence::Fence;
use playout_aws::redact::Redactor;
use playout_aws::servicequotas::Limits;
use playout_core::encoding::{Audio, Channels, Encoding, Framerate, Level, Profile};
use playout_core::endpoint::Role;
use playout_core::resources::channel::{ChannelSettings, InputSource, NewChannel, NewInput, RtmpTarget, Target};
use playout_core::secret::SecretText;
use playout_operator::metrics::Metrics;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// What the server does with a request that it has read.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// Closes the connection: the answer is lost.
    Nothing,
    /// An error after the request may have been carried out.
    ServerError,
}

/// A server that counts requests.
async fn server(answer: Answer) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let requests = Arc::new(AtomicUsize::new(0));
    let count = requests.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let count = count.clone();
            tokio::spawn(async move {
                let mut bytes = [0; 65_536];
                if socket.read(&mut bytes).await.is_ok_and(|n| n > 0) {
                    count.fetch_add(1, Ordering::SeqCst);
                    if let Answer::ServerError = answer {
                        let text =
                            "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
                        let _ = socket.write_all(text.as_bytes()).await;
                    }
                }
            });
        }
    });
    (url, requests)
}

fn settings(url: &str) -> Settings {
    let clock = Clock::system();
    let credentials = Credentials::new("AKIAPLAYOUTSIMULATOR", "simulator-secret", None, None, "test");
    Settings {
        region: Some("us-west-2".into()),
        endpoint_url: Some(url.into()),
        credentials: Some(SharedCredentialsProvider::new(credentials)),
        http_client: None,
        metric_period: Duration::from_secs(60),
        limits: Limits::default(),
        clock: clock.clone(),
        redactor: Redactor::default(),
        fence: Fence::open(clock),
        observer: Arc::new(Metrics::new()),
    }
}

#[tokio::test]
async fn a_create_without_an_answer_is_sent_once() {
    for answer in [Answer::Nothing, Answer::ServerError] {
        let (url, requests) = server(answer).await;
        let sdk = sdk_config(&settings(&url)).await;
        let mut sent = 0;
        let mut once = |service: &str, failed: bool| {
            sent += 1;
            assert!(failed, "{service}: there was no answer");
            assert_eq!(requests.load(Ordering::SeqCst), sent, "{service} with {answer:?}");
        };
        let flow = aws_sdk_mediaconnect::Client::new(&sdk).create_flow().name("show").send().await;
        once("MediaConnect CreateFlow", flow.is_err());
        let channel = aws_sdk_medialive::Client::new(&sdk).create_channel().name("show").send().await;
        once("MediaLive CreateChannel", channel.is_err());
        let input = aws_sdk_medialive::Client::new(&sdk).create_input().name("show").send().await;
        once("MediaLive CreateInput", input.is_err());
        let channel = aws_sdk_ivs::Client::new(&sdk).create_channel().name("show").send().await;
        once("IVS CreateChannel", channel.is_err());
        let secret = aws_sdk_secretsmanager::Client::new(&sdk).create_secret().name("show").send().await;
        once("Secrets Manager CreateSecret", secret.is_err());
    }
}

fn new_input() -> NewInput {
    let [name, flow, role_arn] = ["show", "arn:flow", "arn:role"].map(str::to_string);
    NewInput { name, from: InputSource::Flow(flow), role_arn, tags: BTreeMap::new() }
}

fn new_channel() -> NewChannel {
    let encoding = Encoding {
        width: 1280,
        height: 720,
        framerate: Framerate::whole(30),
        video_bitrate: 3_000_000,
        buffer_size: 3_000_000,
        gop_milliseconds: 2000,
        b_frames: 2,
        profile: Profile::High,
        level: Level::L3_1,
        audio: Audio { bitrate: 128_000, sample_rate: 48_000, channels: Channels::Stereo },
    };
    let target =
        RtmpTarget { url: SecretText::new("rtmp://a.example:1935/app"), stream: SecretText::new("key"), login: None };
    let targets = BTreeMap::from([(Role::Primary.into(), Target::Rtmp(target))]);
    let settings = ChannelSettings::single("arn:role".into(), "1".into(), encoding, targets);
    NewChannel { name: "show".into(), settings, tags: BTreeMap::new() }
}

/// The same through the operator's own client, which sets the token and classifies the failure.
#[tokio::test]
async fn a_create_of_the_operator_is_sent_once_and_its_outcome_is_unknown() {
    for answer in [Answer::Nothing, Answer::ServerError] {
        let (url, requests) = server(answer).await;
        let region = Account::new(settings(&url)).await.expect("an account").region(None).await;
        let input = region.medialive.create_input(&new_input(), "token").await.expect_err("there was no answer");
        assert!(input.outcome_unknown(), "{input:?}");
        assert_eq!(requests.load(Ordering::SeqCst), 1, "CreateInput with {answer:?}");
        let channel = region.medialive.create_channel(&new_channel(), "token").await.expect_err("there was no answer");
        assert!(channel.outcome_unknown(), "{channel:?}");
        assert_eq!(requests.load(Ordering::SeqCst), 2, "CreateChannel with {answer:?}");
    }
}
