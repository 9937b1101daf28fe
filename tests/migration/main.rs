//! Moving real clients from Spring Cloud's Eureka servers to our nodes, and back, while the two are peers
//! of each other.
//!
//! Eureka servers and our nodes replicate to each other. A prober looks every service up at every server a
//! few times a second: there must never be one without an instance that lives and is `UP`. All that clients
//! send goes through doors, which see each answer: no renewal of a client that lives may be answered 404.
//!
//! `tests/migration/run.sh` builds the server and the clients and runs these tests, which are ignored
//! otherwise. A run that fails tells what had happened, what each server lists, and the ends of all logs,
//! and leaves them in `target/migration/NAME`.

#[path = "../harness/mod.rs"]
mod harness;

#[expect(dead_code, reason = "clients are only asked for what they see here")]
#[path = "../clients/application.rs"]
mod application;
#[expect(dead_code, reason = "what a library has calls for is of no interest here")]
#[path = "../clients/client.rs"]
mod client;
#[path = "../clients/program.rs"]
mod program;

mod back;
mod door;
mod eureka_server;
mod fleet;
mod ledger;
mod listing;
mod moving;
mod overriding;
mod pace;
mod planted;
mod prober;
mod proxy;
mod repeater;
mod report;
mod retried;
mod stage;
mod story;
mod there;
