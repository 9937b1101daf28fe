use futures_util::FutureExt;

use super::departures::PERIOD;
use super::waiting::{COMPANY_MATTERS, ENOUGH_COMPANY, LONGEST_WAIT};
use super::*;
use crate::registry::{AppName, InstanceId, Key, Origin};

fn commands(id: &str) -> EncodedCommands {
    let key = Key::new(AppName::parse("A").unwrap(), InstanceId::parse(id).unwrap());
    EncodedCommands::one(&Command::Cancel { key, origin: Origin::Client })
}

fn waiting() -> (mpsc::Sender<Proposal>, Waiting) {
    let (queue, proposals) = mpsc::channel(QUEUE);
    (queue, Waiting::new(proposals))
}

fn put(queue: &mpsc::Sender<Proposal>, id: &str, unhurried: bool) {
    let (commands, source) = (commands(id), Source::Client);
    let request = Request { commands, repeatable: false, source, unhurried, span: None };
    let deadline = Instant::now() + Duration::from_secs(1);
    assert!(queue.try_send(Proposal { request, deadline, reply: oneshot::channel().0 }).is_ok());
}

fn in_a_period() -> Duration {
    PERIOD
}

fn taken(waiting: &mut Waiting) -> usize {
    waiting.take_batch().len()
}

