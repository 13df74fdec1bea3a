//! The simulator over a real socket, spoken to by the unmodified SDK of AWS.

mod ivs;
mod medialive;

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_mediaconnect::config::{BehaviorVersion, Region, retry::RetryConfig};
use aws_sdk_mediaconnect::error::ProvideErrorMetadata as _;
use aws_sdk_mediaconnect::types::{AddOutputRequest, OutputStatus, Protocol, SetSourceRequest, Status};
use playout_sim::server::{self, Running};
use playout_sim::{Config, Fault, FaultKind, Sim};

const SPEED: f64 = 200.0;

async fn world() -> (Sim, Running) {
    let sim = Sim::start(Config { speed: SPEED, ..Config::default() });
    let server = server::spawn(sim.clone()).await.expect("a free port");
    (sim, server)
}

async fn sdk(url: &str, secret: &str, attempts: u32) -> aws_config::SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(url)
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::new("AKIAPLAYOUTSIMULATOR", secret, None, None, "test"))
        .retry_config(RetryConfig::standard().with_max_attempts(attempts))
        .load()
        .await
}

async fn mediaconnect(url: &str, attempts: u32) -> aws_sdk_mediaconnect::Client {
    aws_sdk_mediaconnect::Client::new(&sdk(url, "simulator-secret", attempts).await)
}

fn source(name: &str, port: i32) -> SetSourceRequest {
    SetSourceRequest::builder()
        .name(name)
        .protocol(Protocol::SrtListener)
        .ingest_port(port)
        .whitelist_cidr("203.0.113.0/24")
        .build()
}

