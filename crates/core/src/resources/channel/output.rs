//! The output groups of a channel: what each is called, and where it sends to.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use super::EncodingName;
use crate::endpoint::{Receiver, Role, bracketed};
use crate::secret::SecretText;

/// Name of an output group, of its one output and of its destination.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Serialize)]
pub struct OutputName(String);

impl OutputName {
    /// What the names begin with by which groups of ours are known in a channel that has others, too.
    pub const OURS: &str = "playout-";

    /// A name; MediaLive allows 32 characters.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// As AWS has it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a group of this name is ours in a channel that has others, too.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.0.starts_with(Self::OURS)
    }

    /// The endpoint that is called so.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        [Role::Primary, Role::Backup].into_iter().find(|role| role.as_str() == self.0)
    }
}

impl From<Role> for OutputName {
    fn from(role: Role) -> Self {
        Self::new(role.as_str())
    }
}

/// An output group: one encoding, sent to one place.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct OutputGroup {
    /// What is sent.
    pub encoding: EncodingName,
    /// Where to.
    pub to: Target,
}

/// Where an output group sends to.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub enum Target {
    /// A receiver of RTMP or RTMPS.
    Rtmp(RtmpTarget),
    /// A folder that is written to as HLS.
    Hls(HlsTarget),
    /// An address that a transport stream is sent to.
    Udp(UdpTarget),
    /// A listener that is called by SRT.
    Srt(SrtTarget),
    /// A channel of MediaPackage.
    MediaPackage(MediaPackageTarget),
}

impl Target {
    /// The receiver, if it is one of RTMP.
    #[must_use]
    pub fn rtmp(&self) -> Option<&RtmpTarget> {
        if let Self::Rtmp(target) = self { Some(target) } else { None }
    }

    /// The host that it sends to.
    #[must_use]
    pub fn host(&self) -> Option<String> {
        let url = match self {
            Self::Rtmp(target) => target.url.expose(),
            Self::Udp(target) => &target.url,
            Self::Srt(target) => &target.url,
            Self::Hls(_) | Self::MediaPackage(_) => return None,
        };
        let (_, rest) = url.split_once("://")?;
        let authority = rest.split(['/', '?']).next()?;
        let host = match authority.strip_prefix('[') {
            Some(v6) => v6.split(']').next()?,
            None => authority.split(':').next()?,
        };
        Some(host.to_string()).filter(|host| !host.is_empty())
    }
}

/// Where an RTMP output sends to. The stream name is the key, and the URL may hold a token: `Debug` and `Serialize` show
/// scheme, host and port alone.
#[derive(Clone, Eq, PartialEq)]
pub struct RtmpTarget {
    /// `rtmp(s)://host:port/application`, query included.
    pub url: SecretText,
    /// Stream name.
    pub stream: SecretText,
    /// For a receiver that asks who sends.
    pub login: Option<Login>,
}

/// A login at an RTMP server. The password itself is never here: MediaLive reads it.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Login {
    /// User name.
    pub username: String,
    /// Name of the SSM parameter that holds the password.
    pub password_parameter: String,
}

impl RtmpTarget {
    /// As MediaLive wants it; `None` for a receiver that is not RTMP. The port is always written, so that what AWS shows
    /// can be compared with it.
    #[must_use]
    pub fn of(receiver: &Receiver, stream: SecretText, login: Option<Login>) -> Option<Self> {
        let Receiver::Rtmp { host, port, tls, application } = receiver else { return None };
        let url = format!("rtmp{}://{}:{port}/{application}", if *tls { "s" } else { "" }, bracketed(host));
        Some(Self { url: SecretText::new(url), stream, login })
    }

    /// Scheme, host and port: fit for status and messages.
    #[must_use]
    pub fn shown(&self) -> String {
        Receiver::parse(self.url.expose()).map_or_else(|_| "(unreadable)".into(), |r| r.shown())
    }
}

