//! What the platforms are known to take. Sources: OBS `services.json` (August 2026), the platforms' encoder help pages.

pub use self::limits::check;
use crate::api::destination::Platform;

mod limits;

/// A platform's ways in and limits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preset {
    /// Ingest URL that is the same for everybody, where there is one.
    pub url: Option<&'static str>,
    /// Its backup, where there is one.
    pub backup_url: Option<&'static str>,
    /// Most that is accepted, video and audio together, in kbit/s.
    pub max_kbps: Option<i64>,
}

/// The preset of a platform.
#[must_use]
pub fn preset(platform: Platform) -> Preset {
    match platform {
        // Google help 2853702 and OBS: video up to 51 Mbit/s, audio up to 160 kbit/s.
        Platform::YouTube => Preset {
            url: Some("rtmps://a.rtmps.youtube.com:443/live2"),
            backup_url: Some("rtmps://b.rtmps.youtube.com:443/live2?backup=1"),
            max_kbps: Some(51_160),
        },
        // Twitch broadcasting guidelines: 6000 kbit/s video; OBS: audio up to 320.
        Platform::Twitch => {
            Preset { url: Some("rtmps://live.twitch.tv:443/app"), backup_url: None, max_kbps: Some(6_320) }
        }
        // Meta live API help: RTMPS only; 1080p60 up to 9 Mbit/s, audio up to 256 kbit/s.
        Platform::Facebook => {
            Preset { url: Some("rtmps://rtmp-api.facebook.com:443/rtmp/"), backup_url: None, max_kbps: Some(9_256) }
        }
        // One URL per event; 6 Mbit/s is the most that guides name.
        Platform::LinkedIn => Preset { url: None, backup_url: None, max_kbps: Some(6_128) },
        // One URL per source in Media Studio; OBS: 12 Mbit/s and 128 kbit/s.
        Platform::X => Preset { url: None, backup_url: None, max_kbps: Some(12_128) },
        // Kick is Amazon IVS, whose limit is 8.5 Mbit/s.
        Platform::Kick => Preset {
            url: Some("rtmps://fa723fc1b171.global-contribute.live-video.net:443/app"),
            backup_url: None,
            max_kbps: Some(8_500),
        },
        Platform::Restream => Preset { url: Some("rtmp://live.restream.io/live"), backup_url: None, max_kbps: None },
        Platform::Custom => Preset { url: None, backup_url: None, max_kbps: None },
    }
}
