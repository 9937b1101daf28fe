//! Self-preservation, as a command and as state.

use super::DecodeError;
use crate::message;
use crate::registry::{AppName, Scope, SelfPreservation, Silence};

pub fn encode_self_preservation((scope, in_force): (&Scope, &SelfPreservation)) -> message::SelfPreservation {
    message::SelfPreservation {
        app: scope_to_message(scope),
        since_ms: in_force.since_ms,
        silence: Some(silence_to_message(in_force.silence)),
    }
}

/// # Errors
/// [`DecodeError`] if a message is incomplete or has a bad name.
pub fn decode_self_preservation(
    messages: &[message::SelfPreservation],
) -> Result<Vec<(Scope, SelfPreservation)>, DecodeError> {
    let one = |message: &message::SelfPreservation| {
        let silence = message.silence.map(silence).ok_or(DecodeError::Missing("a silence"))?;
        Ok((scope(message.app.clone())?, SelfPreservation { since_ms: message.since_ms, silence }))
    };
    messages.iter().map(one).collect()
}

pub(super) fn scope_to_message(scope: &Scope) -> Option<String> {
    scope.application().map(ToString::to_string)
}

pub(super) fn scope(app: Option<String>) -> Result<Scope, DecodeError> {
    Ok(match app {
        None => Scope::Cluster,
        Some(app) => Scope::Application(AppName::parse(&app)?),
    })
}

pub(super) fn silence_to_message(silence: Silence) -> message::Silence {
    message::Silence { silent: silence.silent, leases: silence.leases }
}

pub(super) fn silence(message: message::Silence) -> Silence {
    Silence { silent: message.silent, leases: message.leases }
}
