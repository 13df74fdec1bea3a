//! MediaLive.

use aws_sdk_medialive::Client;
use aws_sdk_medialive::client::Waiters as _;
use aws_sdk_medialive::error::ProvideErrorMetadata as _;
use aws_sdk_medialive::types::{
    AacCodingMode, AacSettings, AudioCodecSettings, AudioDescription, AudioSelector, ChannelClass, ChannelState,
    EncoderSettings, H264FramerateControl, H264GopSizeUnits, H264RateControlMode, H264Settings, InputAttachment,
    InputCodec, InputMaximumBitrate, InputResolution, InputSettings, InputSpecification, InputState, InputType,
    MediaConnectFlowRequest, Output, OutputDestination, OutputDestinationSettings, OutputGroup, OutputGroupSettings,
    OutputLocationRef, OutputSettings, RtmpGroupSettings, RtmpOutputSettings, TimecodeConfig, TimecodeConfigSource,
    VideoCodecSettings, VideoDescription,
};

use super::*;

const ROLE: &str = "arn:aws:iam::123456789012:role/media";

async fn client(url: &str) -> Client {
    Client::new(&sdk(url, "simulator-secret", 1).await)
}

async fn flow(url: &str) -> String {
    let client = mediaconnect(url, 1).await;
    let made = client.create_flow().name("show").sources(source("primary", 5000)).send().await.expect("create");
    let arn = made.flow.and_then(|flow| flow.flow_arn).expect("arn");
    client.start_flow().flow_arn(&arn).send().await.expect("start");
    wait_for(&client, &arn, Status::Active).await;
    arn
}

async fn input(client: &Client, flow: &str) -> String {
    let made = client
        .create_input()
        .name("show")
        .r#type(InputType::Mediaconnect)
        .role_arn(ROLE)
        .media_connect_flows(MediaConnectFlowRequest::builder().flow_arn(flow).build())
        .send()
        .await
        .expect("input");
    let id = made.input.and_then(|input| input.id).expect("id");
    input_becomes(client, &id, &InputState::Detached).await;
    id
}

