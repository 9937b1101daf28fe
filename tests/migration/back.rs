//! The way back: from our nodes to a Eureka server.

use std::thread::sleep;

use super::fleet::{Instance, Library};
use super::moving::move_both;
use super::overriding::{OVERRIDDEN, UP, override_status, remove_override};
use super::pace::WATCH;
use super::report::report;
use super::stage::Stage;

struct Run {
    stage: Stage,
    services: [[Instance; 2]; 4],
}

#[test]
#[ignore = "needs a Eureka server and clients: tests/migration/run.sh"]
fn clients_move_from_our_nodes_to_a_eureka_server_without_a_gap() {
    let two = |app, first, second| [Instance::new(app, 1, first), Instance::new(app, 2, second)];
    let services = [
        two("ORDERS", Library::SpringBoot4, Library::Python),
        two("STOCK", Library::Python, Library::Python),
        two("SHOP", Library::JavaScript, Library::JavaScript),
        two("LEDGER", Library::FargoJson, Library::FargoXml),
    ];
    let mut run = Run { stage: Stage::set("back", 1), services };
    run.is_at_our_nodes();
    run.eureka_server_joins();
    run.clients_move();
    run.our_nodes_leave();
    report("back", &run.stage.story.text(), &run.stage.told());
}

impl Run {
    fn is_at_our_nodes(&mut self) {
        self.stage.start_ours();
        self.stage.fleet.start(&self.services.concat(), &self.stage.our_side());
        self.stage.until_alike();
        let [_, [overridden, _], ..] = &self.services;
        override_status(overridden, self.stage.ours.addrs()[1]);
        self.stage.until_shown(overridden.app, &overridden.id, OVERRIDDEN);
        self.stage.story.assert_kept();
    }

    /// It copies what is `UP`, and is told of all else.
    fn eureka_server_joins(&mut self) {
        self.stage.start_theirs(0);
        let [_, [overridden, _], ..] = &self.services;
        self.stage.until_shown(overridden.app, &overridden.id, OVERRIDDEN);
        remove_override(overridden, self.stage.theirs[0].addr);
        self.stage.until_shown(overridden.app, &overridden.id, UP);
        self.stage.story.assert_kept();
    }

    fn clients_move(&mut self) {
        let theirs = self.stage.their_side();
        for service in &mut self.services {
            *service = move_both(&mut self.stage, service, &theirs);
        }
        self.stage.until_alike();
    }

    fn our_nodes_leave(&mut self) {
        for place in 0..self.stage.ours.nodes.len() {
            self.stage.stop_ours(place);
        }
        sleep(WATCH);
        self.stage.until_alike();
        self.stage.story.assert_kept();
    }
}
