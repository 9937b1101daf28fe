//! The small verbs of the command line, against a running cluster or none.

use std::process::Output;

use super::harness::{Cluster, Document, Request, done, failed, run, until};

#[test]
fn instances_are_shown_taken_out_of_service_and_cancelled() {
    let cluster = Cluster::start(1);
    let addr = cluster.nodes[0].spec.http;
    assert_eq!(Document::new("ORDERS", "host:orders 1").register().expect(addr).status, 204);
    let urls = format!("http://127.0.0.1:1,http://{addr}");
    let status_of = || {
        let table = done(&["get", "ORDERS", "--urls", &urls]);
        let line = table.lines().nth(1).expect("a line of the instance").to_owned();
        line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).nth(2).expect("a status").to_owned()
    };
    assert_eq!(status_of(), "UP");
    done(&["put-status", "orders", "host:orders 1", "out-of-service", "--urls", &urls]);
    assert_eq!(status_of(), "OUT_OF_SERVICE (set)");
    let json = done(&["get", "orders", "host:orders 1", "--json", "--urls", &urls]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["instance"]["status"], "OUT_OF_SERVICE");
    done(&["put-status", "orders", "host:orders 1", "remove", "--urls", &urls]);
    let overrides = Request::get("/serverinfo/statusoverrides").expect(addr).value();
    assert_eq!(overrides, serde_json::json!({}));
    done(&["delete", "orders", "host:orders 1", "--urls", &urls]);
    assert_eq!(done(&["get", "--urls", &urls]).lines().count(), 1, "the head alone");
    assert!(failed(&["get", "orders", "--urls", &urls]).contains("no such application"));
    assert!(failed(&["delete", "orders", "host:orders 1", "--urls", &urls]).contains("no such"));
    assert!(failed(&["get", "--urls", "http://127.0.0.1:1"]).contains("cannot reach 127.0.0.1:1"));
}

#[test]
fn health_is_an_exit_code() {
    let mut cluster = Cluster::start(2);
    let url = format!("http://{}", cluster.nodes[0].spec.http);
    // Either may last for a moment only, on a busy machine.
    let health = |code| {
        until("health says so", || {
            let Output { status, stdout, stderr } = run(&["health", "--urls", &url]);
            let told = String::from_utf8([stdout, stderr].concat()).expect("UTF-8");
            if status.code() == Some(code) { Ok(told) } else { Err(told) }
        })
    };
    assert_eq!(health(0), "ready\n");
    cluster.nodes[1].kill();
    let reason = health(1);
    assert!(reason.contains("503 Service Unavailable: not ready: no leader known"), "{reason}");
    assert!(failed(&["health", "--urls", "http://127.0.0.1:1"]).contains("cannot reach 127.0.0.1:1"));
}

#[test]
fn settings_are_shown_with_where_they_came_from() {
    let needed = [
        "--node-id=1",
        "--data-dir=data",
        "--http-addr=127.0.0.1:8761",
        "--peer-addr=127.0.0.1:9761",
        "--initial-cluster=1=127.0.0.1:9761",
    ];
    let check: Vec<&str> = ["config", "check"].into_iter().chain(needed).collect();
    let shown = done(&check);
    let line = |key: &str| shown.lines().find(|line| line.starts_with(key)).expect("a line").to_owned();
    assert!(line("node_id").ends_with("flag --node-id"), "{shown}");
    assert!(line("lease_tick_ms").contains("250"), "{shown}");
    assert!(shown.ends_with("a node can be started with these settings\n"), "{shown}");
    let bad: Vec<&str> = check.iter().copied().chain(["--lease-tick-ms=251"]).collect();
    let told = failed(&bad);
    assert!(told.contains("flag --lease-tick-ms"), "{told}");
    assert!(failed(&["config", "check"]).contains("is not set"));
}

#[test]
fn the_command_line_is_there_for_shells_and_for_man() {
    assert!(done(&["completions", "bash"]).contains("complete -F _rs__registry"));
    let cluster = Cluster::start(1);
    let dir = cluster.scratch("man");
    done(&["man", dir.to_str().expect("UTF-8")]);
    let page = std::fs::read_to_string(dir.join("rs-registry-serve.1")).expect("a page");
    assert!(page.contains("initial\\-cluster"), "{page}");
}
