//! What a refusal of AWS is about, by the names that users know. AWS speaks of the members of its own requests.

/// What a request is made of, by the words that AWS has for it.
struct Words(&'static [(&'static [&'static str], &'static str)]);

const OF_AN_OUTPUT: Words = Words(&[
    (&["destination", "port", "applicationname", "tlsencryption"], "spec.url"),
    (&["streamname", "streamid"], "spec.streamKey"),
    (&["minlatency"], "spec.srt.minLatencyMs"),
    (&["cidrallowlist", "cidr"], "spec.srt.allowedCidrs"),
    (&["encryption", "algorithm", "keytype", "secretarn"], "spec.encryption"),
    (&["rolearn", "role"], "--mediaconnect-role-arn of the operator"),
]);

const OF_A_FLOW: Words = Words(&[
    (&["whitelistcidr", "cidr"], "allowedCidr of spec.inputs"),
    (&["ingestport", "port"], "port of spec.inputs"),
    (&["sourcelisteneraddress", "sourcelistenerport"], "srtCaller of spec.inputs"),
    (&["minlatency", "maxlatency"], "the latency of spec.inputs"),
    (&["streamid", "streamname", "applicationname"], "the stream name of spec.inputs"),
    (&["decryption", "algorithm", "keytype", "secretarn"], "encryption of spec.inputs"),
    (&["maxbitrate"], "spec.maxBitrate"),
    (&["sourcefailoverconfig", "failovermode", "recoverywindow"], "spec.failover"),
    (&["vpcinterface", "vpcinterfaces", "subnet", "subnetid", "securitygroupids"], "spec.network.vpcInterfaces"),
    (&["availabilityzone"], "spec.network.availabilityZone"),
    (&["flowsize"], "spec.flowSize"),
    (&["ndiconfig", "ndidiscoveryservers"], "spec.ndi"),
    (&["rolearn", "role"], "--mediaconnect-role-arn of the operator"),
]);

const OF_A_CHANNEL: Words = Words(&[
    (&["url", "destinations", "destination"], "spec.url"),
    (&["streamname"], "spec.streamKey"),
    (&["username"], "spec.username"),
    (&["passwordparam"], "spec.password"),
    (
        &[
            "encodersettings",
            "videodescriptions",
            "audiodescriptions",
            "codecsettings",
            "h264settings",
            "aacsettings",
            "bitrate",
            "width",
            "height",
            "gopsize",
            "framerate",
            "framerates",
            "profile",
            "level",
            "samplerate",
        ],
        "spec.encoding",
    ),
    (&["rolearn", "role"], "--medialive-role-arn of the operator"),
    (&["tags"], "spec.tags"),
]);

/// The fields that a message of AWS about this operation speaks of. Empty: it is not known.
#[must_use]
pub fn fields(operation: &str, message: &str) -> Vec<&'static str> {
    let (service, name) = operation.split_once(':').unwrap_or_default();
    let Words(words) = match service {
        "mediaconnect" if name.contains("Output") => OF_AN_OUTPUT,
        "mediaconnect" => OF_A_FLOW,
        "medialive" => OF_A_CHANNEL,
        _ => return Vec::new(),
    };
    let said: Vec<String> = message.split(|c: char| !c.is_ascii_alphanumeric()).map(str::to_ascii_lowercase).collect();
    let about = |known: &[&str]| said.iter().any(|word| known.contains(&word.as_str()));
    words.iter().filter(|(known, _)| about(known)).map(|(_, field)| *field).collect()
}

/// What people do about it.
#[must_use]
pub fn remedy(operation: &str, message: &str) -> String {
    match fields(operation, message).as_slice() {
        [] => "AWS names nothing that is known as a field of the spec. Compare its words with the spec; a changed spec, or a new value of the annotation playout.dev/reconcile-at, makes the operator try again.".into(),
        fields => format!("In the spec that is {}: correct it, and the operator tries again.", fields.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{fields, remedy};

    #[test]
    fn aws_words_are_told_by_the_names_of_fields() {
        for (operation, message, expected) in [
            (
                "mediaconnect:AddFlowOutputs",
                "BadRequestException: Output playout-x80: port 80 is out of range; it must be 1024 to 65535.",
                vec!["spec.url"],
            ),
            ("mediaconnect:UpdateFlowOutput", "minLatency is too high", vec!["spec.srt.minLatencyMs"]),
            ("mediaconnect:CreateFlow", "whitelistCidr is not valid", vec!["allowedCidr of spec.inputs"]),
            (
                "medialive:CreateChannel",
                "UnprocessableEntityException: not valid; /destinations/0/settings/0: streamName (secret) is not valid",
                vec!["spec.url", "spec.streamKey"],
            ),
            ("medialive:CreateInput", "roleArn is required", vec!["--medialive-role-arn of the operator"]),
            ("mediaconnect:AddFlowOutputs", "The transport is not supported.", vec![]),
            ("secretsmanager:CreateSecret", "port", vec![]),
        ] {
            assert_eq!(fields(operation, message), expected, "{operation}: {message}");
        }
        assert!(
            remedy("mediaconnect:AddFlowOutputs", "port 80").starts_with("In the spec that is spec.url: correct it")
        );
        assert!(!remedy("mediaconnect:StartFlow", "no").contains("correct"));
    }
}
