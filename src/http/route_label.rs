//! Where a request leads, for the metrics: known before anything else looks at it, so that what is refused on the way
//! counts too. Nothing is decoded or copied for that. A path that spells a fixed word with `%` is `other` here.

use axum::http::Method;

use super::eureka_routes::{MOST_SEGMENTS, is_version};
use crate::metrics::Route;

pub fn route_label(method: &Method, path: &str) -> Route {
    let Some((segments, count)) = split(path) else {
        return Route::Other;
    };
    match &segments[..count] {
        ["livez"] => Route::Livez,
        ["readyz"] => Route::Readyz,
        ["actuator", ..] => Route::Actuator,
        ["api", "cluster", ..] => Route::Cluster,
        ["api", "backup"] => Route::Backup,
        ["api", "instances", ..] => Route::Instances,
        [] | ["dashboard", ..] | ["favicon.svg"] | ["api", "dashboard", ..] => Route::Dashboard,
        ["metrics"] => Route::Metrics,
        ["serverinfo", "statusoverrides"] => Route::StatusOverrides,
        segments => below_eureka(segments).map_or(Route::Other, |rest| eureka(method, rest)),
    }
}

/// The application that a request is about, as its path spells it.
pub fn application(path: &str) -> Option<&str> {
    let (segments, count) = split(path)?;
    match below_eureka(&segments[..count])? {
        ["apps", app, ..] if *app != "delta" => Some(app),
        _ => None,
    }
}

/// As many segments as are told, without what follows a `;`.
fn split(path: &str) -> Option<([&str; MOST_SEGMENTS], usize)> {
    let mut segments = [""; MOST_SEGMENTS];
    let mut count = 0;
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        *segments.get_mut(count)? = segment.split(';').next().unwrap_or_default();
        count += 1;
    }
    Some((segments, count))
}

fn below_eureka<'a, 'b>(segments: &'a [&'b str]) -> Option<&'a [&'b str]> {
    match segments {
        ["eureka", version, rest @ ..] if is_version(version) => Some(rest),
        ["eureka", rest @ ..] => Some(rest),
        [version, rest @ ..] if is_version(version) => Some(rest),
        _ => None,
    }
}

fn eureka(method: &Method, segments: &[&str]) -> Route {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    match (method.as_str(), segments) {
        ("GET", ["apps"]) => Route::Apps,
        ("GET", ["apps", "delta"]) => Route::Delta,
        ("GET", ["apps", _]) => Route::App,
        ("POST", ["apps", app]) if *app != "delta" => Route::Register,
        ("GET", ["apps", _, _]) => Route::Instance,
        ("PUT", ["apps", _, _]) => Route::Renew,
        ("DELETE", ["apps", _, _]) => Route::Cancel,
        ("PUT", ["apps", _, _, "status"]) => Route::SetStatus,
        ("DELETE", ["apps", _, _, "status"]) => Route::RemoveStatus,
        ("PUT", ["apps", _, _, "metadata"]) => Route::PutMetadata,
        ("GET", ["instances", _]) => Route::InstanceById,
        ("GET", ["vips", _]) => Route::Vip,
        ("GET", ["svips", _]) => Route::SecureVip,
        ("POST", ["peerreplication", "batch"]) => Route::Replicate,
        ("GET", ["status"]) => Route::ServerStatus,
        _ => Route::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::eureka_routes::{Action, Resource, route};
    use super::*;

    fn of_action(action: &Action) -> Route {
        match action {
            Action::Read(resource) => match resource {
                Resource::Applications => Route::Apps,
                Resource::Delta => Route::Delta,
                Resource::Application { .. } => Route::App,
                Resource::Instance { .. } => Route::Instance,
                Resource::InstanceById { .. } => Route::InstanceById,
                Resource::Vip { .. } => Route::Vip,
                Resource::SecureVip { .. } => Route::SecureVip,
                Resource::ServerStatus => Route::ServerStatus,
                other => panic!("{other:?} is not read"),
            },
            Action::Register { .. } => Route::Register,
            Action::Renew { .. } => Route::Renew,
            Action::Cancel { .. } => Route::Cancel,
            Action::SetStatus { .. } => Route::SetStatus,
            Action::RemoveStatus { .. } => Route::RemoveStatus,
            Action::PutMetadata { .. } => Route::PutMetadata,
            Action::Replicate => Route::Replicate,
            Action::SetAsg | Action::Options { .. } => Route::Other,
        }
    }

    #[test]
    fn a_label_is_where_the_request_leads() {
        let paths = [
            "apps",
            "apps/",
            "apps/delta",
            "apps/A",
            "apps/A;v=1",
            "apps/A/i",
            "apps//A/i/",
            "apps/A/x%2Fy",
            "apps/A/i/status",
            "apps/A/i/metadata",
            "apps/A/i/other",
            "apps/A/i/status/more",
            "instances/i",
            "vips/v",
            "svips/v",
            "peerreplication/batch",
            "asg/a/status",
            "status",
            "",
            "nothing",
        ];
        let methods = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS];
        for prefix in ["/eureka", "/eureka/v2", "/eureka/v1", "/v2", "/v1", "/v3", ""] {
            for (path, method) in
                paths.iter().flat_map(|path| methods.iter().map(move |method| (path, method)))
            {
                let path = format!("{prefix}/{path}");
                let elsewhere = if path == "/" { Route::Dashboard } else { Route::Other };
                let leads = route(method, &path).map_or(elsewhere, |action| of_action(&action));
                assert_eq!(route_label(method, &path), leads, "{method} {path}");
            }
        }
    }

    #[test]
    fn the_application_is_that_of_the_path() {
        for path in ["/eureka/apps/A", "/eureka/v2/apps/A/i/status", "/v1/apps//A;v=1/i"] {
            assert_eq!(application(path), Some("A"), "{path}");
        }
        for path in ["/eureka/apps", "/eureka/apps/delta", "/eureka/vips/A", "/apps/A", "/a/b/c/d/e/f/g"] {
            assert_eq!(application(path), None, "{path}");
        }
    }

    #[test]
    fn pages_for_operators_have_labels_of_their_own() {
        let label = |path| route_label(&Method::GET, path);
        assert_eq!(label("/livez"), Route::Livez);
        assert_eq!(label("/readyz"), Route::Readyz);
        assert_eq!(label("/actuator/health/liveness"), Route::Actuator);
        assert_eq!(label("/api/cluster"), Route::Cluster);
        assert_eq!(label("/api/backup"), Route::Backup);
        assert_eq!(label("/metrics"), Route::Metrics);
        assert_eq!(label("/serverinfo/statusoverrides"), Route::StatusOverrides);
        for path in ["/", "/dashboard/style.css", "/favicon.svg", "/api/dashboard/events"] {
            assert_eq!(label(path), Route::Dashboard, "{path}");
        }
        assert_eq!(label("/api/instances"), Route::Instances);
        assert_eq!(label("/api/instances/A/i"), Route::Instances);
        assert_eq!(label("/favicon.ico"), Route::Other);
    }
}
