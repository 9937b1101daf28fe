//! Untrusted input of twice the length takes at most about twice the memory, whatever shape it has, and a
//! body of 1 MiB comes to an end: work that grew with its square would take minutes, or hours. A test of its
//! own, as it counts every allocation of its process.

mod gzip;
mod json;
mod paths;
mod xml;

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// As the setting for bodies is by default.
const MOST_BODY_BYTES: usize = 1 << 20;
/// Long enough that what is the same for any input does not count.
const SHORT_BYTES: usize = 64 << 10;
/// What a doubled input may take at most: of a buffer that doubles when it is full, a little more than twice.
const MOST_GROWTH: f64 = 2.5;
/// What may be taken for anything without being weighed.
const NEGLIGIBLE_BYTES: usize = 256 << 10;
/// Memory taken in all for one byte of input, reused or not.
const MOST_BYTES_PER_BYTE: usize = 40;

/// Input that could make its reader work: all of one kind, and as long as asked.
struct Shape {
    name: &'static str,
    /// The longest that is read without another setting, in bytes.
    most: usize,
    input: fn(usize) -> Vec<u8>,
    /// Reads the input in the way of a request; tells whether it was taken.
    read: fn(&[u8]) -> bool,
    taken: bool,
}

/// One test only, that nothing else allocates meanwhile.
#[test]
fn memory_grows_with_the_length_of_input_and_no_faster() {
    let shapes = [json::shapes(), xml::shapes(), paths::shapes(), gzip::shapes()].into_iter().flatten();
    let mut wrong = Vec::new();
    for shape in shapes {
        let (once, twice) = (shape.cost(SHORT_BYTES), shape.cost(2 * SHORT_BYTES));
        if twice > NEGLIGIBLE_BYTES && twice as f64 > once as f64 * MOST_GROWTH {
            wrong.push(format!("{}: {once} bytes, and {twice} for twice the input", shape.name));
            continue;
        }
        let most = shape.cost(shape.most);
        if most > shape.most * MOST_BYTES_PER_BYTE {
            wrong.push(format!("{}: {most} bytes for an input of {}", shape.name, shape.most));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

impl Shape {
    /// Bytes allocated, in all, to read an input of this length.
    fn cost(&self, length: usize) -> usize {
        let input = (self.input)(length);
        let spare = length / 50 + 100;
        assert!(input.len().abs_diff(length) < spare, "{}: {} for {length}", self.name, input.len());
        let region = Region::new(ALLOCATOR);
        let taken = (self.read)(&input);
        let cost = region.change().bytes_allocated;
        assert_eq!(taken, self.taken, "{} of {length} bytes", self.name);
        cost
    }
}

/// `before`, as many of `piece` as there is room for, numbered, and `after`.
fn filled(length: usize, before: &str, piece: impl Fn(usize) -> String, after: &str) -> Vec<u8> {
    let mut text = before.to_owned();
    let mut number = 0;
    loop {
        let next = piece(number);
        if text.len() + next.len() + after.len() > length {
            return (text + after).into_bytes();
        }
        text += &next;
        number += 1;
    }
}
