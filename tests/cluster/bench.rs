//! `rs-registry bench` against a cluster: each workload finds what it asks for, and leaves nothing behind.

use std::net::SocketAddr;
use std::process::{Command, Output};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::harness::{Applications, Cluster, applications, until};

const INSTANCES: usize = 50;

#[test]
fn each_workload_finds_what_it_asks_for_and_leaves_nothing() {
    let cluster = Cluster::start(3);
    let addrs = cluster.addrs();
    let workloads = [
        ("register", vec![]),
        ("renew", vec![]),
        ("renew", vec!["--rate", "200", "--document", "small"]),
        ("fetch", vec![]),
        ("fetch", vec!["--resource", "app", "--no-gzip"]),
        ("fetch", vec!["--resource", "instance"]),
        ("delta", vec![]),
        ("visible", vec!["--rate", "50"]),
        ("paced", vec!["--renew-secs", "1", "--fetch-secs", "1"]),
    ];
    for (workload, options) in workloads {
        let output = bench(&addrs, workload, &options).output().expect("bench runs");
        let report = report(workload, &output);
        assert_eq!(report["workload"], workload);
        for figures in report["results"].as_array().expect("results") {
            assert!(figures["count"].as_u64() > Some(0), "{report}");
            assert!(figures["p50_ms"].as_f64() <= figures["max_ms"].as_f64(), "{report}");
        }
        assert_eq!((&report["errors"], &report["cleanup"]["left"]), (&0.into(), &0.into()), "{report}");
        let cancelled = report["cleanup"]["cancelled"].as_u64().expect("a number");
        match workload {
            "visible" => assert!(cancelled > INSTANCES as u64, "{report}"),
            _ => assert_eq!(cancelled, INSTANCES as u64, "{report}"),
        }
        if matches!(workload, "fetch" | "delta") {
            assert!(report["results"][0]["bytes_per_second"].as_f64() > Some(0.0), "{report}");
        }
        until_empty(&addrs);
    }
}

#[test]
fn what_is_to_be_kept_is_and_can_be_cancelled_later() {
    let cluster = Cluster::start(1);
    let addrs = cluster.addrs();
    let report = report("renew", &bench(&addrs, "renew", &["--keep"]).output().expect("bench runs"));
    assert_eq!(report["cleanup"], Value::Null);
    assert_eq!(instances(addrs[0]), INSTANCES);
    let output = bench(&addrs, "fetch", &[]).output().expect("bench runs");
    assert!(output.status.success(), "{output:?}");
    until_empty(&addrs);
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    let cluster = Cluster::start(3);
    let addrs = cluster.addrs();
    let mut running =
        bench(&addrs, "visible", &["--rate", "100", "--duration-secs", "60"]).spawn().expect("bench starts");
    until("new instances are registered", || match instances(addrs[0]) {
        seen if seen > INSTANCES => Ok(()),
        seen => Err(format!("{seen} instances")),
    });
    let pid = Pid::from_raw(running.id().cast_signed()).expect("a pid");
    kill_process(pid, Signal::INT).expect("a signal");
    let status = running.wait().expect("bench ends");
    assert_eq!(status.code(), Some(1));
    until_empty(&addrs);
}

#[test]
fn errors_are_counted_and_fail_the_run() {
    let mut cluster = Cluster::start(1);
    let addrs = cluster.addrs();
    let run = |options: &[&str]| bench(&addrs, "renew", options).output().expect("bench runs");
    let killing = |cluster: &mut Cluster, options: &[&str]| {
        thread::scope(|scope| {
            let output = scope.spawn(|| run(options));
            until("all is registered, and the load begins", || match instances(addrs[0]) {
                INSTANCES => Ok(()),
                seen => Err(format!("{seen} instances")),
            });
            cluster.nodes[0].kill();
            thread::sleep(Duration::from_millis(500));
            cluster.nodes[0].start();
            output.join().expect("bench ends")
        })
    };
    let output = killing(&mut cluster, &["--duration-secs", "4", "--warm-up-secs", "0"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(report["errors"].as_u64() > Some(0), "{report}");
    assert!(report["results"][0]["count"].as_u64() > Some(0), "{report}");
    assert_eq!(report["cleanup"]["left"], 0, "{report}");

    let output = killing(&mut cluster, &["--duration-secs", "4", "--warm-up-secs", "0", "--allow-errors"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

/// For a second, on few connections, as JSON, unless the options say otherwise.
fn bench(addrs: &[SocketAddr], workload: &str, options: &[&str]) -> Command {
    let urls: Vec<String> = addrs.iter().map(|addr| format!("http://{addr}/eureka")).collect();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rs-registry"));
    command.args(["bench", workload, "--json", "--urls", &urls.join(",")]);
    let defaults = [
        ("--connections", "6".to_owned()),
        ("--instances", INSTANCES.to_string()),
        ("--instances-per-app", "20".to_owned()),
        ("--duration-secs", "1".to_owned()),
        ("--warm-up-secs", "1".to_owned()),
    ];
    for (flag, value) in defaults.iter().filter(|(flag, _)| !options.contains(flag)) {
        command.args([flag, value.as_str()]);
    }
    command.args(options);
    command
}

fn report(workload: &str, output: &Output) -> Value {
    assert!(output.status.success(), "{workload}: {output:?}");
    // One object and nothing else.
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{workload}: {error}: {output:?}"))
}

fn instances(addr: SocketAddr) -> usize {
    applications(addr).values().map(|instances| instances.len()).sum()
}

/// Followers show the last cancellations a moment later.
fn until_empty(addrs: &[SocketAddr]) {
    for addr in addrs {
        until("nothing is left", || {
            let left: Applications = applications(*addr);
            if left.is_empty() { Ok(()) } else { Err(format!("{:?}", left.keys())) }
        });
    }
}
