//! What `dev` shows when all nodes are ready: the nodes, and what to try with them.

use super::ports::NodePlan;

/// A node in the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    pub plan: &'a NodePlan,
    /// None while its process is being started again.
    pub pid: Option<u32>,
    /// As the node says, such as leader or follower.
    pub role: &'a str,
}

const HEAD: [&str; 4] = ["node", "URL", "pid", "role"];

/// The table and the proposals, without an end of line.
pub fn overview(rows: &[Row<'_>]) -> String {
    format!("{}\n\n{}", table(rows), proposals(rows))
}

fn table(rows: &[Row<'_>]) -> String {
    let mut lines = vec![HEAD.map(str::to_owned)];
    lines.extend(rows.iter().map(|row| {
        let pid = row.pid.map_or("-".to_owned(), |pid| pid.to_string());
        [row.plan.id.to_string(), url(row.plan), pid, row.role.to_owned()]
    }));
    let widths = [0, 1, 2].map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or(0));
    let formatted = lines.iter().map(|[id, url, pid, role]| {
        format!("  {id:<0$}  {url:<1$}  {pid:<2$}  {role}", widths[0], widths[1], widths[2])
    });
    formatted.collect::<Vec<_>>().join("\n")
}

fn proposals(rows: &[Row<'_>]) -> String {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return String::new() };
    // In a cluster of three the second writes and the third reads; a smaller one does with what it has.
    let writer = rows.get(1).unwrap_or(last).plan;
    let reader = rows.get(2).unwrap_or(first).plan;
    let defaults: Vec<String> = rows.iter().map(|row| url(row.plan)).collect();
    let mut text = format!(
        "Try next:\n\n\
         # register an instance at node {}\n\
         curl -i -X POST {}apps/DEMO -H 'Content-Type: application/json' -d '{}'\n\n\
         # read it at node {}\n\
         curl -s -H 'Accept: application/json' {}apps/DEMO\n\n",
        writer.id,
        url(writer),
        INSTANCE,
        reader.id,
        url(reader),
    );
    if let Some(pid) = rows.iter().find(|row| row.role == "leader").and_then(|row| row.pid) {
        text.push_str(&format!(
            "# kill the leader; another one takes over, and this one comes back\nkill -9 {pid}\n\n"
        ));
    }
    text.push_str(&format!(
        "# Spring Cloud, application.properties\neureka.client.service-url.defaultZone={}",
        defaults.join(",")
    ));
    text
}

/// The least that a server takes for an instance, with an id, an address and a port to call it at.
const INSTANCE: &str = "{\"instance\":{\"instanceId\":\"demo-1\",\"hostName\":\"localhost\",\"app\":\"DEMO\",\
    \"ipAddr\":\"127.0.0.1\",\"vipAddress\":\"demo\",\"status\":\"UP\",\"port\":{\"$\":8080,\"@enabled\":\"true\"},\
    \"dataCenterInfo\":{\"@class\":\"com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo\",\"name\":\"MyOwn\"}}}";

fn url(plan: &NodePlan) -> String {
    format!("http://{}/eureka/", plan.http)
}

#[cfg(test)]
mod tests {
    use super::super::ports::plan;
    use super::*;

    fn rows(plans: &[NodePlan]) -> Vec<Row<'_>> {
        let roles = ["follower", "leader", "follower"];
        let pids = [Some(9), Some(12345), None];
        plans.iter().zip(pids).zip(roles).map(|((plan, pid), role)| Row { plan, pid, role }).collect()
    }

    #[test]
    fn columns_line_up() {
        let plans = plan(3, 8761, 9761).expect("room");
        assert_eq!(
            table(&rows(&plans)),
            "  node  URL                            pid    role\n\
             \x20 1     http://127.0.0.1:8761/eureka/  9      follower\n\
             \x20 2     http://127.0.0.1:8762/eureka/  12345  leader\n\
             \x20 3     http://127.0.0.1:8763/eureka/  -      follower"
        );
    }

    #[test]
    fn one_writes_another_reads_and_the_leader_dies() {
        let plans = plan(3, 8761, 9761).expect("room");
        let text = proposals(&rows(&plans));
        assert!(text.contains("curl -i -X POST http://127.0.0.1:8762/eureka/apps/DEMO "), "{text}");
        assert!(text.contains("json' http://127.0.0.1:8763/eureka/apps/DEMO\n"), "{text}");
        assert!(text.contains("\nkill -9 12345\n"), "{text}");
        let zones = "defaultZone=http://127.0.0.1:8761/eureka/,http://127.0.0.1:8762/eureka/,http://127.0.0.1:8763/eureka/";
        assert!(text.ends_with(zones), "{text}");
    }

    #[test]
    fn a_single_node_does_all_of_it() {
        let plans = plan(1, 8761, 9761).expect("room");
        let text = proposals(&rows(&plans));
        assert_eq!(text.matches("http://127.0.0.1:8761/eureka/apps/DEMO").count(), 2, "{text}");
        assert!(!text.contains("kill -9"), "{text}");
    }

    #[test]
    fn the_instance_to_register_is_json_that_a_shell_leaves_alone() {
        let parsed: serde_json::Value = serde_json::from_str(INSTANCE).expect("JSON");
        assert_eq!(parsed["instance"]["port"]["$"], 8080);
        assert!(!INSTANCE.contains('\''));
    }
}
