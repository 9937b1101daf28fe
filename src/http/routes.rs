//! Every route, in one table; Eureka's own in [`super::eureka_routes`].

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::routing::{delete, get, post};

use super::answer::Answer;
use super::{Facade, admin, dispatch, membership};

pub fn router(facade: Arc<Facade>) -> Router {
    Router::new()
        .route("/livez", get(async || admin::live()))
        .route("/readyz", get(async |State(facade): State<Arc<Facade>>| admin::ready(&facade)))
        .route("/actuator/health", get(async |State(facade): State<Arc<Facade>>| admin::health(&facade)))
        .route(
            "/api/cluster/members",
            post(async |State(facade): State<Arc<Facade>>, headers: HeaderMap, body: Body| {
                membership::add(&facade, &headers, body).await
            }),
        )
        .route(
            "/api/cluster/members/{id}",
            delete(async |State(facade): State<Arc<Facade>>, Path(id): Path<String>| {
                membership::remove(&facade, &id).await
            }),
        )
        .route(
            "/api/cluster/members/{id}/promote",
            post(
                async |State(facade): State<Arc<Facade>>,
                       Path(id): Path<String>,
                       headers: HeaderMap,
                       body: Body| {
                    membership::promote(&facade, &id, &headers, body).await
                },
            ),
        )
        .route(
            "/api/cluster/transfer-leader",
            post(async |State(facade): State<Arc<Facade>>, headers: HeaderMap, body: Body| {
                membership::transfer_leader(&facade, &headers, body).await
            }),
        )
        .route("/api/cluster", get(async |State(facade): State<Arc<Facade>>| admin::cluster(&facade)))
        .route("/metrics", get(async |State(facade): State<Arc<Facade>>| admin::metrics(&facade)))
        .route(
            "/serverinfo/statusoverrides",
            get(async |State(facade): State<Arc<Facade>>, RawQuery(query): RawQuery| {
                admin::status_overrides(&facade, query.as_deref()).await.unwrap_or_else(Answer::from)
            }),
        )
        .fallback(dispatch::eureka)
        .with_state(facade)
}
