//! py_eureka_client, which reads XML and leaves its names as they are coded there.

use super::client::{Client, Read, as_in_xml};
use super::program::python;
use super::scenario::live_through_failover;

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn py_eureka_client_lives_through_failover() {
    live_through_failover(Client {
        command: python(),
        ids: ["127.0.0.1:orders:8080", "orders#2"],
        reads: &[Read::All, Read::Delta, Read::Application, Read::Instance, Read::Vip, Read::SecureVip],
        statuses: &["OUT_OF_SERVICE"],
        keeps_by_deltas: true,
        key_shown: as_in_xml,
        overlooks: &[],
    });
}
