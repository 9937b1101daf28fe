//! An instance's document as it is kept: the bytes that came by the log, which are also those that are stored and
//! sent. They take a third of the memory of the decoded document, one allocation instead of twenty, and are needed
//! in parts seldom, as a whole only when they are shown.

use std::fmt;
use std::sync::Arc;

use prost::Message;

use super::decode_error::DecodeError;
use super::instance::Instance;
use super::instance_message::Checked;
use super::status::Status;
use crate::message;

/// The bytes of a document, known to be one. Two are equal if their bytes are. Clones share them.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedInstance(Arc<[u8]>);

/// What an instance says of its own standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    pub status: Status,
    /// The override the document asks for; `Unknown` for none.
    pub overridden_status: Status,
    pub duration_secs: u32,
}

/// The addresses that an instance is found by, if it has them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vips {
    pub vip_address: Option<String>,
    pub secure_vip_address: Option<String>,
}

/// What lists show of an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    pub host_name: String,
    pub ip_addr: String,
    /// Those that are enabled.
    pub port: Option<i32>,
    pub secure_port: Option<i32>,
    pub vip_address: Option<String>,
    /// `zone` of its metadata, as Spring Cloud has it, else the availability zone that Amazon gave it.
    pub zone: Option<String>,
}

impl EncodedInstance {
    /// Takes bytes from outside.
    ///
    /// # Errors
    /// [`DecodeError`] if they are not those of a document.
    pub fn checked(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.is_empty() {
            return Err(DecodeError::Missing("an instance"));
        }
        Checked::of(&message::Instance::decode(bytes)?)?;
        Ok(Self(bytes.into()))
    }

    /// Takes bytes that were [checked](Self::checked) before they were stored. Whether they are still the same, the
    /// registry's hash tells ([`super::Registry::from_snapshot`]): before that they are not to be looked at.
    pub fn stored(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The document.
    ///
    /// # Panics
    /// Never but after a [`Self::stored`] whose bytes were changed and whose hash was not compared.
    pub fn decode(&self) -> Instance {
        let decoded = message::Instance::decode(self.bytes()).map_err(DecodeError::from);
        decoded.and_then(Instance::try_from).expect("these bytes were checked when they came in")
    }

    /// The little of it that the registry goes by.
    pub fn said(&self) -> Said {
        let said = message::InstanceSaid::decode(self.bytes()).unwrap_or_default();
        let status = |value| super::instance_message::status(value).unwrap_or(Status::Unknown);
        Said {
            status: status(said.status),
            overridden_status: status(said.overridden_status),
            duration_secs: said.duration_secs,
        }
    }

    /// The little of it that readers look it up by.
    pub fn vips(&self) -> Vips {
        let message::InstanceVips { vip_address, secure_vip_address } =
            message::InstanceVips::decode(self.bytes()).unwrap_or_default();
        Vips { vip_address, secure_vip_address }
    }

    /// The little of it that lists show.
    pub fn listed(&self) -> Listed {
        let listed = message::InstanceListed::decode(self.bytes()).unwrap_or_default();
        let enabled = |port: Option<message::Port>| port.filter(|port| port.enabled).map(|port| port.number);
        let named = |pairs: Vec<message::Pair>, name: &str| {
            let found = pairs.into_iter().find(|pair| pair.name == name && !pair.value.is_empty());
            found.map(|pair| pair.value)
        };
        Listed {
            host_name: listed.host_name,
            ip_addr: listed.ip_addr,
            port: enabled(listed.port),
            secure_port: enabled(listed.secure_port),
            vip_address: listed.vip_address,
            zone: named(listed.metadata, "zone").or_else(|| named(listed.amazon, "availability-zone")),
        }
    }
}

impl From<&Instance> for EncodedInstance {
    fn from(instance: &Instance) -> Self {
        Self(message::Instance::from(instance).encode_to_vec().into())
    }
}

impl From<Instance> for EncodedInstance {
    fn from(instance: Instance) -> Self {
        (&instance).into()
    }
}

impl fmt::Debug for EncodedInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match message::Instance::decode(self.bytes()) {
            Ok(instance) => fmt::Debug::fmt(&instance, f),
            Err(error) => write!(f, "EncodedInstance({error})"),
        }
    }
}
