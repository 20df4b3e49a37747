//! Times and time-ordered ids, as they are written. Whoever calls has read the clock.

use std::fmt::Write as _;
use std::time::Duration;

/// 100-nanosecond intervals from the start of the Gregorian calendar to the Unix epoch.
const GREGORIAN_OFFSET: u64 = 0x01B2_1DD2_1381_4000;

/// A time as UUIDs count it: 100-nanosecond intervals since 1582.
pub fn uuid_ticks(since_epoch: Duration) -> u64 {
    (since_epoch.as_nanos() / 100) as u64 + GREGORIAN_OFFSET
}

/// A UUID of version 6: `ticks` first, so that ids sort by time, then the lower 14 bits of
/// `sequence`, then the upper 48 bits of `random` where a node's address would be.
pub fn uuid6(ticks: u64, sequence: i64, random: u64) -> u128 {
    let time_and_version = (ticks >> 12 << 16) | 0x6000 | (ticks & 0xFFF);
    let variant_and_sequence = 0x8000 | (sequence as u64 & 0x3FFF);
    let low = (variant_and_sequence << 48) | (random >> 16);
    (u128::from(time_and_version) << 64) | u128::from(low)
}

/// A time in UTC as ISO 8601 with microseconds, which are left out if there are none: as Python
/// writes it.
pub fn iso8601(since_epoch: Duration) -> String {
    let (days, of_day) = (since_epoch.as_secs() / 86_400, since_epoch.as_secs() % 86_400);
    let (year, month, day) = civil(days as i64);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let mut text = String::with_capacity("0000-00-00T00:00:00.000000+00:00".len());
    // Writing to a string cannot fail.
    let _ = write!(text, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    let _ = match since_epoch.subsec_micros() {
        0 => Ok(()),
        micros => write!(text, ".{micros:06}"),
    };
    text.push_str("+00:00");
    text
}

/// Year, month and day of a number of days after 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    // Years are counted from March, so that the leap day is the last of its year.
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::uuid_text;

    #[test]
    fn times_are_iso_8601() {
        let time = |micros| iso8601(Duration::from_micros(micros));
        assert_eq!(time(1_709_210_096_000_007), "2024-02-29T12:34:56.000007+00:00");
        assert_eq!(time(951_868_800_000_000), "2000-03-01T00:00:00+00:00");
        assert_eq!(time(0), "1970-01-01T00:00:00+00:00");
    }

    #[test]
    fn ids_hold_time_sequence_and_chance() {
        let ticks = uuid_ticks(Duration::from_secs(1_700_000_000));
        let id = uuid6(ticks, -1, 0x0123_4567_89AB_CDEF);
        assert_eq!(uuid_text(id), "1ee833b0-4afc-6000-bfff-0123456789ab");
        assert!(uuid6(ticks, 0, 0) < uuid6(ticks, 1, 0) && id < uuid6(ticks + 1, 0, 0));
    }
}
