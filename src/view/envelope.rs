//! Pages of many applications: header, applications, trailer. Plain, each is a chunk; compressed ones are small, and
//! put together.

use bytes::Bytes;

use super::fragment::{FragmentPress, Fragmented};
use super::gzip::{self, Checksum};
use super::page::Page;
use super::pieces::Pieces;
use crate::eureka::{Format, applications_header, applications_trailer};

/// What surrounds the applications.
pub(super) struct Envelope<'a> {
    pub(super) format: Format,
    /// `versions__delta`.
    pub(super) version: &'a str,
    /// `apps__hashcode`.
    pub(super) hash: &'a str,
}

impl Envelope<'_> {
    pub(super) fn page<'a, F>(&self, gzip: bool, applications: impl Iterator<Item = &'a F>) -> Page
    where
        F: Fragmented + 'a,
    {
        if gzip { self.gzip(applications) } else { self.plain(applications) }
    }

    fn plain<'a, F>(&self, applications: impl Iterator<Item = &'a F>) -> Page
    where
        F: Fragmented + 'a,
    {
        let mut press = FragmentPress::default();
        let mut chunks = vec![Bytes::from(self.header())];
        for (place, application) in applications.enumerate() {
            chunks.push(press.plain(application, self.format, place == 0));
        }
        chunks.push(Bytes::from(self.trailer()));
        Page::new(self.format, false, chunks)
    }

    /// One gzip member. Header and trailer are stored, not deflated: they are some hundred bytes
    /// that change with every view.
    fn gzip<'a, F>(&self, applications: impl Iterator<Item = &'a F>) -> Page
    where
        F: Fragmented + 'a,
    {
        let mut press = FragmentPress::default();
        let header = self.header();
        let mut opening = gzip::MEMBER_HEADER.to_vec();
        gzip::store(&header, false, &mut opening);
        let mut checksum = Checksum::of(&header);
        let mut pieces = Pieces::default();
        pieces.push(Bytes::from(opening));
        for (place, application) in applications.enumerate() {
            let (chunk, fragment) = press.deflated(application, self.format, place == 0);
            checksum = checksum.then(fragment);
            pieces.push(chunk);
        }
        let trailer = self.trailer();
        let mut closing = Vec::new();
        gzip::store(&trailer, true, &mut closing);
        closing.extend_from_slice(&checksum.then(Checksum::of(&trailer)).member_trailer());
        pieces.push(Bytes::from(closing));
        Page::new(self.format, true, pieces.finish())
    }

    fn header(&self) -> Vec<u8> {
        applications_header(self.format, self.version, self.hash)
    }

    fn trailer(&self) -> Vec<u8> {
        applications_trailer(self.format, self.version, self.hash)
    }
}
