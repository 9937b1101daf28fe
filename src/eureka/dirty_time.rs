//! `lastDirtyTimestamp`: the version of a document, which is also a time that clients turn into a date.

use std::ops::RangeInclusive;

/// The years 1 to 9999, epoch milliseconds: what every client's date type holds. Steeltoe gives up
/// the whole registry for one instance with a time outside of them.
pub(super) const RANGE_MS: RangeInclusive<i64> = -62_135_596_800_000..=253_402_300_799_999;

/// A dirty time is in no year from 1 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("lastDirtyTimestamp {0} is not in the years 1 to 9999; give epoch milliseconds")]
pub struct DirtyTimeOutOfRange(pub i64);

/// # Errors
/// [`DirtyTimeOutOfRange`] if it is.
pub fn check_dirty_time(ms: i64) -> Result<i64, DirtyTimeOutOfRange> {
    match RANGE_MS.contains(&ms) {
        true => Ok(ms),
        false => Err(DirtyTimeOutOfRange(ms)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_four_digit_years_are_dirty_times() {
        for ms in [-62_135_596_800_000, -5, 0, 1_700_000_000_000, 253_402_300_799_999] {
            assert_eq!(check_dirty_time(ms), Ok(ms));
        }
        for ms in [i64::MIN, -62_135_596_800_001, 253_402_300_800_000, i64::MAX] {
            assert_eq!(check_dirty_time(ms), Err(DirtyTimeOutOfRange(ms)));
        }
    }
}
