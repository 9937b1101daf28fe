//! Watches the nodes and says when all are ready, who leads, and who came back.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::output::Console;
use super::ports::NodePlan;
use super::status::{Leader, Observation, StatusClient, leader};
use super::table::{Row, overview};

/// What is known of the nodes, and what was said of it.
pub struct Board {
    plans: Vec<NodePlan>,
    pids: Vec<watch::Receiver<Option<u32>>>,
    console: Console,
    client: StatusClient,
    /// None until the table was shown.
    announced: Option<Leader>,
    /// The process of each node that was last said to be ready.
    ready_pids: Vec<Option<u32>>,
    /// When to say again what the start waits for.
    remind_at: Instant,
}

const LOOK_INTERVAL: Duration = Duration::from_millis(500);
const REMIND_INTERVAL: Duration = Duration::from_secs(15);

impl Board {
    /// `pids` are those of `plans`, in the same order.
    pub fn new(
        plans: Vec<NodePlan>,
        pids: Vec<watch::Receiver<Option<u32>>>,
        client: StatusClient,
        console: Console,
    ) -> Self {
        let ready_pids = vec![None; plans.len()];
        let remind_at = Instant::now() + REMIND_INTERVAL;
        Self { plans, pids, console, client, announced: None, ready_pids, remind_at }
    }

    /// Watches until it is aborted.
    pub async fn run(mut self) {
        let mut looks = interval(LOOK_INTERVAL);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let pids: Vec<Option<u32>> = self.pids.iter().map(|pid| *pid.borrow()).collect();
            let seen = join_all(self.plans.iter().map(|plan| self.client.observe(plan))).await;
            match self.announced {
                None => self.await_start(&pids, &seen),
                Some(before) => self.follow(before, &pids, &seen),
            }
        }
    }

    fn await_start(&mut self, pids: &[Option<u32>], seen: &[Observation]) {
        let leader = leader(seen);
        if let (Some(leader), true) = (leader, seen.iter().all(|node| node.ready)) {
            self.console.show(&overview(&self.rows(pids, seen)));
            self.announced = Some(leader);
            self.ready_pids = pids.to_vec();
        } else if Instant::now() >= self.remind_at {
            self.remind_at = Instant::now() + REMIND_INTERVAL;
            self.console.say(&waiting_for(&self.plans, seen));
        }
    }

    fn follow(&mut self, before: Leader, pids: &[Option<u32>], seen: &[Observation]) {
        if let Some(now) = leader(seen).filter(|now| now.term > before.term) {
            self.console.say(&format!("node {} leads now (term {})", now.id, now.term));
            self.announced = Some(now);
        }
        let nodes = self.plans.iter().zip(pids).zip(seen).zip(&mut self.ready_pids);
        for (((plan, pid), node), ready_pid) in nodes {
            if let (Some(pid), true) = (pid, node.ready && *ready_pid != *pid) {
                self.console.say(&format!("node {} is ready again, pid {pid}", plan.id));
                *ready_pid = Some(*pid);
            }
        }
    }

    fn rows<'a>(&'a self, pids: &[Option<u32>], seen: &'a [Observation]) -> Vec<Row<'a>> {
        let nodes = self.plans.iter().zip(pids).zip(seen);
        nodes
            .map(|((plan, pid), node)| {
                let role = node.cluster.as_ref().map_or("unknown", |cluster| cluster.role.as_str());
                Row { plan, pid: *pid, role }
            })
            .collect()
    }
}

fn waiting_for(plans: &[NodePlan], seen: &[Observation]) -> String {
    let late: Vec<String> = plans
        .iter()
        .zip(seen)
        .filter(|(_, node)| !node.ready)
        .map(|(plan, node)| {
            let state = if node.cluster.is_some() { "not ready" } else { "no answer" };
            format!("node {} ({state})", plan.id)
        })
        .collect();
    if late.is_empty() {
        "still waiting for a leader".into()
    } else {
        format!("still waiting for {}", late.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::super::ports::plan;
    use super::super::status::ClusterStatus;
    use super::*;

    #[test]
    fn what_the_start_waits_for_is_named() {
        let plans = plan(3, 8761, 9761).expect("room");
        let cluster = Some(ClusterStatus { role: "candidate".into(), leader_id: None, term: 1 });
        let ready = Observation { ready: true, cluster: cluster.clone() };
        let starting = Observation { ready: false, cluster };
        let seen = [ready.clone(), starting, Observation::default()];
        assert_eq!(waiting_for(&plans, &seen), "still waiting for node 2 (not ready), node 3 (no answer)");
        assert_eq!(waiting_for(&plans[..1], &[ready]), "still waiting for a leader");
    }
}
