//! Blocks of the stored state, packed: LZ4's block form behind the length that it unpacks to, little-endian in four
//! bytes. Records say much the same again and again. sled keeps in memory what it has written lately, some megabytes
//! of it, and copies its pages and computes their checksums each time: what is not there costs nothing.

use bytes::Bytes;
use lz4_flex::block::{compress_prepend_size, decompress, uncompressed_size};

use crate::encoding::DecodeError;

/// What a byte can unpack to at most, by LZ4's form.
const MOST_TIMES: usize = 255;

pub fn pack(block: &[u8]) -> Vec<u8> {
    compress_prepend_size(block)
}

/// # Errors
/// [`DecodeError`] if this is not what [`pack`] made. It is found out before more memory is taken than packed bytes
/// can stand for.
pub fn unpack(packed: &[u8]) -> Result<Bytes, DecodeError> {
    let (length, rest) = uncompressed_size(packed).map_err(|_| NOT_PACKED)?;
    if length > rest.len().saturating_mul(MOST_TIMES) {
        return Err(NOT_PACKED);
    }
    let block = decompress(rest, length).map_err(|_| NOT_PACKED)?;
    if block.len() == length { Ok(block.into()) } else { Err(NOT_PACKED) }
}

const NOT_PACKED: DecodeError = DecodeError::Missing("a packed block");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_packed_comes_back(
            words in proptest::collection::vec("[a-c]{0,9}", 0..300),
            noise in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let block = [words.concat().as_bytes(), &noise, words.concat().as_bytes()].concat();
            let packed = pack(&block);
            prop_assert_eq!(unpack(&packed).unwrap(), &block);
            for cut in 0..packed.len() {
                prop_assert!(unpack(&packed[..cut]).is_err(), "cut to {}", cut);
            }
        }

        #[test]
        fn what_was_never_packed_is_an_error_or_small(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(block) = unpack(&bytes) {
                prop_assert!(block.len() <= bytes.len() * MOST_TIMES);
            }
        }
    }

    #[test]
    fn a_length_that_no_packed_bytes_stand_for_is_refused() {
        let mut packed = pack(&[7; 1000]);
        packed[..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(unpack(&packed).is_err());
        packed[..4].copy_from_slice(&1001_u32.to_le_bytes());
        assert!(unpack(&packed).is_err());
    }
}
