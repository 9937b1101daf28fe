//! Nodes of two programs, one of which reads a format more: they work together, and an old one refuses what it cannot
//! read.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use rs_registry::format::Formats;

use super::harness::{Cluster, Document, Node, NodeSpec, Program, Request, applications, free_addr, until};

/// What [`Program::Next`] is.
#[test]
#[ignore = "is a program that others start"]
fn as_the_next_program() {
    let words = std::env::var("NEXT_PROGRAM_WORDS").expect("a command line");
    let words: Vec<std::ffi::OsString> = serde_json::from_str::<Vec<String>>(&words)
        .expect("words")
        .into_iter()
        .map(std::ffi::OsString::from)
        .collect();
    let ended = rs_registry::cli::run_with(words, Formats::THIS.and_the_next());
    std::process::exit(i32::from(ended != ExitCode::SUCCESS));
}

fn format(node: &Node) -> u64 {
    Request::get("/api/cluster").expect(node.spec.http).value()["format"].as_u64().expect("a format")
}

/// The program of the leader may be replaced meanwhile.
fn register(node: &Node, id: &str) {
    until("a registration", || match Document::new("DEMO", id).register().expect(node.spec.http).status {
        204 => Ok(()),
        status => Err(status.to_string()),
    });
}

/// Stops a node in order and starts it again with another program.
fn replace_program(cluster: &mut Cluster, place: usize, program: Program) {
    let node = &mut cluster.nodes[place];
    assert!(node.terminate().success(), "{}", node.log());
    node.spec.program = program;
    node.start();
    node.wait_ready();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a directory");
    for entry in fs::read_dir(from).expect("to list") {
        let entry = entry.expect("an entry");
        match entry.file_type().expect("a type").is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).expect("to copy")),
        }
    }
}

#[test]
fn programs_are_replaced_one_by_one_and_the_format_is_raised_when_all_read_it() {
    let mut cluster = Cluster::start(3);
    register(&cluster.nodes[0], "of-old");
    let last = cluster.follower();
    let others: Vec<usize> = (0..3).filter(|place| *place != last).collect();
    for place in others {
        replace_program(&mut cluster, place, Program::Next);
        register(&cluster.nodes[place], &format!("at-{place}"));
        register(&cluster.nodes[last], &format!("while-{place}-is-new"));
    }
    // A new one leads, and all the same one can go back.
    replace_program(&mut cluster, last, Program::Built);
    assert!(cluster.leader() != last, "the old one was started last");
    register(&cluster.nodes[last], "mixed");
    cluster.assert_states_equal();
    assert!(cluster.nodes.iter().all(|node| format(node) == 1));

    assert!(cluster.nodes[last].terminate().success());
    let (data_dir, kept) = (cluster.nodes[last].spec.data_dir.clone(), cluster.scratch("kept"));
    copy(&data_dir, &kept);
    cluster.nodes[last].spec.program = Program::Next;
    cluster.nodes[last].start();
    cluster.nodes[last].wait_ready();
    until("all write the next format", || {
        let formats: Vec<u64> = cluster.nodes.iter().map(format).collect();
        (formats == [2, 2, 2]).then_some(()).ok_or(format!("{formats:?}"))
    });
    for number in 0..9 {
        register(&cluster.nodes[number % 3], &format!("new-{number}"));
    }
    cluster.assert_states_equal();
    assert_eq!(applications(cluster.nodes[last].spec.http)["DEMO"].len(), 15);

    // No way back now: what is in the directory is not for the old program.
    assert!(cluster.nodes[last].terminate().success());
    let refused = start_old(&mut cluster.nodes[last]);
    assert!(refused.contains("what is in it is of format 2"), "{refused}");
    assert!(refused.contains("start the newer program"), "{refused}");

    // Nor is what the others send it, when it has an old directory.
    fs::remove_dir_all(&data_dir).expect("removed");
    fs::rename(&kept, &data_dir).expect("put back");
    // A leader that remembers what this node had would not stand that it is gone.
    let others = (0..3).filter(|place| *place != last);
    others.clone().for_each(|place| cluster.nodes[place].kill());
    others.clone().for_each(|place| cluster.nodes[place].start());
    others.for_each(|place| cluster.nodes[place].wait_ready());
    cluster.nodes[last].start();
    until("it says that it is outdated", || {
        let ready = Request::get("/readyz").send(cluster.nodes[last].spec.http);
        let ready = ready.map_err(|error| error.to_string())?;
        let text = ready.text();
        (ready.status == 503 && text.contains("start the newer program")).then_some(()).ok_or(text)
    });
    cluster.nodes[last].kill();
    cluster.nodes[last].spec.program = Program::Next;
    cluster.nodes[last].start();
    cluster.nodes[last].wait_ready();
    cluster.assert_states_equal();

    // And no old one becomes a member.
    assert_old_newcomer_is_refused(&cluster);
}

/// What a node says that does not start with the program as it was built.
fn start_old(node: &mut Node) -> String {
    node.spec.program = Program::Built;
    let before = node.log().len();
    node.start();
    until("the old program ends", || node.exited().ok_or_else(|| "it runs".to_owned()).map(drop));
    let said = node.log()[before..].to_owned();
    node.kill();
    said
}

fn assert_old_newcomer_is_refused(cluster: &Cluster) {
    let peer = free_addr();
    let spec = &cluster.nodes[0].spec;
    let new = Node::spawn(NodeSpec {
        id: 4,
        http: free_addr(),
        peer,
        data_dir: cluster.scratch("newcomer"),
        log_file: cluster.scratch("newcomer.log"),
        initial_cluster: format!("{},4={peer}", spec.initial_cluster),
        extra_flags: vec!["--join".to_owned()],
        program: Program::Built,
        ..spec.clone()
    });
    until("the new node listens", || new.log().contains("serving").then_some(()).ok_or(new.log()));
    let member = serde_json::json!({"node_id": 4, "peer_addr": peer.to_string()});
    until("the old program is refused", || {
        let answer = Request::post("/api/cluster/members").json(member.to_string()).expect(spec.http);
        let text = answer.text();
        let refused = answer.status == 409 && text.contains("start the newer program");
        refused.then_some(()).ok_or(format!("{} {text}", answer.status))
    });
}
