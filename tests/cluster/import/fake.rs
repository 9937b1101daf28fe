//! A server that answers what a test wants it to.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// What is answered, bytes of a whole HTTP answer; `None` ends the connection.
type Answers = Box<dyn FnMut(&Asked) -> Option<Vec<u8>> + Send>;

pub struct Asked {
    /// Method and path.
    pub line: String,
    /// In small letters.
    pub headers: String,
    pub body: Vec<u8>,
}

/// Until it is dropped.
pub struct Fake {
    addr: SocketAddr,
    answers: Arc<Mutex<Answers>>,
    ended: Arc<AtomicBool>,
}

impl Fake {
    pub fn start(answers: impl FnMut(&Asked) -> Option<Vec<u8>> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("an address");
        let answers: Arc<Mutex<Answers>> = Arc::new(Mutex::new(Box::new(answers)));
        let ended = Arc::new(AtomicBool::new(false));
        let fake = Self { addr, answers: answers.clone(), ended: ended.clone() };
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let answers = answers.clone();
                // Who asked may have heard enough.
                thread::spawn(move || drop(serve(stream, &answers)));
            }
        });
        fake
    }

    /// A server that lists these instances, each with its application's name, and has no delta.
    pub fn listing(instances: Vec<Value>) -> Self {
        Self::start(lists(instances))
    }

    pub fn answer(&self, answers: impl FnMut(&Asked) -> Option<Vec<u8>> + Send + 'static) {
        *self.answers.lock().expect("no panic") = Box::new(answers);
    }

    pub fn url(&self) -> String {
        format!("http://{}/eureka/", self.addr)
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Has it look.
        drop(TcpStream::connect(self.addr));
    }
}

fn serve(stream: TcpStream, answers: &Mutex<Answers>) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut head = String::new();
    while reader.read_line(&mut head)? > 2 {}
    let (line, headers) = head.split_once("\r\n").unwrap_or_default();
    let headers = headers.to_lowercase();
    let length = headers.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let line = line.trim_end_matches(" HTTP/1.1").to_owned();
    let answer = answers.lock().expect("no panic")(&Asked { line, headers, body });
    let mut stream = stream;
    match answer {
        Some(answer) => stream.write_all(&answer),
        None => Ok(()),
    }
}

/// With this status and body, of any length.
pub fn answer(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Option<Vec<u8>> {
    let head = format!("HTTP/1.1 {status} Some\r\nconnection: close\r\n{headers}\r\n");
    Some([head.as_bytes(), body.as_ref()].concat())
}

pub fn lists(instances: Vec<Value>) -> impl FnMut(&Asked) -> Option<Vec<u8>> + Send + 'static {
    move |asked| match asked.line.as_str() {
        "GET /eureka/apps/" => answer(200, "", registry(&instances)),
        "GET /eureka/apps/delta" => answer(404, "", ""),
        line => panic!("{line}"),
    }
}

/// A whole registry, which says how many of its instances it counts as UP.
pub fn registry(instances: &[Value]) -> String {
    let applications: Vec<Value> =
        instances.iter().map(|instance| json!({"name": instance["app"], "instance": instance})).collect();
    let hash = if instances.is_empty() { String::new() } else { format!("UP_{}_", instances.len()) };
    json!({"applications": {"versions__delta": "1", "apps__hashcode": hash, "application": applications}})
        .to_string()
}

/// An instance as a server lists it, with a lease of so many seconds.
pub fn instance(app: &str, id: &str, lease_secs: u32) -> Value {
    json!({
        "instanceId": id,
        "hostName": "host.local",
        "app": app,
        "ipAddr": "10.2.2.2",
        "status": "UP",
        "overriddenStatus": "UNKNOWN",
        "port": {"$": 8080, "@enabled": "true"},
        "dataCenterInfo": {
            "@class": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo",
            "name": "MyOwn",
        },
        "leaseInfo": {"renewalIntervalInSecs": 1, "durationInSecs": lease_secs, "lastRenewalTimestamp": 5},
        "lastDirtyTimestamp": "1700000000000",
        "actionType": "ADDED",
    })
}
