//! What Eureka servers replicate to each other: many changes in one body, each answered by itself.

use crate::registry::{Registration, Status};

use super::decode::{DecodeError, MAX_DOCUMENT_BYTES, body_text};
use super::dirty_time::check_dirty_time;
use super::document::Document;
use super::json_decode;
use super::json_encode;
use super::json_value::{self, Value};

/// Longest batch that is read, in bytes, as for any body. Servers send at most 250 items of some kilobytes.
pub const MAX_BATCH_BYTES: usize = MAX_DOCUMENT_BYTES;

/// Most items of a batch that are read.
pub const MAX_BATCH_ITEMS: usize = 10_000;

/// What a server did and wants done here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BatchAction {
    Heartbeat,
    Register,
    Cancel,
    StatusUpdate,
    DeleteStatusOverride,
}

/// A status as an item spells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StatusWord {
    Known(Status),
    /// Something else: what is to be done with it fails, other items do not.
    Other(Box<str>),
}

impl StatusWord {
    pub fn known(&self) -> Option<Status> {
        match self {
            StatusWord::Known(status) => Some(*status),
            StatusWord::Other(_) => None,
        }
    }
}

/// One replicated change. A text that is absent is empty here: like an absent action, it fails this
/// item with a 500 and no other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchItem {
    /// In any case; not checked.
    pub app: Box<str>,
    /// Not checked.
    pub id: Box<str>,
    pub action: Option<BatchAction>,
    /// Epoch milliseconds of the client's clock.
    pub last_dirty_ms: Option<i64>,
    pub status: Option<StatusWord>,
    pub overridden_status: Option<StatusWord>,
    /// `None` also for JSON that is no instance, so that it fails its own item only.
    pub instance: Option<Document>,
}

/// What came of one item, in the order of the items.
#[derive(Debug, Clone, Copy)]
pub struct ItemAnswer<'r> {
    /// As of an HTTP answer.
    pub status_code: u16,
    /// The instance as it is here, for a sender that holds an older one.
    pub entity: Option<&'r Registration>,
}

/// Reads a batch.
///
/// # Errors
/// [`DecodeError`] for the whole batch if it is not `{"replicationList":[…]}`, or an item is not an
/// object, has a member or an action that Eureka does not know, or a dirty time that is none.
pub fn decode_batch(body: &[u8]) -> Result<Vec<BatchItem>, DecodeError> {
    let text = body_text(body, MAX_BATCH_BYTES)?;
    let mut list = None;
    json_value::root(text)?.each_member("batch", |name, value| {
        if name != "replicationList" {
            return Err(DecodeError::Batch("it has another member than replicationList"));
        }
        list = Some(value);
        Ok(())
    })?;
    let list = list.ok_or(DecodeError::Batch("it has no replicationList"))?;
    let mut items = Vec::new();
    list.each_element("replicationList", |value| {
        if items.len() == MAX_BATCH_ITEMS {
            return Err(DecodeError::TooMany { limit: MAX_BATCH_ITEMS });
        }
        items.push(item(value)?);
        Ok(())
    })?;
    Ok(items)
}

