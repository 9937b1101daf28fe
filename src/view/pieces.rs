//! Small chunks put together: a connection sends few at a time, and each costs as much as many of its bytes. What was
//! put together for the page before, of chunks that are still next to each other, is not put together again.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};

use super::gzip::Checksum;

/// How much is put together at most. What is larger than a quarter of it stays a chunk of its own, shared with whoever
/// else has it.
const PIECE_BYTES: usize = 64 * 1024;

/// Deflated text, and the checksum of the text in it.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub(super) bytes: Bytes,
    pub(super) checksum: Checksum,
}

/// Chunks put together.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    whole: Chunk,
    /// Kept, for as long as they are nothing else can be where they are.
    parts: Vec<Bytes>,
}

/// Puts the pieces of one page together.
pub(super) struct Pieces<'f> {
    piece_bytes: usize,
    /// By where the first part of each is.
    former: HashMap<*const u8, &'f Piece>,
    finished: Vec<Piece>,
    open: Open,
}

#[derive(Default)]
struct Open {
    bytes: BytesMut,
    checksum: Option<Checksum>,
    parts: Vec<Bytes>,
}

impl<'f> Pieces<'f> {
    /// To take over what it can of the pieces of a former page.
    pub(super) fn after(former: &'f [Piece]) -> Self {
        Self::of_size(PIECE_BYTES, former)
    }

    fn of_size(piece_bytes: usize, former: &'f [Piece]) -> Self {
        // Small ones are not taken over, or there would be more and more of them.
        let worth = former.iter().filter(|piece| piece.whole.bytes.len() > piece_bytes / 2);
        let by_place = |piece: &'f Piece| Some((piece.parts.first()?.as_ptr(), piece));
        Self {
            piece_bytes,
            former: worth.filter_map(by_place).collect(),
            finished: Vec::new(),
            open: Open::default(),
        }
    }

    pub(super) fn push_all(&mut self, chunks: Vec<Chunk>) {
        let mut rest = chunks.as_slice();
        while let [first, after @ ..] = rest {
            rest = match self.former_piece(rest) {
                Some(piece) => {
                    self.finish_open();
                    self.finished.push(piece.clone());
                    &rest[piece.parts.len()..]
                }
                None => {
                    self.push(first.clone());
                    after
                }
            };
        }
    }

    /// The piece that these chunks begin with all parts of.
    fn former_piece(&self, chunks: &[Chunk]) -> Option<&'f Piece> {
        let piece = *self.former.get(&chunks.first()?.bytes.as_ptr())?;
        let parts = chunks.get(..piece.parts.len())?;
        let same = |(chunk, part): (&Chunk, &Bytes)| {
            chunk.bytes.as_ptr() == part.as_ptr() && chunk.bytes.len() == part.len()
        };
        parts.iter().zip(&piece.parts).all(same).then_some(piece)
    }

    pub(super) fn push(&mut self, chunk: Chunk) {
        if chunk.bytes.len() > self.piece_bytes / 4 {
            self.finish_open();
            let parts = vec![chunk.bytes.clone()];
            return self.finished.push(Piece { whole: chunk, parts });
        }
        if self.open.bytes.len() + chunk.bytes.len() > self.piece_bytes {
            self.finish_open();
        }
        if self.open.bytes.capacity() == 0 {
            self.open.bytes = BytesMut::with_capacity(self.piece_bytes);
        }
        self.open.push(chunk);
    }

    /// Of all that was pushed so far.
    pub(super) fn checksum(&self) -> Option<Checksum> {
        let finished = self.finished.iter().map(|piece| piece.whole.checksum);
        finished.chain(self.open.checksum).reduce(Checksum::then)
    }

    pub(super) fn finish(mut self) -> Vec<Piece> {
        self.finish_open();
        self.finished
    }

    fn finish_open(&mut self) {
        let Open { bytes, checksum, parts } = std::mem::take(&mut self.open);
        if let Some(checksum) = checksum {
            // A piece that is half empty would keep what it has not for as long as the page.
            let is_full = bytes.len() > self.piece_bytes / 2;
            let bytes = if is_full { bytes.freeze() } else { Bytes::copy_from_slice(&bytes) };
            self.finished.push(Piece { whole: Chunk { bytes, checksum }, parts });
        }
    }
}

impl Open {
    fn push(&mut self, chunk: Chunk) {
        self.bytes.extend_from_slice(&chunk.bytes);
        self.checksum = Some(self.checksum.map_or(chunk.checksum, |before| before.then(chunk.checksum)));
        self.parts.push(chunk.bytes);
    }
}

