//! What the dashboard is served with: its page, its lists, its events.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use super::harness::{Cluster, Document, Request, until};

/// A stream of events that is read as it comes.
struct Watching {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl Watching {
    fn begin(addr: SocketAddr) -> Self {
        let mut stream = TcpStream::connect(addr).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(15))).expect("a time-out");
        let request = Request::get("/api/dashboard/events").bytes(addr);
        stream.write_all(&request).expect("a request");
        Self { stream, heard: Vec::new() }
    }

    /// Reads until it was told so many events of a name, and gives the data of the last.
    fn hear(&mut self, name: &str, times: usize) -> Value {
        loop {
            let text = String::from_utf8_lossy(&self.heard).into_owned();
            let of_name = format!("event: {name}\ndata: ");
            let told = text.split(&of_name).skip(1).filter_map(|rest| rest.split_once("\n\n"));
            if let Some((data, _)) = told.take(times).nth(times - 1) {
                return serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"));
            }
            assert!(self.more(), "the stream ended: {text}");
        }
    }

    /// Reads once; false at the end.
    fn more(&mut self) -> bool {
        let mut piece = [0; 16 * 1024];
        let length = self.stream.read(&mut piece).expect("something, or the end");
        self.heard.extend_from_slice(&piece[..length]);
        length > 0
    }

    fn status(&mut self) -> String {
        while !self.heard.windows(4).any(|end| end == b"\r\n\r\n") {
            assert!(self.more(), "no head");
        }
        String::from_utf8_lossy(&self.heard[9..12]).into_owned()
    }
}

#[test]
fn the_page_and_its_files_run_and_fetch_nothing_from_elsewhere() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let page = Request::get("/").expect(addr).text();
    let quoted = page.split('"').filter(|text| text.starts_with("/dashboard/") || *text == "/favicon.svg");
    let files: Vec<&str> = ["/"].into_iter().chain(quoted).collect();
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        let answer = Request::get(file).header("Accept", "*/*").expect(addr);
        assert_eq!(answer.status, 200, "{file}");
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-cache"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{file}");
        }
        let tag = answer.header("etag").unwrap_or_default();
        let again = Request::get(file).header("If-None-Match", tag).expect(addr);
        assert_eq!((again.status, again.body.len()), (304, 0), "{file}");
        assert!(again.header("content-security-policy").is_some(), "{file}");
    }
    assert_eq!(Request::post("/").body("").expect(addr).status, 405);
    assert_eq!(Request::get("/dashboard/other.js").expect(addr).status, 404);
}

#[test]
fn instances_are_listed_and_told_with_what_happened_to_them() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let document = Document::new("ORDERS", "a/b").set("metadata", json!({"zone": "z1"}));
    assert_eq!(document.register().expect(addr).status, 204);
    assert_eq!(Document::new("OTHER", "x").register().expect(addr).status, 204);
    let status = |method, value| Request::new(method, &format!("{}/status?value={value}", document.path()));
    assert_eq!(status("PUT", "OUT_OF_SERVICE").expect(addr).status, 200);
    assert_eq!(document.renew().expect(addr).status, 200);

    let listed =
        Request::get("/api/instances?q=ord&zone=z1&status=OUT_OF_SERVICE&limit=1").expect(addr).value();
    assert_eq!((&listed["total"], &listed["matched"]), (&json!(2), &json!(1)));
    let row = &listed["instances"][0];
    assert_eq!((&row["id"], &row["overridden"]), (&json!("a/b"), &json!("OUT_OF_SERVICE")));
    for bad in ["limit=201", "limit=0", "sort=x", "nothing=1"] {
        let answer = Request::get(&format!("/api/instances?{bad}")).expect(addr);
        assert_eq!(answer.status, 400, "{bad}");
        assert!(answer.value()["error"].is_string(), "{bad}");
    }

    let told = |path: &str| Request::get(path).expect(addr);
    let one = told("/api/instances/orders/a%2Fb").value();
    assert_eq!(one["document"]["instance"]["instanceId"], "a/b");
    assert_eq!((&one["status"], &one["metadata"]), (&json!("OUT_OF_SERVICE"), &json!([["zone", "z1"]])));
    let events = one["history"]["events"].as_array().expect("events");
    assert_eq!(events.len(), 1, "renewals and the first registration are none: {events:?}");
    assert_eq!(events[0]["status"], json!(["UP", "OUT_OF_SERVICE"]));
    assert_eq!(events[0]["overridden"], json!([null, "OUT_OF_SERVICE"]));

    assert_eq!(document.cancel().expect(addr).status, 200);
    let gone = told("/api/instances/ORDERS/a%2Fb");
    assert_eq!(gone.status, 404);
    assert_eq!(gone.value()["history"]["events"][0]["what"], "cancelled");

    let short = Document::new("SHORT", "s").lease_secs(1);
    assert_eq!(short.register().expect(addr).status, 204);
    let gone = until("the lease has ended", || match told("/api/instances/SHORT/s") {
        answer if answer.status == 404 => Ok(answer.value()),
        answer => Err(answer.text()),
    });
    assert_eq!(gone["history"]["events"][0]["what"], "expired");
}