#[tokio::test(start_paused = true)]
async fn what_is_in_a_hurry_leaves_at_once_with_all_that_wait() {
    let (queue, mut waiting) = waiting();
    put(&queue, "a", false);
    assert_eq!(waiting.batch_to_leave(in_a_period, true).now_or_never(), Some(true));
    assert_eq!(taken(&mut waiting), 1);

    put(&queue, "b", true);
    put(&queue, "c", true);
    assert_eq!(waiting.batch_to_leave(in_a_period, true).now_or_never(), None);
    put(&queue, "d", false);
    put(&queue, "e", true);
    assert_eq!(waiting.batch_to_leave(in_a_period, true).now_or_never(), Some(true));
    assert_eq!(taken(&mut waiting), 4);
    assert!(waiting.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_in_no_hurry_leaves_at_the_departure_after_it_came() {
    let (queue, mut waiting) = waiting();
    let start = Instant::now();
    let departs_in = || {
        let periods_over = (start.elapsed().as_micros() / PERIOD.as_micros()) as u32;
        PERIOD * (periods_over + 1) - start.elapsed()
    };
    tokio::time::sleep(PERIOD / 5).await;
    put(&queue, "a", true);
    assert_eq!(waiting.batch_to_leave(departs_in, true).now_or_never(), None);
    tokio::time::sleep(PERIOD / 5).await;
    put(&queue, "b", true);
    assert!(waiting.batch_to_leave(departs_in, true).await);
    assert_eq!(start.elapsed(), PERIOD);
    assert_eq!(taken(&mut waiting), 2);

    put(&queue, "c", true);
    assert!(waiting.batch_to_leave(departs_in, true).await);
    assert_eq!(start.elapsed(), 2 * PERIOD);
}

#[tokio::test(start_paused = true)]
async fn many_in_no_hurry_wait_no_longer() {
    let (queue, mut waiting) = waiting();
    let start = Instant::now();
    for number in 0..ENOUGH_COMPANY {
        put(&queue, &number.to_string(), true);
    }
    assert!(waiting.batch_to_leave(in_a_period, true).await);
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(taken(&mut waiting), ENOUGH_COMPANY as usize);

    for number in 1..ENOUGH_COMPANY {
        put(&queue, &number.to_string(), true);
    }
    assert!(waiting.batch_to_leave(in_a_period, true).await);
    assert_eq!(start.elapsed(), PERIOD);
}

#[tokio::test(start_paused = true)]
async fn what_waits_when_the_last_proposer_goes_still_leaves() {
    let (queue, mut waiting) = waiting();
    put(&queue, "a", true);
    drop(queue);
    assert!(waiting.batch_to_leave(in_a_period, true).await);
    assert_eq!(taken(&mut waiting), 1);
    assert!(!waiting.batch_to_leave(in_a_period, true).await);
}

/// After a batch with so many commands.
fn after_a_batch_of(commands: u32) -> (mpsc::Sender<Proposal>, Waiting) {
    let (queue, mut waiting) = waiting();
    (0..commands).for_each(|number| put(&queue, &number.to_string(), false));
    assert_eq!(waiting.batch_to_leave(in_a_period, true).now_or_never(), Some(true));
    assert_eq!(taken(&mut waiting), commands as usize);
    (queue, waiting)
}

#[tokio::test(start_paused = true)]
async fn a_batch_leaves_with_half_of_those_who_lately_wrote() {
    let (queue, mut waiting) = after_a_batch_of(20);
    // While that was on its way.
    (0..4).for_each(|number| put(&queue, &number.to_string(), false));
    assert_eq!(waiting.batch_to_leave(in_a_period, true).now_or_never(), None);
    (4..11).for_each(|number| put(&queue, &number.to_string(), false));
    assert_eq!(waiting.batch_to_leave(in_a_period, true).now_or_never(), None);
    put(&queue, "the twelfth", false);
    assert_eq!(waiting.batch_to_leave(in_a_period, true).now_or_never(), Some(true));
    put(&queue, "on the way to the log", false);
    assert_eq!(taken(&mut waiting), 13);
}

#[tokio::test(start_paused = true)]
async fn a_batch_waits_for_no_company_that_does_not_come() {
    let (queue, mut waiting) = after_a_batch_of(20);
    let start = Instant::now();
    put(&queue, "a", true);
    put(&queue, "b", false);
    assert_eq!(waiting.batch_to_leave(in_a_period, true).now_or_never(), None);
    put(&queue, "c", false);
    assert!(waiting.batch_to_leave(in_a_period, true).await);
    assert_eq!((start.elapsed(), taken(&mut waiting)), (LONGEST_WAIT, 3));

    // Nor long after the last batch.
    assert_eq!(waiting.batch_to_leave(in_a_period, true).now_or_never(), None);
    (0..20).for_each(|number| put(&queue, &number.to_string(), false));
    assert!(waiting.batch_to_leave(in_a_period, true).await);
    assert_eq!(taken(&mut waiting), 20);
    let late = async {
        tokio::time::sleep(2 * LONGEST_WAIT).await;
        put(&queue, "a", false);
    };
    let start = Instant::now();
    assert!(tokio::join!(waiting.batch_to_leave(in_a_period, true), late).0);
    assert_eq!((start.elapsed(), taken(&mut waiting)), (2 * LONGEST_WAIT, 1));

    // Nor for what joins at the leader anyway.
    let (queue, mut waiting) = after_a_batch_of(20);
    put(&queue, "a", false);
    assert_eq!(waiting.batch_to_leave(in_a_period, false).now_or_never(), Some(true));

    // Nor where few write.
    let (queue, mut waiting) = after_a_batch_of(COMPANY_MATTERS - 2);
    put(&queue, "a", false);
    assert_eq!(waiting.batch_to_leave(in_a_period, true).now_or_never(), Some(true));
}

#[tokio::test]
async fn a_batch_has_bounds() {
    let (queue, mut waiting) = waiting();
    let length = 250;
    let of_a_batch = (1 << 20) / commands(&"i".repeat(length)).len();
    for _ in 0..of_a_batch + 2 {
        put(&queue, &"i".repeat(length), false);
    }
    assert!(waiting.batch_to_leave(in_a_period, true).await);
    assert_eq!(taken(&mut waiting), of_a_batch);
    assert!(waiting.batch_to_leave(in_a_period, true).await);
    assert_eq!(taken(&mut waiting), 2);
}
