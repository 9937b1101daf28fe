//! The body of a registration in JSON.

#![no_main]

#[path = "../../tests/fuzz/properties.rs"]
#[allow(dead_code, reason = "each target checks its part")]
mod properties;

libfuzzer_sys::fuzz_target!(|input: &[u8]| properties::register(rs_registry::eureka::RequestFormat::Json, input));
