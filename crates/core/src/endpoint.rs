//! Receivers' URLs, parsed once. A message about a bad URL never repeats the URL: it may hold a key.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use crate::secret::SecretText;

/// Which of a Destination's endpoints.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, serde::Serialize)]
pub enum Role {
    /// The first.
    Primary,
    /// The second.
    Backup,
}

impl Role {
    /// As it stands in names of outputs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Backup => "backup",
        }
    }

    /// As people read it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Primary => "Primary",
            Self::Backup => "Backup",
        }
    }
}

/// Where an output sends to. `Debug` says what [`Receiver::shown`] says.
#[derive(Clone, Eq, PartialEq)]
pub enum Receiver {
    /// RTMP, or RTMPS with `tls`. `application` is the path without the stream name, query included.
    Rtmp {
        /// Host name or address.
        host: String,
        /// TCP port; 1935, or 443 with `tls`.
        port: u16,
        /// RTMPS.
        tls: bool,
        /// Example: `live2`.
        application: String,
    },
    /// We call the receiver over SRT.
    SrtCaller {
        /// Host name or address.
        host: String,
        /// UDP port.
        port: u16,
    },
    /// The receiver calls us over SRT on this port.
    SrtListener {
        /// UDP port of the flow.
        port: u16,
    },
    /// RTP.
    Rtp {
        /// Host name or address.
        host: String,
        /// UDP port.
        port: u16,
        /// With SMPTE 2022-1 forward error correction.
        fec: bool,
    },
    /// RIST.
    Rist {
        /// Host name or address.
        host: String,
        /// UDP port.
        port: u16,
    },
    /// Zixi push.
    Zixi {
        /// Host name or address.
        host: String,
        /// UDP port; 2088 by default.
        port: u16,
    },
}

impl fmt::Debug for Receiver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())?;
        if let Self::Rtmp { application, .. } = self {
            write!(f, "/{}", shown_application(application))?;
        }
        Ok(())
    }
}

/// The first word of an RTMP application. What follows may be a key.
#[must_use]
pub fn shown_application(application: &str) -> String {
    match application.find(['/', '?']) {
        Some(end) => format!("{}(secret)", &application[..=end]),
        None => application.to_string(),
    }
}

/// Parts of a URL that may be a key: user, password, what follows the first word of the path, values of the query. Also of
/// a URL that is refused, since AWS or a library may repeat it. Only long ones with a digit: a word like `live` or
/// `backup=1` is no key, and would be missing in every text.
#[must_use]
pub fn possible_keys(url: &str) -> Vec<SecretText> {
    const SHORTEST: usize = 10;
    let Ok(url) = Url::parse(url) else { return Vec::new() };
    let mut found = vec![url.username().to_string(), url.password().unwrap_or_default().to_string()];
    found.extend(url.path().split('/').skip(2).map(str::to_string));
    found.extend(url.query().unwrap_or_default().split('&').filter_map(|p| p.split_once('=')).map(|(_, v)| v.into()));
    found.extend(url.fragment().map(str::to_string));
    found.retain(|text| text.len() >= SHORTEST && text.bytes().any(|b| b.is_ascii_digit()));
    found.into_iter().map(SecretText::new).collect()
}

impl Receiver {
    /// Scheme, host and port: fit for status and messages.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Rtmp { host, port, tls, .. } => format!("rtmp{}://{host}:{port}", if *tls { "s" } else { "" }),
            Self::SrtCaller { host, port } => format!("srt://{host}:{port}"),
            Self::SrtListener { port } => format!("srt://:{port}?mode=listener"),
            Self::Rtp { host, port, fec } => format!("rtp{}://{host}:{port}", if *fec { "-fec" } else { "" }),
            Self::Rist { host, port } => format!("rist://{host}:{port}"),
            Self::Zixi { host, port } => format!("zixi://{host}:{port}"),
        }
    }

    /// Whether the protocol knows of a connection, so that "connected" can be measured. RTP is sent into the dark.
    #[must_use]
    pub fn has_connection(&self) -> bool {
        !matches!(self, Self::Rtp { .. } | Self::Rist { .. })
    }

    /// Parses a URL.
    ///
    /// # Errors
    /// A sentence without the URL that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|_| "is not a URL of the form scheme://host:port/path".to_string())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold a user name or password: put the key into a Secret".into());
        }
        if url.fragment().is_some() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("must not hold spaces, line breaks or a #fragment".into());
        }
        let scheme = url.scheme();
        if scheme == "srt" && url.query_pairs().any(|(k, v)| k == "mode" && v == "listener") {
            let port = url.port().ok_or("needs a port on which the receiver calls")?;
            if port < 1024 {
                return Err("needs a port from 1024 to 65535".into());
            }
            return Ok(Self::SrtListener { port });
        }
        let host = public_host(&url)?;
        let needs_port = || url.port().ok_or_else(|| "needs a port, as in scheme://host:port".to_string());
        let bare = || {
            if url.path().trim_matches('/').is_empty() && url.query().is_none() {
                Ok(())
            } else {
                Err("must end after the port: stream ids and passwords go into Secrets".to_string())
            }
        };
        match scheme {
            "rtmp" | "rtmps" => {
                let tls = scheme == "rtmps";
                let mut application = url.path().trim_matches('/').to_string();
                if application.is_empty() {
                    return Err("needs the application after the host, as in rtmps://host/live2".into());
                }
                if let Some(query) = url.query() {
                    application = format!("{application}?{query}");
                }
                Ok(Self::Rtmp { host, port: url.port().unwrap_or(if tls { 443 } else { 1935 }), tls, application })
            }
            "srt" => bare().and(needs_port()).map(|port| Self::SrtCaller { host, port }),
            "rtp" => bare().and(needs_port()).map(|port| Self::Rtp { host, port, fec: false }),
            "rtp-fec" => bare().and(needs_port()).map(|port| Self::Rtp { host, port, fec: true }),
            "rist" => bare().and(needs_port()).map(|port| Self::Rist { host, port }),
            "zixi" => bare().map(|()| Self::Zixi { host, port: url.port().unwrap_or(2088) }),
            _ => Err("must begin with rtmp://, rtmps://, srt://, rtp://, rtp-fec://, rist:// or zixi://".into()),
        }
    }
}

