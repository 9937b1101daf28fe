//! Spring Cloud's client, which is Netflix's with transports and JSON of Spring's own: on Boot 3.5
//! with Cloud 2025.0, and on Boot 4.1 with Cloud 2025.1.
//!
//! Jersey is not among the transports: the client's starter has none, only the server's sets it up.

mod calls;

use super::client::{Client, Read, as_registered};
use super::program::{DEFAULT_OF_BOOT_3, DEFAULT_OF_BOOT_4, Transport, java};
use super::scenario::live_through_failover;

const REST_CLIENT: Transport =
    Transport { name: "RestClient", settings: &["-Deureka.client.restclient.enabled=true"] };

/// In a reactive application, which is what has this transport at hand.
const WEB_CLIENT: Transport = Transport {
    name: "WebClient",
    settings: &["-Deureka.client.webclient.enabled=true", "-Dspring.main.web-application-type=reactive"],
};

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn spring_boot_3_lives_through_failover() {
    live_through_failover(client("boot-3", DEFAULT_OF_BOOT_3));
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn spring_boot_3_with_rest_client_lives_through_failover() {
    live_through_failover(client("boot-3", REST_CLIENT));
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn spring_boot_3_with_web_client_lives_through_failover() {
    live_through_failover(client("boot-3", WEB_CLIENT));
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn spring_boot_4_lives_through_failover() {
    live_through_failover(client("boot-4", DEFAULT_OF_BOOT_4));
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn spring_boot_4_with_web_client_lives_through_failover() {
    live_through_failover(client("boot-4", WEB_CLIENT));
}

fn client(line: &str, transport: Transport) -> Client {
    Client {
        command: java(line, transport, &[]),
        // RestClient reads an instance by a path that it does not encode, so the id that is read
        // cannot be the odder one.
        ids: ["127.0.0.1:orders:8080", "test#1.[3.?]!"],
        reads: &[Read::All, Read::Delta, Read::Application, Read::Instance, Read::Vip, Read::SecureVip],
        statuses: &["OUT_OF_SERVICE", "DOWN"],
        keeps_by_deltas: true,
        key_shown: as_registered,
        // It has no VIP address, and Spring finds instances by nothing else.
        overlooks: &["odd-no-lease-info"],
    }
}
