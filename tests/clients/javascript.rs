//! eureka-js-client, which has a registry of its own and no other reads, and no call to change a
//! status. It puts an id into a path as it is: `%`, `#`, `?` and `/` mean there what they mean in
//! any URL, `\` is taken for `/`, and what is not ASCII gets lost. Where it fetches deltas it
//! compares no hash.

use super::client::{Client, as_registered};
use super::program::javascript;
use super::scenario::live_through_failover;

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn eureka_js_client_lives_through_failover() {
    live_through_failover(client("full"));
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn eureka_js_client_with_deltas_lives_through_failover() {
    live_through_failover(client("delta"));
}

fn client(mode: &str) -> Client {
    Client {
        command: javascript(mode),
        ids: ["orders [1]'s {2}|^\"<>`+=@", "127.0.0.1:orders:8080"],
        reads: &[],
        statuses: &[],
        keeps_by_deltas: false,
        key_shown: as_registered,
        overlooks: &[],
    }
}
