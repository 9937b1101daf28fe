//! What probes of Spring Boot applications ask, in the shape of its actuator.

use axum::http::StatusCode;
use serde_json::json;

use super::answer::{Answer, json as json_answer};
use super::{Facade, admin};

/// `GET /actuator`: what there is below it. Without a host, for this node does not know what a proxy calls it.
pub fn index() -> Answer {
    let link = |href: &str| json!({"href": href, "templated": false});
    let links = json!({
        "self": link("/actuator"),
        "health": link("/actuator/health"),
        "health-path": {"href": "/actuator/health/{*path}", "templated": true},
        "info": link("/actuator/info"),
    });
    json_answer(StatusCode::OK, &json!({"_links": links}))
}

/// `GET /actuator/health` and `/actuator/health/readiness`: as `/readyz`.
pub fn health(facade: &Facade) -> Answer {
    match admin::unready(facade) {
        None => json_answer(StatusCode::OK, &json!({"status": "UP"})),
        Some(reason) => {
            let details = json!({"status": "OUT_OF_SERVICE", "details": {"reason": reason}});
            json_answer(StatusCode::SERVICE_UNAVAILABLE, &details)
        }
    }
}

/// `GET /actuator/health/liveness`: as `/livez`.
pub fn liveness() -> Answer {
    json_answer(StatusCode::OK, &json!({"status": "UP"}))
}

/// `GET /actuator/info`.
pub fn info(facade: &Facade) -> Answer {
    let name = env!("CARGO_PKG_NAME");
    let told = json!({
        "build": {"artifact": name, "name": name, "version": env!("CARGO_PKG_VERSION")},
        "node": {"id": facade.consensus.node_id()},
        "cluster": {"name": facade.cluster_name},
    });
    json_answer(StatusCode::OK, &told)
}
