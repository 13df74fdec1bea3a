//! Schemas of texts: a bound, and rules whose messages say what is expected. A `pattern` would be checked as well, but its
//! message is the regular expression.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

fn rule(rule: &str, message: &str) -> Value {
    json!({ "rule": rule, "message": message })
}

/// Rules of a field that may hold a secret by mistake. They stand on the object around it, because the API server repeats
/// the value of the field that a rule stands on, and what it says ends up in logs and on pages.
fn of_field(schema: &mut Schema, field: &str, rules: &[(&str, &str)]) {
    let rules = rules.iter().map(|(rule, message)| {
        let rule = rule.replace("self", &format!("self.{field}"));
        json!({ "rule": format!("!has(self.{field}) || {rule}"), "message": message, "fieldPath": format!(".{field}") })
    });
    if let Value::Array(known) =
        schema.ensure_object().entry("x-kubernetes-validations").or_insert_with(|| Value::Array(Vec::new()))
    {
        known.extend(rules);
    }
}

fn text(min: u32, max: u32, rules: &[Value]) -> Schema {
    json_schema!({ "type": "string", "minLength": min, "maxLength": max, "x-kubernetes-validations": rules })
}

pub(crate) fn region(_: &mut SchemaGenerator) -> Schema {
    text(
        1,
        32,
        &[rule(
            "self.matches('^[a-z]{2}(-[a-z]+)+-[0-9]$')",
            "region must be the name of an AWS region, as in us-west-2",
        )],
    )
}

pub(crate) fn availability_zone(_: &mut SchemaGenerator) -> Schema {
    text(
        1,
        32,
        &[rule(
            "self.matches('^[a-z]{2}(-[a-z]+)+-[0-9][a-z]$')",
            "availabilityZone must be the name of an Availability Zone, as in us-west-2a",
        )],
    )
}

/// Name of a part of an object: an input, an interface.
pub(crate) fn label(_: &mut SchemaGenerator) -> Schema {
    text(
        1,
        63,
        &[rule(
            "self.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')",
            "name must be of lower-case letters, digits and '-', and begin and end with a letter or digit, as in studio-a",
        )],
    )
}

/// Name of another object.
pub(crate) fn object_name(_: &mut SchemaGenerator) -> Schema {
    text(
        1,
        253,
        &[rule(
            "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
            "name must be the name of an object of this namespace: lower-case letters, digits, '-' and '.'",
        )],
    )
}

pub(crate) fn preset_name(_: &mut SchemaGenerator) -> Schema {
    text(
        1,
        253,
        &[rule(
            "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
            "encoding must be the name of a preset: lower-case letters, digits, '-' and '.', as in 1080p30",
        )],
    )
}

pub(crate) fn secret_name_rules(schema: &mut Schema) {
    of_field(
        schema,
        "name",
        &[(
            "self.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$')",
            "name must be the name of a Secret (lower-case letters, digits, '-' and '.'), not what it holds",
        )],
    );
}

pub(crate) fn secret_key(_: &mut SchemaGenerator) -> Schema {
    text(
        1,
        253,
        &[rule(
            "self.matches('^[-._a-zA-Z0-9]+$')",
            "key must be a key of the Secret's data (letters, digits, '-', '_' and '.'), as in streamKey",
        )],
    )
}

pub(crate) fn ssm_parameter(_: &mut SchemaGenerator) -> Schema {
    text(
        1,
        1011,
        &[rule(
            "self.matches('^[a-zA-Z0-9_./-]+$')",
            "ssmParameter must be the name of a parameter, as in /live/youtube/main: letters, digits, '_', '.', '-' and '/'",
        )],
    )
}

pub(crate) fn secret_arn(_: &mut SchemaGenerator) -> Schema {
    text(
        1,
        2048,
        &[
            rule(
                "self.matches('^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:.+$')",
                "passwordSecretArn must be the ARN of a secret, as in arn:aws:secretsmanager:us-west-2:123456789012:secret:studio-AbCdEf",
            ),
            rule(
                "!self.contains(':secret:playout/')",
                "passwordSecretArn must not name a copy that Playout made (playout/...), which goes with its object: name the password's own secret, or use passwordSecretRef",
            ),
        ],
    )
}

