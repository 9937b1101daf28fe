//! Bodies that were gzipped, of requests and of answers: unpacked, and never to more than allowed.

use std::io::{self, Read};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;

/// Unpacks gzip of one or several members; `None` if it is more than `max_bytes`, and no more than that
/// is ever unpacked.
///
/// # Errors
/// If it is not gzip, is cut off, or does not have the checksum that it says.
pub fn unpack(packed: &[u8], max_bytes: usize) -> io::Result<Option<Bytes>> {
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(packed).take(max_bytes as u64 + 1).read_to_end(&mut unpacked)?;
    Ok((unpacked.len() <= max_bytes).then(|| unpacked.into()))
}
