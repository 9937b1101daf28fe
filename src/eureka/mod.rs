//! Eureka's wire: bytes to types and back, with all its quirks, and nothing else. No I/O, no clock,
//! no task runtime, no web framework; every function is pure.
//!
//! * A request's head: [`response_format`] says which form a reader wants, [`request_format`] which
//!   one a writer sent.
//! * A request's body: [`decode_document`] reads one instance as its client said it (a
//!   [`Document`]), [`Document::into_registration`] checks it in the order and with the texts of a
//!   Eureka server, and [`decode_batch`] reads what another server replicates.
//! * An answer's body: [`application_fragment`] is what pages are stitched from, between
//!   [`applications_header`] and [`applications_trailer`] with [`applications_separator`] in
//!   between; [`application_document`], [`instance_document`] and [`encode_batch_response`] are whole.
//! * Requests to other servers: [`OutgoingBatch`] is what is replicated to them, and
//!   [`decode_batch_response`] and [`decode_applications`] read what they answer.
//!
//! Whatever arrives is untrusted: bodies have a size and a depth, work is linear in their length,
//! nothing recurses on what they say, and neither a DTD nor an entity of one's own is read.

mod acceptance;
mod applications;
mod batch;
mod data_center_json;
mod decode;
mod dirty_time;
mod document;
mod envelope;
mod format;
mod hash;
mod json_decode;
mod json_encode;
mod json_value;
mod negotiate;
mod outgoing_batch;
mod xml_decode;
mod xml_encode;
mod xml_name;
mod xml_pull;
mod xml_write;

#[cfg(test)]
pub mod arbitrary;
#[cfg(test)]
mod other_parsers;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
pub mod samples;

pub use acceptance::{
    Accepted, MAX_DURATION_SECS, MAX_RENEWAL_INTERVAL_SECS, MAX_VIP_NAMES, Refusal, stored_size,
};
pub use applications::{
    ListedInstance, MAX_APPLICATIONS_BYTES, MAX_LISTED_INSTANCES, UnreadableInstance, decode_applications,
    shown_name,
};
pub use batch::{
    BatchAction, BatchItem, ItemAnswer, MAX_BATCH_BYTES, MAX_BATCH_ITEMS, StatusWord, decode_batch,
    encode_batch_response,
};
pub use decode::{DecodeError, MAX_DEPTH, MAX_DOCUMENT_BYTES, decode_document};
pub use dirty_time::{DirtyTimeOutOfRange, check_dirty_time};
pub use document::{Document, SaidDataCenter};
pub use envelope::{
    application_document, application_fragment, applications_header, applications_separator,
    applications_trailer, instance_document, instance_fragment,
};
pub use format::{Format, RequestFormat, cannot_parse_body};
pub use hash::{NoHashcode, StatusCounts, apps_hashcode};
pub use negotiate::{NotAcceptable, UnsupportedMediaType, accepts_gzip, request_format, response_format};
pub use outgoing_batch::{
    ItemResponse, MAX_OUTGOING_BYTES, MAX_OUTGOING_ITEMS, OutgoingBatch, OutgoingItem, decode_batch_response,
    encode_batch,
};
pub use xml_name::{MAX_ELEMENT_NAME_CHARS, MetadataNameTooLong, check_metadata_names};

pub use crate::registry::MAX_INSTANCE_BYTES;