pub(crate) fn flow_arn(_: &mut SchemaGenerator) -> Schema {
    text(
        1,
        512,
        &[rule(
            "self.matches('^arn:aws[a-z-]*:mediaconnect:[a-z]{2}(-[a-z]+)+-[0-9]:[0-9]{12}:flow:[^:]+:.+$')",
            "arn must be the ARN of a MediaConnect flow, as in arn:aws:mediaconnect:us-west-2:123456789012:flow:1-23aBC45dEF67hiJ8-12AbC34DE5fG:Studio",
        )],
    )
}

pub(crate) fn subnet(_: &mut SchemaGenerator) -> Schema {
    text(
        1,
        64,
        &[rule(
            "self.matches('^subnet-[0-9a-f]+$')",
            "subnetId must be the id of a subnet, as in subnet-0123456789abcdef0",
        )],
    )
}

pub(crate) fn security_groups(_: &mut SchemaGenerator) -> Schema {
    let id = text(
        1,
        64,
        &[rule(
            "self.matches('^sg-[0-9a-f]+$')",
            "securityGroupIds must hold ids of security groups, as in sg-0123456789abcdef0",
        )],
    );
    json_schema!({ "type": "array", "minItems": 1, "maxItems": 5, "items": id, "x-kubernetes-list-type": "set" })
}

const RANGE: &str = "isCIDR(self) && cidr(self).ip().family() == 4";
/// No bit is set after the prefix. What is no range at all is another rule's.
const WHOLE: &str = "!isCIDR(self) || cidr(self).ip().family() != 4 || cidr(self).masked().ip() == cidr(self).ip()";
/// The range has an address of the internet. `0.0.0.0/0` and other large ones hold private addresses as well.
const PUBLIC: &str = "!isCIDR(self) || cidr(self).ip().family() != 4 || !['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.168.0.0/16', '224.0.0.0/3'].exists(c, cidr(c).containsCIDR(self))";

pub(crate) fn allowed_cidr(_: &mut SchemaGenerator) -> Schema {
    text(
        1,
        18,
        &[
            rule(RANGE, "allowedCidr must be an IPv4 range, as in 203.0.113.0/24; a single address ends with /32"),
            rule(
                WHOLE,
                "allowedCidr must have zeros after its prefix, as in 203.0.113.0/24: correct the address, or end a single one with /32",
            ),
        ],
    )
}

pub(crate) fn allowed_cidrs(_: &mut SchemaGenerator) -> Schema {
    let range = text(
        1,
        18,
        &[
            rule(RANGE, "allowedCidrs must hold IPv4 ranges, as in 203.0.113.0/24; a single address ends with /32"),
            rule(
                WHOLE,
                "allowedCidrs must have zeros after their prefix, as in 203.0.113.0/24: correct the address, or end a single one with /32",
            ),
            rule(
                PUBLIC,
                "allowedCidrs must be addresses of the internet, from which receivers call: give the public address behind which the receiver is, because nobody arrives from a private one",
            ),
        ],
    );
    json_schema!({ "type": "array", "maxItems": 3, "items": range, "x-kubernetes-list-type": "set" })
}

/// Rules of a host that the flow calls, in the field `address`.
pub(crate) fn address_rules(schema: &mut Schema) {
    of_field(
        schema,
        "address",
        &[
            (
                "self.matches('^[A-Za-z0-9_]([-A-Za-z0-9._]*[A-Za-z0-9])?$') && (!self.matches('(?i)^(0x[0-9a-f]*|[0-9]+)([.](0x[0-9a-f]*|[0-9]+))*$') || isIP(self))",
                "address must be a host name or an IPv4 address without scheme and port, as in encoder.example.net",
            ),
            (
                "!self.matches('(?i)^((.*[.])?localhost|(0|127|22[4-9]|2[3-5][0-9])([.][0-9]+){3}|169[.]254([.][0-9]+){2})$')",
                "address must not be a loopback, link-local or multicast one: give the address at which AWS reaches the encoder",
            ),
        ],
    );
}

