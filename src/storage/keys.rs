//! Every key of the stored state. One tree, one prefix byte for each kind of record.

/// Which blocks count, and what they add up to.
pub const HEADER: &[u8] = b"h";
/// Blocks: `b`, generation, number, both in big-endian order.
pub const BLOCK: u8 = b'b';

pub fn generation(generation: u64) -> Vec<u8> {
    let mut bytes = vec![BLOCK];
    bytes.extend_from_slice(&generation.to_be_bytes());
    bytes
}

pub fn block(generation: u64, number: u64) -> Vec<u8> {
    let mut bytes = self::generation(generation);
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes
}
