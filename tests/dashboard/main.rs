//! The dashboard in a real Chromium, without a window: what people see, click and type, and what hostile registrants
//! try to make of it.
//!
//! `tests/dashboard/run.sh` installs Chromium and runs these tests, which are ignored otherwise. What is done in the
//! browser is in `browser/`, a file for each test; a failure there ends the script, and with it the test.

#[path = "../harness/mod.rs"]
mod harness;
#[expect(dead_code, reason = "bearer tokens and single nodes are for other tests")]
#[path = "../cluster/secured/people.rs"]
mod people;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::{Value, json};

use harness::{Cluster, Document, Request, free_addr};

/// Where `run.sh` puts what drives the browser. The scripts are copied there: modules are looked for beside whatever
/// asks for them.
static THERE: LazyLock<PathBuf> = LazyLock::new(|| {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let there = here.join("target/dashboard");
    let scripts = there.join("browser");
    fs::create_dir_all(&scripts).expect("a directory");
    for entry in fs::read_dir(here.join("tests/dashboard/browser")).expect("the scripts") {
        let entry = entry.expect("a script");
        fs::copy(entry.path(), scripts.join(entry.file_name())).expect("a copied script");
    }
    there
});

/// Chromium takes more than a machine has while it starts, and the leader is to stay.
const STEADY: [&str; 4] = ["--election-timeout-min-ms", "3000", "--election-timeout-max-ms", "5000"];

/// Runs a script of `browser/` with a value for it to go by.
fn browse(script: &str, given: &Value) {
    let mut command = Command::new("node");
    command.arg(THERE.join("browser").join(script)).env("GIVEN", given.to_string()).env("PICTURES", &*THERE);
    let output = command.output().expect("node runs; tests/dashboard/run.sh installs it");
    let told = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{script}: {}\n{}", output.status, String::from_utf8_lossy(&told));
}

fn url(addr: SocketAddr) -> String {
    format!("http://{addr}/")
}

/// Some services as there may be, most of them well.
fn register_services(addr: SocketAddr) {
    for (app, instances) in [("BILLING", 3), ("CATALOG", 4), ("INVENTORY", 2), ("ORDERS", 6), ("PAYMENTS", 3)]
    {
        for number in 1..=instances {
            let id = format!("{}-{number}.shop.internal:8080", app.to_lowercase());
            let status = match (app, number) {
                ("INVENTORY", 2) => "DOWN",
                ("CATALOG", 4) => "STARTING",
                _ => "UP",
            };
            let zone = ["eu-west-1a", "eu-west-1b", "eu-west-1c"][number % 3];
            let document = Document::new(app, &id)
                .set("hostName", format!("{}-{number}.shop.internal", app.to_lowercase()).into())
                .set("ipAddr", format!("10.20.{}.{number}", app.len()).into())
                .set("status", status.into())
                .set("vipAddress", app.to_lowercase().into())
                .set("homePageUrl", format!("http://{id}/").into())
                .set("metadata", json!({"zone": zone, "version": format!("4.{number}.0"), "team": "shop"}));
            assert_eq!(document.register().expect(addr).status, 204);
        }
    }
}

fn given(cluster: &Cluster) -> Value {
    let nodes: Vec<Value> = cluster
        .nodes
        .iter()
        .map(|node| json!({"url": url(node.spec.http), "pid": node.pid(), "id": node.spec.id}))
        .collect();
    json!({"url": url(cluster.addrs()[0]), "nodes": nodes})
}

#[test]
#[ignore = "needs Chromium: tests/dashboard/run.sh"]
fn people_find_what_they_look_for() {
    let cluster = Cluster::start(3);
    let addr = cluster.addrs()[0];
    register_services(addr);
    browse("find.js", &given(&cluster));
}

#[test]
#[ignore = "needs Chromium: tests/dashboard/run.sh"]
fn a_registry_without_instances_tells_how_to_register_one() {
    let cluster = Cluster::start(1);
    browse("empty.js", &given(&cluster));
}

