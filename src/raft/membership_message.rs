//! A change of the membership, and what came of it, as they go to the leader and back.

use super::membership::{MembershipChange, MembershipError};
use super::rpc::peer::{self, membership_change::Change, membership_response::Result as Answer};

impl From<&MembershipChange> for peer::MembershipChange {
    fn from(change: &MembershipChange) -> Self {
        let change = match change.clone() {
            MembershipChange::AddLearner { node_id, peer_addr } => {
                Change::AddLearner(peer::membership_change::Member { node_id, peer_addr })
            }
            MembershipChange::Promote { node_id } => Change::Promote(node_id),
            MembershipChange::Remove { node_id } => Change::Remove(node_id),
            MembershipChange::TransferLeader { to } => {
                Change::TransferLeader(peer::membership_change::TransferLeader { to })
            }
        };
        Self { change: Some(change) }
    }
}

impl MembershipChange {
    /// `None` for a change that this version does not know.
    pub fn from_message(message: peer::MembershipChange) -> Option<Self> {
        Some(match message.change? {
            Change::AddLearner(peer::membership_change::Member { node_id, peer_addr }) => {
                Self::AddLearner { node_id, peer_addr }
            }
            Change::Promote(node_id) => Self::Promote { node_id },
            Change::Remove(node_id) => Self::Remove { node_id },
            Change::TransferLeader(peer::membership_change::TransferLeader { to }) => {
                Self::TransferLeader { to }
            }
        })
    }
}

impl From<Result<String, MembershipError>> for peer::MembershipResponse {
    fn from(outcome: Result<String, MembershipError>) -> Self {
        let result = match outcome {
            Ok(done) => Answer::Done(done),
            Err(MembershipError::Refused(reason)) => Answer::Refused(reason),
            Err(MembershipError::NoLeader) => Answer::NoLeader(true),
            Err(MembershipError::Unknown(reason)) => Answer::Unknown(reason),
        };
        Self { result: Some(result) }
    }
}

impl From<peer::MembershipResponse> for Result<String, MembershipError> {
    fn from(response: peer::MembershipResponse) -> Self {
        match response.result {
            Some(Answer::Done(done)) => Ok(done),
            Some(Answer::Refused(reason)) => Err(MembershipError::Refused(reason)),
            Some(Answer::NoLeader(_)) => Err(MembershipError::NoLeader),
            Some(Answer::Unknown(reason)) => Err(MembershipError::Unknown(reason)),
            None => Err(MembershipError::Unknown("the leader's answer cannot be read".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_and_answers_come_over_as_they_are() {
        for change in [
            MembershipChange::AddLearner { node_id: 4, peer_addr: "d:1".to_owned() },
            MembershipChange::Promote { node_id: 4 },
            MembershipChange::Remove { node_id: 4 },
            MembershipChange::TransferLeader { to: Some(4) },
            MembershipChange::TransferLeader { to: None },
        ] {
            assert_eq!(MembershipChange::from_message((&change).into()), Some(change));
        }
        assert_eq!(MembershipChange::from_message(peer::MembershipChange { change: None }), None);
        for outcome in [
            Ok("done".to_owned()),
            Err(MembershipError::Refused("no".to_owned())),
            Err(MembershipError::NoLeader),
            Err(MembershipError::Unknown("late".to_owned())),
        ] {
            let back: Result<String, MembershipError> =
                peer::MembershipResponse::from(outcome.clone()).into();
            assert_eq!(back, outcome);
        }
    }
}
