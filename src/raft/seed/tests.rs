//! What is made of a backup, as a node finds it.

use openraft::RaftLogReader;
use openraft::storage::{LogState, RaftLogStorage};

use super::*;
use crate::message::{BackupHead, LogId};
use crate::raft::types::stored_membership_from_message;
use crate::registry::Registry;

fn backup(applied: Option<LogId>, term: u64) -> Backup {
    let snapshot = Registry::default().snapshot();
    let header = StateHeader { applied, state_hash: snapshot.state_hash, ..StateHeader::default() };
    Backup {
        head: BackupHead { term, ..BackupHead::default() },
        header,
        snapshot,
        bytes: 0,
        sha256: String::new(),
    }
}

fn members(ids: &[NodeId]) -> BTreeMap<NodeId, String> {
    ids.iter().map(|id| (*id, format!("node-{id}:9761"))).collect()
}

#[tokio::test]
async fn the_log_begins_where_the_snapshot_ends_and_elections_are_later() {
    let dir = tempfile::tempdir().unwrap();
    let backup = backup(Some(LogId { term: 3, index: 1000 }), 5);
    let begin = seed(dir.path(), 7, &members(&[7, 8, 9]), &backup).await.unwrap();
    assert_eq!(begin.term, 5);
    assert!(begin.index > 1000 + INDEX_GAP && Checkpoints::are_due_at(begin.index));

    let mut log =
        LogStore::open(&dir.path().join("log"), LOG_FILE_BYTES, Formats::THIS, &Metrics::default()).unwrap();
    let log_id = Some(log_id(begin.term, begin.index));
    let state = log.get_log_state().await.unwrap();
    assert_eq!(state, LogState { last_purged_log_id: log_id, last_log_id: log_id });
    let vote = log.read_vote().await.unwrap().unwrap();
    assert!(vote.leader_id.term > begin.term && vote.leader_id.voted_for == 7 && !vote.committed);

    let current =
        SnapshotDir::open(&dir.path().join("snapshot"), Formats::THIS).unwrap().current().unwrap().unwrap();
    let (header, snapshot) = current.read().unwrap();
    assert_eq!(header.applied.as_ref().map(log_id_from_message), log_id);
    assert_eq!((header.visible_index, snapshot), (begin.index, backup.snapshot));
    let membership = stored_membership_from_message(header.membership).unwrap();
    assert_eq!(*membership.log_id(), log_id);
    assert_eq!(membership.voter_ids().collect::<Vec<_>>(), [7, 8, 9]);
    assert_eq!(membership.membership().get_node(&8).unwrap().peer_addr, "node-8:9761");
}

#[test]
fn all_members_make_the_same_state_and_others_another() {
    let of = |applied: u64, ids: &[NodeId]| {
        renewed(&members(ids), &backup(Some(LogId { term: 3, index: applied }), 3)).unwrap().0
    };
    assert_eq!(of(1000, &[1, 2, 3]), of(1000, &[1, 2, 3]));
    assert_ne!(of(1000, &[1, 2, 3]), of(1000, &[1]));
}

#[test]
fn what_no_cluster_can_begin_with_is_refused() {
    let refused = |applied| renewed(&members(&[1]), &backup(applied, 1)).unwrap_err();
    assert!(matches!(refused(None), SeedError::Empty));
    assert!(matches!(refused(Some(LogId { term: 1, index: u64::MAX - 1 })), SeedError::NoIndexLeft(_)));
}
