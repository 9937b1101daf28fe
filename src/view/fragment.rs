//! One application's part of an envelope, encoded when first read and then kept.
//!
//! A fragment is kept with the separator before it, since all but the first of an envelope need
//! one; the first is a slice that leaves it out. It is shared by every view that shows the application
//! unchanged, and its bytes by every envelope in which it is a chunk of its own.

use bytes::Bytes;

use super::gzip::{self, Checksum, Deflater};
use super::per_format::PerFormat;
use crate::eureka::{Format, applications_separator};

/// Instances of one application that are shown together.
pub(super) trait Fragmented {
    fn fragments(&self) -> &Fragments;

    /// Appends the application as it stands in an envelope, without a separator.
    fn encode(&self, format: Format, out: &mut Vec<u8>);
}

/// The encoded forms of a fragment. The plain text is not kept for the sake of the compressed one:
/// most readers take gzip, and it is ten times the size.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    plain: PerFormat<Bytes>,
    deflated: PerFormat<Deflated>,
}

#[derive(Debug)]
struct Deflated {
    /// The separator as a stored block if there is one, then the application, deflated.
    bytes: Bytes,
    alone: Checksum,
    with_separator: Checksum,
}

/// Makes the fragments of one envelope. What that needs on the way is allocated once for all.
#[derive(Default)]
pub(super) struct FragmentPress {
    text: Vec<u8>,
    packed: Vec<u8>,
    deflater: Option<Deflater>,
}

impl FragmentPress {
    /// The application as plain text, after a separator unless it is the `first`.
    pub(super) fn plain(&mut self, application: &impl Fragmented, format: Format, first: bool) -> Bytes {
        let separator = applications_separator(format);
        let fragment = application.fragments().plain.get_or_make(format, || {
            self.text.clear();
            self.text.extend_from_slice(separator);
            application.encode(format, &mut self.text);
            Bytes::copy_from_slice(&self.text)
        });
        fragment.slice(if first { separator.len() } else { 0 }..)
    }

    /// The same, deflated, with the checksum of the text it holds.
    pub(super) fn deflated(
        &mut self,
        application: &impl Fragmented,
        format: Format,
        first: bool,
    ) -> (Bytes, Checksum) {
        let fragments = application.fragments();
        let fragment = fragments.deflated.get_or_make(format, || self.deflate(application, format));
        if first {
            let lead = separator_block_len(applications_separator(format));
            (fragment.bytes.slice(lead..), fragment.alone)
        } else {
            (fragment.bytes.clone(), fragment.with_separator)
        }
    }

    fn deflate(&mut self, application: &impl Fragmented, format: Format) -> Deflated {
        let separator = applications_separator(format);
        self.packed.clear();
        if !separator.is_empty() {
            gzip::store(separator, false, &mut self.packed);
        }
        self.text.clear();
        let text = match application.fragments().plain.get(format) {
            Some(plain) => &plain[separator.len()..],
            None => {
                application.encode(format, &mut self.text);
                &self.text
            }
        };
        self.deflater.get_or_insert_with(Deflater::new).deflate(text, &mut self.packed);
        let alone = Checksum::of(text);
        Deflated {
            bytes: Bytes::copy_from_slice(&self.packed),
            alone,
            with_separator: Checksum::of(separator).then(alone),
        }
    }
}

fn separator_block_len(separator: &[u8]) -> usize {
    if separator.is_empty() { 0 } else { gzip::STORED_OVERHEAD_BYTES + separator.len() }
}