#[test]
#[ignore = "needs Chromium: tests/dashboard/run.sh"]
fn what_registrants_say_stays_text() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let script = "<script>window.ran=1</script><img src=http://127.0.0.1:1/x onerror=window.ran=2>";
    let long = "long ".repeat(2000);
    for (id, url) in [
        (script, "javascript:window.ran=3"),
        ("\"'><svg onload=window.ran=4>", "data:text/html,<script>window.ran=5</script>"),
        ("a/b?c#d;e%2F", "JaVaScRiPt:window.ran=6"),
        ("..", "//evil.example/"),
        ("\u{202e}txet", "http://evil.example/\" onclick=\"window.ran=7"),
    ] {
        let document = Document::new("<B>HOSTILE</B>&AMP;", id)
            .set("hostName", format!("{script}host").into())
            .set("homePageUrl", url.into())
            .set("statusPageUrl", "https://status.example/ok".into())
            .set("healthCheckUrl", "file:///etc/passwd".into())
            .set("metadata", json!({"zone": script, script: script, "__proto__": "x", "long": long}));
        assert_eq!(document.register().expect(addr).status, 204, "{id}");
    }
    browse("hostile.js", &given(&cluster));
}

#[test]
#[ignore = "needs Chromium: tests/dashboard/run.sh"]
fn an_instance_is_taken_out_and_put_back_by_the_keyboard() {
    let cluster = Cluster::start(1);
    register_services(cluster.addrs()[0]);
    browse("override.js", &given(&cluster));
    let log = cluster.nodes[0].log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let audited: Vec<Value> = lines.filter(|line| line["target"] == "rs_registry::audit").collect();
    for what in ["set_status", "remove_status"] {
        let of: Vec<_> = audited.iter().filter(|line| line["what"] == what).collect();
        assert!(of.len() == 1 && of[0]["outcome"] == "done", "{what}: {of:?}");
    }
}

#[test]
#[ignore = "needs Chromium: tests/dashboard/run.sh"]
fn a_killed_leader_and_a_lost_quorum_are_told() {
    let mut cluster = Cluster::start_with(3, &STEADY);
    register_services(cluster.addrs()[0]);
    let (leader, follower) = (cluster.leader(), cluster.follower());
    let mut given = given(&cluster);
    given["leader"] = leader.into();
    given["follower"] = follower.into();
    browse("failover.js", &given);
}

#[test]
#[ignore = "needs Chromium: tests/dashboard/run.sh"]
fn eureka_servers_are_shown_where_they_are_told() {
    let (server, refuser) = (Cluster::start(1), free_addr());
    let urls = [server.addrs()[0], refuser].map(|addr| format!("{}eureka", url(addr)));
    let mut cluster = Cluster::start_with(3, &[&["--eureka-peer", &urls.join(",")], &STEADY[..]].concat());
    let (leader, follower) = (cluster.leader(), cluster.follower());
    // The last one is what the last error is about.
    for id in ["kept-1", "<img src=http://127.0.0.1:1/x onerror=window.ran=1>"] {
        assert_eq!(Document::new("KEPT", id).register().expect(cluster.addrs()[follower]).status, 204);
    }
    let mut given = given(&cluster);
    given["leader"] = leader.into();
    given["follower"] = follower.into();
    given["server"] = json!({"url": urls[0], "page": url(server.addrs()[0])});
    given["refuser"] = json!({"url": urls[1], "port": refuser.port()});
    browse("eureka_servers.js", &given);
}

#[test]
#[ignore = "needs Chromium: tests/dashboard/run.sh"]
fn who_may_only_read_is_offered_nothing_else() {
    let dir = tempfile::tempdir().expect("a directory");
    let cluster = people::node(&dir.path().join("auth.toml"), &[]);
    let (addr, writer) = (cluster.addrs()[0], people::basic("writer", people::PASSWORD));
    let document = Document::new("ROLES", "i-1");
    assert_eq!(document.register().with(&writer).expect(addr).status, 204);
    let mut given = given(&cluster);
    given["password"] = people::PASSWORD.into();
    browse("roles.js", &given);
}

#[test]
#[ignore = "needs Chromium: tests/dashboard/run.sh"]
fn a_page_of_another_site_can_write_nothing() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    browse("foreign.js", &given(&cluster));
    assert_eq!(Request::get("/eureka/apps/FOREIGN").expect(addr).status, 404);
}
