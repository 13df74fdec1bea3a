//! The keys that must not be found, and what finds them.

use k8s_openapi::ByteString;

/// Every canary has this in it, so that a cut one is found too; and a `+`, which is spelled differently in a URL.
pub const MARK: &str = "cnry+";
pub const YOUTUBE: &str = "cnry+youtube-7f3a91";
pub const CHANGED: &str = "cnry+changed-0c11d2";
pub const TWITCH: &str = "cnry+twitch-ssm-55d0";
pub const PASSWORD: &str = "cnry+password-9e21cc";
pub const INPUT: &str = "cnry+input-31ab";
pub const SPACED: &str = "cnry+spaced key-88";
pub const PANIC: &str = "cnry+panic-b0b0";
pub const IN_PATH: &str = "cnry+path-6611";
pub const IN_QUERY: &str = "cnry+query-1212";
pub const IN_USER: &str = "cnry+user-8800";
pub const IN_PRESET: &str = "cnry+preset-4444";
pub const IN_SOURCE: &str = "cnry+source-27e4";
pub const IN_OUTPUT: &str = "cnry+output-f00d";
pub const IN_FLOW: &str = "cnry+flow-5b5b";
pub const IN_STREAM: &str = "cnry+stream-19c8";
pub const ENCODED: &str = "cnry+encoded-4d3e2f";
pub const RECODED: &str = "cnry+recoded-5c5c77";
pub const ENCODED_SSM: &str = "cnry+encoded-ssm-77aa";
pub const ENCODED_URL: &str = "cnry+encoded-url-9191";

/// The spellings in which a text may come back: as it is, in a URL, and within Base64 at each of its three alignments.
fn spellings(text: &str) -> Vec<String> {
    let mut found = vec![text.to_string(), text.replace('+', "%2B"), text.replace('+', "%2b")];
    for before in 0..3 {
        let padded = [vec![0; before], text.as_bytes().to_vec()].concat();
        let encoded = serde_json::to_value(ByteString(padded)).ok().and_then(|v| v.as_str().map(str::to_string));
        let encoded = encoded.unwrap_or_default();
        // The first and last letters depend on what stands beside the text.
        let end = encoded.trim_end_matches('=').len() - 1;
        found.push(encoded[(before * 4).div_ceil(3)..end].to_string());
    }
    found
}

fn canaries() -> Vec<String> {
    let passed = [YOUTUBE, CHANGED, TWITCH, PASSWORD, INPUT, SPACED, PANIC, IN_PATH, IN_QUERY, IN_USER, IN_PRESET];
    let of_flows = [IN_SOURCE, IN_OUTPUT, IN_FLOW, IN_STREAM];
    let all = [MARK].into_iter().chain(passed).chain(of_flows).chain([ENCODED, RECODED, ENCODED_SSM, ENCODED_URL]);
    let mut found: Vec<String> = all.flat_map(spellings).collect();
    // Four letters of Base64 are found everywhere.
    found.retain(|text| text.len() >= 5);
    found
}

/// The lines with a canary in them.
pub fn leaks(text: &str) -> Vec<String> {
    let canaries = canaries();
    let leaks = |line: &&str| canaries.iter().any(|canary| line.contains(canary.as_str()));
    text.lines().filter(leaks).map(|line| line.chars().take(600).collect()).collect()
}
