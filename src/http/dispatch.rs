//! From a request to the handler of its action.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, Request, StatusCode, header};

use super::answer::{Answer, empty, with};
use super::error::HttpError;
use super::eureka_routes::{Action, NoRoute, Resource, route};
use super::request::{self, Parameters};
use super::{Facade, body, cancel, metadata, query, register, renew, replication, status, status_page};
use crate::audit::Requester;

/// Answers everything under Eureka's paths.
pub async fn eureka(State(facade): State<Arc<Facade>>, request: Request<Body>) -> Answer {
    match route(request.method(), request.uri().path()) {
        Ok(action) => act(&facade, action, request).await.unwrap_or_else(Answer::from),
        Err(NoRoute::NotFound) => empty(StatusCode::NOT_FOUND),
        Err(NoRoute::BadPath) => empty(StatusCode::BAD_REQUEST),
        Err(NoRoute::MethodNotAllowed { allow }) => {
            with(empty(StatusCode::METHOD_NOT_ALLOWED), header::ALLOW, HeaderValue::from_static(allow))
        }
    }
}

async fn act(facade: &Facade, action: Action, request: Request<Body>) -> Result<Answer, HttpError> {
    let (head, body) = request.into_parts();
    let headers = &head.headers;
    let requester = Requester::of(&head.extensions);
    let parameters = Parameters::new(head.uri.query());
    if let Action::Options { allow } = action {
        return Ok(with(empty(StatusCode::OK), header::ALLOW, HeaderValue::from_static(allow)));
    }
    // What a body is said to be is looked at before what is asked for, as in Eureka.
    let sends = matches!(action, Action::Register { .. } | Action::Replicate);
    if sends && headers.contains_key(header::CONTENT_TYPE) {
        body::format(headers)?;
    }
    let format = request::format(headers)?;
    match action {
        Action::Read(resource) => {
            query::consistency(facade, &parameters).await?;
            if resource == Resource::ServerStatus {
                return Ok(status_page::status(facade, format));
            }
            let answer = query::read(facade, &resource, headers, format).await;
            Ok(answer.unwrap_or_else(|| empty(StatusCode::NOT_FOUND)))
        }
        Action::Register { app } => register::register(facade, &requester, &app, headers, format, body).await,
        Action::Renew { app, id } => renew::renew(facade, &requester, (&app, &id), &head, format).await,
        Action::Cancel { app, id } => cancel::cancel(facade, &requester, (&app, &id), headers).await,
        Action::SetStatus { app, id } => status::set(facade, &requester, (&app, &id), &head).await,
        Action::RemoveStatus { app, id } => status::remove(facade, &requester, (&app, &id), &head).await,
        Action::PutMetadata { app, id } => metadata::put(facade, &requester, (&app, &id), &parameters).await,
        Action::Replicate => replication::replicate(facade, &requester, headers, body).await,
        // The flag of an AWS auto scaling group: as any server outside of AWS answers.
        Action::SetAsg | Action::Options { .. } => Ok(empty(StatusCode::BAD_REQUEST)),
    }
}
