//! Pages of many applications: header, applications, trailer. Plain, each is a chunk; compressed ones are small, and
//! put together.

use bytes::Bytes;

use super::fragment::{FragmentPress, Fragmented};
use super::gzip::{self, Checksum};
use super::page::Page;
use super::pieces::{Chunk, Piece, Pieces};
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
    pub(super) fn plain<'a, F>(&self, applications: impl Iterator<Item = &'a F>) -> Page
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

    /// One gzip member, put together from what the former one was as far as that is the same. Header and trailer are
    /// stored, not deflated: they are some hundred bytes that change with every view.
    pub(super) fn gzip<'a, F>(
        &self,
        applications: impl Iterator<Item = &'a F>,
        former: &[Piece],
    ) -> (Page, Vec<Piece>)
    where
        F: Fragmented + 'a,
    {
        let mut press = FragmentPress::default();
        let header = self.header();
        let mut opening = gzip::MEMBER_HEADER.to_vec();
        gzip::store(&header, false, &mut opening);
        let mut pieces = Pieces::after(former);
        pieces.push(Chunk { bytes: Bytes::from(opening), checksum: Checksum::of(&header) });
        let deflated = applications.enumerate().map(|(place, application)| {
            let (bytes, checksum) = press.deflated(application, self.format, place == 0);
            Chunk { bytes, checksum }
        });
        pieces.push_all(deflated.collect());
        let trailer = self.trailer();
        let mut closing = Vec::new();
        gzip::store(&trailer, true, &mut closing);
        let end = Checksum::of(&trailer);
        let all = pieces.checksum().map_or(end, |before| before.then(end));
        closing.extend_from_slice(&all.member_trailer());
        pieces.push(Chunk { bytes: Bytes::from(closing), checksum: end });
        let pieces = pieces.finish();
        let chunks = pieces.iter().map(|piece| piece.bytes().clone()).collect();
        (Page::new(self.format, true, chunks), pieces)
    }

    fn header(&self) -> Vec<u8> {
        applications_header(self.format, self.version, self.hash)
    }

    fn trailer(&self) -> Vec<u8> {
        applications_trailer(self.format, self.version, self.hash)
    }
}
