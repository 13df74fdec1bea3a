//! H.264 levels: what a decoder must be able to do.

use super::{Framerate, Profile};

/// A level of ITU-T H.264. Those below 3 are left out: no platform tells them apart.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, serde::Serialize)]
#[expect(missing_docs, reason = "their names are their numbers")]
pub enum Level {
    L3,
    L3_1,
    L3_2,
    L4,
    L4_1,
    L4_2,
    L5,
    L5_1,
    L5_2,
}

/// ITU-T H.264 (08/2021), table A-1: most macroblocks a second, most macroblocks a frame, most kbit/s and most kbit of the
/// decoder's buffer, for Baseline and Main.
const TABLE: [(Level, i64, i64, i64, i64); 9] = [
    (Level::L3, 40_500, 1_620, 10_000, 10_000),
    (Level::L3_1, 108_000, 3_600, 14_000, 14_000),
    (Level::L3_2, 216_000, 5_120, 20_000, 20_000),
    (Level::L4, 245_760, 8_192, 20_000, 25_000),
    (Level::L4_1, 245_760, 8_192, 50_000, 62_500),
    (Level::L4_2, 522_240, 8_704, 50_000, 62_500),
    (Level::L5, 589_824, 22_080, 135_000, 135_000),
    (Level::L5_1, 983_040, 36_864, 240_000, 240_000),
    (Level::L5_2, 2_073_600, 36_864, 240_000, 240_000),
];

impl Level {
    /// The least level that allows this picture, with a buffer of one second. What no level allows gets the highest.
    #[must_use]
    pub fn least(profile: Profile, width: i32, height: i32, framerate: Framerate, bitrate: i32) -> Self {
        let blocks = |pixels: i32| (i64::from(pixels.max(1)) + 15) / 16;
        let (across, down) = (blocks(width), blocks(height));
        let a_frame = across * down;
        let (numerator, denominator) = (i64::from(framerate.numerator), i64::from(framerate.denominator.max(1)));
        // Table A-2: High allows a quarter more than Main.
        let bits = i64::from(bitrate) * if profile == Profile::High { 4 } else { 5 };
        let fits = |&&(_, a_second, most, rate, buffer): &&(Self, i64, i64, i64, i64)| {
            a_frame * numerator <= a_second * denominator
                && a_frame <= most
                // A.3.1: neither side is longer than the root of eight frames' worth.
                && across.max(down).pow(2) <= 8 * most
                && bits <= rate.min(buffer) * 5000
        };
        TABLE.iter().find(fits).map_or(Self::L5_2, |row| row.0)
    }

    /// The number, as AWS and people write it: `4.1`.
    #[must_use]
    pub const fn number(self) -> &'static str {
        match self {
            Self::L3 => "3",
            Self::L3_1 => "3.1",
            Self::L3_2 => "3.2",
            Self::L4 => "4",
            Self::L4_1 => "4.1",
            Self::L4_2 => "4.2",
            Self::L5 => "5",
            Self::L5_1 => "5.1",
            Self::L5_2 => "5.2",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Framerate, Level, Profile};

    #[test]
    fn the_level_is_the_least_that_the_standard_allows() {
        let least = |width, height, frames, kbps| {
            Level::least(Profile::High, width, height, Framerate::whole(frames), kbps * 1000).number()
        };
        assert_eq!(least(854, 480, 25, 1_500), "3");
        assert_eq!(least(854, 480, 30, 1_500), "3.1", "54 by 30 macroblocks, 30 times a second, are more than 40500");
        assert_eq!(least(1280, 720, 30, 3_000), "3.1");
        assert_eq!(least(1280, 720, 60, 4_500), "3.2");
        assert_eq!(least(1920, 1080, 30, 4_500), "4");
        assert_eq!(least(1080, 1920, 30, 4_500), "4");
        assert_eq!(least(1920, 1080, 30, 30_000), "4.1", "level 4 of High ends at 25 Mbit/s");
        assert_eq!(least(1920, 1080, 60, 6_000), "4.2");
        assert_eq!(least(3840, 2160, 30, 20_000), "5.1");
        assert_eq!(least(3840, 2160, 60, 40_000), "5.2");
        let main = Level::least(Profile::Main, 1920, 1080, Framerate::whole(30), 24_000_000);
        assert_eq!(main.number(), "4.1", "Main has less than High at the same level");
    }
}
