//! Who is told what the machine applies.

use std::sync::Arc;

use crate::eureka_peers::EurekaPeers;
use crate::lessor::Lessor;
use crate::raft::Observer;
use crate::registry::{Change, Registry};

pub struct Observers {
    pub lessor: Arc<Lessor>,
    pub eureka_peers: Arc<EurekaPeers>,
}

impl Observer for Observers {
    fn applied(&self, changes: &[Change]) {
        self.lessor.applied(changes);
        self.eureka_peers.applied(changes);
    }

    fn replaced(&self, registry: &Registry) {
        self.lessor.replaced(registry);
        self.eureka_peers.replaced(registry);
    }
}
