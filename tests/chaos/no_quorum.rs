//! The last of three nodes: it reads on and says how stale it is, refuses writes, and ends no lease.

use std::net::SocketAddr;
use std::time::Duration;

use super::LEASE;
use super::harness::{Document, Request, Response, until};
use super::trial::Trial;

/// Far beyond the time in which a node has to refuse; only a write that hangs takes longer.
const HANGS_AFTER: Duration = Duration::from_secs(15);

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn leases_outlast_the_loss_of_the_quorum() {
    let mut trial = Trial::start("no quorum");
    for _ in 0..2 {
        trial.fault(|trial| {
            let last = trial.cluster.follower();
            let addr = trial.cluster.addrs()[last];
            let others: Vec<usize> = (0..trial.cluster.nodes.len()).filter(|place| *place != last).collect();
            others.iter().for_each(|place| trial.cluster.nodes[*place].kill());
            let before = until_out_of_touch(addr);
            assert_writes_are_refused(&trial.live_document(), addr);
            trial.hold(LEASE * 2);
            let after = until_out_of_touch(addr);
            assert!(after >= before + LEASE * 2, "out of touch for {before:?}, and later for {after:?}");
            others.iter().for_each(|place| trial.cluster.nodes[*place].start());
            others.iter().for_each(|place| trial.cluster.nodes[*place].wait_ready());
        });
    }
    trial.finish();
}

/// Waits until a read is answered and knows no leader; returns for how long it had none.
fn until_out_of_touch(addr: SocketAddr) -> Duration {
    until("a read that knows no leader", || {
        let read = Request::get("/eureka/apps").expect(addr);
        assert_eq!(read.status, 200);
        match read.header("x-registry-known-leader") {
            Some("false") => Ok(last_contact(&read)),
            other => Err(format!("{other:?}")),
        }
    })
}

fn last_contact(read: &Response) -> Duration {
    let millis = read.header("x-registry-last-contact").and_then(|millis| millis.parse().ok());
    Duration::from_millis(millis.unwrap_or_else(|| panic!("when was the last contact? {read:?}")))
}

/// A register and a cancel would change the load: they are for others.
fn assert_writes_are_refused(live: &Document, addr: SocketAddr) {
    let unknown = Document::new("UNKNOWN", "i-1");
    let writes = [
        unknown.cancel(),
        unknown.renew(),
        live.renew(),
        Request::put(&format!("{}/status?value=UP", unknown.path())),
        Request::put(&format!("{}/metadata?k=v", unknown.path())),
    ];
    for write in writes {
        let response = write.clone().read_timeout(HANGS_AFTER).expect(addr);
        assert_eq!(response.status, 503, "{write:?}: {response:?}");
        assert_eq!(response.header("retry-after"), Some("1"), "{response:?}");
        assert!(response.body.is_empty(), "{response:?}");
    }
}
