//! Inputs of the corpus with some of their bytes changed, or put together from two.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::corpus::{Kind, inputs};

/// What is special to one syntax or another.
const PIECES: [&[u8]; 58] = [
    b"\0",
    b"\"",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"\\udc00\\ud800",
    b"\\u0000",
    b"\\uFFFF",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"null",
    b"true",
    b"-",
    b"1e999",
    b"-0",
    b"99999999999999999999",
    b"1.5",
    b"@class",
    b"$",
    b"<",
    b">",
    b"/>",
    b"</",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"<?x ?>",
    b"<!DOCTYPE a>",
    b"&",
    b"&lt;",
    b"&#0;",
    b"&#x1;",
    b"&#xd;",
    b"&#xFFFE;",
    b"&#x10FFFF;",
    b"&a;",
    b" xmlns:a=\"b\"",
    b"a:",
    b"_.003a",
    b"_.d83d",
    b"__",
    b"_-",
    b"%",
    b"%2F",
    b"%00",
    b"%ff",
    b";",
    b"?",
    b"&&==",
    b"+",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
];

#[derive(Debug, Clone)]
enum Edit {
    Replace(Index, u8),
    Flip(Index, u8),
    Remove(Index, usize),
    Repeat(Index, usize, usize),
    Insert(Index, &'static [u8]),
    Cut(Index),
    /// The rest from some place of another input.
    Splice(Index, Index, Index),
}

pub fn mutated(kind: Kind) -> impl Strategy<Value = Vec<u8>> {
    let corpus: Vec<Vec<u8>> = inputs(kind).into_values().filter(|input| !input.is_empty()).collect();
    (any::<Index>(), vec(edit(), 0..6)).prop_map(move |(first, edits)| {
        let mut input = first.get(&corpus).clone();
        edits.iter().for_each(|edit| apply(edit, &mut input, &corpus));
        input
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = any::<Index>;
    prop_oneof![
        2 => (place(), any::<u8>()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        1 => (place(), 0_u8..8).prop_map(|(at, bit)| Edit::Flip(at, bit)),
        2 => (place(), 1_usize..40).prop_map(|(at, length)| Edit::Remove(at, length)),
        2 => (place(), 1_usize..80, 1_usize..20).prop_map(|(at, length, times)| Edit::Repeat(at, length, times)),
        4 => (place(), select(PIECES.to_vec())).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        1 => place().prop_map(Edit::Cut),
        1 => (place(), place(), place()).prop_map(|(at, other, from)| Edit::Splice(at, other, from)),
    ]
}

fn apply(edit: &Edit, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let place = |at: &Index, input: &[u8]| at.index(input.len() + 1);
    let range = |at: &Index, length: usize, input: &[u8]| {
        let from = at.index(input.len() + 1);
        from..(from + length).min(input.len())
    };
    match edit {
        Edit::Replace(at, byte) => {
            input.iter_mut().skip(at.index(1000)).take(1).for_each(|found| *found = *byte)
        }
        Edit::Flip(at, bit) => {
            input.iter_mut().skip(at.index(1000)).take(1).for_each(|byte| *byte ^= 1 << bit)
        }
        Edit::Remove(at, length) => drop(input.drain(range(at, *length, input))),
        Edit::Repeat(at, length, times) => {
            let range = range(at, *length, input);
            let piece = input[range.clone()].repeat(*times);
            input.splice(range.end..range.end, piece);
        }
        Edit::Insert(at, piece) => {
            let at = place(at, input);
            input.splice(at..at, piece.iter().copied());
        }
        Edit::Cut(at) => input.truncate(place(at, input)),
        Edit::Splice(at, other, from) => {
            let other = other.get(corpus);
            input.truncate(place(at, input));
            input.extend_from_slice(&other[from.index(other.len())..]);
        }
    }
}