impl Piece {
    pub(super) fn bytes(&self) -> &Bytes {
        &self.whole.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    const SMALL_BYTES: usize = PIECE_BYTES / 4;

    fn chunk(bytes: impl Into<Bytes>) -> Chunk {
        let bytes = bytes.into();
        Chunk { checksum: Checksum::of(&bytes), bytes }
    }

    fn concat<'a>(chunks: impl IntoIterator<Item = &'a Bytes>) -> Vec<u8> {
        chunks.into_iter().flatten().copied().collect()
    }

    fn pieces_of(lens: &[usize]) -> Vec<usize> {
        let chunks: Vec<Chunk> =
            lens.iter().enumerate().map(|(number, len)| chunk(vec![number as u8; *len])).collect();
        let mut pieces = Pieces::after(&[]);
        pieces.push_all(chunks.clone());
        let finished = pieces.finish();
        assert_eq!(
            concat(finished.iter().map(Piece::bytes)),
            concat(chunks.iter().map(|chunk| &chunk.bytes))
        );
        finished.iter().map(|piece| piece.bytes().len()).collect()
    }

    #[test]
    fn small_chunks_are_joined_and_large_ones_stay() {
        assert_eq!(pieces_of(&[]), [0; 0]);
        assert_eq!(pieces_of(&[10, 20, 30]), [60]);
        assert_eq!(pieces_of(&[10, SMALL_BYTES + 1, 20, 30]), [10, SMALL_BYTES + 1, 50]);
        assert_eq!(pieces_of(&[SMALL_BYTES; 9]), [PIECE_BYTES, PIECE_BYTES, SMALL_BYTES]);
        assert_eq!(pieces_of(&[10_000; 8]), [60_000, 20_000]);
    }

    #[test]
    fn a_large_chunk_is_not_copied() {
        let large = chunk(vec![7; SMALL_BYTES + 1]);
        let mut pieces = Pieces::after(&[]);
        pieces.push(large.clone());
        assert_eq!(pieces.finish()[0].bytes().as_ptr(), large.bytes.as_ptr());
    }

    #[test]
    fn a_change_costs_the_piece_it_is_in() {
        let mut chunks: Vec<Chunk> = (0..200).map(|number| chunk(vec![number; 1000])).collect();
        let page = |chunks: &[Chunk], former: &[Piece]| {
            let mut pieces = Pieces::after(former);
            pieces.push_all(chunks.to_vec());
            pieces.finish()
        };
        let former = page(&chunks, &[]);
        assert_eq!(former.len(), 4);
        chunks[70] = chunk(vec![0; 999]);
        let next = page(&chunks, &former);
        let shared = |place: usize| next[place].bytes().as_ptr() == former[place].bytes().as_ptr();
        assert_eq!([shared(0), shared(1), shared(2)], [true, false, true]);
    }

    #[derive(Debug, Clone)]
    enum Change {
        Insert(usize, u8),
        Remove(usize),
        Replace(usize, u8),
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            (any::<usize>(), any::<u8>()).prop_map(|(at, len)| Change::Insert(at, len)),
            any::<usize>().prop_map(Change::Remove),
            (any::<usize>(), any::<u8>()).prop_map(|(at, len)| Change::Replace(at, len)),
        ]
    }

    proptest! {
        /// Whatever became of the chunks since, page after page.
        #[test]
        fn pieces_are_what_their_chunks_are(rounds in vec(vec(change(), 0..4), 1..12)) {
            let mut chunks: Vec<Chunk> = (0..40_u8).map(|number| chunk(vec![number; 30])).collect();
            let mut former: Vec<Piece> = Vec::new();
            for changes in rounds {
                for change in changes {
                    let len = chunks.len();
                    match change {
                        Change::Insert(at, size) => chunks.insert(at % (len + 1), chunk(vec![size; size.into()])),
                        Change::Remove(at) if len > 0 => drop(chunks.remove(at % len)),
                        Change::Replace(at, size) if len > 0 => {
                            chunks[at % len] = chunk(vec![size; size.into()]);
                        }
                        Change::Remove(_) | Change::Replace(..) => {}
                    }
                }
                let mut pieces = Pieces::of_size(256, &former);
                pieces.push_all(chunks.clone());
                let whole = concat(chunks.iter().map(|chunk| &chunk.bytes));
                let checksum = pieces.checksum().map(Checksum::member_trailer);
                prop_assert_eq!(checksum, (!chunks.is_empty()).then(|| Checksum::of(&whole).member_trailer()));
                let next = pieces.finish();
                prop_assert_eq!(concat(next.iter().map(Piece::bytes)), whole);
                former = next;
            }
        }
    }
}
