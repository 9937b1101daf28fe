//! A write on its way: proposed, and told of.

use super::Facade;
use crate::audit::Requester;
use crate::command::Command;
use crate::propose::{Decided, ProposeError};
use crate::registry::Outcome;

impl Facade {
    /// # Errors
    /// [`ProposeError`] if it is not known to be written.
    pub(super) async fn write(
        &self,
        requester: &Requester,
        command: &Command,
    ) -> Result<Outcome, ProposeError> {
        let decided = self.proposer.propose(command).await;
        self.told(requester, command, decided)
    }

    /// What is as good a tenth of a second later.
    ///
    /// # Errors
    /// [`ProposeError`] if it is not known to be written.
    pub(super) async fn write_unhurried(
        &self,
        requester: &Requester,
        command: &Command,
    ) -> Result<Outcome, ProposeError> {
        let decided = self.proposer.propose_unhurried(command).await;
        self.told(requester, command, decided)
    }

    /// Many together; each has its outcome, in their order.
    ///
    /// # Errors
    /// [`ProposeError`] if they are not known to be written.
    pub(super) async fn write_all(
        &self,
        requester: &Requester,
        commands: &[Command],
    ) -> Result<Vec<Outcome>, ProposeError> {
        let decided = self.proposer.propose_all(commands).await;
        match &decided {
            Ok(written) => {
                for (command, outcome) in commands.iter().zip(&written.outcomes) {
                    self.audit.tell(requester, command, Ok((written.log_index, outcome)));
                }
            }
            Err(error) => commands.iter().for_each(|command| self.audit.tell(requester, command, Err(error))),
        }
        decided.map(|written| written.outcomes)
    }

    fn told(
        &self,
        requester: &Requester,
        command: &Command,
        decided: Result<Decided, ProposeError>,
    ) -> Result<Outcome, ProposeError> {
        let told = decided.as_ref().map(|decided| (decided.log_index, &decided.outcome));
        self.audit.tell(requester, command, told);
        decided.map(|decided| decided.outcome)
    }
}
