//! Derived data that is damaged is put aside and made anew.

use std::fs;

use super::harness::{Cluster, Document, applications, until};

#[test]
fn a_damaged_state_and_a_damaged_snapshot_are_put_aside() {
    let mut cluster =
        Cluster::start_with(3, &["--snapshot-entries", "100", "--snapshot-keep-entries", "10000"]);
    let place = cluster.follower();
    let addr = cluster.addrs()[place];
    for number in 0..250 {
        let document = Document::new("DAMAGED", &format!("i-{}", number % 50));
        until("it is registered", || match document.register().expect(addr).status {
            204 => Ok(()),
            status => Err(format!("answered {status}")),
        });
    }
    cluster.settled();
    assert!(cluster.nodes[place].terminate().success());
    let dir = cluster.nodes[place].spec.data_dir.clone();
    for file in ["state/conf", "snapshot/current"] {
        let mut bytes = fs::read(dir.join(file)).expect("what was stored at the stop");
        bytes.iter_mut().for_each(|byte| *byte ^= 0xff);
        fs::write(dir.join(file), bytes).expect("a damaged file");
    }
    cluster.nodes[place].start();
    cluster.nodes[place].wait_ready();
    for aside in ["state.damaged", "snapshot/damaged"] {
        assert!(dir.join(aside).exists(), "{aside} is not there");
    }
    let log = cluster.nodes[place].log();
    for warning in ["the stored state is put aside", "the snapshot is not used and put aside"] {
        assert!(log.contains(warning), "no line says that {warning}");
    }
    cluster.assert_states_equal();
    assert_eq!(applications(addr)["DAMAGED"].len(), 50);
}
