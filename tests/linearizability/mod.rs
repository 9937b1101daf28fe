//! Whether what clients saw of an instance can be told as one story: each operation happened at one
//! moment between its request and its answer, and everybody saw the same order. Instances have nothing
//! to do with each other, so each has a history of its own.
//!
//! The search is todc-utils' `WGLChecker`, the algorithm of Wing and Gong with Lowe's memory of what was
//! tried. Here is what an instance is ([`instance`]), and how operations that nobody answered are told to
//! that search ([`check`]).
#![allow(dead_code, unused_imports, reason = "each test binary includes all of it and uses its part")]

mod check;
mod instance;
mod operation;
mod search;
mod simplify;
#[cfg(test)]
mod tests;

pub use check::{Verdict, check, first_unexplained};
pub use instance::{Action, Answer, Registered, Status, Version, step};
pub use operation::{Operation, Outcome};
