//! Clients as they are in the field: each keeps to one node, gives a request a second, and turns to the
//! next node when that fails. What they see is told to the rules.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request, header};
use bytes::Bytes;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rs_registry::http::AfterPause;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::host::Answer;
use super::rules::{Act, Rules};
use super::wire::NodeId;

const PATIENCE: Duration = Duration::from_secs(1);
/// What every application's name here is.
pub const APP: &str = "SIM";

/// A request on its way, and where the answer is waited for.
pub struct Letter {
    pub to: NodeId,
    pub request: Request<Body>,
    pub reply: oneshot::Sender<Answer>,
}

/// One client and its instance.
pub struct Client {
    id: String,
    duration_s: u64,
    nodes: Vec<NodeId>,
    /// The place of the node it keeps to.
    at: usize,
    letters: mpsc::UnboundedSender<Letter>,
    now_ms: Arc<AtomicU64>,
    rules: Rules,
    rng: StdRng,
}

/// What all clients share.
#[derive(Clone)]
pub struct Access {
    pub nodes: Vec<NodeId>,
    pub letters: mpsc::UnboundedSender<Letter>,
    pub now_ms: Arc<AtomicU64>,
    pub rules: Rules,
}

impl Client {
    pub fn new(id: &str, access: &Access, seed: u64) -> Self {
        let Access { nodes, letters, now_ms, rules } = access.clone();
        let mut rng = StdRng::seed_from_u64(seed);
        let duration_s = rng.random_range(5..=10);
        let at = rng.random_range(0..nodes.len());
        Self { id: id.to_owned(), duration_s, nodes, at, letters, now_ms, rules, rng }
    }

    /// Keeps its lease as long as the run lasts.
    pub async fn keep(mut self) {
        self.register().await;
        loop {
            self.renew_for(Duration::from_secs(3600)).await;
        }
    }

    /// Keeps its lease for a while, dies, and comes back when that has long been noticed.
    pub async fn die_now_and_then(mut self) {
        loop {
            self.register().await;
            let alive_s = self.rng.random_range(2..20);
            self.renew_for(Duration::from_secs(alive_s)).await;
            self.rules.died(&self.id, self.now_ms());
            let away_s = self.duration_s * 2 + self.rng.random_range(0..10);
            tokio::time::sleep(Duration::from_secs(away_s)).await;
        }
    }

    /// Renews when its lease is about to run out, or has: it may be gone then, but not if it is told
    /// otherwise.
    pub async fn live_dangerously(mut self) {
        loop {
            self.register().await;
            loop {
                let pause_ms = self.duration_s * 1000 - 100 + self.rng.random_range(0..700);
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
                let sent_ms = self.now_ms();
                let path = format!("/eureka/apps/{APP}/{}", self.id);
                match self.ask_one_after_the_other(Method::PUT, &path, None).await.status {
                    200 => self.rules.kept(&self.id, Act::Renew, sent_ms),
                    404 => break self.rules.refused(&self.id, sent_ms),
                    status => self.rules.broken(format!("{} renews and gets {status}", self.id)),
                }
            }
        }
    }

    /// Cancels its lease now and then; nobody must see it then.
    pub async fn cancel_now_and_then(mut self) {
        loop {
            self.register().await;
            let alive_s = self.rng.random_range(2..8);
            self.renew_for(Duration::from_secs(alive_s)).await;
            self.settle().await;
            self.cancel().await;
            tokio::time::sleep(Duration::from_millis(self.rng.random_range(500..6000))).await;
        }
    }

    /// Counts in its metadata, one after the other.
    pub async fn count(mut self) {
        self.register().await;
        for number in 1.. {
            self.rules.counting(&self.id, number);
            let sent_ms = self.now_ms();
            let path = format!("/eureka/apps/{APP}/{}/metadata?count={number}", self.id);
            while self.ask_one_after_the_other(Method::PUT, &path, None).await.status != 200 {}
            self.rules.counted(&self.id, number, sent_ms);
            self.settle().await;
            tokio::time::sleep(Duration::from_millis(self.rng.random_range(200..1000))).await;
        }
    }

    /// Has its status overridden and the override removed, one after the other.
    pub async fn override_now_and_then(mut self) {
        self.register().await;
        loop {
            self.have_overridden(Method::PUT, "OUT_OF_SERVICE").await;
            self.have_overridden(Method::DELETE, "UP").await;
        }
    }

    async fn have_overridden(&mut self, method: Method, status: &str) {
        let alive_s = self.rng.random_range(2..8);
        self.renew_for(Duration::from_secs(alive_s)).await;
        self.settle().await;
        let sent_ms = self.now_ms();
        let path = format!("/eureka/apps/{APP}/{}", self.id);
        let asked = format!("{path}/status?value={status}");
        match self.ask_one_after_the_other(method, &asked, None).await.status {
            200 => self.rules.overridden(&self.id, status, sent_ms),
            other => self.rules.broken(format!("{} cannot be {status}: {other}", self.id)),
        }
        self.settle().await;
        self.at = self.rng.random_range(0..self.nodes.len());
        let read = self.ask(Method::GET, &format!("{path}?consistency=linearizable"), None).await;
        let Some(answer) = read.filter(|answer| answer.status < 500) else {
            return;
        };
        let found = text_in(&answer.body, "/instance/status");
        if found.as_deref() != Some(status) {
            self.rules.broken(format!("{} is to be {status} and is {found:?}, {}", self.id, answer.status));
        }
    }

