//! What is too much.

use std::time::Duration;

use super::people::{PASSWORD, basic, node};
use crate::harness::{Cluster, Connection, Document, Request, until};

#[test]
fn a_client_over_its_rate_has_to_wait_and_probes_do_not() {
    let cluster = Cluster::start_with(1, &["--client-requests-per-second", "1", "--client-burst", "5"]);
    let addr = cluster.addrs()[0];
    let answers: Vec<_> = (0..12).map(|_| Request::get("/eureka/apps").expect(addr)).collect();
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!((1..=7).contains(&refused.len()), "{} of 12 were refused", refused.len());
    assert!(refused.iter().all(|answer| answer.header("retry-after") == Some("1")));
    assert!(answers.iter().all(|answer| [200, 429].contains(&answer.status)));
    for _ in 0..12 {
        assert_eq!(Request::get("/readyz").expect(addr).status, 200);
    }
}

#[test]
fn what_is_too_much_at_once_is_refused_at_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let cluster = node(&dir.path().join("auth.toml"), &["--max-requests-in-flight", "1"]);
    let spec = &cluster.nodes[0].spec;
    let writer = basic("writer", PASSWORD);
    let document = Document::new("FULL", "i-1");
    assert_eq!(document.register().with(&writer).expect(spec.http).status, 204);
    // One whose body never comes is under way until then.
    let mut bytes = document.register().with(&writer).bytes(spec.http);
    bytes.truncate(bytes.len() - 1);
    let mut unfinished = Connection::open(spec.http, Duration::from_secs(10)).expect("a connection");
    unfinished.send(&bytes).expect("most of a request");
    let refused = until("the node has no room", || match document.renew().with(&writer).expect(spec.http) {
        answer if answer.status == 503 => Ok(answer),
        answer => Err(answer.status.to_string()),
    });
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(Request::get("/livez").expect(spec.http).status, 200);
    unfinished.send(b"}").expect("the rest");
    assert_eq!(unfinished.receive("POST").expect("an answer").status, 204);
    assert_eq!(document.renew().with(&writer).expect(spec.http).status, 200);
}
