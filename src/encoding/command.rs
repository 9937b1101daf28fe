//! Commands and batches of them. A command is encoded once, where it enters the cluster, and
//! decoded once per node, where it is applied; between the two, batches are joined as bytes.

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;

use super::peer_progress::{decode_peer_progress, encode_peer_progress};
use super::self_preservation::{scope, scope_to_message, silence, silence_to_message};
use super::{DecodeError, key};
use crate::command::Command;
use crate::format::{Format, Formats};
use crate::message;
use crate::registry::instance_message::{
    optional_status, pairs, pairs_to_message, status, status_to_message,
};
use crate::registry::{EncodedInstance, Key, Origin};
use crate::trace::Context;

/// The bytes of a `Batch` to which the leader has not yet added the time.
#[derive(Debug, Default)]
pub struct EncodedCommands {
    pub(super) bytes: BytesMut,
    count: u32,
    /// A batch with them is of this format at least.
    least_format: Option<Format>,
}

impl EncodedCommands {
    pub fn one(command: &Command) -> Self {
        let message = message::Batch { commands: vec![command.into()], stamped_ms: 0 };
        let least_format = least_format(command);
        Self { bytes: Bytes::from(message.encode_to_vec()).into(), count: 1, least_format }
    }

    /// Commands that another node encoded, `count` of them. They are looked at once more here: what
    /// is in the log must be understood by every node, or none could go on.
    ///
    /// # Errors
    /// [`DecodeError`] if they are anything else, or of a format that is not among those of this program.
    pub fn forwarded(
        bytes: &Bytes,
        count: u32,
        format: Format,
        formats: Formats,
    ) -> Result<Self, DecodeError> {
        formats.check("what a node forwards", format)?;
        let (stamped_ms, commands) = EncodedBatch::new(bytes.clone(), format).decode()?;
        if stamped_ms != 0 || commands.len() != count as usize {
            return Err(DecodeError::Missing("some of the commands it announces, or has a time already"));
        }
        let least_format = commands.iter().filter_map(least_format).max();
        Ok(Self { bytes: bytes.as_ref().into(), count, least_format })
    }

    pub fn join(&mut self, other: &EncodedCommands) {
        self.bytes.extend_from_slice(&other.bytes);
        self.count += other.count;
        self.least_format = self.least_format.max(other.least_format);
    }

    pub fn count(&self) -> u32 {
        self.count
    }

    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub fn into_bytes(self) -> Bytes {
        self.bytes.freeze()
    }

    /// The batch as it goes into the log of a cluster that writes this format.
    pub fn stamped(mut self, now_ms: i64, format: Format) -> EncodedBatch {
        let time = message::Batch { commands: Vec::new(), stamped_ms: now_ms };
        self.bytes.put(time.encode_to_vec().as_slice());
        let format = self.least_format.map_or(format, |least| least.max(format));
        EncodedBatch::new(self.bytes.freeze(), format)
    }
}

/// Which format a command needs: who cannot read what comes after it must not take it either.
fn least_format(command: &Command) -> Option<Format> {
    match command {
        Command::RaiseFormat { to } => Some(*to),
        _ => None,
    }
}

/// The bytes of a `Batch`, and their format: what a log entry carries.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedBatch {
    bytes: Bytes,
    format: Format,
    /// The span that it belongs to, at the leader that proposes it; no part of what is stored or sent.
    span: Option<Context>,
}

impl EncodedBatch {
    pub fn new(bytes: Bytes, format: Format) -> Self {
        Self { bytes, format, span: None }
    }

    /// The same batch as part of a span.
    #[must_use]
    pub fn traced(self, span: Option<Context>) -> Self {
        Self { span, ..self }
    }

    pub fn span(&self) -> Option<Context> {
        self.span
    }

    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub fn format(&self) -> Format {
        self.format
    }

    /// The time it was stamped with, and its commands.
    ///
    /// # Errors
    /// [`DecodeError`] if these are not the bytes of a batch.
    pub fn decode(&self) -> Result<(i64, Vec<Command>), DecodeError> {
        let message = message::Batch::decode(self.bytes.clone())?;
        let commands = message.commands.into_iter().map(Command::try_from);
        Ok((message.stamped_ms, commands.collect::<Result<_, _>>()?))
    }
}

impl std::fmt::Debug for EncodedBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EncodedBatch({} bytes)", self.bytes.len())
    }
}

impl std::fmt::Display for EncodedBatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(self, f)
    }
}

fn texts(key: &Key) -> (String, String) {
    (key.app.to_string(), key.id.to_string())
}