pub(crate) fn application_name(_: &mut SchemaGenerator) -> Schema {
    text(
        1,
        64,
        &[rule(
            "self.matches('^[A-Za-z0-9_-]+$')",
            "applicationName must be one word of letters, digits, '-' and '_', as in live",
        )],
    )
}

pub(crate) fn interval(_: &mut SchemaGenerator) -> Schema {
    length_of_time("interval")
}

pub(crate) fn retry_after(_: &mut SchemaGenerator) -> Schema {
    length_of_time("after")
}

pub(crate) fn retry_backoff(_: &mut SchemaGenerator) -> Schema {
    length_of_time("backoff")
}

fn length_of_time(field: &str) -> Schema {
    text(
        1,
        10,
        &[rule(
            "self.matches('^([0-9]{1,4}h)?([0-9]{1,5}m)?([0-9]{1,7}s)?([0-9]{1,7}ms)?$') && duration(self) >= duration('1s') && duration(self) <= duration('1h')",
            &format!("{field} must be a length of time with units, from 1s to 1h, as in 30s or 1m30s"),
        )],
    )
}

/// Frames in a second. A text, because 29.97 is no number that a computer has.
pub(crate) fn frame_rate(_: &mut SchemaGenerator) -> Schema {
    text(
        1,
        6,
        &[rule(
            "self in ['23.976', '24', '25', '29.97', '30', '50', '59.94', '60']",
            "frameRate must be one of '23.976', '24', '25', '29.97', '30', '50', '59.94' and '60', in quotes",
        )],
    )
}

/// Tags of AWS. The keys' rules stand here too: a rule on a map needs a bound on its size.
pub(crate) fn tags(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "maxProperties": 40,
        "additionalProperties": { "type": "string", "maxLength": 256, "x-kubernetes-validations": [rule(
            "self.matches('^[\\\\p{L}\\\\p{Z}\\\\p{N}_.:/=+@-]*$')",
            "tags must have values of letters, digits, spaces and _ . : / = + - @ only: AWS takes no others",
        )] },
        "x-kubernetes-validations": [
            rule(
                "self.all(k, !k.startsWith('playout.dev/') && !k.startsWith('aws:'))",
                "tags must not have keys that begin with playout.dev/ (the proof of ownership) or aws: (reserved by AWS): rename them",
            ),
            rule(
                "self.all(k, k.matches('^[\\\\p{L}\\\\p{Z}\\\\p{N}_.:/=+@-]{1,128}$'))",
                "tags must have keys of 1 to 128 letters, digits, spaces and _ . : / = + - @ only: AWS takes no others",
            ),
        ],
    })
}

pub(crate) fn username(_: &mut SchemaGenerator) -> Schema {
    text(
        1,
        128,
        &[rule("!self.matches('[[:cntrl:][:space:]]')", "username must not have spaces or line breaks: take them out")],
    )
}

/// A login has both of its parts.
pub(crate) fn login_rules(schema: &mut Schema) {
    let both = json!({
        "rule": "has(self.username) == has(self.password)",
        "message": "username and password go together: add the one that is missing",
        "fieldPath": ".username",
    });
    if let Value::Array(known) =
        schema.ensure_object().entry("x-kubernetes-validations").or_insert_with(|| Value::Array(Vec::new()))
    {
        known.push(both);
    }
}