/// The host, unless it is one that AWS would reach inside a machine or a private network.
///
/// Non-special schemes leave addresses unparsed, so every spelling that a resolver would read as an IPv4 address (decimal,
/// hexadecimal, short forms) is read here by the rules of the URL standard first.
fn public_host(url: &Url) -> Result<String, String> {
    let text = match url.host() {
        Some(Host::Domain(name)) => name.to_string(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => return address_allowed(address.into()).map(|()| format!("{address}")),
        None => return Err("needs a host, as in scheme://host:port".into()),
    };
    match Host::parse(&text) {
        Ok(Host::Ipv4(address)) => address_allowed(address.into()).map(|()| address.to_string()),
        Ok(Host::Ipv6(address)) => address_allowed(address.into()).map(|()| address.to_string()),
        Ok(Host::Domain(name)) => {
            let bare = name.trim_end_matches('.');
            if bare == "localhost" || bare.ends_with(".localhost") || bare.ends_with(".internal") || bare.is_empty() {
                Err("names a host that is not on the internet".into())
            } else {
                Ok(name)
            }
        }
        Err(_) => Err("has a host that is not a name or an address".into()),
    }
}

fn address_allowed(address: IpAddr) -> Result<(), String> {
    let v4 = match address {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(v6) => v6.to_ipv4_mapped().or_else(|| v6.to_ipv4()),
    };
    let inside = match v4 {
        Some(a) => {
            a.is_loopback()
                || a.is_private()
                || a.is_link_local()
                || a.is_unspecified()
                || a.is_broadcast()
                || a.is_multicast()
                || a.octets()[0] == 0
                || (a.octets()[0] == 100 && a.octets()[1] & 0xc0 == 64)
        }
        None => match address {
            IpAddr::V6(a) => {
                a.is_loopback()
                    || a.is_unspecified()
                    || a.is_multicast()
                    || a.segments()[0] & 0xfe00 == 0xfc00
                    || a.segments()[0] & 0xffc0 == 0xfe80
            }
            IpAddr::V4(_) => false,
        },
    };
    if inside {
        Err("names a loopback, link-local or private address, which MediaConnect cannot or must not reach".into())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Receiver, possible_keys};

    #[test]
    fn what_may_be_a_key_is_known_and_not_shown() {
        let keys = |url| possible_keys(url).iter().map(|k| k.expose().to_string()).collect::<Vec<_>>();
        assert_eq!(keys("rtmp://host/app/pasted-key-1234?t=token-567890"), ["pasted-key-1234", "token-567890"]);
        assert_eq!(keys("rtmp://user:password-1234@host/live2?backup=1"), ["password-1234"]);
        let receiver = Receiver::parse("rtmp://host.example.com/app/pasted-key-1234");
        assert_eq!(format!("{receiver:?}"), "Ok(rtmp://host.example.com:1935/app/(secret))");
    }

    #[test]
    fn known_forms_are_understood() {
        assert_eq!(
            Receiver::parse("rtmps://b.rtmps.youtube.com:443/live2?backup=1"),
            Ok(Receiver::Rtmp {
                host: "b.rtmps.youtube.com".into(),
                port: 443,
                tls: true,
                application: "live2?backup=1".into()
            })
        );
        assert_eq!(
            Receiver::parse("rtmp://live.twitch.tv/app/").map(|r| r.shown()),
            Ok("rtmp://live.twitch.tv:1935".into())
        );
        assert_eq!(
            Receiver::parse("srt://192.0.2.7:9000"),
            Ok(Receiver::SrtCaller { host: "192.0.2.7".into(), port: 9000 })
        );
        assert_eq!(Receiver::parse("srt://0.0.0.0:9000?mode=listener"), Ok(Receiver::SrtListener { port: 9000 }));
        assert_eq!(
            Receiver::parse("rtp-fec://192.0.2.7:5000").map(|r| r.shown()),
            Ok("rtp-fec://192.0.2.7:5000".into())
        );
    }

    #[test]
    fn what_is_refused_is_not_repeated() {
        for bad in [
            "rtmp://user:SECRET@live.twitch.tv/app",
            "rtmp://host/",
            "ftp://SECRET.example.com/x",
            "srt://host.example.com",
            "srt://host.example.com:9000?streamid=SECRET",
            "rtmp://127.0.0.1/live",
            "rtmp://2130706433/live",
            "rtmp://0x7f.1/live",
            "rtmp://[::ffff:127.0.0.1]/live",
            "rtmp://169.254.169.254/live",
            "rtmp://10.0.0.1/live",
            "rtmp://[fd00::1]/live",
            "rtmp://localhost/live",
            "rtmp://ho st/live",
            "rtmp://host.example.com/live#SECRET",
            "not a url SECRET",
        ] {
            let error = Receiver::parse(bad).expect_err(bad);
            assert!(!error.contains("SECRET"), "{bad}: {error}");
        }
    }
}
