//! A take-over that ends.

use serde_json::json;

use super::fake::{Fake, answer, instance};
use super::{as_registered, document};
use crate::harness::{Cluster, Document, Request, applications, done, failed};
use crate::secured::people::{PASSWORD, node};

/// Registers what is odd in one way or another, and returns how many that is and how many have an override.
fn register_all(source: &Cluster) -> (usize, usize) {
    let addr = source.addrs()[0];
    let amazon = json!({
        "@class": "com.netflix.appinfo.AmazonInfo",
        "name": "Amazon",
        "metadata": {"ami-id": "ami-1", "instance-id": "i-0abc", "availability-zone": "us-east-1c"},
    });
    let documents = [
        document("orders", "plain"),
        document("ORDERS", "host.local:orders 1/ü;x=%2F?#&+\u{1}"),
        document("ORDERS", "down").set("status", "DOWN".into()),
        document("ORDERS", "starting").set("status", "STARTING".into()),
        document("ORDERS", "short").lease_secs(45),
        document("ŻÓŁW/É", "metadata").set("metadata", json!({"a b": "1", "$x": "", "": "<&\"", "ü": "\n"})),
        document("AMAZON", "amazon").set("dataCenterInfo", amazon.clone()),
        document("AMAZON", "").set("dataCenterInfo", amazon),
        document("OVERRIDDEN", "out"),
        document("OVERRIDDEN", "down-and-out").set("status", "DOWN".into()),
    ];
    for document in &documents {
        assert_eq!(document.register().expect(addr).status, 204, "{document:?}");
    }
    let nameless = document("NAMELESS", "unused").set("instanceId", json!(null));
    assert_eq!(nameless.register().expect(addr).status, 204);
    for id in ["out", "down-and-out"] {
        set_status(source, &Document::new("OVERRIDDEN", id), "OUT_OF_SERVICE");
    }
    // Its client goes on saying that it is down.
    assert_eq!(documents[9].register().expect(addr).status, 204);
    (documents.len() + 1, 2)
}

fn set_status(cluster: &Cluster, document: &Document, status: &str) {
    let path = format!("{}/status?value={status}", document.path());
    assert_eq!(Request::put(&path).expect(cluster.addrs()[0]).status, 200);
}

#[test]
fn everything_is_here_as_it_is_there_and_a_second_run_changes_nothing() {
    let (source, mut here) = (Cluster::start(1), Cluster::start(3));
    let (count, overridden) = register_all(&source);
    let addrs = here.addrs();
    let from = format!("http://{}", source.addrs()[0]);
    let to = format!("http://127.0.0.1:1,http://{},http://{}", addrs[1], addrs[0]);
    let import = ["import", "--from", &from, "--to", &to];

    let dry: Vec<&str> = import.into_iter().chain(["--dry-run"]).collect();
    assert!(done(&dry).contains(&format!("{count} to be registered, 0 there already")));
    assert!(applications(addrs[0]).is_empty());

    let told = done(&import);
    for line in [
        format!("{from}/eureka: {count} instances\n"),
        format!("{count} instances of 5 applications\n"),
        format!("\n{count} registered, {overridden} of them with an override\n"),
        "ends with its lease, unless its client comes".to_owned(),
    ] {
        assert!(told.contains(&line), "{told}");
    }
    here.settled();
    let there = as_registered(applications(source.addrs()[0]));
    assert_eq!(as_registered(applications(addrs[0])), there);
    let overrides = |addr| Request::get("/serverinfo/statusoverrides").expect(addr).value();
    assert_eq!(overrides(addrs[0]), overrides(source.addrs()[0]));

    let tag = || {
        let answer = Request::get("/eureka/apps?consistency=linearizable").expect(addrs[0]);
        answer.header("etag").expect("a tag").to_owned()
    };
    let before = tag();
    let told = done(&import);
    assert!(told.contains(&format!("\n{count} there already, and renewed\n")), "{told}");
    assert_eq!(tag(), before, "readers see a change");
}

#[test]
fn what_changed_there_since_the_last_run_changes_here() {
    let (source, here) = (Cluster::start(1), Cluster::start(1));
    let (there, addr) = (source.addrs()[0], here.addrs()[0]);
    let (from, to) = (format!("http://{there}/eureka/v2/"), format!("http://{addr}"));
    let import = ["import", "--from", &from, "--to", &to];
    let out = document("APP", "out");
    for document in [&out, &document("APP", "same"), &document("APP", "other")] {
        assert_eq!(document.register().expect(there).status, 204);
    }
    set_status(&source, &out, "OUT_OF_SERVICE");
    done(&import);
    assert_eq!(Request::delete(&format!("{}/status?value=UP", out.path())).expect(there).status, 200);
    let changed = document("APP", "other").set("metadata", json!({"a": "b"}));
    assert_eq!(changed.register().expect(there).status, 204);
    let told = done(&import);
    assert!(told.contains("\n2 registered, 1 there already, and renewed\n"), "{told}");
    assert_eq!(as_registered(applications(addr)), as_registered(applications(there)));
}

