//! Moving a service's clients to the other side, one by one, as its operator does.
//!
//! Where a new instance is started beside the old one, it has another id. Where the old one is stopped
//! first, since others do its work meanwhile, the new one has its id. Either way the operator goes on when
//! every server shows what was done: what is shown at one side only is not yet there for clients of the
//! other, and a cancellation that still travels would end the lease of whoever has the same id.

use super::fleet::{Instance, Side};
use super::overriding::UP;
use super::stage::Stage;

/// Moves two instances of a service, each in another way; returns those that there are then.
pub fn move_both(stage: &mut Stage, service: &[Instance; 2], to: &Side) -> [Instance; 2] {
    let [first, second] = service;
    let beside = Instance { id: format!("{}-moved", first.id), ..first.clone() };
    start(stage, &beside, to);
    stop(stage, first);
    stop(stage, second);
    start(stage, second, to);
    [beside, second.clone()]
}

fn start(stage: &mut Stage, instance: &Instance, side: &Side) {
    stage.fleet.start(std::slice::from_ref(instance), side);
    stage.until_shown(instance.app, &instance.id, UP);
    stage.story.assert_kept();
}

fn stop(stage: &mut Stage, instance: &Instance) {
    stage.fleet.stop(instance);
    stage.until_shown(instance.app, &instance.id, None);
    stage.story.assert_kept();
}
