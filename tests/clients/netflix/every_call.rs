//! Every call of the library in every form, at nodes that live and after the kill of the one it talks to.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::super::harness::{Cluster, until};
use super::super::odd_instances;
use super::Library;
use super::calls::{Access, Answer, Calls, FORMS, Form};
use super::entity::{assert_kept, compare};
use super::registered::{APP, SECURE_VIP, VIP, with_everything, with_what_is_needed};

const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];

/// At nodes in turn, by transports that return whatever a node answers.
pub fn in_every_form(library: &Library) {
    let cluster = Cluster::start(3);
    let addrs = cluster.addrs();
    odd_instances::register(addrs[0]);
    let mut calls = start(library, &cluster);
    for (form, addr) in FORMS.into_iter().zip(addrs.iter().cycle()) {
        calls.connect(Access::Direct, form, &[*addr]);
        let registered = with_everything(library.id);
        let mut run = Run { calls: &mut calls, access: Access::Direct, form, id: library.id, registered };
        run.every_call();
        run.registered = with_what_is_needed(library.id);
        run.comes();
        run.goes();
    }
    calls.stop();
}

/// By transports that have all nodes' addresses, and talk to the one that is killed.
pub fn after_every_kill(library: &Library) {
    let mut cluster = Cluster::start(3);
    let addrs = cluster.addrs();
    odd_instances::register(addrs[0]);
    let mut calls = start(library, &cluster);
    for (place, addr) in addrs.iter().enumerate() {
        let mut ordered = addrs.clone();
        ordered.rotate_left(place);
        for form in FORMS {
            until(&format!("{} goes to the first node", form.name()), || {
                calls.connect(Access::Retrying, form, &ordered);
                calls.call(&["cancel", APP, library.id])?;
                match calls.node() {
                    node if node == *addr => Ok(()),
                    other => Err(format!("{other} instead of {addr}")),
                }
            });
        }
        cluster.nodes[place].kill();
        for form in FORMS {
            calls.select(form);
            let registered = with_everything(library.id);
            Run { calls: &mut calls, access: Access::Retrying, form, id: library.id, registered }
                .every_call();
            assert_ne!(calls.node(), *addr, "the node that {} goes to after its kill", form.name());
        }
        odd_instances::renew(ordered[1]);
        cluster.nodes[place].start();
        cluster.nodes[place].wait_ready();
    }
    calls.stop();
    cluster.assert_states_equal();
}

fn start(library: &Library, cluster: &Cluster) -> Calls {
    Calls::start(library.program("client.Calls"), cluster.scratch("calls.log"))
}

/// The calls that belong together, for one instance.
struct Run<'a> {
    calls: &'a mut Calls,
    access: Access,
    form: Form,
    id: &'a str,
    registered: Value,
}

