//! Eureka's routes, in one table.
//!
//! Its paths are taken apart here and not by a router's patterns: segments are percent-decoded one
//! by one (an id may hold `%2F`), `;matrix=parameters` dropped, empty segments and a trailing slash
//! ignored, and `delta` wins over an application of that name.

use std::borrow::Cow;

use axum::http::Method;
use percent_encoding::percent_decode_str;

/// Of the longest path that leads anywhere: `/eureka/v2/apps/{app}/{id}/status`.
pub(super) const MOST_SEGMENTS: usize = 6;

/// Where a path leads, whatever the method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    Applications,
    Delta,
    Application { app: String },
    Instance { app: String, id: String },
    InstanceStatus { app: String, id: String },
    InstanceMetadata { app: String, id: String },
    InstanceById { id: String },
    Vip { name: String },
    SecureVip { name: String },
    PeerReplication,
    Asg,
    ServerStatus,
}

/// What is to be done there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Read(Resource),
    Register { app: String },
    Renew { app: String, id: String },
    Cancel { app: String, id: String },
    SetStatus { app: String, id: String },
    RemoveStatus { app: String, id: String },
    PutMetadata { app: String, id: String },
    Replicate,
    SetAsg,
    Options { allow: &'static str },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoRoute {
    NotFound,
    MethodNotAllowed {
        allow: &'static str,
    },
    /// A segment is not UTF-8 once decoded.
    BadPath,
}

impl Resource {
    fn allow(&self) -> &'static str {
        match self {
            Resource::Application { .. } => "GET, HEAD, OPTIONS, POST",
            Resource::Instance { .. } => "DELETE, GET, HEAD, OPTIONS, PUT",
            Resource::InstanceStatus { .. } => "DELETE, OPTIONS, PUT",
            Resource::InstanceMetadata { .. } | Resource::Asg => "OPTIONS, PUT",
            Resource::PeerReplication => "OPTIONS, POST",
            _ => "GET, HEAD, OPTIONS",
        }
    }
}

/// # Errors
/// [`NoRoute`] if nothing is at that path, or not for that method.
pub fn route(method: &Method, path: &str) -> Result<Action, NoRoute> {
    let resource = resource(path)?;
    let allow = resource.allow();
    if method == Method::OPTIONS {
        return Ok(Action::Options { allow });
    }
    let reads = method == Method::GET || method == Method::HEAD;
    match resource {
        Resource::Application { app } if method == Method::POST => Ok(Action::Register { app }),
        Resource::Instance { app, id } if method == Method::PUT => Ok(Action::Renew { app, id }),
        Resource::Instance { app, id } if method == Method::DELETE => Ok(Action::Cancel { app, id }),
        Resource::InstanceStatus { app, id } if method == Method::PUT => Ok(Action::SetStatus { app, id }),
        Resource::InstanceStatus { app, id } if method == Method::DELETE => {
            Ok(Action::RemoveStatus { app, id })
        }
        Resource::InstanceMetadata { app, id } if method == Method::PUT => {
            Ok(Action::PutMetadata { app, id })
        }
        Resource::PeerReplication if method == Method::POST => Ok(Action::Replicate),
        Resource::Asg if method == Method::PUT => Ok(Action::SetAsg),
        Resource::InstanceStatus { .. }
        | Resource::InstanceMetadata { .. }
        | Resource::PeerReplication
        | Resource::Asg => Err(NoRoute::MethodNotAllowed { allow }),
        readable if reads => Ok(Action::Read(readable)),
        _ => Err(NoRoute::MethodNotAllowed { allow }),
    }
}

/// Whether a path is below one of the prefixes of Eureka's. One that spells the prefix with `%` is not
/// recognized, and has the way of all others.
pub fn is_eureka(path: &str) -> bool {
    let first = path.split('/').find(|segment| !segment.is_empty());
    first.is_some_and(|first| first == "eureka" || is_version(first))
}

fn resource(path: &str) -> Result<Resource, NoRoute> {
    let mut decoded: [Cow<'_, str>; MOST_SEGMENTS] = Default::default();
    let mut count = 0;
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        let segment = decode(segment)?;
        if let Some(place) = decoded.get_mut(count) {
            *place = segment;
        }
        count += 1;
    }
    let segments = decoded.each_ref().map(Cow::as_ref);
    match segments.get(..count).ok_or(NoRoute::NotFound)? {
        ["eureka", version, rest @ ..] if is_version(version) => eureka(rest),
        ["eureka", rest @ ..] => eureka(rest),
        [version, rest @ ..] if is_version(version) => eureka(rest),
        _ => Err(NoRoute::NotFound),
    }
}

pub(super) fn is_version(segment: &str) -> bool {
    segment == "v2" || segment == "v1"
}