/// The SDK's own waiters look every few seconds of the real time; this world is faster.
async fn input_becomes(client: &Client, id: &str, wanted: &InputState) {
    for _ in 0..500 {
        let seen = client.describe_input().input_id(id).send().await.expect("describe");
        if seen.state() == Some(wanted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the input never became {wanted}");
}

async fn channel_becomes(client: &Client, id: &str, wanted: &ChannelState) {
    for _ in 0..500 {
        let seen = client.describe_channel().channel_id(id).send().await.expect("describe");
        if seen.state() == Some(wanted) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the channel never became {wanted}");
}

fn encoder() -> EncoderSettings {
    let video = H264Settings::builder()
        .rate_control_mode(H264RateControlMode::Cbr)
        .bitrate(4_500_000)
        .buf_size(4_500_000)
        .framerate_control(H264FramerateControl::Specified)
        .framerate_numerator(30)
        .framerate_denominator(1)
        .gop_size(2.0)
        .gop_size_units(H264GopSizeUnits::Seconds)
        .build();
    let audio = AacSettings::builder()
        .bitrate(128_000.0)
        .sample_rate(48_000.0)
        .coding_mode(AacCodingMode::CodingMode20)
        .build();
    let reference = OutputLocationRef::builder().destination_ref_id("rtmp0").build();
    let output = Output::builder()
        .output_name("rtmp0")
        .video_description_name("v1080p30")
        .audio_description_names("aac")
        .output_settings(
            OutputSettings::builder()
                .rtmp_output_settings(RtmpOutputSettings::builder().destination(reference).num_retries(3).build())
                .build(),
        )
        .build();
    let group = RtmpGroupSettings::builder().restart_delay(15).cache_length(30).build();
    EncoderSettings::builder()
        .timecode_config(TimecodeConfig::builder().source(TimecodeConfigSource::Systemclock).build())
        .video_descriptions(
            VideoDescription::builder()
                .name("v1080p30")
                .width(1920)
                .height(1080)
                .codec_settings(VideoCodecSettings::builder().h264_settings(video).build())
                .build(),
        )
        .audio_descriptions(
            AudioDescription::builder()
                .name("aac")
                .audio_selector_name("default")
                .codec_settings(AudioCodecSettings::builder().aac_settings(audio).build())
                .build(),
        )
        .output_groups(
            OutputGroup::builder()
                .name("rtmp")
                .output_group_settings(OutputGroupSettings::builder().rtmp_group_settings(group).build())
                .outputs(output)
                .build(),
        )
        .build()
}

fn attachment(input: &str) -> InputAttachment {
    let selector = AudioSelector::builder().name("default").build();
    InputAttachment::builder()
        .input_id(input)
        .input_attachment_name("primary")
        .input_settings(InputSettings::builder().audio_selectors(selector).build())
        .build()
}

fn destination(id: &str) -> OutputDestination {
    let settings =
        OutputDestinationSettings::builder().url("rtmps://live.example.net:443/app").stream_name("key").build();
    OutputDestination::builder().id(id).settings(settings).build()
}

fn specification() -> InputSpecification {
    InputSpecification::builder()
        .codec(InputCodec::Avc)
        .resolution(InputResolution::Hd)
        .maximum_bitrate(InputMaximumBitrate::Max10Mbps)
        .build()
}

#[tokio::test]
async fn a_channel_lives_from_creation_to_deletion() {
    let (sim, server) = world().await;
    let client = client(&server.url()).await;
    let input = input(&client, &flow(&server.url()).await).await;
    let made = client
        .create_channel()
        .name("show")
        .role_arn(ROLE)
        .channel_class(ChannelClass::SinglePipeline)
        .input_specification(specification())
        .input_attachments(attachment(&input))
        .destinations(destination("rtmp0"))
        .encoder_settings(encoder())
        .tags("team", "live")
        .send()
        .await
        .expect("channel");
    let channel = made.channel.expect("channel");
    let id = channel.id.expect("id");
    assert_eq!(channel.state, Some(ChannelState::Creating));
    channel_becomes(&client, &id, &ChannelState::Idle).await;
    let patience = Duration::from_secs(60);
    let attached = client.wait_until_input_attached().input_id(&input).wait(patience).await.expect("attached");
    let attached = attached.as_result().expect("an input").attached_channels().to_vec();
    assert_eq!(attached, std::slice::from_ref(&id));

    client.start_channel().channel_id(&id).send().await.expect("start");
    channel_becomes(&client, &id, &ChannelState::Running).await;
    let running = client.describe_channel().channel_id(&id).send().await.expect("describe");
    assert_eq!(running.pipelines_running_count(), Some(1));
    assert_eq!(running.pipeline_details()[0].active_input_attachment_name(), Some("primary"));
    let output = &running.encoder_settings().expect("settings").output_groups()[0].outputs()[0];
    let rtmp = output.output_settings().and_then(|settings| settings.rtmp_output_settings()).expect("RTMP");
    assert_eq!(rtmp.num_retries(), Some(3));
    let early = client.delete_channel().channel_id(&id).send().await.expect_err("it runs");
    assert!(early.into_service_error().is_conflict_exception());
    let listed = client.list_channels().send().await.expect("list");
    assert_eq!(listed.channels()[0].tags().expect("tags")["team"], "live");

    client.stop_channel().channel_id(&id).send().await.expect("stop");
    channel_becomes(&client, &id, &ChannelState::Idle).await;
    client.delete_channel().channel_id(&id).send().await.expect("delete");
    channel_becomes(&client, &id, &ChannelState::Deleted).await;
    client.wait_until_channel_deleted().channel_id(&id).wait(patience).await.expect("DELETED is deleted");
    input_becomes(&client, &input, &InputState::Detached).await;
    client.delete_input().input_id(&input).send().await.expect("delete");
    input_becomes(&client, &input, &InputState::Deleted).await;
    assert_eq!(sim.counts()["total"], 1, "the flow");
}

#[tokio::test]
async fn what_is_wrong_with_a_channel_is_told_at_its_place() {
    let (_sim, server) = world().await;
    let client = client(&server.url()).await;
    let input = input(&client, &flow(&server.url()).await).await;
    let create = || {
        client
            .create_channel()
            .name("show")
            .role_arn(ROLE)
            .channel_class(ChannelClass::SinglePipeline)
            .input_specification(specification())
            .input_attachments(attachment(&input))
            .encoder_settings(encoder())
            .dry_run(true)
    };
    create().destinations(destination("rtmp0")).send().await.expect("right");
    let wrong = create().destinations(destination("other")).send().await.expect_err("wrong").into_service_error();
    assert!(wrong.is_unprocessable_entity_exception(), "{wrong:?}");
    let aws_sdk_medialive::operation::create_channel::CreateChannelError::UnprocessableEntityException(wrong) = wrong
    else {
        panic!("422");
    };
    let error = &wrong.validation_errors()[0];
    assert!(error.element_path().is_some_and(|path| path.starts_with("outputGroups[0].outputs[0]")), "{error:?}");
    assert_eq!(error.error_message(), Some("Destination \"rtmp0\" does not exist"));
    let listed = client.list_channels().send().await.expect("list");
    assert!(listed.channels().is_empty());
    let absent = client.describe_channel().channel_id("1").send().await.expect_err("absent");
    assert!(absent.into_service_error().is_not_found_exception());
}

/// The trap that a lost answer is has a way out here: the SDK fills in the same `requestId` in each attempt.
#[tokio::test]
async fn with_the_default_retry_two_lost_answers_make_one_input() {
    let (sim, server) = world().await;
    let flow = flow(&server.url()).await;
    let client = Client::new(&sdk(&server.url(), "simulator-secret", 3).await);
    sim.plant_fault(Fault { times: 2, ..Fault::new("medialive", "CreateInput", FaultKind::DropAfter) });
    input(&client, &flow).await;
    assert_eq!(sim.counts()["regions"]["eu-west-1"]["medialive"]["inputs"], 1);
}

#[tokio::test]
async fn too_many_requests_are_throttled() {
    let (sim, server) = world().await;
    let client = client(&server.url()).await;
    sim.plant_fault(Fault::new("medialive", "ListInputs", FaultKind::Throttle));
    let error = client.list_inputs().send().await.expect_err("throttled");
    assert_eq!(error.raw_response().expect("an answer").status().as_u16(), 429);
    assert_eq!(error.code(), Some("TooManyRequestsException"));
}