impl From<&Command> for message::Command {
    fn from(command: &Command) -> Self {
        use message::command::Command as Message;
        let command = match command {
            Command::Register { key, instance, last_dirty_ms, origin } => {
                let (app, id) = texts(key);
                Message::Register(message::Register {
                    app,
                    id,
                    instance: Bytes::copy_from_slice(instance.bytes()),
                    last_dirty_ms: *last_dirty_ms,
                    origin: origin_to_message(*origin),
                })
            }
            Command::Renew { key, last_dirty_ms, overridden, origin } => Message::Renew(message::Renew {
                app: Bytes::copy_from_slice(key.app.as_str().as_bytes()),
                id: Bytes::copy_from_slice(key.id.as_str().as_bytes()),
                last_dirty_ms: *last_dirty_ms,
                overridden: status_to_message(*overridden),
                origin: origin_to_message(*origin),
            }),
            Command::Cancel { key, origin } => {
                let (app, id) = texts(key);
                Message::Cancel(message::Cancel { app, id, origin: origin_to_message(*origin) })
            }
            Command::SetStatus { key, status, last_dirty_ms, origin } => {
                let (app, id) = texts(key);
                let (status, last_dirty_ms) = (status_to_message(Some(*status)), *last_dirty_ms);
                let origin = origin_to_message(*origin);
                Message::SetStatus(message::SetStatus { app, id, status, last_dirty_ms, origin })
            }
            Command::RemoveStatus { key, status, last_dirty_ms, origin } => {
                let (app, id) = texts(key);
                let (status, last_dirty_ms) = (status_to_message(*status), *last_dirty_ms);
                let origin = origin_to_message(*origin);
                Message::RemoveStatus(message::RemoveStatus { app, id, status, last_dirty_ms, origin })
            }
            Command::PutMetadata { key, pairs } => {
                let (app, id) = texts(key);
                Message::PutMetadata(message::PutMetadata { app, id, pairs: pairs_to_message(pairs) })
            }
            Command::Expire { leases } => {
                let expired = |(key, renew_seq): &(Key, u64)| {
                    let (app, id) = texts(key);
                    message::ExpiredLease { app, id, renew_seq: *renew_seq }
                };
                Message::Expire(message::Expire { leases: leases.iter().map(expired).collect() })
            }
            Command::SetSelfPreservation { scope, silence } => {
                Message::SetSelfPreservation(message::SetSelfPreservation {
                    app: scope_to_message(scope),
                    silence: silence.map(silence_to_message),
                })
            }
            Command::SetPeerProgress { progress } => Message::SetPeerProgress(message::SetPeerProgress {
                progress: encode_peer_progress(progress),
            }),
            Command::RaiseFormat { to } => Message::RaiseFormat(message::RaiseFormat { to: to.to_stored() }),
        };
        message::Command { command: Some(command) }
    }
}

fn origin_to_message(origin: Origin) -> i32 {
    let message = match origin {
        Origin::Client => message::Origin::Client,
        Origin::Replication => message::Origin::Replication,
        Origin::Import => message::Origin::Import,
    };
    message as i32
}

fn origin(value: i32) -> Result<Origin, DecodeError> {
    match message::Origin::try_from(value) {
        Ok(message::Origin::Client) => Ok(Origin::Client),
        Ok(message::Origin::Replication) => Ok(Origin::Replication),
        Ok(message::Origin::Import) => Ok(Origin::Import),
        Err(_) => Err(DecodeError::UnknownConstant { what: "origin", value }),
    }
}

impl TryFrom<message::Command> for Command {
    type Error = DecodeError;

    fn try_from(message: message::Command) -> Result<Self, DecodeError> {
        use message::command::Command as Message;
        Ok(match message.command.ok_or(DecodeError::Missing("a command"))? {
            Message::Register(register) => Command::Register {
                key: key(&register.app, &register.id)?,
                instance: EncodedInstance::checked(&register.instance)?,
                last_dirty_ms: register.last_dirty_ms,
                origin: origin(register.origin)?,
            },
            Message::Renew(renew) => Command::Renew {
                key: key(str::from_utf8(&renew.app)?, str::from_utf8(&renew.id)?)?,
                last_dirty_ms: renew.last_dirty_ms,
                overridden: optional_status(renew.overridden)?,
                origin: origin(renew.origin)?,
            },
            Message::Cancel(cancel) => {
                Command::Cancel { key: key(&cancel.app, &cancel.id)?, origin: origin(cancel.origin)? }
            }
            Message::SetStatus(set) => Command::SetStatus {
                key: key(&set.app, &set.id)?,
                status: status(set.status)?,
                last_dirty_ms: set.last_dirty_ms,
                origin: origin(set.origin)?,
            },
            Message::RemoveStatus(remove) => Command::RemoveStatus {
                key: key(&remove.app, &remove.id)?,
                status: optional_status(remove.status)?,
                last_dirty_ms: remove.last_dirty_ms,
                origin: origin(remove.origin)?,
            },
            Message::PutMetadata(put) => {
                Command::PutMetadata { key: key(&put.app, &put.id)?, pairs: pairs(put.pairs) }
            }
            Message::Expire(expire) => {
                let lease = |lease: message::ExpiredLease| {
                    Ok::<_, DecodeError>((key(&lease.app, &lease.id)?, lease.renew_seq))
                };
                let leases = expire.leases.into_iter().map(lease).collect::<Result<_, _>>()?;
                Command::Expire { leases }
            }
            Message::SetSelfPreservation(set) => {
                Command::SetSelfPreservation { scope: scope(set.app)?, silence: set.silence.map(silence) }
            }
            Message::SetPeerProgress(set) => {
                Command::SetPeerProgress { progress: decode_peer_progress(&set.progress) }
            }
            Message::RaiseFormat(raise) => Command::RaiseFormat { to: Format::from_stored(raise.to) },
        })
    }
}
