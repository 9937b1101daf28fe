//! When a cluster is as it should be.

use super::status::ClusterStatus;

/// Entries that a member may lack and count as caught up: under load there always are some.
const LAG_MAX: u64 = 1_000;

/// What is not as it should be.
pub fn unhealthy(status: &ClusterStatus) -> Option<String> {
    let Some(leader) = status.leader_id else {
        return Some("no leader is known".to_owned());
    };
    if !status.leads() {
        return Some(format!("node {leader} leads, and cannot be asked from here"));
    }
    if let Some(failing) = status.failing.first() {
        return Some(format!("node {leader}: {failing}"));
    }
    status.nodes.iter().find_map(|(id, node)| match (node.answered_ms_ago, status.lag(node)) {
        _ if node.answers == Some(true) && status.lag(node).is_some_and(|lag| lag <= LAG_MAX) => None,
        (None, _) => Some(format!("node {id} has not answered yet")),
        (Some(ago), _) if node.answers != Some(true) => {
            Some(format!("node {id} has not answered for {ago} ms"))
        }
        (_, None) => Some(format!("how far node {id} is is not known yet")),
        (_, Some(lag)) => Some(format!("node {id} lacks {lag} log entries")),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(change: impl FnOnce(&mut serde_json::Value)) -> ClusterStatus {
        let node = |port: u16| {
            let addr = format!("h:{port}");
            json!({"peer_addr": addr, "http_addr": null, "matched_index": 5000, "answers": true, "answered_ms_ago": 12})
        };
        let mut status = json!({
            "node_id": 1, "role": "leader", "leader_id": 1, "term": 3, "last_log_index": 5100, "instances": 7,
            "voters": [1, 2], "learners": [3], "failing": [], "nodes": {"1": node(1), "2": node(2), "3": node(3)},
        });
        change(&mut status);
        serde_json::from_value(status).unwrap()
    }

    #[test]
    fn all_is_well_when_every_member_answers_and_has_caught_up() {
        assert_eq!(unhealthy(&status(|_| ())), None);
        let reason = |change: fn(&mut serde_json::Value)| unhealthy(&status(change)).unwrap();
        assert_eq!(reason(|it| it["leader_id"] = json!(null)), "no leader is known");
        assert!(reason(|it| it["leader_id"] = json!(2)).contains("cannot be asked"));
        assert!(reason(|it| it["failing"] = json!(["the state cannot be written"])).contains("the state"));
        assert!(
            reason(|it| {
                it["nodes"]["2"]["answers"] = json!(false);
                it["nodes"]["2"]["answered_ms_ago"] = json!(null);
            })
            .contains("node 2 has not answered yet")
        );
        assert!(reason(|it| it["nodes"]["3"]["answers"] = json!(false)).contains("node 3 has not"));
        assert!(reason(|it| it["nodes"]["3"]["matched_index"] = json!(20)).contains("lacks 5080"));
    }

    #[test]
    fn the_status_is_a_table() {
        let text = status(|_| ()).to_string();
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        assert_eq!(lines[0], "node 1 leads in term 3; 2 voters (quorum 2), 1 learner; 7 instances");
        assert_eq!(lines[3], "  1     leader   h:1           -             100  12 ms ago");
        assert_eq!(lines[5], "  3     learner  h:3           -             100  12 ms ago");
        let follower = status(|it| it["node_id"] = json!(2)).to_string();
        assert!(
            follower.ends_with(
                "node 2 tells this, which does not lead: only the leader knows how far each node is"
            ),
            "{follower}"
        );
    }

    #[test]
    fn eureka_servers_are_told_below_the_members() {
        let server = json!([{
            "url": "http://e1/eureka", "told_from_here": false, "reachable": null, "queue": 0, "lag_ms": 0,
            "last_error": null, "last_error_age_ms": null,
        }]);
        let text = status(|it| {
            it["node_id"] = json!(2);
            it["eureka_peers"] = server;
        })
        .to_string();
        assert!(text.contains("\n\n  Eureka server     state      queue  lag  last error\n"), "{text}");
        assert!(text.ends_with("how far each node is, and how Eureka servers are"), "{text}");
    }
}
