//! No live lease is lost, every dead one ends, and clients that contend for an instance all see the same
//! story, through faults that need a real kernel: processes are killed and stopped, disks stall, fill up and
//! fail, clocks jump, the network is cut.
//!
//! In every test but [`contended`] a [`trial::Trial`] keeps 1,000 short leases renewed at a cluster of three
//! processes, by clients that turn to the next node when one fails, and reads at all nodes throughout. No
//! renewal may be answered 404, no instance may be missing from any read or be registered twice. A few
//! instances per fault are never renewed: they have to be gone at every node after it.
//!
//! Where a disk is full or fails, registrations are counted instead: none that was acknowledged, at any
//! node at any time, may be missing from any node in the end.
//!
//! `tests/chaos/run.sh` installs the tools and runs these tests, which are ignored otherwise. What a
//! machine cannot do is skipped, with a line that says so. Chance is drawn from `SEED`, or a new seed,
//! which is printed. Of a failed run logs and data are kept.

#[path = "../harness/mod.rs"]
mod harness;
#[path = "../linearizability/mod.rs"]
mod linearizability;

mod client;
mod clock_jump;
mod contended;
mod disk_errors;
mod disk_full;
mod disk_stall;
mod forwarded_renewal;
mod kill;
mod load;
mod network;
mod no_quorum;
mod partition;
mod pause;
mod record;
mod registering;
mod replay;
mod rolling_restart;
mod skip;
mod stepped_out;
mod strace;
mod trial;
mod watch;

use std::time::Duration;

/// Of every instance, in all tests.
const LEASE: Duration = Duration::from_secs(LEASE_SECS as u64);
const LEASE_SECS: u32 = 5;
