//! `GET status`: Eureka's own status document, as far as its fields mean something here.

use axum::http::StatusCode;
use serde_json::json;

use super::Facade;
use super::answer::{Answer, json as json_answer, text};
use crate::eureka::Format;

pub fn status(facade: &Facade, format: Format) -> Answer {
    let consensus = &facade.consensus;
    let status = consensus.status();
    let described = facade.told.peers.described();
    let replicas: Vec<String> = status
        .nodes
        .keys()
        .filter(|id| **id != consensus.node_id())
        .filter_map(|id| described.get(id))
        .map(|peer| format!("{}://{}/eureka/", facade.scheme, peer.http_addr))
        .collect();
    let replicas = replicas.join(", ");
    let healthy = consensus.knows_leader();
    match format.full() {
        Format::Json | Format::CompactJson => json_answer(
            StatusCode::OK,
            &json!({
                "generalStats": {"environment": "rs-registry", "num-of-cpus": cpus().to_string()},
                "applicationStats": {"registered-replicas": replicas},
                "healthy": healthy,
            }),
        ),
        Format::Xml | Format::CompactXml => {
            let body = format!(
                "<com.netflix.eureka.util.StatusInfo>\n  <generalStats>\n    \
                 <environment>rs-registry</environment>\n    <num-of-cpus>{}</num-of-cpus>\n  \
                 </generalStats>\n  <applicationStats>\n    \
                 <registered-replicas>{}</registered-replicas>\n  </applicationStats>\n  \
                 <isHeathly>{healthy}</isHeathly>\n</com.netflix.eureka.util.StatusInfo>",
                cpus(),
                quick_xml::escape::escape(replicas.as_str()),
            );
            text(StatusCode::OK, format.media_type(), body)
        }
    }
}

fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
