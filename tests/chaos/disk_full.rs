//! Disks without space: small file systems of their own, filled up.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::json;
use tempfile::TempDir;

use super::harness::{Cluster, Document, Request, applications, until};
use super::registering::Registering;
use super::skip::{print_skipped, run};
use super::stepped_out::{Which, assert_stepped_out, until_told};

const NO_SPACE: &str = "No space left on device (os error 28)";

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_disk_of_the_leader_is_full() {
    fill_up("full disk of the leader", Which::Leader);
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn the_disk_of_a_follower_is_full() {
    fill_up("full disk of a follower", Which::Follower);
}

fn fill_up(name: &str, which: Which) {
    let disks = match small_disks() {
        Ok(disks) => disks,
        Err(reason) => return print_skipped(name, &reason),
    };
    let mut cluster = start(&disks, &[]);
    let registering = Registering::start(&cluster.addrs(), 1000, 1000);
    let place = which.place(&mut cluster);
    let addr = cluster.addrs()[place];
    registering.wait_for(50, addr);
    disks[place].fill(0);
    assert_stepped_out(&cluster, place, &registering, &format!("the log cannot be written: {NO_SPACE}"));
    assert_stepped_out(&cluster, place, &registering, "log); free space, then restart this node");

    // As long as the disk is full it either ends with one line that says so, or says so when asked.
    cluster.nodes[place].kill();
    cluster.nodes[place].start();
    until("it says again that there is no space", || {
        if !cluster.nodes[place].is_running() {
            let log = cluster.nodes[place].log();
            let last = log.lines().last().unwrap_or_default();
            assert!(last.starts_with("rs-registry: ") && last.contains(NO_SPACE), "{last}");
            return Ok(());
        }
        let ready = Request::get("/readyz").send(addr).map_err(|error| error.to_string())?;
        assert_eq!(ready.status, 503, "{}", ready.text());
        ready.text().contains(NO_SPACE).then_some(()).ok_or_else(|| ready.text())
    });
    disks[place].free();
    cluster.nodes[place].restart();
    registering.finish(name, &mut cluster, addr);
}

#[test]
#[ignore = "takes minutes: tests/chaos/run.sh"]
fn a_follower_has_no_space_for_the_snapshot_of_the_leader() {
    const BYTES: usize = 20_000;
    const INSTANCES: usize = 100;
    let name = "no space for a snapshot that is received";
    let disks = match small_disks() {
        Ok(disks) => disks,
        Err(reason) => return print_skipped(name, &reason),
    };
    let mut cluster = start(&disks, &["--snapshot-entries", "100", "--snapshot-keep-entries", "10"]);
    let place = cluster.follower();
    let leader = cluster.leader();
    let (addr, leader_addr) = (cluster.addrs()[place], cluster.addrs()[leader]);
    let before = cluster.settled()[place].last_log_index;
    cluster.nodes[place].kill();
    for number in 0..3 * INSTANCES {
        let document = Document::new("LARGE", &format!("i-{}", number % INSTANCES))
            .set("metadata", json!({"pad": "x".repeat(BYTES)}));
        assert_eq!(document.register().expect(leader_addr).status, 204);
    }
    until("the leader has purged what the follower missed", || {
        let view = cluster.nodes[leader].view()?;
        (view.purged_index > before).then_some(()).ok_or_else(|| format!("{view:?}"))
    });
    disks[place].fill(INSTANCES * BYTES / 4);
    cluster.nodes[place].start();
    until_told(addr, &format!("catching up with the leader; no snapshot can be written: {NO_SPACE}"));
    let snapshots = cluster.nodes[place].spec.data_dir.join("snapshot");
    until("what was received in part takes no space", || {
        let left: Vec<_> =
            fs::read_dir(&snapshots).expect("a directory").flatten().map(|it| it.path()).collect();
        left.is_empty().then_some(()).ok_or_else(|| format!("{left:?}"))
    });
    disks[place].free();
    cluster.nodes[place].wait_ready();
    cluster.assert_states_equal();
    assert_eq!(applications(addr)["LARGE"].len(), INSTANCES);
}

/// A file system in memory, gone with this: large enough for what is registered in a minute, at whatever speed.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount() -> Result<Self, String> {
        let dir = tempfile::tempdir().map_err(|error| error.to_string())?;
        run(&["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", &dir.path().display().to_string()])?;
        fs::create_dir(dir.path().join("data")).map_err(|error| error.to_string())?;
        Ok(Self(dir))
    }

    /// Leaves at most so many bytes free.
    fn fill(&self, free: usize) {
        let filler = self.filler();
        let mut file = File::create(&filler).expect("a file");
        while file.write_all(&[b'x'; 4096]).is_ok() {}
        let length = file.metadata().expect("a file").len();
        file.set_len(length.saturating_sub(free as u64)).expect("a shorter file");
    }

    fn free(&self) {
        fs::remove_file(self.filler()).expect("a filled disk");
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the nodes may still run when a test has failed.
        let umount = Command::new("umount").arg("--lazy").arg(self.0.path()).stderr(Stdio::null()).status();
        assert!(umount.is_ok_and(|status| status.success()) || std::thread::panicking(), "umount");
    }
}

/// # Errors
/// Why there can be none here.
fn small_disks() -> Result<Vec<SmallDisk>, String> {
    (0..3).map(|_| SmallDisk::mount()).collect()
}

/// Three nodes, each on one of these.
fn start(disks: &[SmallDisk], flags: &[&str]) -> Cluster {
    Cluster::start_prepared(3, |specs| {
        for (spec, disk) in specs.iter_mut().zip(disks) {
            spec.data_dir = disk.0.path().join("data");
            spec.extra_flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        }
    })
}
