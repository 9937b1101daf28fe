//! How soon a connection's requests follow each other. A client that pauses between its renewals, as Eureka's do for half a
//! minute, does not notice when one takes a tenth of a second longer; one that sends the next when it has the
//! answer to the last does.

use std::cell::Cell;
use std::time::{Duration, Instant};

use hyper::Request;
use hyper::service::Service;

/// As long as a command waits for company at most: whoever pauses so long between requests has at least half of them
/// answered in a given time that would have been otherwise.
const PAUSE: Duration = Duration::from_millis(100);

/// Marks a request that came after a pause. The first of a connection is not marked: there are clients that make a
/// connection for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AfterPause;

/// The service of one connection, whose requests it marks.
pub struct Paced<S> {
    service: S,
    last: Cell<Option<Instant>>,
}

impl<S> Paced<S> {
    pub fn new(service: S) -> Self {
        Self { service, last: Cell::new(None) }
    }
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for Paced<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn call(&self, mut request: Request<B>) -> S::Future {
        let now = Instant::now();
        if self.last.replace(Some(now)).is_some_and(|last| now.duration_since(last) >= PAUSE) {
            request.extensions_mut().insert(AfterPause);
        }
        self.service.call(request)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{Ready, ready};

    use super::*;

    struct IsMarked;

    impl Service<Request<()>> for IsMarked {
        type Response = bool;
        type Error = Infallible;
        type Future = Ready<Result<bool, Infallible>>;

        fn call(&self, request: Request<()>) -> Self::Future {
            ready(Ok(request.extensions().get::<AfterPause>().is_some()))
        }
    }

    #[tokio::test]
    async fn requests_are_marked_that_come_after_a_pause() {
        let paced = Paced::new(IsMarked);
        let is_marked = || paced.call(Request::new(()));
        assert!(!is_marked().await.unwrap(), "the first of a connection");
        assert!(!is_marked().await.unwrap());
        paced.last.set(Instant::now().checked_sub(PAUSE));
        assert!(is_marked().await.unwrap());
        assert!(!is_marked().await.unwrap());
    }
}
