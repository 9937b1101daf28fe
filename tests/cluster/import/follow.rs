//! A take-over that goes on.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use super::fake::{Fake, instance, lists};
use super::{as_registered, document};
use crate::harness::{Cluster, Request, Samples, applications, until};

/// `import --follow`, killed when this is dropped.
struct Following {
    child: Child,
    log: PathBuf,
    _dir: tempfile::TempDir,
}

impl Following {
    /// Starts it, and waits until the take-over is done.
    fn start(from: &str, to: SocketAddr) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let log = dir.path().join("log");
        let written = File::create(&log).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_rs-registry"));
        command.args(["import", "--from", from, "--to", &format!("http://{to}")]);
        command.args(["--follow", "--interval-secs", "1"]).stdin(Stdio::null());
        command.stdout(written.try_clone().expect("a second handle")).stderr(written);
        let following = Self { child: command.spawn().expect("it starts"), log, _dir: dir };
        following.until_told("instances of");
        following
    }

    fn told(&self) -> String {
        fs::read_to_string(&self.log).expect("its log")
    }

    fn until_told(&self, text: &str) {
        until(&format!("it tells {text:?}"), || {
            let told = self.told();
            if told.contains(text) { Ok(()) } else { Err(told) }
        });
    }

    /// SIGTERM; all that it told.
    fn end(mut self) -> String {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("a signal");
        let status = self.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0), "{}", self.told());
        self.told()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // Fails only when it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn until_same(here: &Cluster, source: &Cluster) {
    let shown = |cluster: &Cluster| as_registered(applications(cluster.addrs()[0]));
    until("both show the same", || {
        let (here, there) = (shown(here), shown(source));
        if here == there { Ok(()) } else { Err(format!("{here:?} is not {there:?}")) }
    });
}

fn expect(request: Request, cluster: &Cluster) {
    let status = request.expect(cluster.addrs()[0]).status;
    assert!(matches!(status, 200 | 204), "{} {}: {status}", request.method(), request.path());
}

#[test]
fn what_changes_there_changes_here() {
    let (mut source, here) = (Cluster::start(1), Cluster::start(1));
    let one = document("APP", "one");
    expect(one.register(), &source);
    let following = Following::start(&format!("http://{}", source.addrs()[0]), here.addrs()[0]);
    until_same(&here, &source);

    expect(document("APP", "two").register(), &source);
    expect(document("OTHER", "three").set("status", "STARTING".into()).register(), &source);
    until_same(&here, &source);
    expect(Request::put(&format!("{}/status?value=OUT_OF_SERVICE", one.path())), &source);
    expect(Request::put(&format!("{}/metadata?zone=a", document("APP", "two").path())), &source);
    until_same(&here, &source);
    expect(Request::put(&format!("{}/status?value=DOWN", one.path())), &source);
    until_same(&here, &source);
    expect(Request::delete(&format!("{}/status?value=UP", one.path())), &source);
    until_same(&here, &source);
    assert_eq!(applications(here.addrs()[0])["APP"]["one"]["overriddenStatus"], "UNKNOWN");
    expect(one.cancel(), &source);
    expect(document("OTHER", "three").cancel(), &source);
    until_same(&here, &source);

    // What it has is as it was, and its delta too.
    source.nodes[0].restart();
    expect(document("APP", "four").register(), &source);
    until_same(&here, &source);
    let told = following.end();
    for part in
        ["1 registered\n", "1 registered, 1 of them with an override", "2 cancelled", "SIGTERM: since the"]
    {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
}

fn is_here(addr: SocketAddr, id: &str) -> Result<(), String> {
    let shown = applications(addr);
    let found = shown.get("APP").is_some_and(|instances| instances.contains_key(id));
    found.then_some(()).ok_or_else(|| format!("{:?}", shown.get("APP").map(|instances| instances.keys())))
}

/// Waits until both leases were renewed more often than fits into their three seconds, and both are here.
fn until_renewed(addr: SocketAddr) {
    let renewals = || Samples::of(addr).value("rs_registry_renewals_total");
    let before = renewals();
    until("renewals", || match renewals() - before {
        made if made >= 9.0 => Ok(()),
        made => Err(format!("{made} were made")),
    });
    for id in ["i", "j"] {
        is_here(addr, id).expect("a lease that was renewed");
    }
}

#[test]
fn what_is_listed_there_is_renewed_here_also_when_the_source_is_away_or_comes_back_empty() {
    let here = Cluster::start(1);
    let addr = here.addrs()[0];
    let listed = || vec![instance("APP", "i", 3), instance("APP", "j", 3)];
    let source = Fake::listing(listed());
    let following = Following::start(&source.url(), addr);
    until_renewed(addr);

    source.answer(|_| None);
    following.until_told("is lost, and what it alone lists is renewed for 5 minutes more: ");
    until_renewed(addr);
    source.answer(lists(Vec::new()));
    following.until_told("is back");
    until_renewed(addr);
    source.answer(lists(vec![instance("APP", "i", 3), json!({"app": "APP", "instanceId": "broken"})]));
    following.until_told("skipped APP(broken): Missing hostname");
    until_renewed(addr);
    let told = following.end();
    assert!(!told.contains("cancelled") && !told.contains("left to"), "{told}");
}

#[test]
fn without_a_delta_what_is_not_listed_any_more_is_cancelled() {
    let here = Cluster::start(1);
    let addr = here.addrs()[0];
    let source = Fake::listing(vec![instance("APP", "i", 90), instance("APP", "j", 90)]);
    let following = Following::start(&source.url(), addr);
    source.answer(lists(vec![instance("APP", "j", 90)]));
    following.until_told("1 cancelled\n");
    assert_eq!(applications(addr)["APP"].keys().collect::<Vec<_>>(), ["j"]);
}

#[test]
fn nodes_that_are_away_are_told_and_what_they_lost_is_registered_again() {
    let (source, mut here) = (Cluster::start(1), Cluster::start(1));
    expect(document("APP", "lasting").register(), &source);
    let fake = Fake::listing(vec![instance("APP", "i", 3)]);
    let from = format!("http://{},{}", source.addrs()[0], fake.url());
    let following = Following::start(&from, here.addrs()[0]);
    here.nodes[0].kill();
    following.until_told("nothing can be written, which goes on being tried: no node takes writes");
    here.nodes[0].start();
    here.nodes[0].wait_ready();
    following.until_told("a node takes what is written again");
    expect(document("APP", "i").cancel(), &here);
    until("it is registered again", || is_here(here.addrs()[0], "i"));
}