impl Run<'_> {
    fn every_call(&mut self) {
        self.assert_unknown();
        self.comes();
        self.write(200, "override", &["OUT_OF_SERVICE"]);
        self.assert_status("OUT_OF_SERVICE");
        self.write(200, "renew", &[]);
        self.make_newer();
        self.write(404, "renew", &[]);
        self.write(204, "register", &[]);
        self.assert_status("OUT_OF_SERVICE");
        self.write(200, "remove-override", &[]);
        self.assert_status("UNKNOWN");
        self.write(404, "renew", &[]);
        self.write(204, "register", &[]);
        self.assert_status("UP");
        self.goes();
        self.assert_unknown();
    }

    fn comes(&mut self) {
        self.write(204, "register", &[]);
        self.write(200, "renew", &[]);
        let path = format!("/apps/{APP}/{}", encoded(self.id));
        assert_kept(self.calls.node(), &path, self.form, &self.registered);
        self.assert_reads();
    }

    fn goes(&mut self) {
        self.assert_reads();
        self.cancel();
        self.assert_read(&["delta"], "/apps/delta", "DELETED");
    }

    /// What is answered for an instance that is not there. The library takes a 404 of the other
    /// calls for the failure of a node, and tries the next one.
    fn assert_unknown(&mut self) {
        let id = self.id;
        self.write(404, "renew", &[]);
        self.assert_answer(404, &["cancel", APP, id]);
        self.assert_read(&["vip", VIP], &format!("/vips/{}", encoded(VIP)), "\"apps__hashcode\":\"\"");
        self.assert_read(
            &["svip", SECURE_VIP],
            &format!("/svips/{}", encoded(SECURE_VIP)),
            "\"apps__hashcode\":\"\"",
        );
        if self.access == Access::Direct {
            self.write(404, "override", &["DOWN"]);
            self.write(404, "remove-override", &[]);
            self.assert_answer(404, &["app", APP]);
            self.assert_answer(404, &["instance", APP, id]);
            self.assert_answer(404, &["instance-by-id", id]);
        }
    }

    /// Where it is tried again, it may find done what it did before.
    fn cancel(&mut self) {
        let mut again = self.access == Access::Retrying;
        until("the instance is cancelled", || match self.calls.call(&["cancel", APP, self.id]) {
            Ok(Answer { status: 200, entity: Value::Null }) => Ok(()),
            Ok(Answer { status: 404, entity: Value::Null }) if again => Ok(()),
            other => {
                again = true;
                Err(format!("{other:?}"))
            }
        });
    }

    fn assert_reads(&mut self) {
        let id = self.id;
        let [region, other_region] = REGIONS;
        let app_path = format!("/apps/{APP}");
        let vip_path = format!("/vips/{}", encoded(VIP));
        let secure_vip_path = format!("/svips/{}", encoded(SECURE_VIP));
        let own = json!(id).to_string();
        self.assert_read(&["all"], "/apps", &own);
        self.assert_read(&["all", region, other_region], "/apps", &own);
        self.assert_read(&["delta"], "/apps/delta", &own);
        self.assert_read(&["delta", region], "/apps/delta", &own);
        self.assert_read(&["app", APP], &app_path, &own);
        self.assert_read(&["vip", VIP], &vip_path, &own);
        self.assert_read(&["vip", VIP, region], &vip_path, &own);
        self.assert_read(&["svip", SECURE_VIP], &secure_vip_path, &own);
        self.assert_read(&["svip", SECURE_VIP, region], &secure_vip_path, &own);
        self.assert_read(&["instance", APP, id], &format!("{app_path}/{}", encoded(id)), &own);
        self.assert_read(&["instance-by-id", id], &format!("/instances/{}", encoded(id)), &own);
        let (odd_app, odd_vip) = (odd_instances::APP, odd_instances::VIP);
        self.assert_read(&["app", odd_app], &format!("/apps/{odd_app}"), odd_vip);
        self.assert_read(&["vip", odd_vip], &format!("/vips/{odd_vip}"), odd_vip);
        self.assert_read(&["svip", odd_vip], &format!("/svips/{odd_vip}"), odd_vip);
    }

    /// A read is what the node that was asked shows, and has a certain text. A node that has not
    /// been asked before may be a moment behind.
    fn assert_read(&mut self, line: &[&str], path: &str, text: &str) {
        until(&format!("{line:?} by {} is what a node shows, with {text}", self.form.name()), || {
            let answer = self.calls.call(line)?;
            assert_eq!(answer.status, 200, "{line:?} by {}", self.form.name());
            compare(self.calls.node(), path, self.form, &answer.entity)?;
            match answer.entity.to_string().contains(text) {
                true => Ok(()),
                false => Err(answer.entity.to_string()),
            }
        });
    }

    fn assert_status(&mut self, status: &str) {
        until(&format!("the status is {status}"), || {
            let answer = self.calls.call(&["instance", APP, self.id])?;
            match answer.entity["status"] == status {
                true => Ok(()),
                false => Err(format!("{answer:?}")),
            }
        });
    }

    /// Puts a change into the document that its next registration tells of.
    fn make_newer(&mut self) {
        self.registered["lastDirtyTimestamp"] = json!("1700000000001");
        self.registered["hostName"] = json!("newer.local");
    }

    /// A call with the document, which is answered without an entity.
    fn write(&mut self, status: u16, command: &str, names: &[&str]) {
        let document = self.registered.to_string();
        let line: Vec<&str> = [command, &document].into_iter().chain(names.iter().copied()).collect();
        self.assert_answer(status, &line);
    }

    fn assert_answer(&mut self, status: u16, line: &[&str]) {
        let answer = self.answer(line);
        assert_eq!(answer, Answer { status, entity: Value::Null }, "{line:?} by {}", self.form.name());
    }

    /// While no node leads, a direct call is answered 503, and a retrying one fails.
    fn answer(&mut self, line: &[&str]) -> Answer {
        until(&format!("{line:?} is answered"), || match self.calls.call(line)? {
            Answer { status: 503, .. } => Err("503".to_owned()),
            answer => Ok(answer),
        })
    }
}

fn encoded(segment: &str) -> String {
    utf8_percent_encode(segment, NON_ALPHANUMERIC).to_string()
}
