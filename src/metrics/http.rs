//! Requests, by where they lead and how they are answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::metrics::gauge::Gauge;

use super::histogram::Histogram;

/// Where a request leads: what is asked of the registry, or a page for operators. Few, whatever clients send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    Apps,
    Delta,
    App,
    Instance,
    InstanceById,
    Vip,
    SecureVip,
    ServerStatus,
    Register,
    Renew,
    Cancel,
    SetStatus,
    RemoveStatus,
    PutMetadata,
    Replicate,
    StatusOverrides,
    Livez,
    Readyz,
    Actuator,
    Cluster,
    Backup,
    Metrics,
    Dashboard,
    Instances,
    Other,
}

impl Route {
    pub const ALL: [Route; 25] = [
        Route::Apps,
        Route::Delta,
        Route::App,
        Route::Instance,
        Route::InstanceById,
        Route::Vip,
        Route::SecureVip,
        Route::ServerStatus,
        Route::Register,
        Route::Renew,
        Route::Cancel,
        Route::SetStatus,
        Route::RemoveStatus,
        Route::PutMetadata,
        Route::Replicate,
        Route::StatusOverrides,
        Route::Livez,
        Route::Readyz,
        Route::Actuator,
        Route::Cluster,
        Route::Backup,
        Route::Metrics,
        Route::Dashboard,
        Route::Instances,
        Route::Other,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Route::Apps => "apps",
            Route::Delta => "delta",
            Route::App => "app",
            Route::Instance => "instance",
            Route::InstanceById => "instance_by_id",
            Route::Vip => "vip",
            Route::SecureVip => "svip",
            Route::ServerStatus => "server_status",
            Route::Register => "register",
            Route::Renew => "renew",
            Route::Cancel => "cancel",
            Route::SetStatus => "set_status",
            Route::RemoveStatus => "remove_status",
            Route::PutMetadata => "put_metadata",
            Route::Replicate => "replicate",
            Route::StatusOverrides => "status_overrides",
            Route::Livez => "livez",
            Route::Readyz => "readyz",
            Route::Actuator => "actuator",
            Route::Cluster => "cluster",
            Route::Backup => "backup",
            Route::Metrics => "metrics",
            Route::Dashboard => "dashboard",
            Route::Instances => "instances",
            Route::Other => "other",
        }
    }
}

/// Statuses that are told apart; any other is `other`.
const STATUSES: [u16; 17] =
    [200, 204, 304, 400, 401, 403, 404, 405, 406, 408, 409, 413, 415, 429, 500, 503, 504];

#[derive(Debug)]
pub struct Http {
    pub connections: Gauge,
    answered: Box<[Answered]>,
}

/// Requests of one route.
#[derive(Debug)]
struct Answered {
    /// One for each of the statuses, and one for all others.
    by_status: [AtomicU64; STATUSES.len() + 1],
    seconds: Histogram,
}

impl Http {
    pub fn answered(&self, route: Route, status: u16, took: Duration) {
        let place = STATUSES.iter().position(|known| *known == status).unwrap_or(STATUSES.len());
        if let Some(answered) = self.answered.get(route as usize) {
            answered.by_status[place].fetch_add(1, Ordering::Relaxed);
            answered.seconds.observe(took);
        }
    }

    /// Requests to these routes, however they were answered.
    pub fn count_of(&self, routes: &[Route]) -> u64 {
        let answered = routes.iter().filter_map(|route| self.answered.get(*route as usize));
        answered.map(|answered| answered.seconds.count()).sum()
    }

    /// Route, status and count of those that occurred.
    pub(super) fn requests(&self) -> Vec<(&'static str, String, u64)> {
        let names = STATUSES.iter().map(u16::to_string).chain(["other".to_owned()]);
        let names: Vec<String> = names.collect();
        let of_route = |(route, answered): (Route, &Answered)| {
            let counts = answered.by_status.iter().map(|count| count.load(Ordering::Relaxed));
            let told = names.iter().cloned().zip(counts).filter(|(_, count)| *count > 0);
            told.map(|(status, count)| (route.as_str(), status, count)).collect::<Vec<_>>()
        };
        Route::ALL.into_iter().zip(&self.answered).flat_map(of_route).collect()
    }

    /// Of the routes that were asked for.
    pub(super) fn seconds(&self) -> Vec<(&'static str, Histogram)> {
        let routes = Route::ALL.into_iter().zip(&self.answered);
        let asked_for = routes.filter(|(_, answered)| answered.seconds.count() > 0);
        asked_for.map(|(route, answered)| (route.as_str(), answered.seconds.clone())).collect()
    }
}

impl Default for Http {
    fn default() -> Self {
        let answered = |_| Answered {
            by_status: [const { AtomicU64::new(0) }; STATUSES.len() + 1],
            seconds: Histogram::of_seconds(),
        };
        Self { connections: Gauge::default(), answered: Route::ALL.iter().map(answered).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_counts_in_its_own_place() {
        for (place, route) in Route::ALL.into_iter().enumerate() {
            assert_eq!(route as usize, place, "{}", route.as_str());
        }
    }

    #[test]
    fn requests_are_told_by_route_and_status() {
        let http = Http::default();
        let took = Duration::from_millis(1);
        for (route, status) in
            [(Route::Renew, 200), (Route::Renew, 200), (Route::Renew, 404), (Route::Other, 418)]
        {
            http.answered(route, status, took);
        }
        let told = |route, status: &str, count| (route, status.to_owned(), count);
        let expected = [told("renew", "200", 2), told("renew", "404", 1), told("other", "other", 1)];
        assert_eq!(http.requests(), expected);
        let counts: Vec<_> =
            http.seconds().into_iter().map(|(route, seconds)| (route, seconds.count())).collect();
        assert_eq!(counts, [("renew", 3), ("other", 1)]);
    }
}