fn eureka(segments: &[&str]) -> Result<Resource, NoRoute> {
    let owned = |text: &&str| (*text).to_owned();
    Ok(match segments {
        ["apps"] => Resource::Applications,
        ["apps", "delta"] => Resource::Delta,
        ["apps", app] => Resource::Application { app: owned(app) },
        ["apps", app, id] => Resource::Instance { app: owned(app), id: owned(id) },
        ["apps", app, id, "status"] => Resource::InstanceStatus { app: owned(app), id: owned(id) },
        ["apps", app, id, "metadata"] => Resource::InstanceMetadata { app: owned(app), id: owned(id) },
        ["instances", id] => Resource::InstanceById { id: owned(id) },
        ["vips", name] => Resource::Vip { name: owned(name) },
        ["svips", name] => Resource::SecureVip { name: owned(name) },
        ["peerreplication", "batch"] => Resource::PeerReplication,
        ["asg", _, "status"] => Resource::Asg,
        ["status"] => Resource::ServerStatus,
        _ => return Err(NoRoute::NotFound),
    })
}

fn decode(segment: &str) -> Result<Cow<'_, str>, NoRoute> {
    let without_matrix = segment.split(';').next().unwrap_or_default();
    percent_decode_str(without_matrix).decode_utf8().map_err(|_| NoRoute::BadPath)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str) -> Result<Action, NoRoute> {
        route(&Method::GET, path)
    }

    #[test]
    fn the_same_tree_stands_under_every_prefix() {
        for prefix in ["/eureka", "/eureka/v2", "/eureka/v1", "/v2"] {
            for slash in ["", "/"] {
                let path = format!("{prefix}/apps{slash}");
                assert_eq!(get(&path), Ok(Action::Read(Resource::Applications)), "{path}");
            }
        }
        assert_eq!(get("/apps"), Err(NoRoute::NotFound));
        assert_eq!(get("/eureka/V2/apps"), Err(NoRoute::NotFound));
    }

    #[test]
    fn what_is_eurekas_is_told_by_the_first_segment() {
        for path in ["/eureka", "/eureka/apps", "//eureka//v2/apps", "/v2/apps", "/v1"] {
            assert!(is_eureka(path), "{path}");
        }
        for path in ["/", "/apps", "/eurekas/apps", "/v3/apps", "/api/eureka", "/%65ureka/apps"] {
            assert!(!is_eureka(path), "{path}");
        }
    }

    #[test]
    fn ids_are_decoded_each_for_itself() {
        let instance = |id: &str| Ok(Action::Read(Resource::Instance { app: "a".into(), id: id.into() }));
        assert_eq!(get("/eureka/apps/a/host:a:80"), instance("host:a:80"));
        assert_eq!(get("/eureka/apps/a/host%3Aa%3A80"), instance("host:a:80"));
        assert_eq!(get("/eureka/apps/a/x%2Fy"), instance("x/y"));
        assert_eq!(get("/eureka/apps/a/x+y%20z"), instance("x+y z"));
        assert_eq!(get("/eureka/apps/a/x;v=1/"), instance("x"));
        assert_eq!(get("/eureka/apps/a/x%3Bv"), instance("x;v"));
        assert_eq!(get("/eureka/apps/a/%ff"), Err(NoRoute::BadPath));
    }

    #[test]
    fn delta_is_no_application() {
        assert_eq!(get("/eureka/apps/delta"), Ok(Action::Read(Resource::Delta)));
        let posted = route(&Method::POST, "/eureka/apps/delta");
        assert_eq!(posted, Err(NoRoute::MethodNotAllowed { allow: "GET, HEAD, OPTIONS" }));
    }

    #[test]
    fn methods_lead_to_their_actions() {
        let (app, id) = (String::from("a"), String::from("i"));
        let at = |method: Method, path: &str| route(&method, path).unwrap();
        assert_eq!(at(Method::POST, "/eureka/apps/a"), Action::Register { app: app.clone() });
        assert_eq!(at(Method::PUT, "/eureka/apps/a/i"), Action::Renew { app: app.clone(), id: id.clone() });
        assert_eq!(
            at(Method::DELETE, "/eureka/apps/a/i"),
            Action::Cancel { app: app.clone(), id: id.clone() }
        );
        assert_eq!(
            at(Method::PUT, "/eureka/apps/a/i/status"),
            Action::SetStatus { app: app.clone(), id: id.clone() }
        );
        assert_eq!(
            at(Method::DELETE, "/eureka/apps/a/i/status"),
            Action::RemoveStatus { app: app.clone(), id: id.clone() }
        );
        assert_eq!(at(Method::PUT, "/eureka/apps/a/i/metadata"), Action::PutMetadata { app, id });
        assert_eq!(at(Method::POST, "/eureka/peerreplication/batch/"), Action::Replicate);
        assert!(route(&Method::GET, "/eureka/apps/a/i/status").is_err());
    }
}
