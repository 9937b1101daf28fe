//! `apps__hashcode`: how many instances have which status. Clients compute it over what they hold
//! and fetch everything anew when theirs differs.

use std::fmt;
use std::str::FromStr;

use crate::registry::Status;

/// How many instances have each status, kept up to date one instance at a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StatusCounts([u64; Status::ALL.len()]);

impl StatusCounts {
    pub fn add(&mut self, status: Status) {
        self.0[status as usize] += 1;
    }

    /// Takes back one [`StatusCounts::add`]; of a status that has none, nothing.
    pub fn remove(&mut self, status: Status) {
        let count = &mut self.0[status as usize];
        *count = count.saturating_sub(1);
    }

    pub fn count(&self, status: Status) -> u64 {
        self.0[status as usize]
    }

    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// `NAME_count_` of each status that occurs, in ascending order of the names.
    pub fn hashcode(&self) -> String {
        self.to_string()
    }
}

/// A text that is no `apps__hashcode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no apps__hashcode, such as DOWN_2_UP_14_")]
pub struct NoHashcode;

impl FromStr for StatusCounts {
    type Err = NoHashcode;

    /// What a server says that it holds; the statuses may stand in any order.
    fn from_str(text: &str) -> Result<Self, NoHashcode> {
        let mut counts = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let known = Status::ALL
                .into_iter()
                .find_map(|status| Some((status, rest.strip_prefix(status.as_str())?.strip_prefix('_')?)));
            let (status, after) = known.ok_or(NoHashcode)?;
            let (count, after) = after.split_once('_').ok_or(NoHashcode)?;
            let count = count.parse().map_err(|_| NoHashcode)?;
            if std::mem::replace(&mut counts.0[status as usize], count) > 0 {
                return Err(NoHashcode);
            }
            rest = after;
        }
        Ok(counts)
    }
}

impl fmt::Display for StatusCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for status in Status::ALL {
            let count = self.count(status);
            if count > 0 {
                write!(f, "{status}_{count}_")?;
            }
        }
        Ok(())
    }
}

impl FromIterator<Status> for StatusCounts {
    fn from_iter<I: IntoIterator<Item = Status>>(statuses: I) -> Self {
        let mut counts = Self::default();
        for status in statuses {
            counts.add(status);
        }
        counts
    }
}

/// The `apps__hashcode` of a set of instances with these statuses.
pub fn apps_hashcode(counts: &StatusCounts) -> String {
    counts.hashcode()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_ascending_order_and_absent_ones_are_left_out() {
        assert_eq!(apps_hashcode(&StatusCounts::default()), "");
        let mut statuses = vec![Status::Up; 14];
        statuses.push(Status::OutOfService);
        statuses.extend([Status::Down; 2]);
        let counts: StatusCounts = statuses.into_iter().collect();
        assert_eq!(apps_hashcode(&counts), "DOWN_2_OUT_OF_SERVICE_1_UP_14_");
        let each: StatusCounts = Status::ALL.into_iter().rev().collect();
        assert_eq!(each.hashcode(), "DOWN_1_OUT_OF_SERVICE_1_STARTING_1_UNKNOWN_1_UP_1_");
        assert_eq!(each.total(), 5);
    }

    #[test]
    fn hashcodes_are_read_as_they_are_written() {
        for text in ["", "UP_1_", "DOWN_2_OUT_OF_SERVICE_1_UP_14_", "DOWN_1_STARTING_3_UNKNOWN_12_"] {
            assert_eq!(text.parse::<StatusCounts>().expect(text).hashcode(), text);
        }
        assert_eq!("UP_1_DOWN_2_".parse::<StatusCounts>().expect("any order").hashcode(), "DOWN_2_UP_1_");
        for text in
            ["UP", "UP_", "UP_1", "UP_x_", "UP__", "up_1_", "UP_1_UP_2_", "BUSY_1_", "UP_-1_", "UP_1_ "]
        {
            assert_eq!(text.parse::<StatusCounts>(), Err(NoHashcode), "{text}");
        }
    }

    #[test]
    fn removing_undoes_adding_and_never_goes_below_none() {
        let mut counts: StatusCounts = [Status::Up, Status::Up, Status::Starting].into_iter().collect();
        counts.remove(Status::Up);
        counts.remove(Status::Starting);
        counts.remove(Status::Starting);
        assert_eq!(counts.hashcode(), "UP_1_");
        assert_eq!(counts.count(Status::Starting), 0);
    }
}
