//! Receivers' URLs, parsed once. A message about a bad URL never repeats the URL: it may hold a key.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

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

    /// The one beside it.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Primary => Self::Backup,
            Self::Backup => Self::Primary,
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
            Self::Rtmp { host, port, tls, .. } => {
                format!("rtmp{}://{}:{port}", if *tls { "s" } else { "" }, bracketed(host))
            }
            Self::SrtCaller { host, port } => format!("srt://{}:{port}", bracketed(host)),
            Self::SrtListener { port } => format!("srt://:{port}?mode=listener"),
            Self::Rtp { host, port, fec } => {
                format!("rtp{}://{}:{port}", if *fec { "-fec" } else { "" }, bracketed(host))
            }
            Self::Rist { host, port } => format!("rist://{}:{port}", bracketed(host)),
            Self::Zixi { host, port } => format!("zixi://{}:{port}", bracketed(host)),
        }
    }

    /// Host name or address, where there is one.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match self {
            Self::Rtmp { host, .. }
            | Self::SrtCaller { host, .. }
            | Self::Rtp { host, .. }
            | Self::Rist { host, .. }
            | Self::Zixi { host, .. } => Some(host),
            Self::SrtListener { .. } => None,
        }
    }

    /// Why an output of a flow cannot send there, to follow the name of the field; `None`: it can.
    ///
    /// The ports are those that AWS documents for RTMP outputs of MediaConnect's router (API reference,
    /// RtmpPushRouterOutputConfiguration, destinationPort); that outputs of a flow have the same is assumed. No page of
    /// MediaConnect says that an output sends to IPv6.
    #[must_use]
    pub fn fault_of_flow(&self) -> Option<String> {
        let is_rtmp = matches!(self, Self::Rtmp { .. });
        if self.host().is_some_and(|host| host.contains(':')) {
            let other = if is_rtmp { ", or set delivery: Transcode" } else { "" };
            return Some(format!(
                "names an IPv6 address, to which an output of a MediaConnect flow does not send: give the receiver's host name or IPv4 address{other}"
            ));
        }
        match self {
            // outputs-add-standard.html of the MediaConnect user guide: "IP address"; of SRT caller "IP address or domain".
            Self::Rtp { host, .. } | Self::Rist { host, .. } | Self::Zixi { host, .. }
                if host.parse::<Ipv4Addr>().is_err() =>
            {
                Some(
                    "names a host, and MediaConnect sends RTP, RTP-FEC, RIST and Zixi to an IPv4 address only: give the receiver's"
                        .into(),
                )
            }
            Self::Rtmp { port, tls, .. } if *port < 1024 && !(*tls && *port == 443) => Some(format!(
                "has port {port}, and an output of a MediaConnect flow takes 1024 to 65535, with rtmps:// also 443: use the receiver's rtmps:// URL on port 443, or set delivery: Transcode"
            )),
            _ => None,
        }
    }

    /// Parses a URL.
    ///
    /// # Errors
    /// A sentence without the URL that says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|_| "is not a URL of the form scheme://host:port/path".to_string())?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not hold a user name or password: put the key into a Secret that streamKey names; a login goes into username and password, with delivery: Transcode".into());
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
                    return Err("needs the application after the host, as in rtmp://ingest.example.net/live; of a platform's own ingest leave it out, because it is known".into());
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

/// A host as it stands in a URL.
#[must_use]
pub fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_string() }
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
                Err("names a host that is not on the internet, to which AWS connects from its own network: take the receiver's public name or address".into())
            } else {
                Ok(name)
            }
        }
        Err(_) => Err("has a host that is not a name or an address".into()),
    }
}

