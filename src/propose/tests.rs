use futures_util::FutureExt;

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

fn put(queue: &mpsc::Sender<Proposal>, id: &str, waits: Option<Duration>) {
    let now = Instant::now();
    let proposal = Proposal {
        commands: commands(id),
        repeatable: false,
        source: Source::Client,
        waits_until: waits.map(|waits| now + waits),
        deadline: now + Duration::from_secs(1),
        span: None,
        reply: oneshot::channel().0,
    };
    assert!(queue.try_send(proposal).is_ok());
}

fn taken(waiting: &mut Waiting) -> usize {
    waiting.take_batch().len()
}

#[tokio::test(start_paused = true)]
async fn what_is_in_a_hurry_leaves_at_once_with_all_that_wait() {
    let (queue, mut waiting) = waiting();
    put(&queue, "a", None);
    assert_eq!(waiting.batch_to_leave().now_or_never(), Some(true));
    assert_eq!(taken(&mut waiting), 1);

    put(&queue, "b", Some(COMPANY));
    put(&queue, "c", Some(COMPANY));
    assert_eq!(waiting.batch_to_leave().now_or_never(), None);
    put(&queue, "d", None);
    put(&queue, "e", Some(COMPANY));
    assert_eq!(waiting.batch_to_leave().now_or_never(), Some(true));
    assert_eq!(taken(&mut waiting), 4);
    assert!(waiting.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_in_no_hurry_leaves_when_its_time_is_up() {
    let (queue, mut waiting) = waiting();
    let start = Instant::now();
    put(&queue, "a", Some(2 * COMPANY));
    put(&queue, "b", Some(COMPANY));
    assert!(waiting.batch_to_leave().await);
    let waited = start.elapsed();
    assert!((COMPANY..2 * COMPANY).contains(&waited), "{waited:?}");
    assert_eq!(taken(&mut waiting), 2);

    // The next one's time does not begin with the last one's.
    put(&queue, "c", Some(COMPANY));
    assert!(waiting.batch_to_leave().await);
    assert!(start.elapsed() - waited >= COMPANY);
}

#[tokio::test(start_paused = true)]
async fn many_in_no_hurry_wait_no_longer() {
    let (queue, mut waiting) = waiting();
    for number in 0..31 {
        put(&queue, &number.to_string(), Some(COMPANY));
    }
    assert_eq!(waiting.batch_to_leave().now_or_never(), None);
    put(&queue, "31", Some(COMPANY));
    assert_eq!(waiting.batch_to_leave().now_or_never(), Some(true));
    assert_eq!(taken(&mut waiting), 32);
}

#[tokio::test(start_paused = true)]
async fn what_waits_when_the_last_proposer_goes_still_leaves() {
    let (queue, mut waiting) = waiting();
    put(&queue, "a", Some(COMPANY));
    drop(queue);
    assert!(waiting.batch_to_leave().await);
    assert_eq!(taken(&mut waiting), 1);
    assert!(!waiting.batch_to_leave().await);
}

#[tokio::test]
async fn a_batch_has_bounds() {
    let (queue, mut waiting) = waiting();
    let length = 250;
    let of_a_batch = (1 << 20) / commands(&"i".repeat(length)).len();
    for _ in 0..of_a_batch + 2 {
        put(&queue, &"i".repeat(length), None);
    }
    assert!(waiting.batch_to_leave().await);
    assert_eq!(taken(&mut waiting), of_a_batch);
    assert!(waiting.batch_to_leave().await);
    assert_eq!(taken(&mut waiting), 2);
}
