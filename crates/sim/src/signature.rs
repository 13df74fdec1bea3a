//! AWS Signature Version 4, verified as AWS does.

use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::{Digest, Sha256};

use crate::config::Config;
use crate::error::ApiError;

/// What SigV4 leaves as it is: unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The credential scope of a request: who asks which service where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// Access key id.
    pub access_key: String,
    /// `YYYYMMDD`.
    pub date: String,
    /// Region.
    pub region: String,
    /// Signing name of the service.
    pub service: String,
}

/// The parts of an `Authorization` header.
struct Authorization<'a> {
    scope: Scope,
    signed: Vec<&'a str>,
    signature: &'a str,
}

fn missing() -> ApiError {
    ApiError::new(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
}

fn incomplete(what: &str) -> ApiError {
    let text = format!("Authorization header requires '{what}' parameter.");
    ApiError::new(403, "IncompleteSignatureException", text)
}

fn parse(parts: &Parts) -> Result<Authorization<'_>, ApiError> {
    let header = parts.headers.get(http::header::AUTHORIZATION).and_then(|v| v.to_str().ok()).ok_or_else(missing)?;
    let rest = header.strip_prefix("AWS4-HMAC-SHA256").ok_or_else(missing)?;
    let field = |name: &str| {
        rest.split(',').find_map(|part| part.trim().strip_prefix(name)).and_then(|value| value.strip_prefix('='))
    };
    let credential = field("Credential").ok_or_else(|| incomplete("Credential"))?;
    let signed = field("SignedHeaders").ok_or_else(|| incomplete("SignedHeaders"))?;
    let signature = field("Signature").ok_or_else(|| incomplete("Signature"))?;
    let fields: Vec<&str> = credential.rsplitn(5, '/').collect();
    let [terminator, service, region, date, access_key] = fields[..] else { return Err(incomplete("Credential")) };
    if terminator != "aws4_request" {
        return Err(incomplete("Credential"));
    }
    let own = |text: &str| text.to_owned();
    let scope = Scope { access_key: own(access_key), date: own(date), region: own(region), service: own(service) };
    Ok(Authorization { scope, signed: signed.split(';').collect(), signature })
}

/// The credential scope, without looking at the signature.
pub fn scope(parts: &Parts) -> Result<Scope, ApiError> {
    parse(parts).map(|authorization| authorization.scope)
}

/// Verifies the signature. `callers` is the time of day of the callers, where it is known.
pub fn verify(parts: &Parts, body: &[u8], config: &Config, callers: Option<Duration>) -> Result<(), ApiError> {
    let authorization = parse(parts)?;
    let header = |name: &str| parts.headers.get(name).and_then(|v| v.to_str().ok());
    let date = header("x-amz-date").ok_or_else(|| incomplete("X-Amz-Date"))?;
    let refused = |text: &str| Err(ApiError::new(403, "InvalidSignatureException", text));

    if !date.starts_with(&authorization.scope.date) {
        return refused("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP");
    }
    if let (Some(now), Some(signed_at)) = (callers, seconds(date))
        && now.abs_diff(signed_at) > config.max_skew
    {
        return refused(&format!("Signature expired: {date} is not near the current time"));
    }
    if !authorization.signed.contains(&"host") {
        return refused("'Host' must be a 'SignedHeader' in the AWS Authorization.");
    }

    let body_hash = hex(&Sha256::digest(body));
    let payload = match header("x-amz-content-sha256") {
        Some("UNSIGNED-PAYLOAD") => "UNSIGNED-PAYLOAD".to_owned(),
        Some(hash) if hash != body_hash => {
            return refused("The value passed in x-amz-content-sha256 does not match the calculated value.");
        }
        _ => body_hash,
    };
    let canonical = canonical_request(parts, &authorization, &payload);
    let Scope { date: day, region, service, .. } = &authorization.scope;
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{date}\n{day}/{region}/{service}/aws4_request\n{}",
        hex(&Sha256::digest(canonical.as_bytes()))
    );
    let mut key = hmac(format!("AWS4{}", config.secret).as_bytes(), day);
    for part in [region.as_str(), service.as_str(), "aws4_request"] {
        key = hmac(&key, part);
    }
    if hex(&hmac(&key, &to_sign)) != authorization.signature {
        return refused(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details.",
        );
    }
    Ok(())
}

fn canonical_request(parts: &Parts, authorization: &Authorization<'_>, payload: &str) -> String {
    // Every service but S3 signs the path encoded once more than it travels.
    let path: Vec<String> =
        parts.uri.path().split('/').map(|segment| utf8_percent_encode(segment, UNRESERVED).to_string()).collect();
    let mut query: Vec<(String, String)> = parts
        .uri
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (encode_again(key), encode_again(value))
        })
        .collect();
    query.sort();
    let query: Vec<String> = query.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    let mut headers = String::new();
    for name in &authorization.signed {
        let values: Vec<String> = parts
            .headers
            .get_all(*name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .map(|value| value.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        let value = match values.is_empty() {
            // A request that came without a socket has its host in the URI.
            true if *name == "host" => parts.uri.authority().map(ToString::to_string).unwrap_or_default(),
            _ => values.join(","),
        };
        headers.push_str(&format!("{name}:{value}\n"));
    }
    let signed = authorization.signed.join(";");
    format!("{}\n{}\n{}\n{headers}\n{signed}\n{payload}", parts.method, path.join("/"), query.join("&"))
}

fn encode_again(text: &str) -> String {
    utf8_percent_encode(&percent_decode_str(text).decode_utf8_lossy(), UNRESERVED).to_string()
}

/// `20261121T100000Z` since the UNIX epoch.
fn seconds(date: &str) -> Option<Duration> {
    let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok()?;
    let at = at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    u64::try_from(at.as_second()).ok().map(Duration::from_secs)
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC takes keys of every length, so there is no error to answer.
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac.chain_update(text.as_bytes()).finalize().into_bytes().to_vec(),
        Err(_) => Vec::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
