//! How often each address may do something.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// Addresses that are kept in mind at once; what comes from others then shares one allowance.
const MAX_ADDRESSES: usize = 65_536;
/// Between two times that addresses are forgotten which have all of their allowance again.
const FORGET: Duration = Duration::from_secs(1);
/// Whoever has one IPv6 address has the others that begin with these bits.
const IPV6_NETWORK_BITS: u32 = 64;

pub struct Addresses {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    forgot: Mutex<Instant>,
}

impl Addresses {
    /// So many a second, and at first or after a pause so many at once.
    pub fn new(per_second: NonZeroU32, at_once: NonZeroU32) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(at_once);
        Self { limiter: RateLimiter::keyed(quota), forgot: Mutex::new(Instant::now()) }
    }

    /// # Errors
    /// How long to wait, if this is too often.
    pub fn check(&self, address: IpAddr) -> Result<(), Duration> {
        let mut key = network(address);
        if self.limiter.len() >= MAX_ADDRESSES {
            self.forget();
            if self.limiter.len() >= MAX_ADDRESSES {
                key = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
            }
        }
        let now = DefaultClock::default().now();
        self.limiter.check_key(&key).map_err(|not_until| not_until.wait_time_from(now))
    }

    fn forget(&self) {
        let Ok(mut forgot) = self.forgot.try_lock() else {
            return;
        };
        if forgot.elapsed() >= FORGET {
            *forgot = Instant::now();
            self.limiter.retain_recent();
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        v4 @ IpAddr::V4(_) => v4,
        IpAddr::V6(v6) => {
            let network = u128::MAX << (u128::BITS - IPV6_NETWORK_BITS);
            IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & network))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(at_once: u32) -> Addresses {
        Addresses::new(NonZeroU32::MIN, NonZeroU32::new(at_once).unwrap())
    }

    #[test]
    fn each_address_has_its_own_allowance() {
        let addresses = addresses(2);
        let (one, other) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        assert!(addresses.check(one).is_ok() && addresses.check(one).is_ok());
        let wait = addresses.check(one).unwrap_err();
        assert!(wait > Duration::ZERO && wait <= Duration::from_secs(1), "{wait:?}");
        assert!(addresses.check(other).is_ok());
        assert!(addresses.check("::ffff:10.0.0.1".parse().unwrap()).is_err(), "the same, written otherwise");
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let addresses = addresses(1);
        assert!(addresses.check("2001:db8::1".parse().unwrap()).is_ok());
        assert!(addresses.check("2001:db8::ffff:2".parse().unwrap()).is_err());
        assert!(addresses.check("2001:db8:0:1::1".parse().unwrap()).is_ok());
    }

    #[test]
    fn so_many_addresses_are_kept_in_mind_and_no_more() {
        let addresses = addresses(1);
        let nth = |n: u32| IpAddr::from(n.to_be_bytes());
        for n in 0..MAX_ADDRESSES as u32 {
            addresses.check(nth(n)).unwrap();
        }
        let since = Instant::now();
        let beyond = (0..30).filter(|n| addresses.check(nth((1 << 24) + n)).is_ok()).count() as u64;
        assert!((1..=1 + since.elapsed().as_secs()).contains(&beyond), "{beyond} do not share one allowance");
        assert_eq!(addresses.limiter.len(), MAX_ADDRESSES + 1);
    }
}