#[test]
fn events_come_as_long_as_somebody_looks_and_the_node_runs() {
    // Less than it takes to hear the second event: who is told something is not idle.
    let mut cluster = Cluster::start_with(1, &["--request-header-timeout-ms", "1500"]);
    let addr = cluster.addrs()[0];
    let mut watching = Watching::begin(addr);
    let hello = watching.hear("hello", 1);
    assert_eq!((&hello["viewer"]["may_write"], &hello["state"]["instances"]), (&json!(true), &json!(0)));
    assert_eq!(Document::new("ORDERS", "i").register().expect(addr).status, 204);
    let tick = watching.hear("tick", 3);
    assert_eq!((&tick["state"]["instances"], &tick["state"]["cluster"]["leader_id"]), (&json!(1), &json!(1)));
    assert!(tick["rates"]["renewals"].is_number());

    let status = cluster.nodes[0].terminate();
    assert_eq!(status.code(), Some(0), "{status}");
    while watching.more() {}
    let log = cluster.nodes[0].log();
    assert!(!log.contains("still under way"), "the node waited for who looks");
}

#[test]
fn so_many_may_look_and_a_place_is_free_again_when_one_leaves() {
    let cluster = Cluster::start_with(1, &["--max-requests-in-flight", "8"]);
    let addr = cluster.addrs()[0];
    let mut watching: Vec<Watching> = Vec::new();
    for _ in 0..100 {
        let mut one = Watching::begin(addr);
        assert_eq!(
            one.status(),
            "200",
            "viewers count for the requests under way until they are answered only"
        );
        watching.push(one);
    }
    assert_eq!(Watching::begin(addr).status(), "503");
    watching.pop();
    until("there is a place again", || match Watching::begin(addr).status().as_str() {
        "200" => Ok(()),
        status => Err(status.to_owned()),
    });
}

#[test]
fn writes_that_a_browser_sends_for_another_site_are_refused() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let document = Document::new("SITES", "i");
    let from = |name, value: &str| document.register().header(name, value).expect(addr).status;
    assert_eq!(from("Sec-Fetch-Site", "cross-site"), 403);
    assert_eq!(from("Sec-Fetch-Site", "same-site"), 403);
    assert_eq!(from("Origin", "http://elsewhere.example"), 403);
    assert_eq!(document.read().expect(addr).status, 404);
    assert_eq!(from("Origin", &format!("http://{addr}")), 204);
    assert_eq!(from("Sec-Fetch-Site", "same-origin"), 204);
    assert_eq!(document.read().header("Sec-Fetch-Site", "cross-site").expect(addr).status, 200);
    let delete = document.cancel().header("Sec-Fetch-Site", "cross-site").expect(addr);
    assert_eq!(delete.status, 403);
}