#[test]
fn a_source_that_is_away_is_told_and_the_others_are_taken() {
    let here = Cluster::start(1);
    let to = format!("http://{}", here.addrs()[0]);
    let mut newer = instance("APP", "both", 90);
    newer["lastDirtyTimestamp"] = "1700000000001".into();
    newer["status"] = "DOWN".into();
    let one = Fake::listing(vec![instance("APP", "both", 90), instance("APP", "one", 90)]);
    let other = Fake::listing(vec![newer]);
    let from = format!("{},http://127.0.0.1:1/eureka/,{}", one.url(), other.url());
    let told = done(&["import", "--from", &from, "--to", &to]);
    assert!(told.contains("not read: cannot reach 127.0.0.1:1; is it running"), "{told}");
    assert!(told.contains("\n2 registered\n"), "{told}");
    let shown = applications(here.addrs()[0]);
    assert_eq!((&shown["APP"]["both"]["status"], shown["APP"].len()), (&json!("DOWN"), 2));

    let told = failed(&["import", "--from", "http://127.0.0.1:1,http://127.0.0.1:2", "--to", &to]);
    assert!(told.contains("no server that was given can be read: cannot reach 127.0.0.1:1"), "{told}");
    let told = failed(&["import", "--from", &to, "--to", &format!("http://127.0.0.1:1,{to}")]);
    assert!(told.contains("is to be read from and written to"), "{told}");
    let told = failed(&["import", "--from", &one.url(), "--to", "http://127.0.0.1:1"]);
    assert!(told.contains("what this cluster has cannot be read: cannot reach 127.0.0.1:1"), "{told}");
}

#[test]
fn both_ends_may_want_to_know_who_asks() {
    let dir = tempfile::tempdir().expect("a directory");
    let (source, here) =
        (node(&dir.path().join("there.toml"), &[]), node(&dir.path().join("here.toml"), &[]));
    let admin = &here.nodes[0].spec.credentials;
    assert_eq!(document("APP", "i").register().with(admin).expect(source.addrs()[0]).status, 204);
    let password = percent_encoding::utf8_percent_encode(PASSWORD, percent_encoding::NON_ALPHANUMERIC);
    let url = |user: &str, cluster: &Cluster| format!("http://{user}:{password}@{}", cluster.addrs()[0]);
    let import = |from: &str, to: &str| ["import", "--from", from, "--to", to].map(str::to_owned);
    let (reader, writer) = (url("reader", &source), url("writer", &here));
    let told = done(&import(&reader, &writer));
    assert!(told.contains("\n1 registered\n") && !told.contains("horse"), "{told}");
    let told = failed(&import(&format!("http://{}", source.addrs()[0]), &writer));
    assert!(told.contains("asks who you are; write http://USER:PASSWORD@"), "{told}");
    let told = failed(&import(&reader, &url("reader", &here)));
    assert!(
        told.contains("0 of 1 instances are done; run it again") && told.contains("the role write"),
        "{told}"
    );
}

#[test]
fn what_its_own_client_keeps_here_is_left_as_it_is() {
    let source = Fake::listing(vec![instance("APP", "theirs", 90), instance("APP", "ours", 90)]);
    let here = Fake::start(|asked| match asked.line.as_str() {
        "GET /eureka/apps/" => answer(200, "", super::fake::registry(&[])),
        "POST /eureka/peerreplication/batch/" => {
            assert!(asked.headers.contains("x-registry-import: true"), "{}", asked.headers);
            let batch: serde_json::Value = serde_json::from_slice(&asked.body).expect("JSON");
            let items = batch["replicationList"].as_array().expect("a list");
            let code = |item: &serde_json::Value| if item["id"] == "ours" { 409 } else { 200 };
            let answers: Vec<_> = items.iter().map(|item| json!({"statusCode": code(item)})).collect();
            answer(200, "", json!({"responseList": answers}).to_string())
        }
        line => panic!("{line}"),
    });
    let told = done(&["import", "--from", &source.url(), "--to", &here.url()]);
    assert!(told.contains("\n1 registered, 1 left as they are, kept here by their own clients\n"), "{told}");
}
