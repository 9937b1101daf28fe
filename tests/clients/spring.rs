//! Spring Cloud's client, which is Netflix's with Spring's transport.

use std::net::SocketAddr;
use std::process::Command;

use super::harness::{Cluster, Request, free_addr, until};
use super::needed;
use super::process::Process;
use super::scenario::{Client, live_through_failover};

struct SpringClient {
    process: Process,
    http: SocketAddr,
}

impl Client for SpringClient {
    fn see(&mut self, app: &str) -> Vec<String> {
        let response = Request::get(&format!("/see/{app}")).expect(self.http);
        assert_eq!(response.status, 200, "{response:?}");
        serde_json::from_value(response.value()).unwrap_or_else(|error| panic!("{error}: {response:?}"))
    }

    fn stop(mut self) {
        self.process.terminate();
    }
}

#[test]
#[ignore = "needs a client: tests/clients/run.sh"]
fn spring_cloud_client_lives_through_failover() {
    let jar = needed("EUREKA_TEST_JAR");
    live_through_failover(&|cluster: &Cluster, app: &str, id: &str, urls: &str| {
        let http = free_addr();
        let mut command = Command::new("java");
        command.args(["-Xmx128m", "-XX:TieredStopAtLevel=1", "-jar", &jar]).args([
            format!("--spring.application.name={app}"),
            format!("--server.address={}", http.ip()),
            format!("--server.port={}", http.port()),
            format!("--eureka.instance.instance-id={id}"),
            format!("--eureka.client.service-url.defaultZone={urls}"),
            "--eureka.instance.lease-renewal-interval-in-seconds=1".to_owned(),
            "--eureka.instance.lease-expiration-duration-in-seconds=4".to_owned(),
            "--eureka.client.registry-fetch-interval-seconds=1".to_owned(),
        ]);
        let process = Process::start(&mut command, cluster.scratch(&format!("{id}.log")));
        until("the application answers", || match Request::get("/see/nothing").send(http) {
            Ok(response) if response.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        });
        SpringClient { process, http }
    });
}