impl fmt::Debug for RtmpTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RtmpTarget")
            .field("url", &self.shown())
            .field("stream", &self.stream)
            .field("login", &self.login)
            .finish()
    }
}

impl Serialize for RtmpTarget {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut target = serializer.serialize_struct("RtmpTarget", 3)?;
        target.serialize_field("url", &self.shown())?;
        target.serialize_field("stream", &self.stream)?;
        target.serialize_field("login", &self.login)?;
        target.end()
    }
}

/// A folder for HLS, in S3 as a rule.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct HlsTarget {
    /// `s3ssl://bucket/folder/base`: playlists and segments begin with the base.
    pub url: String,
    /// What follows the base in the names of this encoding. MediaLive asks for one of every output of HLS.
    pub modifier: String,
    /// Length of a segment in seconds.
    pub segment_seconds: i32,
    /// Whether the playlist keeps all segments (MediaLive's mode VOD), as a recording has to; else the newest alone.
    pub keeps_all: bool,
}

/// An address that a transport stream is sent to, without an answer.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct UdpTarget {
    /// `udp://` or `rtp://` with host and port.
    pub url: String,
    /// Whether packets are added from which lost ones can be told (SMPTE 2022-1).
    pub fec: bool,
}

/// A listener that is called by SRT.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct SrtTarget {
    /// `srt://` with host and port.
    pub url: String,
    /// What the listener tells callers apart by.
    pub stream_id: Option<SecretText>,
    /// ARN of the secret that holds the passphrase: then the stream is encrypted with AES-256.
    pub passphrase_secret_arn: Option<String>,
    /// How long a lost packet is waited for, in milliseconds.
    pub latency_ms: i32,
}

/// A channel of MediaPackage, which must exist.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
#[expect(missing_docs, reason = "the fields are what their names say")]
pub enum MediaPackageTarget {
    /// Of version 1.
    V1 { channel_id: String },
    /// Of version 2.
    V2 { group: String, channel: String },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_of_a_target_is_told_from_its_url() {
        let rtmp = |url: &str| {
            Target::Rtmp(RtmpTarget { url: SecretText::new(url), stream: SecretText::new("key"), login: None })
        };
        let udp = |url: &str| Target::Udp(UdpTarget { url: url.into(), fec: false });
        assert_eq!(rtmp("rtmps://a.example.net:443/live?x=rtmp://b/").host().as_deref(), Some("a.example.net"));
        assert_eq!(rtmp("rtmp://[2001:db8::1]:1935/live").host().as_deref(), Some("2001:db8::1"));
        assert_eq!(udp("rtp://198.51.100.7:5000").host().as_deref(), Some("198.51.100.7"));
        assert_eq!(udp("no url").host(), None);
        let v1 = MediaPackageTarget::V1 { channel_id: "news".into() };
        assert_eq!(Target::MediaPackage(v1).host(), None);
    }

    #[test]
    fn a_name_says_whose_a_group_is_and_which_endpoint() {
        assert!(OutputName::new("playout-ab12").is_ours() && !OutputName::new("main").is_ours());
        for role in [Role::Primary, Role::Backup] {
            assert_eq!(OutputName::from(role).role(), Some(role));
        }
        assert_eq!(OutputName::new("playout-ab12").role(), None);
    }

    #[test]
    fn neither_the_key_nor_a_token_in_the_url_is_shown() {
        let url = SecretText::new("rtmps://a.example.net:443/live?token=hidden");
        let target = Target::Rtmp(RtmpTarget { url, stream: SecretText::new("hidden"), login: None });
        let stream_id = Some(SecretText::new("hidden"));
        let srt = SrtTarget { url: "srt://a:1".into(), stream_id, passphrase_secret_arn: None, latency_ms: 200 };
        for target in [target, Target::Srt(srt)] {
            let text = format!("{target:?} {}", serde_json::to_string(&target).expect("JSON"));
            assert!(!text.contains("hidden"), "{text}");
        }
    }
}
