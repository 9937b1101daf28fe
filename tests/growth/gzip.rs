//! Compressed bodies. What is unpacked of them is bounded, so their cost must be by what was sent.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use rs_registry::gunzip::unpack;

use super::{MOST_BODY_BYTES, Shape};

/// Magic, deflate, no flags, no time, unknown system.
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

pub fn shapes() -> Vec<Shape> {
    let shape = |name, taken, input: fn(usize) -> Vec<u8>| {
        let read = |input: &[u8]| matches!(unpack(input, MOST_BODY_BYTES), Ok(Some(_)));
        Shape { name, most: MOST_BODY_BYTES, input, read, taken }
    };
    vec![
        shape("gzip: empty members", true, |n| packed(b"").repeat(n / packed(b"").len())),
        shape("gzip: members of one byte", true, |n| packed(b"x").repeat(n / packed(b"x").len())),
        shape("gzip: empty blocks", false, |n| [&HEAD[..], &[0, 0, 0, 0xff, 0xff].repeat(n / 5)].concat()),
        shape("gzip: empty fixed blocks", false, |n| {
            [&HEAD[..], &[0x02, 0x08, 0x20, 0x80, 0x00].repeat(n / 5)].concat()
        }),
        shape("gzip: a long name", false, |n| [&with_flags(8), vec![b'x'; n].as_slice()].concat()),
        shape("gzip: a long comment", false, |n| [&with_flags(16), vec![b'x'; n].as_slice()].concat()),
        shape("gzip: members with names", true, |n| {
            let mut member = packed(b"");
            member[3] = 8;
            member.splice(10..10, *b"name\0");
            member.repeat(n / member.len())
        }),
        shape("gzip: a bomb", false, |n| {
            let bomb = packed(&vec![0; 1 << 20]);
            bomb.repeat(n / bomb.len())
        }),
    ]
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("compressing in memory")
}

fn with_flags(flags: u8) -> Vec<u8> {
    let mut head = HEAD.to_vec();
    head[3] = flags;
    head
}
