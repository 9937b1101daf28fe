//! The way there: from Eureka servers to our nodes.

use std::thread::sleep;

use super::eureka_server::EurekaServer;
use super::fleet::{Instance, Library};
use super::moving::move_both;
use super::overriding::{OVERRIDDEN, UP, override_status, remove_override};
use super::pace::WATCH;
use super::report::report;
use super::stage::{Stage, until_calm};

struct Run {
    stage: Stage,
    /// Of Spring; they look on from the Eureka servers until they move themselves.
    orders: [Instance; 2],
    stock: [Instance; 2],
    shop: [Instance; 2],
    ledger: [Instance; 2],
    /// At our nodes from the beginning.
    billing: [Instance; 2],
}

#[test]
#[ignore = "needs a Eureka server and clients: tests/migration/run.sh"]
fn clients_move_from_eureka_servers_to_our_nodes_without_a_gap() {
    let two = |app, first, second| [Instance::new(app, 1, first), Instance::new(app, 2, second)];
    let mut run = Run {
        stage: Stage::set("there", 2),
        orders: two("ORDERS", Library::SpringBoot4, Library::SpringBoot3),
        stock: two("STOCK", Library::Python, Library::Python),
        shop: two("SHOP", Library::JavaScript, Library::JavaScript),
        ledger: two("LEDGER", Library::FargoXml, Library::FargoJson),
        billing: two("BILLING", Library::JavaScript, Library::Python),
    };
    run.is_at_one_eureka_server();
    run.our_nodes_join();
    run.another_eureka_server_joins();
    run.clients_see_each_other();
    run.overrides_are_seen_and_removed_at_the_other_side();
    run.leader_is_killed();
    run.eureka_server_is_killed();
    run.clients_move();
    run.eureka_servers_leave();
    report("there", &run.stage.story.text(), &run.stage.told());
}

impl Run {
    fn is_at_one_eureka_server(&mut self) {
        self.stage.start_theirs(0);
        let clients =
            [&self.orders, &self.stock, &self.shop, &self.ledger].map(|pair| pair.to_vec()).concat();
        self.stage.fleet.start(&clients, &self.stage.their_side());
        self.stage.until_alike();
        let [overridden, _] = &self.stock;
        override_status(overridden, self.stage.theirs[0].addr);
        self.stage.until_shown(overridden.app, &overridden.id, OVERRIDDEN);
        self.stage.story.assert_kept();
    }

    fn our_nodes_join(&mut self) {
        self.stage.start_ours();
        self.stage.until_alike();
        let [overridden, _] = &self.stock;
        self.stage.until_shown(overridden.app, &overridden.id, OVERRIDDEN);
        self.stage.story.tell("our nodes show what the Eureka server does");
        self.stage.story.assert_kept();
    }

    fn another_eureka_server_joins(&mut self) {
        self.stage.fleet.start(&self.billing, &self.stage.our_side());
        self.stage.start_theirs(1);
        self.stage.story.assert_kept();
    }

    fn clients_see_each_other(&mut self) {
        let Self { ref mut stage, ref orders, ref shop, ref ledger, ref billing, .. } = *self;
        for (client, service) in [
            (&orders[0], billing),
            (&orders[1], billing),
            (&shop[0], billing),
            // eureka-js-client takes those at one host and port for the same, as all are but its own.
            (&billing[0], shop),
            (&billing[1], orders),
            (&billing[1], ledger),
        ] {
            until_sees(stage, client, service);
        }
        self.stage.story.tell("clients of both sides see each other");
        self.stage.story.assert_kept();
    }

    fn overrides_are_seen_and_removed_at_the_other_side(&mut self) {
        let (their_addr, our_addr) = (self.stage.theirs[1].addr, self.stage.ours.addrs()[2]);
        let [overridden_before, _] = &self.stock;
        remove_override(overridden_before, our_addr);
        self.stage.until_shown(overridden_before.app, &overridden_before.id, UP);
        for (instance, set_at, removed_at) in
            [(&self.shop[0], their_addr, our_addr), (&self.billing[0], our_addr, their_addr)]
        {
            override_status(instance, set_at);
            self.stage.until_shown(instance.app, &instance.id, OVERRIDDEN);
            remove_override(instance, removed_at);
            self.stage.until_shown(instance.app, &instance.id, UP);
        }
        self.stage.until_alike();
        self.stage.story.tell("overrides were set and removed at either side");
        self.stage.story.assert_kept();
    }

    fn leader_is_killed(&mut self) {
        let leader = self.stage.ours.leader();
        self.stage.story.tell(&format!("node {}, which leads, is killed", leader + 1));
        self.stage.watched_ours[leader].goes();
        self.stage.ours.nodes[leader].kill();
        sleep(WATCH);
        self.stage.story.assert_kept();
        self.stage.ours.nodes[leader].start();
        self.stage.ours.nodes[leader].wait_ready();
        self.stage.watched_ours[leader].comes();
        self.stage.story.tell(&format!("node {} is there again", leader + 1));
        self.stage.until_alike();
        self.stage.story.assert_kept();
    }

    fn eureka_server_is_killed(&mut self) {
        self.stage.end_theirs(0, EurekaServer::kill, "is killed");
        sleep(WATCH / 3);
        self.stage.start_theirs(0);
        self.stage.story.assert_kept();
    }

    fn clients_move(&mut self) {
        let ours = self.stage.our_side();
        for service in [&mut self.stock, &mut self.orders, &mut self.shop, &mut self.ledger] {
            *service = move_both(&mut self.stage, service, &ours);
        }
        self.stage.until_alike();
    }

    fn eureka_servers_leave(&mut self) {
        for place in [0, 1] {
            self.stage.end_theirs(place, EurekaServer::terminate, "is stopped");
            sleep(WATCH / 4);
            self.stage.story.assert_kept();
        }
        for place in 0..self.stage.ours.nodes.len() {
            self.stage.restart_ours_without_peers(place);
            self.stage.story.assert_kept();
        }
        sleep(WATCH);
        self.stage.until_alike();
        until_sees(&mut self.stage, &self.billing[1], &self.orders);
        until_sees(&mut self.stage, &self.orders[0], &self.billing);
        self.stage.ours.assert_states_equal();
        self.stage.story.assert_kept();
    }
}

fn until_sees(stage: &mut Stage, client: &Instance, service: &[Instance; 2]) {
    let mut wanted = service.each_ref().map(|instance| instance.id.as_str());
    wanted.sort_unstable();
    until_calm(&format!("{client:?} sees {wanted:?}"), || {
        let seen = stage.fleet.seen(client, service[0].app)?;
        if seen == wanted { Ok(()) } else { Err(format!("{seen:?}")) }
    });
}
