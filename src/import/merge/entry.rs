//! What is known of one instance: who lists it, and how it is here.

use std::sync::Arc;
use std::time::Instant;

use crate::eureka::StatusCounts;
use crate::import::listed::Listed;
use crate::registry::Registration;

#[derive(Debug, Default)]
pub struct Entry {
    pub claims: Vec<Claim>,
    pub here: Here,
}

/// That a source lists it.
#[derive(Debug)]
pub struct Claim {
    pub source: usize,
    pub listed: Arc<Listed>,
    /// Until when this counts although the source does not list it any more.
    pub doubted_until: Option<Instant>,
}

/// What is known of an instance in this cluster.
#[derive(Debug, Default)]
pub enum Here {
    #[default]
    Unknown,
    /// It was here like that before, and is still to be renewed.
    Found(Arc<Listed>),
    /// Registered like that, and renewed from here on.
    Registered(Arc<Listed>),
    /// Not to be touched unless it is listed otherwise than like that.
    LeftAlone(Arc<Listed>),
}

impl Entry {
    /// The newest version of its document; of one version what is not in doubt, and then what was renewed last.
    pub fn newest(&self) -> Option<&Arc<Listed>> {
        let recency = |claim: &&Claim| {
            let Registration { last_dirty_ms, lease, .. } = &claim.listed.registration;
            (*last_dirty_ms, claim.doubted_until.is_none(), lease.renewed_ms)
        };
        self.claims.iter().max_by_key(recency).map(|claim| &claim.listed)
    }
}

impl Claim {
    pub fn uncount(&self, counts: &mut StatusCounts) {
        if self.doubted_until.is_none() {
            counts.remove(self.listed.status());
        }
    }
}

impl Here {
    pub fn listed(&self) -> Option<&Listed> {
        match self {
            Here::Unknown | Here::LeftAlone(_) => None,
            Here::Found(listed) | Here::Registered(listed) => Some(listed),
        }
    }
}
