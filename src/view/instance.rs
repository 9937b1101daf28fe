//! One instance, with its renewal time, which moves without the instance changing.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use super::page::Page;
use super::per_format::PerFormat;
use crate::eureka::{Format, instance_document};
use crate::registry::Registration;

/// An instance as readers see it. Shared by all views since its last visible change, and so is its
/// renewal time: a renewal is one store, seen at once through each of them.
#[derive(Debug)]
pub struct InstanceView {
    registration: Arc<Registration>,
    /// Guards nothing else, hence relaxed throughout.
    renewed_ms: AtomicI64,
    /// Of few instances, and large for the others.
    documents: OnceLock<Box<PerFormat<RenewedText>>>,
}

impl InstanceView {
    pub(super) fn new(registration: Arc<Registration>) -> Self {
        let renewed_ms = AtomicI64::new(registration.lease.renewed_ms);
        Self { registration, renewed_ms, documents: OnceLock::new() }
    }

    /// As of its last visible change; for the renewal time see [`Self::renewed_ms`].
    pub fn registration(&self) -> &Registration {
        &self.registration
    }

    /// When its lease was last renewed, epoch milliseconds of the log's clock.
    pub fn renewed_ms(&self) -> i64 {
        self.renewed_ms.load(Ordering::Relaxed)
    }

    pub(super) fn renew(&self, renewed_ms: i64) {
        self.renewed_ms.store(renewed_ms, Ordering::Relaxed);
    }

    /// The registration with the renewal time of this moment.
    pub(super) fn current(&self) -> Registration {
        renewed_at(&self.registration, self.renewed_ms())
    }

    /// Its document by itself, with the renewal time of this moment.
    pub(super) fn page(&self, format: Format) -> Page {
        let text = self.documents.get_or_init(Box::default).get_or_make(format, || {
            RenewedText::of(|renewed_ms| {
                instance_document(format, &renewed_at(&self.registration, renewed_ms))
            })
        });
        Page::whole(format, text.at(self.renewed_ms()))
    }
}

fn renewed_at(registration: &Registration, renewed_ms: i64) -> Registration {
    let mut renewed = registration.clone();
    renewed.lease.renewed_ms = renewed_ms;
    renewed
}

/// An encoded document without the renewal time, and the places where that belongs.
#[derive(Debug)]
struct RenewedText {
    text: Box<[u8]>,
    /// Offsets in `text`, ascending. None in a form that does not show it.
    holes: Box<[usize]>,
}

impl RenewedText {
    /// Encodes twice, with times that have the same length and differ in every digit: where the two
    /// texts differ is where the time is. Nothing that a client wrote can look like it.
    fn of(encode: impl Fn(i64) -> Vec<u8>) -> Self {
        let ones = encode(1_111_111_111_111);
        let twos = encode(2_222_222_222_222);
        let mut text = Vec::with_capacity(ones.len());
        let mut holes = Vec::new();
        for (one, two) in ones.iter().zip(&twos) {
            if one == two {
                text.push(*one);
            } else if holes.last() != Some(&text.len()) {
                holes.push(text.len());
            }
        }
        Self { text: text.into(), holes: holes.into() }
    }

    fn at(&self, renewed_ms: i64) -> Vec<u8> {
        let digits = renewed_ms.to_string();
        let mut filled = Vec::with_capacity(self.text.len() + self.holes.len() * digits.len());
        let mut written = 0;
        for hole in &self.holes {
            filled.extend_from_slice(&self.text[written..*hole]);
            filled.extend_from_slice(digits.as_bytes());
            written = *hole;
        }
        filled.extend_from_slice(&self.text[written..]);
        filled
    }
}
