//! The log that is committed, as the disks have it: from the moment an entry is applied anywhere it is on a
//! majority of them for good, and the same wherever it is.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use openraft::EntryPayload;
use rs_registry::command::Command;
use rs_registry::registry::Key;

use super::disk::{Entry, LogId};
use super::host::Host;
use super::rules::{Act, Rules};
use super::wire::NodeId;

#[derive(Default)]
pub struct Committed {
    entries: BTreeMap<u64, Content>,
    /// Up to where each node's log was looked at.
    looked_at: BTreeMap<NodeId, u64>,
    /// Up to where each disk has had all of it durably.
    durable: BTreeMap<NodeId, u64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Content {
    log_id: LogId,
    hash: u64,
}

impl Content {
    fn of(entry: &Entry) -> Self {
        let mut hasher = DefaultHasher::new();
        match &entry.payload {
            EntryPayload::Blank => {}
            EntryPayload::Normal(batch) => batch.bytes().hash(&mut hasher),
            EntryPayload::Membership(membership) => format!("{membership:?}").hash(&mut hasher),
        }
        Self { log_id: entry.log_id, hash: hasher.finish() }
    }
}

impl Committed {
    /// To be called after each step, before anything else can go wrong.
    pub fn look(&mut self, now_ms: u64, hosts: &[Host], rules: &Rules) {
        for host in hosts {
            self.look_for_lost(host, rules);
            if let Some(machine) = host.machine() {
                self.look_at_applied(now_ms, host, machine.last_applied(), hosts, rules);
            }
        }
        let newest = self.entries.last_key_value().map_or(0, |(index, _)| *index);
        for host in hosts {
            if let Some(applied) =
                host.machine().map(|machine| machine.last_applied()).filter(|at| *at > newest)
            {
                rules.broken(format!(
                    "node {} has a state of entry {applied}, which nobody committed",
                    host.id
                ));
            }
            let durable = self.durable.entry(host.id).or_default();
            let more = self.entries.range(*durable + 1..);
            let more = more.take_while(|(_, content)| host.disk.has_durably(content.log_id));
            *durable = more.last().map_or(*durable, |(index, _)| *index);
        }
    }

    /// What a disk had durably it has for ever.
    fn look_for_lost(&mut self, host: &Host, rules: &Rules) {
        let Some(from) = host.disk.take_lost_from() else {
            return;
        };
        let looked_at = self.looked_at.entry(host.id).or_default();
        *looked_at = from.saturating_sub(1).min(*looked_at);
        let durable = self.durable.get(&host.id).copied().unwrap_or(0);
        let lost = self
            .entries
            .range(from..)
            .find(|(index, content)| **index <= durable && !host.disk.has_durably(content.log_id));
        if let Some((index, _)) = lost {
            rules.broken(format!("node {} loses the committed entry {index} from its disk", host.id));
        }
    }

    fn look_at_applied(&mut self, now_ms: u64, host: &Host, applied: u64, hosts: &[Host], rules: &Rules) {
        let looked_at = self.looked_at.entry(host.id).or_default();
        let news = *looked_at + 1..=applied;
        *looked_at = applied.max(*looked_at);
        for index in news {
            // Covered by a snapshot; looked at where it was applied.
            let Some(entry) = host.disk.entry(index) else {
                continue;
            };
            let content = Content::of(&entry);
            let known = *self.entries.entry(index).or_insert_with(|| {
                look_at_majority(host, content.log_id, hosts, rules);
                tell_acts(now_ms, &entry, rules);
                content
            });
            if known != content {
                rules.broken(format!("node {} applies another entry {index} than was committed", host.id));
            }
        }
    }
}

fn look_at_majority(host: &Host, log_id: LogId, hosts: &[Host], rules: &Rules) {
    let have = hosts.iter().filter(|other| other.disk.has_durably(log_id)).count();
    if have <= hosts.len() / 2 {
        let (id, index) = (host.id, log_id.index);
        rules.broken(format!("node {id} applies entry {index}, which only {have} disks have for good"));
    }
}

/// What clients may now take for decided.
fn tell_acts(now_ms: u64, entry: &Entry, rules: &Rules) {
    let EntryPayload::Normal(batch) = &entry.payload else {
        return;
    };
    let (_, commands) = batch.decode().expect("commands that a node could apply");
    for command in &commands {
        if let Some((key, act)) = act(command) {
            rules.decided(key.id.as_str(), act, now_ms);
        }
    }
}

fn act(command: &Command) -> Option<(&Key, Act)> {
    Some(match command {
        Command::Register { key, .. } => (key, Act::Register),
        Command::Renew { key, .. } => (key, Act::Renew),
        Command::Cancel { key, .. } => (key, Act::Cancel),
        Command::PutMetadata { key, .. } => (key, Act::PutMetadata),
        Command::SetStatus { key, .. } | Command::RemoveStatus { key, .. } => (key, Act::Override),
        Command::Expire { .. }
        | Command::SetSelfPreservation { .. }
        | Command::SetPeerProgress { .. }
        | Command::RaiseFormat { .. } => {
            return None;
        }
    })
}
