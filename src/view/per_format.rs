//! A place for one lazily made value per form of the wire.

use std::sync::OnceLock;

use crate::eureka::Format;

#[derive(Debug)]
pub(super) struct PerFormat<T>([OnceLock<T>; 4]);

impl<T> PerFormat<T> {
    /// The value for `format`, made now if this is the first to ask. Whoever asks meanwhile waits
    /// for that one, so nothing is made twice.
    pub(super) fn get_or_make(&self, format: Format, make: impl FnOnce() -> T) -> &T {
        self.0[place(format)].get_or_init(make)
    }

    /// The same values; the other's where there is none.
    pub(super) fn or(&self, other: &Self) -> Self
    where
        T: Clone,
    {
        let mut values = self.0.iter().zip(&other.0).map(|(own, other)| own.get().or(other.get()).cloned());
        Self(std::array::from_fn(|_| values.next().flatten().map_or_else(OnceLock::new, OnceLock::from)))
    }

    pub(super) fn get(&self, format: Format) -> Option<&T> {
        self.0[place(format)].get()
    }
}

impl<T> Default for PerFormat<T> {
    fn default() -> Self {
        Self([const { OnceLock::new() }; 4])
    }
}

fn place(format: Format) -> usize {
    match format {
        Format::Json => 0,
        Format::Xml => 1,
        Format::CompactJson => 2,
        Format::CompactXml => 3,
    }
}
