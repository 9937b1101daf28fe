//! That those who look on would see what must not be.

use std::sync::Arc;

use super::door::{Door, Traffic};
use super::harness::{Cluster, Document, Request, until};
use super::ledger::Ledger;
use super::prober::Prober;
use super::proxy;
use super::story::Story;

/// A node, and a client that lives as far as the ledger knows.
struct Plant {
    node: Cluster,
    client: Document,
    story: Arc<Story>,
    ledger: Arc<Ledger>,
}

impl Plant {
    fn new() -> Self {
        let plant = Self {
            node: Cluster::start(1),
            client: Document::new("ORDERS", "127.0.0.1:orders:1"),
            story: Arc::new(Story::begin()),
            ledger: Arc::new(Ledger::default()),
        };
        plant.registers(&plant.client);
        plant
    }

    fn registers(&self, client: &Document) {
        assert_eq!(client.register().expect(self.node.addrs()[0]).status, 204);
        self.ledger.begin(&client.app, &client.id);
    }

    fn is_cancelled_behind_its_back(&self) {
        assert_eq!(self.client.cancel().expect(self.node.addrs()[0]).status, 200);
    }

    fn until_violated(&self, what: &str) {
        until(&format!("it is told that a server {what}"), || {
            let violations = self.story.violations().join("\n");
            if violations.contains(what) { Ok(()) } else { Err(violations) }
        });
    }

    /// Looks on until everything there is was found.
    fn probed(&self) -> Prober {
        let mut prober = Prober::new(&self.story, &self.ledger);
        prober.watch("node 1".to_owned(), self.node.addrs()[0]).comes();
        // Before the second look-up began, all of the first was noted.
        until("services were looked up", || match prober.look_ups() {
            0 | 1 => Err("not yet".to_owned()),
            _ => Ok(()),
        });
        prober
    }
}

#[test]
fn a_service_without_a_live_instance_is_found() {
    let plant = Plant::new();
    let _prober = plant.probed();
    plant.story.assert_kept();
    plant.is_cancelled_behind_its_back();
    plant.until_violated("shows no live instance of ORDERS that is UP");
}

#[test]
fn an_instance_that_is_lost_while_another_lives_is_found() {
    let plant = Plant::new();
    plant.registers(&Document::new("ORDERS", "127.0.0.1:orders:2"));
    let _prober = plant.probed();
    plant.story.assert_kept();
    plant.is_cancelled_behind_its_back();
    plant.until_violated("lists ORDERS/127.0.0.1:orders:1 no more");
    assert!(!plant.story.text().contains("shows no live instance"), "{}", plant.story.text());
}

#[test]
fn a_server_that_ends_unexpectedly_is_found() {
    let mut plant = Plant::new();
    let _prober = plant.probed();
    plant.node.nodes[0].kill();
    plant.until_violated("does not answer");
}

#[test]
fn a_renewal_of_a_live_client_that_is_answered_404_is_found() {
    let plant = Plant::new();
    let runtime = proxy::runtime();
    let traffic = Arc::new(Traffic::new(&plant.story, &plant.ledger));
    let door = Door::open(runtime.handle(), &traffic, &plant.node.addrs());
    assert_eq!(plant.client.renew().expect(door.addr()).status, 200);
    plant.story.assert_kept();
    plant.is_cancelled_behind_its_back();
    assert_eq!(plant.client.renew().expect(door.addr()).status, 404);
    plant.until_violated("answers 404 to a renewal of ORDERS/127.0.0.1:orders:1");
    assert_eq!(traffic.renewals(), 2);
}

#[test]
fn a_404_to_who_is_about_to_stop_is_none_of_a_living_client() {
    let plant = Plant::new();
    let runtime = proxy::runtime();
    let traffic = Arc::new(Traffic::new(&plant.story, &plant.ledger));
    let door = Door::open(runtime.handle(), &traffic, &plant.node.addrs());
    plant.ledger.end(&plant.client.app, &plant.client.id);
    plant.is_cancelled_behind_its_back();
    assert_eq!(plant.client.renew().expect(door.addr()).status, 404);
    plant.story.assert_kept();
}

#[test]
fn a_closed_door_answers_nobody() {
    let plant = Plant::new();
    let runtime = proxy::runtime();
    let traffic = Arc::new(Traffic::new(&plant.story, &plant.ledger));
    let door = Door::open(runtime.handle(), &traffic, &plant.node.addrs());
    door.lead_to(&[]);
    assert!(Request::get("/eureka/apps").send(door.addr()).is_err());
    door.lead_to(&plant.node.addrs());
    assert_eq!(Request::get("/eureka/apps").expect(door.addr()).status, 200);
}
