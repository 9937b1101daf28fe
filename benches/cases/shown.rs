//! A registry and what readers see of it, without log and disk.

use rs_registry::command::Command;
use rs_registry::eureka::{Format, application_fragment, instance_document};
use rs_registry::registry::{AppName, Origin, Registration, Registry, Status};
use rs_registry::view::View;

use super::PER_APP;
use super::commands::registration;
use super::service::Service;

pub struct Shown {
    registry: Registry,
    view: View,
    instances: usize,
    changes: usize,
}

impl Shown {
    pub fn with(instances: usize) -> Self {
        let mut shown = Self { registry: Registry::default(), view: View::default(), instances, changes: 0 };
        for number in 0..instances {
            registration(shown.service(number)).apply(&mut shown.registry, &mut Vec::new());
        }
        shown.view = View::of(&shown.registry, 1);
        shown
    }

    fn service(&self, number: usize) -> Service {
        Service { number, apps: self.instances / PER_APP }
    }

    pub fn view(&self) -> &View {
        &self.view
    }

    /// The first application and its instances.
    pub fn application(&self) -> (AppName, Vec<Registration>) {
        let (app, instances) = self.registry.applications().next().unwrap();
        (app.clone(), instances.map(|(_, registration)| (**registration).clone()).collect())
    }

    /// Changes the status of an instance.
    pub fn change(&mut self) {
        let is_odd_round = (self.changes / self.instances).is_multiple_of(2);
        let command = Command::SetStatus {
            key: self.service(self.changes % self.instances).key(),
            status: if is_odd_round { Status::OutOfService } else { Status::Up },
            last_dirty_ms: None,
            origin: Origin::Client,
        };
        self.changes += 1;
        let mut changes = Vec::new();
        command.apply(&mut self.registry, &mut changes);
        self.view = self.view.update(&changes, self.view.index() + 1, |_, _| {});
    }
}

/// An application as it stands in an answer.
pub fn app_fragment(format: Format, (app, instances): &(AppName, Vec<Registration>)) -> Vec<u8> {
    let mut out = Vec::new();
    application_fragment(format, app, instances.iter(), &mut out);
    out
}

/// A registration's body in XML, which says what an answer would.
pub fn xml_body(service: Service) -> Vec<u8> {
    let mut registry = Registry::default();
    registration(service).apply(&mut registry, &mut Vec::new());
    instance_document(Format::Xml, registry.get(&service.key()).unwrap())
}
