//! What is replicated to another server: many changes in one body, and what it answers to each. Members, their order and
//! their types are Eureka's own: its servers refuse a whole batch for one that they do not know.

use crate::registry::{Registration, Status};

use super::batch::{BatchAction, MAX_BATCH_BYTES, MAX_BATCH_ITEMS};
use super::decode::{DecodeError, body_text};
use super::document::Document;
use super::json_decode;
use super::json_encode::{self, Object};
use super::json_value::{self, Value};

/// Most items of a batch that is sent, as Eureka's servers have it.
pub const MAX_OUTGOING_ITEMS: usize = 250;

/// Longest batch that is sent, in bytes, unless a single change is longer.
pub const MAX_OUTGOING_BYTES: usize = 1024 * 1024;

/// One change as another server is told it. What is `None` is left out.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingItem<'r> {
    pub action: BatchAction,
    pub app: &'r str,
    /// The id the instance is kept under.
    pub id: &'r str,
    /// Epoch milliseconds of the client's clock.
    pub last_dirty_ms: Option<i64>,
    pub status: Option<Status>,
    pub overridden_status: Option<Status>,
    /// For [`BatchAction::Register`].
    pub instance: Option<&'r Registration>,
}

/// A batch that grows until it is sent.
#[derive(Debug, Clone)]
pub struct OutgoingBatch {
    body: Vec<u8>,
    items: usize,
}

/// What a server answered to one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemResponse {
    /// As of an HTTP answer.
    pub status_code: u16,
    /// The instance as the server has it, if it says so; `None` also for what is no instance.
    pub entity: Option<Document>,
}

impl Default for OutgoingBatch {
    fn default() -> Self {
        Self { body: b"{\"replicationList\":[".to_vec(), items: 0 }
    }
}

