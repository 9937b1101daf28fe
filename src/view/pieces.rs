//! Small chunks put together: a connection sends few at a time, and each costs as much as many of its bytes.

use bytes::{Bytes, BytesMut};

const PIECE_BYTES: usize = 64 * 1024;
/// What is larger stays a chunk of its own, shared with whoever else has it.
const SMALL_BYTES: usize = PIECE_BYTES / 4;

#[derive(Debug, Default)]
pub(super) struct Pieces {
    finished: Vec<Bytes>,
    open: BytesMut,
}

impl Pieces {
    pub(super) fn push(&mut self, chunk: Bytes) {
        if chunk.len() > SMALL_BYTES {
            self.finish_open();
            return self.finished.push(chunk);
        }
        if self.open.len() + chunk.len() > PIECE_BYTES {
            self.finish_open();
        }
        if self.open.capacity() == 0 {
            self.open = BytesMut::with_capacity(PIECE_BYTES);
        }
        self.open.extend_from_slice(&chunk);
    }

    pub(super) fn finish(mut self) -> Vec<Bytes> {
        self.finish_open();
        self.finished
    }

    fn finish_open(&mut self) {
        let open = std::mem::take(&mut self.open);
        // A piece that is half empty would keep what it has not for as long as the page.
        let piece = if open.len() > PIECE_BYTES / 2 { open.freeze() } else { Bytes::copy_from_slice(&open) };
        if !piece.is_empty() {
            self.finished.push(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces_of(lens: &[usize]) -> Vec<usize> {
        let mut pieces = Pieces::default();
        let mut all = Vec::new();
        for (number, len) in lens.iter().enumerate() {
            let chunk = vec![number as u8; *len];
            all.extend_from_slice(&chunk);
            pieces.push(chunk.into());
        }
        let finished = pieces.finish();
        assert_eq!(finished.concat(), all);
        finished.iter().map(Bytes::len).collect()
    }

    #[test]
    fn small_chunks_are_joined_and_large_ones_stay() {
        assert_eq!(pieces_of(&[]), [0; 0]);
        assert_eq!(pieces_of(&[0]), [0; 0]);
        assert_eq!(pieces_of(&[10, 20, 30]), [60]);
        assert_eq!(pieces_of(&[10, SMALL_BYTES + 1, 20, 30]), [10, SMALL_BYTES + 1, 50]);
        assert_eq!(pieces_of(&[SMALL_BYTES; 9]), [PIECE_BYTES, PIECE_BYTES, SMALL_BYTES]);
        assert_eq!(pieces_of(&[10_000; 8]), [60_000, 20_000]);
    }

    #[test]
    fn a_large_chunk_is_not_copied() {
        let large = Bytes::from(vec![7; SMALL_BYTES + 1]);
        let mut pieces = Pieces::default();
        pieces.push(large.clone());
        assert_eq!(pieces.finish()[0].as_ptr(), large.as_ptr());
    }
}
