//! How the levels of the wheel divide time, and where their buckets are.

use super::blocks::PARTS;

pub(super) const LEVELS: usize = 7;
/// Buckets of the lowest level, and of each other.
const LOWEST: usize = 1024;
const OTHER: usize = 256;
pub(super) const BUCKETS: usize = LOWEST + (LEVELS - 1) * OTHER;
/// So many buckets of the lowest level are one of level 1.
pub(super) const SHARE: u64 = LOWEST as u64 / 2;
const _: () = assert!(SHARE <= PARTS);

/// A bucket of a level lasts two to the power of this, in ticks. Each level reaches two buckets of the next.
#[inline]
pub(super) fn shift(level: usize) -> u32 {
    match level {
        0 => 16,
        _ => 25 + 7 * (level as u32 - 1),
    }
}

/// How many buckets a level has: a power of two, and a multiple of 64.
#[inline]
pub(super) fn size(level: usize) -> usize {
    match level {
        0 => LOWEST,
        _ => OTHER,
    }
}

/// Where the bucket with this number is among all buckets.
#[inline]
pub(super) fn locate(level: usize, number: u64) -> usize {
    let at = number as usize & (size(level) - 1);
    match level {
        0 => at,
        _ => LOWEST + (level - 1) * OTHER + at,
    }
}

/// Whether the entries of a bucket know where in it they are due: those of level 1 do.
#[inline]
pub(super) fn is_parted(bucket: usize) -> bool {
    (LOWEST..LOWEST + OTHER).contains(&bucket)
}
