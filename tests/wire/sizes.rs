//! Sizes: what is too big is refused with 413 and leaves nothing behind.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::framing::{chunked, gzip};
use super::harness::{Cluster, Document, Request, applications, until};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

#[test]
fn a_body_over_one_mebibyte_is_refused_however_it_is_framed() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let document = padded("big", MIB);
    let text = document.json().into_bytes();
    let post = || Request::post(&document.app_path()).header("Content-Type", "application/json");
    let framed = [
        ("with a length", post().body(text.clone())),
        ("with a length of 10 GB that never comes", post().header("Content-Length", "10000000000")),
        ("in chunks", post().header("Transfer-Encoding", "chunked").body(chunked(&text, 64 * KIB))),
        ("compressed", post().header("Content-Encoding", "gzip").body(gzip(&text))),
        ("as a bomb", post().header("Content-Encoding", "gzip").body(gzip(&vec![b' '; 64 * MIB]))),
    ];
    for (how, request) in framed {
        assert_refused(&request, addr, how);
    }
    let batch = json!({"replicationList": [], "pad": "x".repeat(MIB)}).to_string();
    assert_refused(&Request::post("/eureka/peerreplication/batch/").json(batch), addr, "a batch");
    assert_eq!(applications(addr).len(), 0);
}

/// Some pages are made where the request is served, large ones elsewhere: nobody can tell.
#[test]
fn an_application_of_any_size_is_read_whole() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let mut registered = 0;
    for size in [1, 32, 33, 100] {
        for number in registered..size {
            let document =
                Document::new("GROWING", &format!("i-{number:03}")).set("vipAddress", "grows".into());
            assert_eq!(document.register().expect(addr).status, 204);
        }
        registered = size;
        let read = |path: &str| {
            let answer = Request::get(path).accept_json().expect(addr);
            assert_eq!(answer.status, 200, "{path}");
            answer.value()
        };
        let instances = |app: &Value| app["instance"].as_array().map_or(0, Vec::len);
        assert_eq!(instances(&read("/eureka/apps/growing")["application"]), size);
        let vip = read("/eureka/vips/grows");
        assert_eq!(instances(&vip["applications"]["application"][0]), size);
        assert_eq!(vip["applications"]["apps__hashcode"], format!("UP_{size}_"));
    }
    assert_eq!(Request::get("/eureka/apps/nosuch").expect(addr).status, 404);
}

#[test]
fn a_body_just_below_one_mebibyte_is_read() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let document = Document::new("SIZES", "roomy");
    let mut text = document.json().into_bytes();
    text.resize(MIB - 1, b' ');
    let response = Request::post(&document.app_path()).json(text).expect(addr);
    assert_eq!(response.status, 204);
    assert_eq!(document.read().expect(addr).status, 200);
}

#[test]
fn bodies_may_be_allowed_up_to_eight_mebibytes() {
    let cluster = Cluster::start_with(1, &["--max-body-bytes", &(8 * MIB).to_string()]);
    let addr = cluster.addrs()[0];
    for format in ["json", "xml", "batch"] {
        let document = Document::new("SIZES", format);
        let sized = |text: String| format!("{text}{}", " ".repeat(8 * MIB - text.len()));
        let (request, status) = match format {
            "json" => (Request::post(&document.app_path()).json(sized(document.json())), 204),
            "xml" => (Request::post(&document.app_path()).xml(sized(document.xml())), 204),
            _ => {
                let batch = sized(json!({"replicationList": []}).to_string());
                (Request::post("/eureka/peerreplication/batch/").json(batch), 200)
            }
        };
        assert_eq!(request.expect(addr).status, status, "{format}");
    }
    let over = vec![b' '; 8 * MIB + 1];
    assert_refused(&Request::post("/eureka/apps/SIZES").json(over), addr, "a byte more");
}

#[test]
fn an_instance_over_64_kib_is_refused() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let small = padded("small", 60 * KIB);
    assert_eq!(small.register().expect(addr).status, 204);
    let large = padded("large", 66 * KIB);
    assert_refused(&large.register(), addr, "66 KiB in JSON");
    assert_eq!(large.read().expect(addr).status, 404);
}

