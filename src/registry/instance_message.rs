//! Instances' documents as messages and back.

use super::decode_error::DecodeError;
use super::instance::{DataCenter, Instance, Metadata, Port};
use super::name::AppName;
use super::status::Status;
use crate::message;

pub fn status_to_message(status: Option<Status>) -> i32 {
    let constant = match status {
        None => message::Status::None,
        Some(Status::Down) => message::Status::Down,
        Some(Status::OutOfService) => message::Status::OutOfService,
        Some(Status::Starting) => message::Status::Starting,
        Some(Status::Unknown) => message::Status::Unknown,
        Some(Status::Up) => message::Status::Up,
    };
    constant as i32
}

pub fn optional_status(value: i32) -> Result<Option<Status>, DecodeError> {
    match message::Status::try_from(value) {
        Ok(message::Status::None) => Ok(None),
        Ok(message::Status::Down) => Ok(Some(Status::Down)),
        Ok(message::Status::OutOfService) => Ok(Some(Status::OutOfService)),
        Ok(message::Status::Starting) => Ok(Some(Status::Starting)),
        Ok(message::Status::Unknown) => Ok(Some(Status::Unknown)),
        Ok(message::Status::Up) => Ok(Some(Status::Up)),
        Err(_) => Err(DecodeError::UnknownConstant { what: "status", value }),
    }
}

pub fn status(value: i32) -> Result<Status, DecodeError> {
    optional_status(value)?.ok_or(DecodeError::Missing("a status"))
}

pub fn pairs_to_message(metadata: &Metadata) -> Vec<message::Pair> {
    let pair = |(name, value): (&str, &str)| message::Pair { name: name.into(), value: value.into() };
    metadata.iter().map(pair).collect()
}

pub fn pairs(pairs: Vec<message::Pair>) -> Metadata {
    Metadata::from_pairs(pairs.into_iter().map(|pair| (pair.name, pair.value)))
}

fn port(port: Option<message::Port>) -> Result<Port, DecodeError> {
    let port = port.ok_or(DecodeError::Missing("a port"))?;
    Ok(Port { number: port.number, enabled: port.enabled })
}

fn port_to_message(port: Port) -> message::Port {
    message::Port { number: port.number, enabled: port.enabled }
}

fn owned(text: &Option<Box<str>>) -> Option<String> {
    text.as_deref().map(str::to_owned)
}

fn boxed(text: Option<String>) -> Option<Box<str>> {
    text.map(String::into_boxed_str)
}

impl From<&Instance> for message::Instance {
    fn from(instance: &Instance) -> Self {
        let (data_center, amazon) = match &instance.data_center {
            DataCenter::MyOwn => (message::DataCenter::MyOwn, Vec::new()),
            DataCenter::Netflix => (message::DataCenter::Netflix, Vec::new()),
            DataCenter::Amazon(metadata) => (message::DataCenter::Amazon, pairs_to_message(metadata)),
        };
        message::Instance {
            instance_id: owned(&instance.instance_id),
            host_name: instance.host_name.to_string(),
            app: instance.app.to_string(),
            ip_addr: instance.ip_addr.to_string(),
            sid: owned(&instance.sid),
            status: status_to_message(Some(instance.status)),
            overridden_status: status_to_message(Some(instance.overridden_status)),
            port: Some(port_to_message(instance.port)),
            secure_port: Some(port_to_message(instance.secure_port)),
            country_id: instance.country_id,
            data_center: data_center as i32,
            amazon,
            renewal_interval_secs: instance.renewal_interval_secs,
            duration_secs: instance.duration_secs,
            metadata: pairs_to_message(&instance.metadata),
            app_group_name: owned(&instance.app_group_name),
            home_page_url: owned(&instance.home_page_url),
            status_page_url: owned(&instance.status_page_url),
            health_check_url: owned(&instance.health_check_url),
            secure_health_check_url: owned(&instance.secure_health_check_url),
            vip_address: owned(&instance.vip_address),
            secure_vip_address: owned(&instance.secure_vip_address),
            asg_name: owned(&instance.asg_name),
        }
    }
}

/// The parts of a message that make it none of an instance if they are not what they should be.
pub(super) struct Checked {
    app: AppName,
    status: Status,
    overridden_status: Status,
    port: Port,
    secure_port: Port,
    data_center: message::DataCenter,
}

impl Checked {
    pub(super) fn of(message: &message::Instance) -> Result<Self, DecodeError> {
        let value = message.data_center;
        let data_center = message::DataCenter::try_from(value)
            .map_err(|_| DecodeError::UnknownConstant { what: "data center", value })?;
        Ok(Self {
            app: AppName::parse(&message.app)?,
            status: status(message.status)?,
            overridden_status: status(message.overridden_status)?,
            port: port(message.port)?,
            secure_port: port(message.secure_port)?,
            data_center,
        })
    }
}

impl TryFrom<message::Instance> for Instance {
    type Error = DecodeError;

    fn try_from(message: message::Instance) -> Result<Self, DecodeError> {
        let Checked { app, status, overridden_status, port, secure_port, data_center } =
            Checked::of(&message)?;
        let data_center = match data_center {
            message::DataCenter::MyOwn => DataCenter::MyOwn,
            message::DataCenter::Netflix => DataCenter::Netflix,
            message::DataCenter::Amazon => DataCenter::Amazon(pairs(message.amazon)),
        };
        Ok(Instance {
            instance_id: boxed(message.instance_id),
            host_name: message.host_name.into(),
            app,
            ip_addr: message.ip_addr.into(),
            sid: boxed(message.sid),
            status,
            overridden_status,
            port,
            secure_port,
            country_id: message.country_id,
            data_center,
            renewal_interval_secs: message.renewal_interval_secs,
            duration_secs: message.duration_secs,
            metadata: pairs(message.metadata),
            app_group_name: boxed(message.app_group_name),
            home_page_url: boxed(message.home_page_url),
            status_page_url: boxed(message.status_page_url),
            health_check_url: boxed(message.health_check_url),
            secure_health_check_url: boxed(message.secure_health_check_url),
            vip_address: boxed(message.vip_address),
            secure_vip_address: boxed(message.secure_vip_address),
            asg_name: boxed(message.asg_name),
        })
    }
}
