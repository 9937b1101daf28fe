//! What is to be done about one instance, as items of a batch.

use std::sync::Arc;

use super::listed::Listed;
use crate::eureka::{BatchAction, OutgoingItem};
use crate::registry::{Key, Status};

/// Items that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub key: Key,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Register(Arc<Listed>),
    SetStatus(Status),
    /// After which it has this status.
    RemoveStatus(Status),
    Renew(Arc<Listed>),
    Cancel,
}

impl Task {
    /// Registers an instance so that it is here as it is listed, given the override that it has here before.
    pub fn register(key: Key, listed: &Arc<Listed>, overridden_here: Option<Status>) -> Self {
        let mut steps = Vec::new();
        let overridden = listed.overridden();
        // A registration leaves an override that is there as it is.
        if overridden_here.is_some() && overridden_here != overridden {
            steps.push(Step::RemoveStatus(listed.status()));
        }
        steps.push(Step::Register(listed.clone()));
        if let Some(overridden) = overridden {
            steps.push(Step::SetStatus(overridden));
            // A client that says DOWN or STARTING is shown so, whatever its override.
            if listed.status() != overridden {
                steps.push(Step::Register(listed.clone()));
            }
        }
        Self { key, steps }
    }

    pub fn renew(key: Key, listed: &Arc<Listed>) -> Self {
        Self { key, steps: vec![Step::Renew(listed.clone())] }
    }

    pub fn cancel(key: Key) -> Self {
        Self { key, steps: vec![Step::Cancel] }
    }

    pub fn items(&self) -> Vec<OutgoingItem<'_>> {
        self.steps.iter().map(|step| self.item(step)).collect()
    }

    fn item<'t>(&'t self, step: &'t Step) -> OutgoingItem<'t> {
        let (app, id) = (self.key.app.as_str(), self.key.id.as_str());
        let (last_dirty_ms, overridden_status, instance) = (None, None, None);
        let (action, status) = match step {
            Step::Register(listed) => {
                let registration = &listed.registration;
                return OutgoingItem {
                    action: BatchAction::Register,
                    app,
                    id,
                    last_dirty_ms: Some(registration.last_dirty_ms),
                    status: Some(registration.status),
                    overridden_status,
                    instance: Some(registration),
                };
            }
            Step::Renew(listed) => {
                let registration = &listed.registration;
                return OutgoingItem {
                    action: BatchAction::Heartbeat,
                    app,
                    id,
                    last_dirty_ms: Some(registration.last_dirty_ms),
                    status: Some(registration.status),
                    overridden_status: registration.overridden,
                    instance,
                };
            }
            Step::SetStatus(status) => (BatchAction::StatusUpdate, Some(*status)),
            Step::RemoveStatus(status) => (BatchAction::DeleteStatusOverride, Some(*status)),
            Step::Cancel => (BatchAction::Cancel, None),
        };
        OutgoingItem { action, app, id, last_dirty_ms, status, overridden_status, instance }
    }
}
