//! From requests to commands, and batches of those.

use std::hint::black_box;

use axum::http::Method;
use rs_registry::command::Command;
use rs_registry::encoding::{EncodedBatch, EncodedCommands};
use rs_registry::eureka::{Accepted, RequestFormat, decode_document, response_format};
use rs_registry::format::Format;
use rs_registry::http::{Action, Parameters, route};
use rs_registry::registry::{AppName, InstanceId, Key, Origin};

use super::service::{DIRTY_MS, Service};

/// What the handler of a registration does with its body.
pub fn register(format: RequestFormat, body: &[u8], app: &str) -> Accepted {
    decode_document(format, body).unwrap().into_registration(app).unwrap()
}

/// What is done with the path and query of a client's renewal until it can join a batch.
pub fn command_of_renewal((path, query): &(String, String)) -> EncodedCommands {
    let Ok(Action::Renew { app, id }) = route(&Method::PUT, path) else {
        panic!("{path} is no renewal's");
    };
    black_box(response_format(Some("application/json, application/*+json"), None).unwrap());
    let key = Key::new(AppName::parse(&app).unwrap(), InstanceId::parse(&id).unwrap());
    let last_dirty_ms = Parameters::new(Some(query)).last_dirty_ms().unwrap();
    EncodedCommands::one(&Command::Renew { key, last_dirty_ms, overridden: None, origin: Origin::Client })
}

pub fn renewal(service: Service) -> Command {
    let last_dirty_ms = Some(DIRTY_MS);
    Command::Renew { key: service.key(), last_dirty_ms, overridden: None, origin: Origin::Client }
}

pub fn registration(service: Service) -> Command {
    let instance = register(RequestFormat::Json, service.json().as_bytes(), &service.app()).instance;
    Command::Register {
        key: service.key(),
        instance: instance.into(),
        last_dirty_ms: Some(DIRTY_MS),
        origin: Origin::Client,
    }
}

/// Commands as they go into the log.
pub fn batch(commands: impl IntoIterator<Item = Command>, now_ms: i64) -> EncodedBatch {
    let mut encoded = EncodedCommands::default();
    commands.into_iter().for_each(|command| encoded.join(&EncodedCommands::one(&command)));
    encoded.stamped(now_ms, Format::FIRST)
}
