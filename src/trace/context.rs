//! What a span is known by, also to other programs: W3C Trace Context.

use std::fmt;

/// The span of a trace; only those that are traced have one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    trace_id: u128,
    span_id: u64,
}

/// What a request's `traceparent` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    Traced(Context),
    /// Its sender decided against it.
    NotTraced,
    /// It has none that can be understood.
    None,
}

/// The ids are never 0.
const LEAST_ID: u8 = 1;

impl Context {
    pub fn root() -> Self {
        Self { trace_id: rand::random_range(u128::from(LEAST_ID)..=u128::MAX), span_id: span_id() }
    }

    /// Of another span in the same trace.
    pub fn child(self) -> Self {
        Self { span_id: span_id(), ..self }
    }

    pub fn trace_id(self) -> u128 {
        self.trace_id
    }

    pub fn span_id(self) -> u64 {
        self.span_id
    }
}

fn span_id() -> u64 {
    rand::random_range(u64::from(LEAST_ID)..=u64::MAX)
}

/// As a `traceparent`.
impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-01", self.trace_id, self.span_id)
    }
}

impl Parent {
    /// Understands a `traceparent` (<https://www.w3.org/TR/trace-context/>); of a later version, the part that was
    /// there before.
    pub fn parse(text: &str) -> Self {
        Self::understood(text).unwrap_or(Parent::None)
    }

    fn understood(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(5, '-');
        let mut hex = |length| parts.next().filter(|part| is_hex(part, length));
        let (version, trace_id, span_id, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let trace_id = u128::from_str_radix(trace_id, 16).ok().filter(|id| *id != 0)?;
        let span_id = u64::from_str_radix(span_id, 16).ok().filter(|id| *id != 0)?;
        let flags = u8::from_str_radix(flags, 16).ok()?;
        Some(match flags & 1 {
            1 => Parent::Traced(Context { trace_id, span_id }),
            _ => Parent::NotTraced,
        })
    }
}

fn is_hex(part: &str, length: usize) -> bool {
    part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    #[test]
    fn a_context_is_read_back() {
        let context = Context::root();
        assert_eq!(Parent::parse(&context.to_string()), Parent::Traced(context));
        assert_eq!(context.child().trace_id(), context.trace_id());
    }

    #[test]
    fn the_senders_decision_is_read() {
        let context =
            Context { trace_id: 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736, span_id: 0x00f0_67aa_0ba9_02b7 };
        for (text, parent) in [
            (format!("00-{TRACE}-{SPAN}-01"), Parent::Traced(context)),
            (format!("00-{TRACE}-{SPAN}-03"), Parent::Traced(context)),
            (format!("00-{TRACE}-{SPAN}-00"), Parent::NotTraced),
            (format!("01-{TRACE}-{SPAN}-01-later"), Parent::Traced(context)),
        ] {
            assert_eq!(Parent::parse(&text), parent, "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in [
            String::new(),
            "traceparent".to_owned(),
            format!("00-{TRACE}-{SPAN}"),
            format!("00-{TRACE}-{SPAN}-1"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{}-{SPAN}-01", "0".repeat(32)),
            format!("00-{TRACE}-{}-01", "0".repeat(16)),
            format!("00-{TRACE}x-{SPAN}-01"),
        ] {
            assert_eq!(Parent::parse(&text), Parent::None, "{text}");
        }
    }
}
