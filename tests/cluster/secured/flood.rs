//! Wrong passwords without end hold up nobody who was let in before.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::people::{PASSWORD, basic, node};
use crate::clients::StopOnDrop;
use crate::harness::{Document, Request};

const GUESSERS: u64 = 8;
const LASTS: Duration = Duration::from_secs(3);
/// Far beyond what a renewal takes on a busy machine, and far below what one takes that waits behind the guesses.
const LONGEST: Duration = Duration::from_secs(2);

#[test]
fn renewals_go_on_under_a_flood_of_wrong_passwords() {
    let dir = tempfile::tempdir().expect("a directory");
    let cluster = node(&dir.path().join("auth.toml"), &[]);
    let addr = cluster.addrs()[0];
    let (document, writer) = (Document::new("FLOOD", "i-1"), basic("writer", PASSWORD));
    assert_eq!(document.register().with(&writer).expect(addr).status, 204);

    let (stop, guesses, turned_away) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        let stop_guessers = StopOnDrop(&stop);
        for guesser in 0..GUESSERS {
            let (stop, guesses, turned_away) = (&stop, &guesses, &turned_away);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let number = guesses.fetch_add(1, Ordering::Relaxed);
                    let guess = basic("writer", &format!("guess {guesser} {number}"));
                    match Request::get("/eureka/apps").with(&guess).expect(addr).status {
                        401 => {}
                        429 | 503 => drop(turned_away.fetch_add(1, Ordering::Relaxed)),
                        other => panic!("a guess is answered {other}"),
                    }
                }
            });
        }
        let begin = Instant::now();
        while begin.elapsed() < LASTS {
            let sent = Instant::now();
            assert_eq!(document.renew().with(&writer).expect(addr).status, 200);
            assert!(sent.elapsed() < LONGEST, "a renewal took {:?}", sent.elapsed());
        }
        drop(stop_guessers);
    });
    let (guesses, turned_away) = (guesses.into_inner(), turned_away.into_inner());
    println!("{turned_away} of {guesses} guesses were turned away unverified");
    assert!(turned_away > 0, "all of {guesses} guesses were verified");
}