/// The body of the answer to a batch.
pub fn encode_batch_response(answers: &[ItemAnswer<'_>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + 24 * answers.len());
    out.extend_from_slice(b"{\"responseList\":[");
    for (at, answer) in answers.iter().enumerate() {
        out.extend_from_slice(if at > 0 { b",{\"statusCode\":" } else { b"{\"statusCode\":" });
        json_encode::scalar(answer.status_code, &mut out);
        if let Some(registration) = answer.entity {
            out.extend_from_slice(b",\"responseEntity\":");
            json_encode::instance(registration, &mut out);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"]}");
    out
}

fn item(value: Value<'_>) -> Result<BatchItem, DecodeError> {
    let mut item = BatchItem::default();
    value.each_member("replicationList", |name, value| {
        match &*name {
            "appName" => item.app = value.text(&name)?.unwrap_or_default().into(),
            "id" => item.id = value.text(&name)?.unwrap_or_default().into(),
            "action" => item.action = value.text(&name)?.map(|word| action(&word)).transpose()?,
            "lastDirtyTimestamp" => item.last_dirty_ms = dirty_time(value)?,
            "status" => item.status = status(value, &name)?,
            "overriddenStatus" => item.overridden_status = status(value, &name)?,
            "instanceInfo" => item.instance = instance(value)?,
            _ => return Err(DecodeError::Batch("an item has a member that Eureka does not know")),
        }
        Ok(())
    })?;
    Ok(item)
}

fn action(word: &str) -> Result<BatchAction, DecodeError> {
    Ok(match word {
        "Heartbeat" => BatchAction::Heartbeat,
        "Register" => BatchAction::Register,
        "Cancel" => BatchAction::Cancel,
        "StatusUpdate" => BatchAction::StatusUpdate,
        "DeleteStatusOverride" => BatchAction::DeleteStatusOverride,
        _ => return Err(DecodeError::Batch("an item has an action that Eureka does not know")),
    })
}

fn dirty_time(value: Value<'_>) -> Result<Option<i64>, DecodeError> {
    const MEMBER: &str = "lastDirtyTimestamp";
    let Some(text) = value.text(MEMBER)? else { return Ok(None) };
    match text.trim() {
        "" => Ok(None),
        text => {
            let ms = text.parse().map_err(|_| DecodeError::wrong_type(MEMBER, "a whole number"))?;
            check_dirty_time(ms).map(Some).map_err(|_| DecodeError::wrong_type(MEMBER, "a time"))
        }
    }
}

fn status(value: Value<'_>, member: &str) -> Result<Option<StatusWord>, DecodeError> {
    Ok(value.text(member)?.map(|word| match Status::from_exact(&word) {
        Some(status) => StatusWord::Known(status),
        None => StatusWord::Other(word.into()),
    }))
}

fn instance(value: Value<'_>) -> Result<Option<Document>, DecodeError> {
    if value.is_null() {
        return Ok(None);
    }
    if !value.is_object() {
        return Err(DecodeError::wrong_type("instanceInfo", "an object"));
    }
    Ok(json_decode::instance(value).ok())
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn one(members: &str) -> Result<BatchItem, DecodeError> {
        let body = format!(r#"{{"replicationList":[{{{members}}}]}}"#);
        decode_batch(body.as_bytes()).map(|mut items| items.remove(0))
    }

    #[test]
    fn batches_of_a_real_server_are_read() {
        let items = decode_batch(samples::BATCH_SENT.as_bytes()).unwrap();
        let actions: Vec<_> = items.iter().map(|item| item.action.unwrap()).collect();
        use BatchAction::*;
        assert_eq!(actions, [Register, Heartbeat, StatusUpdate, DeleteStatusOverride, Cancel]);
        assert!(items.iter().all(|item| &*item.app == "DEMO" && &*item.id == "d-1"));
        let register = items[0].instance.clone().unwrap().into_registration("DEMO").unwrap();
        assert_eq!(register.key.to_string(), "DEMO(d-1)");
        assert_eq!(register.instance.duration_secs, 90);
        assert_eq!(items[0].last_dirty_ms, Some(1_700_000_000_000));
        assert_eq!(items[2].status, Some(StatusWord::Known(Status::OutOfService)));
        assert_eq!((items[4].last_dirty_ms, items[4].instance.is_none()), (None, true));
    }

    #[test]
    fn null_members_are_absent_ones() {
        let item = one(
            r#""appName":null,"id":"r-1","lastDirtyTimestamp":null,"overriddenStatus":null,"status":null,"instanceInfo":null,"action":null"#,
        );
        assert_eq!(item, Ok(BatchItem { id: "r-1".into(), ..BatchItem::default() }));
        assert_eq!(one(""), Ok(BatchItem::default()));
        assert_eq!(decode_batch(br#"{"replicationList":[]}"#), Ok(vec![]));
    }

    #[test]
    fn odd_values_fail_their_own_item() {
        assert_eq!(one(r#""status":"FOO""#).unwrap().status, Some(StatusWord::Other("FOO".into())));
        assert_eq!(one(r#""status":"UP""#).unwrap().status.unwrap().known(), Some(Status::Up));
        assert_eq!(one(r#""instanceInfo":{"instance":{"app":"A"}}"#).unwrap().instance, None);
        assert_eq!(one(r#""instanceInfo":{"app":"A"}"#).unwrap().instance.unwrap().app.as_ref(), "A");
        assert_eq!(one(r#""lastDirtyTimestamp":"17""#).unwrap().last_dirty_ms, Some(17));
        let overridden = one(r#""overriddenStatus":"OUT_OF_SERVICE""#).unwrap().overridden_status;
        assert_eq!(overridden, Some(StatusWord::Known(Status::OutOfService)));
        assert_eq!(one(r#""id":5"#).unwrap().id.as_ref(), "5");
    }

    #[test]
    fn what_eureka_cannot_read_fails_the_batch() {
        for body in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"replicationList":["#,
            r#"{"replicationList":null}"#,
            r#"{"replicationList":{}}"#,
            r#"{"replicationList":[null]}"#,
            r#"{"replicationList":[[]]}"#,
            r#"{"replicationList":[],"x":1}"#,
            r#"{"replicationList":[{"action":"Explode"}]}"#,
            r#"{"replicationList":[{"action":"heartbeat"}]}"#,
            r#"{"replicationList":[{"action":"Heartbeat","x":null}]}"#,
            r#"{"replicationList":[{"lastDirtyTimestamp":"abc"}]}"#,
            r#"{"replicationList":[{"instanceInfo":"x"}]}"#,
            r#"{"replicationList":[{"appName":{}}]}"#,
            "<com.netflix.eureka.cluster.protocol.ReplicationList/>",
        ] {
            assert!(decode_batch(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn items_are_counted() {
        let batch = |count: usize| format!(r#"{{"replicationList":[{}]}}"#, vec!["{}"; count].join(","));
        assert_eq!(decode_batch(batch(MAX_BATCH_ITEMS).as_bytes()).unwrap().len(), MAX_BATCH_ITEMS);
        let error = decode_batch(batch(MAX_BATCH_ITEMS + 1).as_bytes()).unwrap_err();
        assert_eq!(error, DecodeError::TooMany { limit: MAX_BATCH_ITEMS });
    }

    #[test]
    fn answers_have_a_code_and_at_most_an_instance() {
        let answer = |status_code| ItemAnswer { status_code, entity: None };
        assert_eq!(encode_batch_response(&[]), br#"{"responseList":[]}"#);
        assert_eq!(
            encode_batch_response(&[answer(200), answer(404)]),
            br#"{"responseList":[{"statusCode":200},{"statusCode":404}]}"#
        );
        let registration = samples::demo();
        let mut entity = Vec::new();
        json_encode::instance(&registration, &mut entity);
        let entity = String::from_utf8(entity).unwrap();
        let conflict = ItemAnswer { status_code: 409, entity: Some(&registration) };
        let expected = format!(
            r#"{{"responseList":[{{"statusCode":200}},{{"statusCode":409,"responseEntity":{entity}}}]}}"#
        );
        assert_eq!(String::from_utf8(encode_batch_response(&[answer(200), conflict])).unwrap(), expected);
    }
}
