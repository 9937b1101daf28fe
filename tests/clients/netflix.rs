//! Netflix's own client as Maven Central has it: 1.10.18 with Jersey 1, 1.10.15 with Jersey 2 and
//! 2.0.6 with Jersey 3.
//!
//! Its faults, which the programs work round or the tests keep away from:
//! - It puts a path together before it encodes it. An id with `/` or `;`, or with a `%` before two
//!   hexadecimal digits, is another one to any server; one with `{` or `}` does not leave a client
//!   with Jersey 2 or 3.
//! - What decorates its calls turns `getSecureVip` into `getVip`.
//! - It has no setting for XML, though codecs.
//! - 2.0.6 asks for `[compact]` where it means `compact`.
//! - `DiscoveryClient` adds the `DELETED` entries of an application that it does not have, and then
//!   fetches the whole registry.

mod calls;
mod entity;
mod every_call;
mod registered;

use std::process::Command;

use super::client::{Client, Read, as_registered, built};
use super::scenario::live_through_failover;

/// A version of the client.
struct Library {
    /// The module of `netflix/pom.xml` that uses it.
    module: &'static str,
    /// An id with all that it can put into a path.
    id: &'static str,
}

const JERSEY_1: Library =
    Library { module: "jersey1", id: "o#1.[3.?]! 50% żółw|☃😀\\^`<\"q\">&y=z,a+b:@$'()*~{}" };
const JERSEY_2: Library =
    Library { module: "jersey2", id: "o#1.[3.?]! 50% żółw|☃😀\\^`<\"q\">&y=z,a+b:@$'()*~" };
const JERSEY_3: Library = Library { module: "jersey3", id: JERSEY_2.id };

impl Library {
    fn program(&self, main_class: &str) -> Command {
        let module = built(&format!("netflix/{}", self.module));
        let mut command = Command::new("java");
        command
            .args(["-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"])
            .arg(format!("{0}/client.jar:{0}/lib/*", module.display()))
            .arg(main_class)
            // How the JVM reads its arguments.
            .env("LC_ALL", "C.UTF-8");
        command
    }

    fn lives_through_failover(&self) {
        live_through_failover(Client {
            command: self.program("client.Application"),
            ids: [self.id, "127.0.0.1:orders:8080"],
            reads: &[Read::All, Read::Delta, Read::Application, Read::Instance, Read::Vip, Read::SecureVip],
            statuses: &["OUT_OF_SERVICE", "DOWN", "STARTING", "UNKNOWN"],
            keeps_by_deltas: true,
            key_shown: as_registered,
            overlooks: &[],
        });
    }
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn netflix_eureka_client_1_lives_through_failover() {
    JERSEY_1.lives_through_failover();
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn netflix_eureka_client_1_with_jersey_2_lives_through_failover() {
    JERSEY_2.lives_through_failover();
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn netflix_eureka_client_2_lives_through_failover() {
    JERSEY_3.lives_through_failover();
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn netflix_eureka_client_1_makes_every_call_in_every_form() {
    every_call::in_every_form(&JERSEY_1);
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn netflix_eureka_client_1_with_jersey_2_makes_every_call_in_every_form() {
    every_call::in_every_form(&JERSEY_2);
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn netflix_eureka_client_2_makes_every_call_in_every_form() {
    every_call::in_every_form(&JERSEY_3);
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn netflix_eureka_client_1_makes_every_call_after_every_kill() {
    every_call::after_every_kill(&JERSEY_1);
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn netflix_eureka_client_1_with_jersey_2_makes_every_call_after_every_kill() {
    every_call::after_every_kill(&JERSEY_2);
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn netflix_eureka_client_2_makes_every_call_after_every_kill() {
    every_call::after_every_kill(&JERSEY_3);
}
