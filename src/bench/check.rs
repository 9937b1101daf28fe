//! One answer of each server, looked into before the measurement: it would be of no use to measure how fast errors or empty
//! documents come.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use flate2::read::GzDecoder;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::connection::{Answer, Connection, Failure};
use super::error::BenchError;
use super::fleet::Fleet;
use super::plan::{Resource, Workload};
use super::request::{self, Request};

/// A server of Netflix's may show what it has 30 s later, and its peers a little after that.
const PATIENCE: Duration = Duration::from_secs(75);
const LOOK_INTERVAL: Duration = Duration::from_millis(250);
/// Of a body when unpacked.
const PLAIN_MAX_BYTES: u64 = 2 * 1024 * 1024 * 1024;

/// Waits until each server answers what the workload is about.
///
/// # Errors
/// When one does not, or refuses to.
pub async fn answers(fleet: &Fleet, workload: Workload) -> Result<(), BenchError> {
    for target in fleet.targets() {
        let documents = &fleet.documents;
        let last = fleet.instances.saturating_sub(1);
        let (request, expected): (Request, Expected<'_>) = match workload {
            Workload::Register | Workload::Renew | Workload::Visible => return Ok(()),
            Workload::Fetch { resource: Resource::Apps, gzip } => {
                (request::read_all(target, gzip), Box::new(|answer| apps(answer, fleet)))
            }
            Workload::Fetch { resource: Resource::App, gzip } => (
                request::read_app(target, documents, last, gzip),
                Box::new(|answer| app(answer, fleet, last)),
            ),
            Workload::Fetch { resource: Resource::Instance, gzip } => (
                request::read_instance(target, documents, last, gzip),
                Box::new(|answer| instance(answer, &documents.id(last))),
            ),
            Workload::Delta { gzip } => (request::delta(target, gzip), Box::new(delta)),
            Workload::Paced { .. } => (request::delta(target, true), Box::new(delta)),
        };
        until(fleet, Connection::new(Arc::clone(target)), &request, &expected).await?;
    }
    Ok(())
}

/// What is not as it should be in an answer.
type Expected<'a> = Box<dyn Fn(&Value) -> Result<(), String> + Send + Sync + 'a>;

async fn until(
    fleet: &Fleet,
    mut connection: Connection,
    request: &Request,
    expected: &Expected<'_>,
) -> Result<(), BenchError> {
    let since = Instant::now();
    loop {
        let url = connection.target().url();
        let reason = match connection.read(request).await {
            Ok((Answer { status: 403, .. }, _)) => return Err(BenchError::Refused { url }),
            // Not replicated yet.
            Ok((Answer { status: 404, .. }, _)) => Failure::Status(404).to_string(),
            Ok((answer, body)) => match answer.success() {
                Ok(answer) => match document(answer, &body).and_then(|document| expected(&document)) {
                    Ok(()) => return Ok(()),
                    Err(reason) => reason,
                },
                Err(failure) => return Err(BenchError::Read { url, failure }),
            },
            Err(failure) => return Err(BenchError::Read { url, failure }),
        };
        if since.elapsed() > PATIENCE || fleet.halt.is_called() {
            return Err(BenchError::Unexpected { url, waited_secs: since.elapsed().as_secs(), reason });
        }
        sleep(LOOK_INTERVAL).await;
    }
}

fn document(answer: Answer, body: &[u8]) -> Result<Value, String> {
    let mut plain = Vec::new();
    let bytes = if answer.gzip {
        let read = GzDecoder::new(body).take(PLAIN_MAX_BYTES).read_to_end(&mut plain);
        read.map_err(|error| format!("the body is not gzip: {error}"))?;
        plain.as_slice()
    } else {
        body
    };
    serde_json::from_slice(bytes).map_err(|error| format!("the body is not JSON: {error}"))
}

fn apps(document: &Value, fleet: &Fleet) -> Result<(), String> {
    let documents = &fleet.documents;
    let found: HashMap<&str, usize> = list(&document["applications"]["application"])
        .iter()
        .filter_map(|app| Some((app["name"].as_str()?, list(&app["instance"]).len())))
        .collect();
    for first in (0..documents.apps(fleet.instances)).map(|app| documents.first_of(app)) {
        let (name, expected) = (documents.app(first), documents.app_size(first, fleet.instances));
        same_size(&name, found.get(name.as_str()).copied().unwrap_or(0), expected)?;
    }
    Ok(())
}

fn app(document: &Value, fleet: &Fleet, number: usize) -> Result<(), String> {
    let expected = fleet.documents.app_size(number, fleet.instances);
    same_size(&fleet.documents.app(number), list(&document["application"]["instance"]).len(), expected)
}

/// More may be there from another run.
fn same_size(app: &str, found: usize, expected: usize) -> Result<(), String> {
    if found >= expected {
        Ok(())
    } else {
        Err(format!("{app} has {found} instances, and {expected} were registered"))
    }
}

fn instance(document: &Value, id: &str) -> Result<(), String> {
    let found = &document["instance"]["instanceId"];
    if found == id { Ok(()) } else { Err(format!("it is of instance {found}, not {id}")) }
}

fn delta(document: &Value) -> Result<(), String> {
    match &document["applications"]["apps__hashcode"] {
        Value::String(_) => Ok(()),
        _ => Err("it has no apps__hashcode".to_owned()),
    }
}

/// Some servers write a list of one as the one.
fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(values) => values,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_is_unpacked_if_the_answer_says_so() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(b"{\"instance\":{\"instanceId\":\"i-1\"}}").expect("to write");
        let body = encoder.finish().expect("gzip");
        let answer = Answer { status: 200, gzip: true, body_bytes: body.len() as u64 };
        let unpacked = document(answer, &body).expect("JSON");
        assert_eq!(instance(&unpacked, "i-1"), Ok(()));
        assert!(instance(&unpacked, "i-2").is_err());
        assert!(document(Answer { gzip: false, ..answer }, &body).is_err());
    }

    #[test]
    fn lists_of_one_may_be_the_one() {
        assert_eq!(list(&json!([1, 2])).len(), 2);
        assert_eq!(list(&json!({"name": "A"})).len(), 1);
        assert!(list(&Value::Null).is_empty());
    }

    #[test]
    fn a_delta_has_a_hash() {
        assert_eq!(delta(&json!({"applications": {"apps__hashcode": "", "application": []}})), Ok(()));
        assert!(delta(&json!({"error": 1})).is_err());
    }
}