fn address_allowed(address: IpAddr) -> Result<(), String> {
    let on_the_internet = match address {
        IpAddr::V4(a) => {
            let [first, second, ..] = a.octets();
            !(a.is_loopback() || a.is_private() || a.is_link_local() || first == 0 || first >= 224)
                && !(first == 100 && second & 0xc0 == 64)
        }
        // All that is given out lies in 2000::/3 (IANA, "Internet Protocol Version 6 Address Space"). IPv4 addresses in the
        // clothes of IPv6 do not, but for 6to4 (2002::/16) and Teredo (2001::/32), over which nobody sends any more.
        IpAddr::V6(a) => {
            let [first, second, ..] = a.segments();
            first & 0xe000 == 0x2000 && first != 0x2002 && (first, second) != (0x2001, 0)
        }
    };
    if on_the_internet {
        Ok(())
    } else {
        Err("names a loopback, link-local, private or multicast address, which is refused as a mistake: AWS connects, from its own network; take the receiver's public name or address".into())
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
    fn only_rtmp_and_srt_are_sent_to_a_name() {
        for url in [
            "rtp://host.example.net:5000",
            "rtp-fec://host.example.net:5000",
            "rist://host.example.net:5000",
            "zixi://host.example.net",
        ] {
            let fault = Receiver::parse(url).expect("a receiver").fault_of_flow();
            assert!(fault.is_some_and(|said| said.contains("IPv4")), "{url}");
        }
        for url in [
            "srt://host.example.net:9000",
            "rtmps://host.example.net/live",
            "rist://192.0.2.7:5000",
            "zixi://192.0.2.7",
        ] {
            assert_eq!(Receiver::parse(url).expect("a receiver").fault_of_flow(), None, "{url}");
        }
    }

    #[test]
    fn an_address_of_ipv6_keeps_its_brackets() {
        let receiver = Receiver::parse("rtmp://[2001:db8::7]/live").expect("a receiver");
        assert_eq!(receiver.shown(), "rtmp://[2001:db8::7]:1935");
        assert!(receiver.fault_of_flow().is_some_and(|said| said.contains("IPv6") && said.contains("Transcode")));
        let srt = Receiver::parse("srt://[2001:db8::7]:9000").expect("a receiver");
        assert_eq!(srt.shown(), "srt://[2001:db8::7]:9000");
        assert!(srt.fault_of_flow().is_some_and(|said| !said.contains("Transcode")));
    }

    #[test]
    fn ports_that_an_output_of_a_flow_takes() {
        let fault = |url: &str| Receiver::parse(url).expect(url).fault_of_flow();
        for url in
            ["rtmp://host.example/x", "rtmp://host.example:1024/x", "rtmps://host.example/x", "srt://host.example:80"]
        {
            assert_eq!(fault(url), None, "{url}");
        }
        for url in ["rtmp://host.example:80/x", "rtmp://host.example:443/x", "rtmps://host.example:80/x"] {
            let said = fault(url).expect(url);
            assert!(said.contains("1024 to 65535") && said.contains("rtmps:// URL on port 443"), "{url}: {said}");
        }
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
            "rtmp://[fd00:ec2::254]/live",
            "rtmp://[::127.0.0.1]/live",
            "rtmp://[::ffff:169.254.169.254]/live",
            "rtmp://[0:0:0:0:0:0:0:1]/live",
            "rtmp://[fe80::1]/live",
            "rtmp://[ff02::1]/live",
            "rtmp://2852039166/live",
            "rtmp://0xA9FEA9FE/live",
            "rtmp://0251.0376.0251.0376/live",
            "rtmp://127.1/live",
            "rtmp://100.64.0.1/live",
            "rtmp://224.0.0.1/live",
            "rtmp://240.0.0.1/live",
            "rtmp://255.255.255.255/live",
            "rtmp://localhost/live",
            "rtmp://localhost../live",
            "rtmp://127.0.0.1./live",
            "rtmp://%31%32%37.0.0.1/live",
            "rtmp://１２７.0.0.1/live",
            "rtmp://[2002:7f00:1::]/live",
            "rtmp://[2001:0:4136:e378:8000:63bf:80ff:fffe]/live",
            "rtmp://[64:ff9b::7f00:1]/live",
            "rtmp://LOCALHOST./live",
            "rtmp://metadata.google.internal/live",
            "rtmp://ho st/live",
            "rtmp://host.example.com/live#SECRET",
            "not a url SECRET",
        ] {
            let error = Receiver::parse(bad).expect_err(bad);
            assert!(!error.contains("SECRET"), "{bad}: {error}");
        }
    }
}
