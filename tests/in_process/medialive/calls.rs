//! The calls: lives of channels, errors, quotas, metrics and lists.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_cannot_be_understood_is_not_taken_for_absent() -> Result<()> {
    let strange =
        |tags: Value| json!({ "channels": [{ "id": "1", "arn": "arn:1", "state": "DREAMING", "tags": tags }] });
    let (canned, region) = Canned::new(200, &strange(json!({ "playout.dev/cluster": "c1" }))).await;
    ensure!(region.medialive.list_channels(Urgency::Change).await.is_err(), "it may be ours");
    canned.will_answer(&strange(json!({})));
    ensure!(region.medialive.list_channels(Urgency::Change).await.expect("a list").is_empty());
    canned.will_answer(&json!({ "id": "1", "arn": "arn:1", "state": "DREAMING" }));
    ensure!(region.medialive.describe_channel("1", Urgency::Change).await.is_err());
    Ok(())
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
    region.mediaconnect.create_flow(&new).await.expect("a flow")
}

#[tokio::test(start_paused = true)]
async fn a_channel_lives_and_dies_as_the_client_says() -> Result<()> {
    let world = World::new(None);
    let account = Account::new(world.settings(None, &Arc::<Alive>::default(), &world.redactor)).await?;
    let region = account.region(None).await;
    let (live, channels) = (&region.medialive, &region.channels);
    let (first, second) = (flow(&region, "one").await, flow(&region, "two").await);

    let tags = identity().tags(&BTreeMap::new());
    let role_arn = MEDIALIVE_ROLE.to_string();
    let new = NewInput { name: identity().input_name(), from: InputSource::Flow(first.clone()), role_arn, tags };
    let made = live.create_input(&new, "input-1").await.expect("an input");
    ensure!(live.create_input(&new, "input-1").await.expect("the same").id == made.id, "the token makes one of two");
    let other = NewInput { from: InputSource::Flow(second.clone()), ..new.clone() };
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
    region.mediaconnect.start_flow(&first).await.expect("a start");
    live.start_channel(&id).await.expect("a start");
    channel(&region, &id, ChannelState::Running).await?;
    let alerts =
        until("an alert", async || live.alerts(&seen).await.expect("alerts"), |found| !found.is_empty()).await?;
    ensure!(alerts.iter().all(|alert| alert.output == Some(OutputName::from(Role::Backup))), "{alerts:?}");
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
    channels.invalidate(&id);
    ensure!(channel(&region, &id, ChannelState::Running).await?.tags["team"] == "sport");
    ensure!(channels.list(Duration::from_secs(60), Urgency::Change).await.expect("a list")[0].tags["team"] == "sport");

    live.stop_channel(&id).await.expect("a stop");
    channel(&region, &id, ChannelState::Idle).await?;
    let mut wish = new.settings.clone();
    let faster = Encoding { video_bitrate: 6_000_000, buffer_size: 6_000_000, ..encoding() };
    wish.encodings = BTreeMap::from([(EncodingName::main(), faster)]);
    let to = target("rtmp://c.example.net:1935/app", "another-key");
    wish.outputs = BTreeMap::from([(Role::Primary.into(), OutputGroup { encoding: EncodingName::main(), to })]);
    ensure!(fields(&wish.differences(&new.settings)) == ["encoding", "url", "streamKey", "backup"]);
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
        from: InputSource::Flow(flow.clone()),
        role_arn: MEDIALIVE_ROLE.into(),
        tags: BTreeMap::new(),
    };
    region.medialive.create_input(&new("a"), "a").await.expect("an input");
    let failure = region.medialive.create_input(&new("b"), "b").await.expect_err("a full account");
    ensure!(failure.class == FailureClass::Quota, "{failure:?}");
    let mut wish = new_channel("4711");
    wish.settings.outputs.clear();
    let failure = region.medialive.create_channel(&wish, "c").await.expect_err("nothing to send to");
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
        region.mediaconnect.list_flows(Urgency::Change).await.expect("flows");
        region.secrets.copies(age, Urgency::Change).await.expect("secrets");
        region.medialive.list_channels(Urgency::Change).await.expect("channels");
        region.medialive.list_inputs(Urgency::Change).await.expect("inputs");
        region.quotas.limit(Limit::Flows, 0).await
    };
    tokio::time::timeout(Duration::from_secs(60), lists).await.context("a list has no end")?;
    ensure!(canned.count.load(Ordering::SeqCst) == 5, "{} pages", canned.count.load(Ordering::SeqCst));
    Ok(())
}