async fn wait_for(client: &aws_sdk_mediaconnect::Client, arn: &str, wanted: Status) {
    for _ in 0..200 {
        let flow = client.describe_flow().flow_arn(arn).send().await.expect("describe").flow.expect("flow");
        if flow.status.as_ref() == Some(&wanted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the flow never became {wanted}");
}

#[tokio::test]
async fn a_flow_lives_from_creation_to_deletion() {
    let (sim, server) = world().await;
    let client = mediaconnect(&server.url(), 1).await;

    let made = client
        .create_flow()
        .name("show")
        .flow_tags("team", "live")
        .sources(source("primary", 5000))
        .send()
        .await
        .expect("create");
    let flow = made.flow.expect("flow");
    let arn = flow.flow_arn.expect("arn");
    assert_eq!(flow.status, Some(Status::Standby));
    assert_eq!(flow.source.expect("source").name.as_deref(), Some("primary"));

    let added = client
        .add_flow_outputs()
        .flow_arn(&arn)
        .outputs(
            AddOutputRequest::builder()
                .name("studio")
                .protocol(Protocol::SrtCaller)
                .destination("studio.example.net")
                .port(6000)
                .build(),
        )
        .send()
        .await
        .expect("outputs");
    let output = &added.outputs()[0];
    assert_eq!(output.output_status, Some(OutputStatus::Enabled));
    assert_eq!(output.transport.as_ref().expect("transport").min_latency, Some(2000));

    client.start_flow().flow_arn(&arn).send().await.expect("start");
    let early = client.start_flow().flow_arn(&arn).send().await.expect_err("it is starting");
    assert!(early.into_service_error().is_bad_request_exception());
    wait_for(&client, &arn, Status::Active).await;
    client.stop_flow().flow_arn(&arn).send().await.expect("stop");
    wait_for(&client, &arn, Status::Standby).await;

    let tags = client.list_tags_for_resource().resource_arn(&arn).send().await.expect("tags");
    assert_eq!(tags.tags.expect("tags")["team"], "live");
    client.untag_resource().resource_arn(&arn).tag_keys("team").send().await.expect("untag");
    client.delete_flow().flow_arn(&arn).send().await.expect("delete");
    for _ in 0..200 {
        match client.describe_flow().flow_arn(&arn).send().await {
            Ok(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => {
                assert!(error.into_service_error().is_not_found_exception());
                assert_eq!(sim.counts()["total"], 0);
                return;
            }
        }
    }
    panic!("the flow was never gone");
}

#[tokio::test]
async fn a_request_that_is_not_signed_is_refused() {
    let (_sim, server) = world().await;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut socket = tokio::net::TcpStream::connect(server.url().trim_start_matches("http://")).await.expect("connect");
    socket.write_all(b"GET /v1/flows HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.expect("write");
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.expect("read");
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    assert!(answer.contains("MissingAuthenticationToken"), "{answer}");
}

#[tokio::test]
async fn a_signature_with_another_secret_is_refused() {
    let (_sim, server) = world().await;
    let client = aws_sdk_mediaconnect::Client::new(&sdk(&server.url(), "wrong", 1).await);
    let error = client.list_flows().send().await.expect_err("refused");
    assert_eq!(error.raw_response().expect("an answer").status().as_u16(), 403);
    assert_eq!(error.code(), Some("InvalidSignatureException"));
}

#[tokio::test]
async fn a_dropped_answer_is_a_closed_connection() {
    let (sim, server) = world().await;
    let client = mediaconnect(&server.url(), 1).await;
    sim.plant_fault(Fault::new("mediaconnect", "CreateFlow", FaultKind::DropAfter));
    let error = client.create_flow().name("show").sources(source("primary", 5000)).send().await.expect_err("no answer");
    assert!(error.raw_response().is_none(), "{error:?}");
    assert_eq!(sim.counts()["regions"]["eu-west-1"]["mediaconnect"]["flows"], 1);
    let log = sim.log(0);
    assert!(log[0].processed && !log[0].answered);
}

/// The trap that the SDK's own retry is: CreateFlow has no token, and each attempt makes a flow.
#[tokio::test]
async fn with_the_default_retry_two_lost_answers_make_three_flows() {
    let (sim, server) = world().await;
    let client = mediaconnect(&server.url(), 3).await;
    sim.plant_fault(Fault { times: 2, ..Fault::new("mediaconnect", "CreateFlow", FaultKind::DropAfter) });
    client.create_flow().name("show").sources(source("primary", 5000)).send().await.expect("the third attempt");
    assert_eq!(sim.counts()["regions"]["eu-west-1"]["mediaconnect"]["flows"], 3);
}

#[tokio::test]
async fn with_one_attempt_a_lost_answer_leaves_one_flow() {
    let (sim, server) = world().await;
    let client = mediaconnect(&server.url(), 1).await;
    sim.plant_fault(Fault { times: 2, ..Fault::new("mediaconnect", "CreateFlow", FaultKind::DropAfter) });
    client.create_flow().name("show").sources(source("primary", 5000)).send().await.expect_err("no answer");
    assert_eq!(sim.counts()["regions"]["eu-west-1"]["mediaconnect"]["flows"], 1);
}

#[tokio::test]
async fn parameters_and_secrets_speak_json() {
    let (_sim, server) = world().await;
    let config = sdk(&server.url(), "simulator-secret", 1).await;
    let ssm = aws_sdk_ssm::Client::new(&config);
    ssm.put_parameter()
        .name("/live/password")
        .value("hunter2")
        .r#type(aws_sdk_ssm::types::ParameterType::SecureString)
        .send()
        .await
        .expect("put");
    let value = |decrypt| {
        let ssm = ssm.clone();
        async move {
            let got = ssm.get_parameter().name("/live/password").with_decryption(decrypt).send().await.expect("get");
            got.parameter.and_then(|p| p.value).expect("value")
        }
    };
    assert_eq!(value(true).await, "hunter2");
    assert_ne!(value(false).await, "hunter2");
    let absent = ssm.get_parameter().name("/none").send().await.expect_err("absent").into_service_error();
    assert!(absent.is_parameter_not_found());

    let secrets = aws_sdk_secretsmanager::Client::new(&config);
    let made = secrets.create_secret().name("key").secret_string("a passphrase").send().await.expect("create");
    let got = secrets.get_secret_value().secret_id(made.arn().expect("arn")).send().await.expect("get");
    assert_eq!(got.secret_string(), Some("a passphrase"));
    let again = secrets.create_secret().name("key").secret_string("other").send().await.expect_err("exists");
    assert!(again.into_service_error().is_resource_exists_exception());
    secrets.delete_secret().secret_id("key").force_delete_without_recovery(true).send().await.expect("delete");
    let gone = secrets.get_secret_value().secret_id("key").send().await.expect_err("gone");
    assert!(gone.into_service_error().is_resource_not_found_exception());
}

#[tokio::test]
async fn metrics_speak_cbor() {
    use aws_sdk_cloudwatch::primitives::DateTime;
    use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};

    let (_sim, server) = world().await;
    let client = mediaconnect(&server.url(), 1).await;
    let made = client.create_flow().name("show").sources(source("primary", 5000)).send().await.expect("create");
    let flow = made.flow.expect("flow");
    let arn = flow.flow_arn.expect("arn");
    client.start_flow().flow_arn(&arn).send().await.expect("start");
    wait_for(&client, &arn, Status::Active).await;

    let cloudwatch = aws_sdk_cloudwatch::Client::new(&sdk(&server.url(), "simulator-secret", 1).await);
    let metric = Metric::builder()
        .namespace("AWS/MediaConnect")
        .metric_name("SourceBitRate")
        .dimensions(Dimension::builder().name("FlowARN").value(&arn).build())
        .build();
    let stat = MetricStat::builder().metric(metric).period(10).stat("Average").build();
    let ask = async || {
        let now = std::time::SystemTime::now();
        cloudwatch
            .get_metric_data()
            .start_time(DateTime::from(now - Duration::from_secs(300)))
            .end_time(DateTime::from(now + Duration::from_secs(1)))
            .metric_data_queries(MetricDataQuery::builder().id("q").metric_stat(stat.clone()).build())
            .send()
            .await
            .expect("metric data")
    };
    // Publication lags.
    let mut answer = ask().await;
    for _ in 0..200 {
        if !answer.metric_data_results()[0].values().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
        answer = ask().await;
    }
    let now = std::time::SystemTime::now();
    let result = &answer.metric_data_results()[0];
    assert!(!result.values().is_empty());
    assert!(result.values().iter().all(|value| *value == 6_000_000.0));
    assert_eq!(result.timestamps().len(), result.values().len());
    // Although the world runs 200 times as fast, its "now" is the caller's.
    let newest = result.timestamps()[0].secs();
    let now = now.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    assert!(newest <= i64::try_from(now).expect("seconds") && newest + 60 > i64::try_from(now).expect("seconds"));
    let error = cloudwatch.get_metric_data().send().await.expect_err("no queries");
    assert_eq!(error.code(), Some("ValidationError"));
}