#[test]
fn metadata_does_not_grow_an_instance_over_64_kib() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let document = padded("full", 60 * KIB);
    assert_eq!(document.register().expect(addr).status, 204);
    let before = document.read().expect(addr).value();
    let more = format!("{}/metadata?more={}", document.path(), "y".repeat(6 * KIB));
    assert_refused(&Request::put(&more), addr, "metadata");
    assert_eq!(document.read().expect(addr).value(), before);
}

/// 640 KB that ask for 480 MB.
#[test]
fn a_batch_that_names_a_large_instance_again_and_again_is_answered_in_bounds() {
    const ITEMS: usize = 8_000;
    let cluster = Cluster::start(3);
    let document = padded("stored", 60 * KIB).set("lastDirtyTimestamp", json!(1_700_000_000_000_i64));
    assert_eq!(document.register().expect(cluster.addrs()[0]).status, 204);
    let stale = json!({"appName": "SIZES", "id": "stored", "action": "Heartbeat", "lastDirtyTimestamp": 1});
    let batch = json!({"replicationList": vec![stale; ITEMS]}).to_string();
    for addr in cluster.addrs() {
        let post = Request::post("/eureka/peerreplication/batch/").json(batch.clone());
        let answer = until("a batch is answered", || match post.expect(addr) {
            response if response.status == 200 => Ok(response.value()),
            response => Err(format!("{} at {addr}", response.status)),
        });
        let items = answer["responseList"].as_array().unwrap_or_else(|| panic!("no list at {addr}"));
        assert_eq!(items.len(), ITEMS);
        assert!(items.iter().all(|item| item["statusCode"] == 409), "at {addr}");
        let stored = |item: &&Value| item["responseEntity"]["instanceId"] == "stored";
        let carried = items.iter().take_while(stored).count();
        assert_eq!(items.iter().filter(stored).count(), carried, "the first ones have it, at {addr}");
        assert!((1..100).contains(&carried), "{carried} documents at {addr}");
    }
}

/// Java's parsers read no longer names of elements, and would give up the whole registry.
#[test]
fn a_metadata_name_over_1000_characters_in_xml_is_refused() {
    let cluster = Cluster::start(1);
    let addr = cluster.addrs()[0];
    let named = |id: &str, name: &str| Document::new("SIZES", id).set("metadata", json!({name: "v"}));
    let (longest, too_long) = ("x".repeat(1000), format!("{}:", "x".repeat(995)));
    let document = named("longest", &longest);
    assert_eq!(document.register().expect(addr).status, 204);
    let kept = applications(addr);
    let text =
        "a metadata name takes 1001 characters as the name of an XML element; at most 1000 are accepted";
    for request in [
        named("long", &too_long).register(),
        Request::put(&format!("{}/metadata?{too_long}=v", document.path())),
    ] {
        let response = request.expect(addr);
        assert_eq!((response.status, response.text().as_str()), (400, text), "{request:?}");
    }
    let instance: Value = serde_json::from_str(&named("long", &too_long).json()).expect("JSON of ours");
    let item =
        json!({"appName": "SIZES", "id": "long", "action": "Register", "instanceInfo": instance["instance"]});
    let batch = json!({"replicationList": [item]}).to_string();
    let response = Request::post("/eureka/peerreplication/batch/").json(batch).expect(addr);
    assert_eq!(response.text(), r#"{"responseList":[{"statusCode":200}]}"#, "as any registration refused");
    assert_eq!(applications(addr), kept);
}

fn padded(id: &str, bytes: usize) -> Document {
    Document::new("SIZES", id).set("metadata", json!({"pad": "x".repeat(bytes)}))
}

fn assert_refused(request: &Request, addr: SocketAddr, how: &str) {
    let response = request.expect(addr);
    assert_eq!(response.status, 413, "{how}: {response:?}");
    assert!(response.body.is_empty(), "{how}: {response:?}");
}