/// One output group of each kind, in a channel that takes a flow.
fn all_kinds() -> BTreeMap<OutputName, Target> {
    let hls = |keeps_all| {
        let url = format!("s3ssl://bucket/sessions/{keeps_all}/index");
        Target::Hls(HlsTarget { url, modifier: "_1080p".into(), segment_seconds: 6, keeps_all })
    };
    let udp = |fec| Target::Udp(UdpTarget { url: format!("rtp://198.51.100.7:50{}0", u8::from(fec)), fec });
    let srt = SrtTarget {
        url: "srt://198.51.100.8:5000".into(),
        stream_id: Some(SecretText::new("cnry-srt-5d21")),
        passphrase_secret_arn: Some("arn:aws:secretsmanager:us-west-2:111122223333:secret:relay-AbCdEf".into()),
        latency_ms: 2000,
    };
    let v2 = MediaPackageTarget::V2 { group: "news".into(), channel: "main".into() };
    let named = [
        ("ivs", target("rtmps://a.example.net:443/live2", KEY)),
        ("recording", hls(true)),
        ("window", hls(false)),
        ("udp", udp(false)),
        ("fec", udp(true)),
        ("relay", Target::Srt(srt)),
        ("package", Target::MediaPackage(MediaPackageTarget::V1 { channel_id: "news".into() })),
        ("package-v2", Target::MediaPackage(v2)),
    ];
    named.into_iter().map(|(name, to)| (OutputName::new(name), to)).collect()
}

#[tokio::test(start_paused = true)]
async fn groups_of_every_kind_are_made_and_come_back_and_somebody_elses_stay_byte_for_byte() -> Result<()> {
    let world = World::new(None);
    let account = Account::new(world.settings(None, &Arc::<Alive>::default(), &world.redactor)).await?;
    let region = account.region(None).await;
    let live = &region.medialive;
    let flow = flow(&region, "one").await;
    let tags = identity().tags(&BTreeMap::new());
    let new = NewInput {
        name: "in".into(),
        from: InputSource::Flow(flow.clone()),
        role_arn: MEDIALIVE_ROLE.into(),
        tags: tags.clone(),
    };
    let made = live.create_input(&new, "input-1").await.expect("an input");
    input(&region, &made.id, InputState::Detached).await?;

    let wish = ChannelSettings::single(MEDIALIVE_ROLE.into(), made.id.clone(), encoding(), all_kinds());
    let new = NewChannel { name: "theirs".into(), settings: wish.clone(), tags };
    let id = live.create_channel(&new, "channel-1").await.expect("a channel").id;
    let seen = channel(&region, &id, ChannelState::Idle).await?;
    ensure!(seen.settings == wish, "{:?}", wish.differences(&seen.settings));
    ensure!(!format!("{wish:?}{}", serde_json::to_string(&wish)?).contains("cnry"));

    // The channel was theirs before: one relay of ours comes beside what is there, and goes.
    let raw = || world.sim.state()[crate::fixtures::world::REGION]["medialive"]["channels"][0].clone();
    let groups = |raw: &Value| raw["encoderSettings"]["outputGroups"].as_array().cloned().unwrap_or_default();
    let before = raw();
    let ours = OutputName::new("playout-relay");
    let to = Target::Udp(UdpTarget { url: "rtp://198.51.100.9:5000".into(), fec: true });
    let group = OutputGroup { encoding: EncodingName::main(), to };
    let mut beside = ChannelSettings {
        role_arn: None,
        inputs: Vec::new(),
        encodings: BTreeMap::new(),
        outputs: BTreeMap::from([(ours, group)]),
        keeps_foreign: true,
        ..wish.clone()
    };
    ensure!(beside.differences(&seen.settings).len() == 1);
    live.update_channel(&id, "theirs", &beside).await.expect("an update");
    region.channels.touched(&id);
    let seen = channel(&region, &id, ChannelState::Idle).await?;
    ensure!(beside.differences(&seen.settings).is_empty(), "{:?}", beside.differences(&seen.settings));
    let during = raw();
    ensure!(groups(&during).len() == groups(&before).len() + 1);
    ensure!(groups(&before).iter().all(|group| groups(&during).contains(group)), "{during}");
    beside.outputs.clear();
    ensure!(beside.differences(&seen.settings).len() == 1, "what is ours and not asked for goes");
    live.update_channel(&id, "theirs", &beside).await.expect("an update");
    region.channels.touched(&id);
    channel(&region, &id, ChannelState::Idle).await?;
    for member in ["encoderSettings", "destinations", "inputAttachments", "roleArn", "logLevel", "inputSpecification"] {
        ensure!(raw()[member] == before[member], "{member}");
    }
    Ok(())
}
