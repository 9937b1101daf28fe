//! How fast everything goes: a lease lasts for six renewals, each a fifteenth of Eureka's usual time.
//! What the Eureka servers are told of it is in `server/src/main/resources/application.properties`.

use std::time::Duration;

pub const RENEWAL: Duration = Duration::from_secs(2);
pub const LEASE: Duration = Duration::from_secs(12);

/// How often every service is looked up at every server.
pub const LOOK_UP: Duration = Duration::from_millis(250);

/// Longer than a lease, so that one that is no longer renewed is missed.
pub const WATCH: Duration = Duration::from_secs(14);