    /// Reads what another client counts, as of now.
    pub async fn read_linearizable(mut self) {
        let path = format!("/eureka/apps/{APP}/{}?consistency=linearizable", self.id);
        loop {
            tokio::time::sleep(Duration::from_millis(self.rng.random_range(100..900))).await;
            self.at = self.rng.random_range(0..self.nodes.len());
            let least = self.rules.least_count(&self.id);
            let Some(answer) = self.ask(Method::GET, &path, None).await else {
                continue;
            };
            let node = self.nodes[self.at];
            match answer.status {
                200 => self.rules.read(&self.id, node, least, counted_in(&answer.body)),
                404 if least.is_some() => {
                    self.rules
                        .broken(format!("node {node} does not have {} at a linearizable read", self.id));
                }
                _ => {}
            }
        }
    }

    async fn register(&mut self) {
        let body = json!({"instance": {
            "instanceId": self.id, "app": APP, "hostName": "host", "ipAddr": "10.0.0.1", "status": "UP",
            "port": {"$": 80, "@enabled": "true"},
            "dataCenterInfo": {"@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo", "name": "MyOwn"},
            "leaseInfo": {"durationInSecs": self.duration_s, "renewalIntervalInSecs": self.duration_s / 3},
        }});
        self.rules.registering(&self.id, self.duration_s * 1000);
        loop {
            let sent_ms = self.now_ms();
            let answer =
                self.ask_one_after_the_other(Method::POST, &format!("/eureka/apps/{APP}"), Some(&body)).await;
            if answer.status == 204 {
                return self.rules.kept(&self.id, Act::Register, sent_ms);
            }
            self.rules.broken(format!("{} cannot register: {}", self.id, answer.status));
            tokio::time::sleep(PATIENCE).await;
        }
    }

    async fn renew_for(&mut self, time: Duration) {
        let until = tokio::time::Instant::now() + time;
        while tokio::time::Instant::now() < until {
            let pause_ms = self.duration_s * 1000 / 3;
            let pause = tokio::time::Instant::now() + Duration::from_millis(pause_ms);
            tokio::time::sleep_until(pause.min(until)).await;
            let path = format!("/eureka/apps/{APP}/{}", self.id);
            loop {
                let sent_ms = self.now_ms();
                match self.ask_one_after_the_other(Method::PUT, &path, None).await.status {
                    200 => break self.rules.kept(&self.id, Act::Renew, sent_ms),
                    status => self.rules.broken(format!("{} renews and gets {status}", self.id)),
                }
                tokio::time::sleep(PATIENCE).await;
            }
        }
    }

    /// Waits, with its lease kept, until no request that failed can still be decided: what it does next
    /// must not be undone by that.
    async fn settle(&mut self) {
        self.renew_for(Duration::from_secs(1)).await;
        while !self.rules.is_settled(&self.id) {
            self.renew_for(Duration::from_secs(1)).await;
        }
    }

    async fn cancel(&mut self) {
        let path = format!("/eureka/apps/{APP}/{}", self.id);
        let sent_ms = self.now_ms();
        self.rules.cancelling(&self.id);
        self.ask_one_after_the_other(Method::DELETE, &path, None).await;
        self.rules.cancelled(&self.id, sent_ms);
        // The node that said so, and any other that has what was committed before.
        let answer = self.ask(Method::GET, &path, None).await;
        let linearizable = format!("{path}?consistency=linearizable");
        self.at = self.rng.random_range(0..self.nodes.len());
        let other = self.ask(Method::GET, &linearizable, None).await;
        for answer in [answer, other].into_iter().flatten().filter(|answer| answer.status == 200) {
            self.rules.broken(format!("{} is seen after it was cancelled: {}", self.id, answer.status));
        }
    }

    /// Asks one node after the other until one has an answer that is not a 5xx.
    async fn ask_one_after_the_other(&mut self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        loop {
            match self.ask(method.clone(), path, body).await {
                Some(answer) if answer.status < 500 => return answer,
                _ => self.at = (self.at + 1) % self.nodes.len(),
            }
            self.rules.failed(&self.id, self.now_ms());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Option<Answer> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.map_or(Body::empty(), |body| Body::from(body.to_string())))
            .expect("a request");
        if self.duration_s.is_multiple_of(2) {
            request.extensions_mut().insert(AfterPause);
        }
        let (reply, answer) = oneshot::channel();
        drop(self.letters.send(Letter { to: self.nodes[self.at], request, reply }));
        tokio::time::timeout(PATIENCE, answer).await.ok()?.ok()
    }

    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::Relaxed)
    }
}

fn counted_in(body: &Bytes) -> u64 {
    text_in(body, "/instance/metadata/count").and_then(|count| count.parse().ok()).unwrap_or(0)
}

fn text_in(body: &Bytes, pointer: &str) -> Option<String> {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    document.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}