/// Rules of the receiver's URL in the field `url`. What only the parser in `endpoint` finds becomes Stalled.
pub(crate) fn url_rules(schema: &mut Schema) {
    of_field(
        schema,
        "url",
        &[
            (
                "self.matches('^(rtmp|rtmps|srt|rtp|rtp-fec|rist|zixi)://')",
                "url must begin with rtmp://, rtmps://, srt://, rtp://, rtp-fec://, rist:// or zixi://",
            ),
            (
                "!self.contains('@')",
                "url must not hold a user name or password: name the key's Secret in streamKey, and a login in username and password",
            ),
            ("!self.matches('[\\\\s#]')", "url must not hold spaces, line breaks or a #fragment: take them out"),
            (
                "!self.matches('^rtmps?://') || self.matches('^rtmps?://[^/?]+/+[^/?]')",
                "url needs the application after the host (Kick and Twitch: /app, YouTube: /live2, Facebook: /rtmp, Restream: /live), as in rtmp://ingest.example.net/live: add it, or leave url out for the platform's own ingest, which is known",
            ),
            (
                "!self.matches('^(srt|rtp|rtp-fec|rist)://') || self.matches('^[a-z-]+://[^/?]*:[^/?\\\\]]+([/?]|$)')",
                "url needs a port, as in srt://receiver.example.net:9000",
            ),
            (
                "!self.matches('^[a-z-]+://[^/?@]*:[^/?@\\\\]]*([/?]|$)') || self.matches('^[a-z-]+://[^/?]*:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])([/?]|$)')",
                "url must have a port from 1 to 65535 after the host, as in rtmps://host:443/live2",
            ),
            (
                "!self.matches('^(srt|rtp|rtp-fec|rist|zixi)://') || self.matches('^(srt://[^/?]*/?([?]mode=listener)?|[a-z-]+://[^/?]*/?)$')",
                "url must end after the port (srt:// may have ?mode=listener): stream ids go into streamKey, passwords into encryption, latency into srt.minLatencyMs",
            ),
            (
                "!self.contains('?mode=listener') || !self.matches(':[0-9]{1,5}/?[?]') || self.matches(':(102[4-9]|10[3-9][0-9]|1[1-9][0-9]{2}|[2-9][0-9]{3}|[1-6][0-9]{4})/?[?]') && !self.matches(':(2077|2088)/?[?]')",
                "url with ?mode=listener needs a port from 1024 to 65535 other than 2077 and 2088, which MediaConnect reserves",
            ),
            // A guard against mistakes. AWS connects, from its own network, so that what a name resolves to is not the point.
            (
                "self.contains('?mode=listener') || !self.matches('(?i)^[a-z-]+://([^/?]*%[^/?]*|(localhost|[^/?:]*[.](localhost|internal))[.]*|(0|10|127)([.][0-9]+){3}|100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])([.][0-9]+){2}|(192[.]168|169[.]254|172[.](1[6-9]|2[0-9]|3[01]))([.][0-9]+){2}|(22[4-9]|2[3-5][0-9])([.][0-9]+){3})([:/?]|$)')",
                "url must name a host on the internet, to which AWS connects from its own network: take the receiver's public name or address (localhost, private, link-local and multicast addresses are refused as mistakes)",
            ),
            (
                "!self.matches('(?i)^[a-z-]+://(0x[0-9a-f]*|[0-9]+)([.](0x[0-9a-f]*|[0-9]+))*[.]?([:/?]|$)') || self.matches('^[a-z-]+://(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])([.](25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}([:/?]|$)')",
                "url must have an IPv4 address as four decimal numbers from 0 to 255, as in 203.0.113.7",
            ),
            (
                "!self.matches('^(rtp|rtp-fec|rist|zixi)://') || self.matches('^[a-z-]+://([0-9]+[.]){3}[0-9]+([:/?]|$)')",
                "url of rtp://, rtp-fec://, rist:// and zixi:// must have an IPv4 address, as in rist://203.0.113.7:5000: MediaConnect takes host names for RTMP and SRT receivers only",
            ),
            (
                "!self.matches('^[a-z-]+://[^/?]*\\\\[') || (self.matches('^[a-z-]+://\\\\[[0-9A-Fa-f:]+\\\\]([:/?]|$)') && isIP(self.split('[')[1].split(']')[0]) && cidr('2000::/3').containsIP(self.split('[')[1].split(']')[0]) && !['2002::/16', '2001::/32'].exists(c, cidr(c).containsIP(self.split('[')[1].split(']')[0])))",
                "url must have an IPv6 address of the internet in brackets, as in rtmps://[2001:db8::7]:443/live: AWS connects from its own network, and private, link-local and IPv4-mapped addresses are refused as mistakes",
            ),
        ],
    );
}

/// Why something is as it is, where what was stored does not say it. Another version may have had another name for the field.
pub(crate) fn not_recorded() -> String {
    "no reason is recorded".into()
}
