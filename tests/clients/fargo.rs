//! fargo, which reads XML unless it is told to speak JSON, leaves XML names as they are coded there,
//! and keeps no registry but applications that it polls one by one. It puts an id into a path as it
//! is: `%`, `#`, `?` and `/` mean there what they mean in any URL. It takes a URL at random for each
//! call and does not try another one.

use super::client::{Client, Read, as_in_xml, as_registered};
use super::program::fargo;
use super::scenario::live_through_failover;

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn fargo_lives_through_failover() {
    live_through_failover(client("xml", as_in_xml));
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn fargo_with_json_lives_through_failover() {
    live_through_failover(client("json", as_registered));
}

fn client(format: &str, key_shown: fn(&str) -> String) -> Client {
    Client {
        command: fargo(format),
        ids: ["orders [1]'s {2}|^\"<>`\\+=@ żółw ☃", "127.0.0.1:orders:8080"],
        reads: &[Read::All, Read::Application, Read::Instance, Read::Vip, Read::SecureVip],
        statuses: &["OUT_OF_SERVICE", "DOWN", "STARTING"],
        keeps_by_deltas: false,
        key_shown,
        overlooks: &[],
    }
}
