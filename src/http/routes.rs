//! Every route, in one table; Eureka's own in [`super::eureka_routes`].

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Request};
use axum::routing::{delete, get, post};
use axum::{BoxError, Router};
use tower::ServiceExt;

use super::answer::Answer;
use super::eureka_routes::is_eureka;
use super::{Facade, actuator, admin, backup, dashboard as page, dispatch, events, instances, membership};

/// All that a node serves. Clones are the same.
#[derive(Clone)]
pub struct Site {
    facade: Arc<Facade>,
    router: Router,
}

impl Site {
    pub fn new(facade: Arc<Facade>) -> Self {
        Self { router: router(facade.clone()), facade }
    }

    /// Eureka's requests go to their handler at once: on the way through a router they would take half as long again.
    pub async fn answer<B>(&self, request: Request<B>) -> Answer
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let request = request.map(|body| if body.is_end_stream() { Body::empty() } else { Body::new(body) });
        if is_eureka(request.uri().path()) {
            return dispatch::eureka(State(self.facade.clone()), request).await;
        }
        let Ok(answer) = self.router.clone().oneshot(request).await;
        answer
    }
}

fn router(facade: Arc<Facade>) -> Router {
    Router::new()
        .merge(dashboard())
        .route("/livez", get(async || admin::live()))
        .route("/readyz", get(async |State(facade): State<Arc<Facade>>| admin::ready(&facade)))
        .route("/actuator", get(async || actuator::index()))
        .route("/actuator/health", get(async |State(facade): State<Arc<Facade>>| actuator::health(&facade)))
        .route("/actuator/health/liveness", get(async || actuator::liveness()))
        .route(
            "/actuator/health/readiness",
            get(async |State(facade): State<Arc<Facade>>| actuator::health(&facade)),
        )
        .route("/actuator/info", get(async |State(facade): State<Arc<Facade>>| actuator::info(&facade)))
        .route(
            "/api/cluster/members",
            post(async |State(facade): State<Arc<Facade>>, request: Request<Body>| {
                membership::add(&facade, request).await
            }),
        )
        .route(
            "/api/cluster/members/{id}",
            delete(
                async |State(facade): State<Arc<Facade>>, Path(id): Path<String>, request: Request<Body>| {
                    membership::remove(&facade, &id, request).await
                },
            ),
        )
        .route(
            "/api/cluster/members/{id}/promote",
            post(
                async |State(facade): State<Arc<Facade>>, Path(id): Path<String>, request: Request<Body>| {
                    membership::promote(&facade, &id, request).await
                },
            ),
        )
        .route(
            "/api/cluster/transfer-leader",
            post(async |State(facade): State<Arc<Facade>>, request: Request<Body>| {
                membership::transfer_leader(&facade, request).await
            }),
        )
        .route("/api/cluster", get(async |State(facade): State<Arc<Facade>>| admin::cluster(&facade)))
        .route(
            "/api/backup",
            get(async |State(facade): State<Arc<Facade>>, request: Request<Body>| {
                backup::backup(&facade, request).await
            }),
        )
        .route("/metrics", get(async |State(facade): State<Arc<Facade>>| admin::metrics(&facade).await))
        .route(
            "/serverinfo/statusoverrides",
            get(async |State(facade): State<Arc<Facade>>, RawQuery(query): RawQuery| {
                admin::status_overrides(&facade, query.as_deref()).await.unwrap_or_else(Answer::from)
            }),
        )
        .fallback(dispatch::eureka)
        .with_state(facade)
}

/// The page that people look at, and what it asks for.
fn dashboard() -> Router<Arc<Facade>> {
    let assets = page::ASSETS.iter().fold(Router::new(), |router, asset| {
        router.route(asset.path, get(async move |headers: HeaderMap| page::answer(asset, &headers)))
    });
    assets
        .route(
            "/api/dashboard/events",
            get(async |State(facade): State<Arc<Facade>>, request: Request<Body>| {
                events::watch(&facade, request.extensions()).await
            }),
        )
        .route(
            "/api/instances",
            get(async |State(facade): State<Arc<Facade>>, RawQuery(query): RawQuery| {
                instances::list(&facade, query.as_deref()).await
            }),
        )
        .route(
            "/api/instances/{app}/{id}",
            get(async |State(facade): State<Arc<Facade>>, Path((app, id)): Path<(String, String)>| {
                instances::one(&facade, &app, &id).await.unwrap_or_else(Answer::from)
            }),
        )
}