impl OutgoingBatch {
    /// Appends items that belong together, if the batch is then within [`MAX_OUTGOING_ITEMS`] and
    /// [`MAX_OUTGOING_BYTES`] or was empty before. Else it appends none, and says no.
    pub fn push(&mut self, items: &[OutgoingItem<'_>]) -> bool {
        let (length_before, is_first) = (self.body.len(), self.items == 0);
        for (at, item) in items.iter().enumerate() {
            if at > 0 || !is_first {
                self.body.push(b',');
            }
            encode_item(item, &mut self.body);
        }
        let bytes = self.body.len() + END.len();
        let fits = self.items + items.len() <= MAX_OUTGOING_ITEMS && bytes <= MAX_OUTGOING_BYTES;
        if !fits && !is_first {
            self.body.truncate(length_before);
            return false;
        }
        self.items += items.len();
        true
    }

    /// How many items it has.
    pub fn len(&self) -> usize {
        self.items
    }

    pub fn is_empty(&self) -> bool {
        self.items == 0
    }

    /// The body of the request.
    pub fn finish(mut self) -> Vec<u8> {
        self.body.extend_from_slice(END);
        self.body
    }
}

const END: &[u8] = b"]}";

/// The body of a batch of these items, however many they are.
pub fn encode_batch(items: &[OutgoingItem<'_>]) -> Vec<u8> {
    let mut batch = OutgoingBatch::default();
    batch.push(items);
    batch.finish()
}

/// Reads the answer to a batch. It has to have an item for each of the batch, which is for the caller to see.
///
/// # Errors
/// [`DecodeError`] if it is not `{"responseList":[…]}`, or an item is no object or has no status code.
pub fn decode_batch_response(body: &[u8]) -> Result<Vec<ItemResponse>, DecodeError> {
    let text = body_text(body, MAX_BATCH_BYTES)?;
    let mut list = None;
    json_value::root(text)?.each_member("answer", |name, value| {
        if name == "responseList" {
            list = Some(value);
        }
        Ok(())
    })?;
    let list = list.ok_or(DecodeError::Batch("its answer has no responseList"))?;
    let mut responses = Vec::new();
    list.each_element("responseList", |value| {
        if responses.len() == MAX_BATCH_ITEMS {
            return Err(DecodeError::TooMany { limit: MAX_BATCH_ITEMS });
        }
        responses.push(decode_item(value)?);
        Ok(())
    })?;
    Ok(responses)
}

fn encode_item(item: &OutgoingItem<'_>, out: &mut Vec<u8>) {
    let mut json = Object::open(out);
    json.member("appName", item.app);
    json.member("id", item.id);
    if let Some(ms) = item.last_dirty_ms {
        json.member("lastDirtyTimestamp", ms);
    }
    json.optional("overriddenStatus", item.overridden_status.map(Status::as_str));
    json.optional("status", item.status.map(Status::as_str));
    if let Some(registration) = item.instance {
        json_encode::instance(registration, json.name("instanceInfo"));
    }
    json.member("action", action_word(item.action));
    json.close();
}

fn decode_item(value: Value<'_>) -> Result<ItemResponse, DecodeError> {
    const CODE: &str = "statusCode";
    let (mut status_code, mut entity) = (None, None);
    value.each_member("responseList", |name, value| {
        match &*name {
            CODE => status_code = value.text(CODE)?,
            "responseEntity" if value.is_object() => entity = json_decode::instance(value).ok(),
            _ => {}
        }
        Ok(())
    })?;
    let status_code = status_code.and_then(|text| text.trim().parse().ok());
    let status_code = status_code.ok_or_else(|| DecodeError::wrong_type(CODE, "a status code"))?;
    Ok(ItemResponse { status_code, entity })
}

const fn action_word(action: BatchAction) -> &'static str {
    match action {
        BatchAction::Heartbeat => "Heartbeat",
        BatchAction::Register => "Register",
        BatchAction::Cancel => "Cancel",
        BatchAction::StatusUpdate => "StatusUpdate",
        BatchAction::DeleteStatusOverride => "DeleteStatusOverride",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::batch::{ItemAnswer, StatusWord, decode_batch, encode_batch_response};
    use super::super::{arbitrary, samples};
    use super::*;

    fn item(action: BatchAction) -> OutgoingItem<'static> {
        let (last_dirty_ms, status, overridden_status) = (None, None, None);
        OutgoingItem {
            action,
            app: "DEMO",
            id: "d-1",
            last_dirty_ms,
            status,
            overridden_status,
            instance: None,
        }
    }

    #[test]
    fn batches_are_a_real_servers_to_the_byte() {
        use BatchAction::*;
        let text = samples::BATCH_SENT;
        let begin = text.find("{\"instanceId\"").unwrap();
        let end = text.find(",\"action\":\"Register\"").unwrap();
        let registration = samples::answered(&format!("{{\"instance\":{}}}", &text[begin..end]));
        let changed = |action, ms, status| OutgoingItem {
            last_dirty_ms: Some(ms),
            status: Some(status),
            ..item(action)
        };
        let register = changed(Register, 1_700_000_000_000, Status::Up);
        let items = [
            OutgoingItem { instance: Some(&registration), ..register },
            changed(Heartbeat, 1_700_000_000_000, Status::Up),
            changed(StatusUpdate, 1_700_000_000_001, Status::OutOfService),
            changed(DeleteStatusOverride, 1_700_000_000_002, Status::Up),
            item(Cancel),
        ];
        assert_eq!(String::from_utf8(encode_batch(&items)).unwrap(), text.trim_end());
    }

    #[test]
    fn an_override_stands_before_the_status() {
        let status = Some(Status::OutOfService);
        let renewed = OutgoingItem { status, overridden_status: status, ..item(BatchAction::Heartbeat) };
        assert_eq!(
            String::from_utf8(encode_batch(&[renewed])).unwrap(),
            r#"{"replicationList":[{"appName":"DEMO","id":"d-1","overriddenStatus":"OUT_OF_SERVICE","status":"OUT_OF_SERVICE","action":"Heartbeat"}]}"#
        );
        assert_eq!(encode_batch(&[]), br#"{"replicationList":[]}"#);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_sent_is_what_is_read(
            registration in arbitrary::registration(),
            app in arbitrary::text(),
            id in arbitrary::text(),
        ) {
            let sent = OutgoingItem {
                action: BatchAction::Register,
                app: &app,
                id: &id,
                last_dirty_ms: Some(registration.last_dirty_ms),
                status: Some(registration.status),
                overridden_status: registration.overridden,
                instance: Some(&registration),
            };
            let read = decode_batch(&encode_batch(&[sent, item(BatchAction::Cancel)])).unwrap();
            prop_assert_eq!(read.len(), 2);
            prop_assert_eq!((&*read[0].app, &*read[0].id), (app.as_str(), id.as_str()));
            prop_assert_eq!(read[0].action, Some(BatchAction::Register));
            prop_assert_eq!(read[0].last_dirty_ms, Some(registration.last_dirty_ms));
            prop_assert_eq!(&read[0].status, &Some(StatusWord::Known(registration.status)));
            prop_assert_eq!(&read[0].overridden_status, &registration.overridden.map(StatusWord::Known));
            let mut entity = Vec::new();
            json_encode::instance(&registration, &mut entity);
            let document = json_decode::instance(json_value::root(std::str::from_utf8(&entity).unwrap()).unwrap());
            prop_assert_eq!(read[0].instance.clone(), document.ok());
            prop_assert_eq!(read[1].action, Some(BatchAction::Cancel));
        }
    }

    #[test]
    fn a_batch_takes_what_belongs_together_or_none_of_it() {
        let pair = [item(BatchAction::Register), item(BatchAction::StatusUpdate)];
        let mut batch = OutgoingBatch::default();
        let pairs = (0..).take_while(|_| batch.push(&pair)).count();
        assert_eq!((pairs, batch.len()), (MAX_OUTGOING_ITEMS / 2, MAX_OUTGOING_ITEMS));
        assert!(!batch.push(&[item(BatchAction::Cancel)]));
        assert_eq!(decode_batch(&batch.finish()).unwrap().len(), MAX_OUTGOING_ITEMS);
    }

    #[test]
    fn a_batch_is_as_long_as_it_may_be_unless_one_change_is_longer() {
        let id = "x".repeat(MAX_OUTGOING_BYTES / 2);
        let half = [OutgoingItem { id: &id, ..item(BatchAction::Cancel) }];
        let mut batch = OutgoingBatch::default();
        assert!(batch.is_empty() && batch.push(&half) && !batch.push(&half));
        let left = MAX_OUTGOING_BYTES - batch.clone().finish().len();
        let small = encode_batch(&[item(BatchAction::Cancel)]).len() - encode_batch(&[]).len() + 1;
        let fits = "y".repeat(left - small + "d-1".len());
        assert!(!batch.push(&[OutgoingItem { id: &format!("{fits}y"), ..item(BatchAction::Cancel) }]));
        assert!(batch.push(&[OutgoingItem { id: &fits, ..item(BatchAction::Cancel) }]));
        assert_eq!(batch.finish().len(), MAX_OUTGOING_BYTES);
        let mut batch = OutgoingBatch::default();
        assert!(batch.push(&[half[0], half[0], half[0]]));
    }

    #[test]
    fn answers_are_read_with_the_instances_in_them() {
        let registration = samples::demo();
        let answers = [
            ItemAnswer { status_code: 200, entity: None },
            ItemAnswer { status_code: 409, entity: Some(&registration) },
            ItemAnswer { status_code: 404, entity: None },
        ];
        let read = decode_batch_response(&encode_batch_response(&answers)).unwrap();
        let codes: Vec<u16> = read.iter().map(|response| response.status_code).collect();
        assert_eq!(codes, [200, 409, 404]);
        let entity = read[1].entity.clone().unwrap().into_registration("DEMO").unwrap();
        assert_eq!(entity.instance, registration.instance.decode());
        assert_eq!((read[0].entity.is_none(), read[2].entity.is_none()), (true, true));
    }

    #[test]
    fn answers_of_other_servers_are_read_too() {
        for (json, code) in [
            (r#"{"statusCode": 200}"#, 200),
            (r#"{"statusCode":"200","x":{"a":[1]}}"#, 200),
            (r#"{"responseEntity":null,"statusCode":404}"#, 404),
            (r#"{"responseEntity":"OK","statusCode":200}"#, 200),
            (r#"{"responseEntity":{"hostName":"h"},"statusCode":409}"#, 409),
        ] {
            let answer = format!(r#"{{"other":1,"responseList": [{json}]}}"#);
            let expected = ItemResponse { status_code: code, entity: None };
            assert_eq!(decode_batch_response(answer.as_bytes()), Ok(vec![expected]), "{json}");
        }
        for json in [
            "",
            "[]",
            "{}",
            r#"{"responseList":{}}"#,
            r#"{"responseList":[1]}"#,
            r#"{"responseList":[{}]}"#,
            r#"{"responseList":[{"statusCode":"x"}]}"#,
            r#"{"responseList":[{"statusCode":-1}]}"#,
            r#"{"responseList":[{"statusCode":200}"#,
        ] {
            assert!(decode_batch_response(json.as_bytes()).is_err(), "{json}");
        }
    }
}
