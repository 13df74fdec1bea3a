//! What a MediaLive channel encodes one programme to, as a value that a described channel can be compared with.

use std::fmt;

pub use self::level::Level;
pub use crate::api::encoding_preset::{Channels, Profile};

mod level;

/// The picture and the sound of one programme: H.264 at a constant bitrate, closed GOPs, AAC-LC.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Encoding {
    /// Pixels across.
    pub width: i32,
    /// Lines.
    pub height: i32,
    /// Frames in a second.
    pub framerate: Framerate,
    /// Video, in bit/s.
    pub video_bitrate: i32,
    /// Decoder buffer, in bits. Never above one second of `video_bitrate`: Amazon IVS takes no more.
    pub buffer_size: i32,
    /// From one keyframe to the next, in milliseconds.
    pub gop_milliseconds: i32,
    /// B-frames between two reference frames. Always 0 with `Profile::Baseline`.
    pub b_frames: i32,
    /// H.264 profile.
    pub profile: Profile,
    /// H.264 level; see [`Level::least`].
    pub level: Level,
    /// The sound.
    pub audio: Audio,
}

/// AAC-LC.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Audio {
    /// In bit/s.
    pub bitrate: i32,
    /// In Hz.
    pub sample_rate: i32,
    /// How many channels.
    pub channels: Channels,
}

/// Frames in a second, as a fraction: 29.97 is 30000/1001.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
pub struct Framerate {
    /// Frames.
    pub numerator: i32,
    /// In so many seconds.
    pub denominator: i32,
}

impl Framerate {
    /// The frame rates of television and of the web, as users write them.
    pub const KNOWN: [(&'static str, Self); 8] = [
        ("23.976", Self { numerator: 24_000, denominator: 1001 }),
        ("24", Self::whole(24)),
        ("25", Self::whole(25)),
        ("29.97", Self { numerator: 30_000, denominator: 1001 }),
        ("30", Self::whole(30)),
        ("50", Self::whole(50)),
        ("59.94", Self { numerator: 60_000, denominator: 1001 }),
        ("60", Self::whole(60)),
    ];

    /// A whole number of frames.
    #[must_use]
    pub const fn whole(frames: i32) -> Self {
        Self { numerator: frames, denominator: 1 }
    }

    /// One of [`Self::KNOWN`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::KNOWN.iter().find(|(name, _)| *name == text).map(|(_, framerate)| *framerate)
    }

    /// Whether these are more frames than `frames` in a second.
    #[must_use]
    pub fn exceeds(self, frames: i32) -> bool {
        i64::from(self.numerator) > i64::from(frames) * i64::from(self.denominator)
    }
}

impl fmt::Display for Framerate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let denominator = i64::from(self.denominator.max(1));
        let thousandths = (i64::from(self.numerator) * 1000 + denominator / 2) / denominator;
        f.write_str(&decimal(thousandths))
    }
}

impl fmt::Display for Encoding {
    /// One line for status and kubectl.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { width, height, framerate, profile, audio, .. } = self;
        let mono = if audio.channels == Channels::Mono { " mono" } else { "" };
        write!(
            f,
            "{width}x{height} at {framerate} fps, {} kbit/s H.264 {profile:?}, keyframe {} s, AAC {} kbit/s {} kHz{mono}",
            self.video_bitrate / 1000,
            seconds(self.gop_milliseconds),
            audio.bitrate / 1000,
            decimal(audio.sample_rate.into()),
        )
    }
}

impl Encoding {
    /// In what `self` differs from `other`, in the words of an `EncodingPreset`.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let (a, b) = (&self.audio, &other.audio);
        let all = [
            ("width", self.width != other.width),
            ("height", self.height != other.height),
            ("frameRate", self.framerate != other.framerate),
            ("videoBitrateKbps", self.video_bitrate != other.video_bitrate),
            ("buffer size", self.buffer_size != other.buffer_size && self.video_bitrate == other.video_bitrate),
            ("gopSeconds", self.gop_milliseconds != other.gop_milliseconds),
            ("bFrames", self.b_frames != other.b_frames),
            ("profile", self.profile != other.profile),
            ("audio.bitrateKbps", a.bitrate != b.bitrate),
            ("audio.sampleRateHz", a.sample_rate != b.sample_rate),
            ("audio.channels", a.channels != b.channels),
        ];
        let mut differences: Vec<_> = all.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect();
        // Where something else differs the level follows from it, and would be news to nobody.
        if differences.is_empty() && self.level != other.level {
            differences.push("level");
        }
        differences
    }
}

/// Milliseconds as people read seconds: `2`, `2.5`.
pub(crate) fn seconds(milliseconds: i32) -> String {
    decimal(milliseconds.into())
}

/// A number of thousandths, without noughts that say nothing.
fn decimal(thousandths: i64) -> String {
    let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

#[cfg(test)]
mod tests {
    use super::{Audio, Channels, Encoding, Framerate, Level, Profile};

    fn encoding() -> Encoding {
        Encoding {
            width: 1920,
            height: 1080,
            framerate: Framerate::whole(30),
            video_bitrate: 4_500_000,
            buffer_size: 4_500_000,
            gop_milliseconds: 2000,
            b_frames: 2,
            profile: Profile::High,
            level: Level::L4,
            audio: Audio { bitrate: 128_000, sample_rate: 48_000, channels: Channels::Stereo },
        }
    }

    #[test]
    fn people_read_it_in_one_line() {
        assert_eq!(
            encoding().to_string(),
            "1920x1080 at 30 fps, 4500 kbit/s H.264 High, keyframe 2 s, AAC 128 kbit/s 48 kHz"
        );
        let mono = Encoding {
            framerate: Framerate { numerator: 30_000, denominator: 1001 },
            gop_milliseconds: 2500,
            audio: Audio { bitrate: 96_000, sample_rate: 44_100, channels: Channels::Mono },
            ..encoding()
        };
        assert_eq!(
            mono.to_string(),
            "1920x1080 at 29.97 fps, 4500 kbit/s H.264 High, keyframe 2.5 s, AAC 96 kbit/s 44.1 kHz mono"
        );
    }

    #[test]
    fn a_frame_rate_is_read_as_it_is_written() {
        for (text, framerate) in Framerate::KNOWN {
            assert_eq!(Framerate::parse(text), Some(framerate));
            assert_eq!(framerate.to_string(), text);
        }
        for bad in ["", "0", "-30", "30.0", "120", "29.970", "NaN"] {
            assert_eq!(Framerate::parse(bad), None, "{bad}");
        }
        assert!(Framerate::whole(31).exceeds(30) && !Framerate::whole(30).exceeds(30));
        assert!(!Framerate { numerator: 60_000, denominator: 1001 }.exceeds(60), "59.94 is not more than 60");
    }

    #[test]
    fn a_difference_has_the_name_of_the_field_that_the_user_wrote() {
        let one = encoding();
        assert!(one.differences(&one).is_empty());
        let other = Encoding {
            video_bitrate: 6_000_000,
            buffer_size: 6_000_000,
            level: Level::L4_2,
            audio: Audio { sample_rate: 44_100, ..one.audio },
            ..one.clone()
        };
        assert_eq!(one.differences(&other), ["videoBitrateKbps", "audio.sampleRateHz"]);
        // Somebody set these by hand in the console: no field has them, and they are differences all the same.
        assert_eq!(one.differences(&Encoding { buffer_size: 9_000_000, ..one.clone() }), ["buffer size"]);
        assert_eq!(one.differences(&Encoding { level: Level::L5_2, ..one.clone() }), ["level"]);
    }
}
