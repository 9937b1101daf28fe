//! How many leases there are and how many of them are silent, by application and in all: kept up to
//! date with each change of a lease's standing, so that nothing is ever counted by a scan.

use foldhash::HashMap;

use crate::registry::{AppName, Scope};

/// How a lease stands with the leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Not renewed since this node leads, and not silent yet.
    Unheard,
    Heard,
    /// Run out, or about to.
    Silent,
    /// Run out, and kept by self-preservation.
    Held,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub leases: u32,
    pub unheard: u32,
    /// Held ones included.
    pub silent: u32,
}

#[derive(Debug, Default)]
pub struct Tallies {
    cluster: Tally,
    applications: HashMap<AppName, Tally>,
    silent_applications: u32,
}

impl Tallies {
    pub fn of(&self, scope: &Scope) -> Tally {
        match scope {
            Scope::Cluster => self.cluster,
            Scope::Application(app) => self.applications.get(app).copied().unwrap_or_default(),
        }
    }

    /// How many applications have silent leases.
    pub fn silent_applications(&self) -> u32 {
        self.silent_applications
    }

    /// A lease of an application has come (`None` before), gone (`None` after), or changed.
    pub fn change(&mut self, app: &AppName, before: Option<Standing>, after: Option<Standing>) {
        if before == after {
            return;
        }
        self.cluster.change(before, after);
        let Some(tally) = self.applications.get_mut(app) else {
            let mut tally = Tally::default();
            tally.change(before, after);
            self.silent_applications += u32::from(tally.silent > 0);
            self.applications.insert(app.clone(), tally);
            return;
        };
        let was_silent = tally.silent > 0;
        tally.change(before, after);
        match (was_silent, tally.silent > 0) {
            (false, true) => self.silent_applications += 1,
            (true, false) => self.silent_applications -= 1,
            _ => {}
        }
        if tally.leases == 0 {
            self.applications.remove(app);
        }
    }
}

impl Tally {
    fn change(&mut self, before: Option<Standing>, after: Option<Standing>) {
        if let Some(standing) = before {
            self.leases -= 1;
            self.unheard -= u32::from(standing == Standing::Unheard);
            self.silent -= u32::from(is_silent(standing));
        }
        if let Some(standing) = after {
            self.leases += 1;
            self.unheard += u32::from(standing == Standing::Unheard);
            self.silent += u32::from(is_silent(standing));
        }
    }
}

fn is_silent(standing: Standing) -> bool {
    matches!(standing, Standing::Silent | Standing::Held)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const STANDINGS: [Standing; 4] = [Standing::Unheard, Standing::Heard, Standing::Silent, Standing::Held];

    fn counted<'a>(standings: impl Iterator<Item = &'a Standing>) -> Tally {
        let mut tally = Tally::default();
        for standing in standings {
            tally.leases += 1;
            tally.unheard += u32::from(*standing == Standing::Unheard);
            tally.silent += u32::from([Standing::Silent, Standing::Held].contains(standing));
        }
        tally
    }

    proptest! {
        #[test]
        fn the_tallies_are_what_a_scan_would_count(
            changes in vec((0..3_usize, 0..4_usize, prop::option::of(select(STANDINGS.to_vec()))), 0..60)
        ) {
            let apps = ["A", "B", "C"].map(|app| AppName::parse(app).unwrap());
            let mut tallies = Tallies::default();
            let mut held: HashMap<(usize, usize), Standing> = HashMap::default();
            for (app, id, after) in changes {
                let before = match after {
                    Some(after) => held.insert((app, id), after),
                    None => held.remove(&(app, id)),
                };
                tallies.change(&apps[app], before, after);
                prop_assert_eq!(tallies.of(&Scope::Cluster), counted(held.values()));
                let mut silent_applications = 0;
                for (place, app) in apps.iter().enumerate() {
                    let of_app = held.iter().filter(|((app, _), _)| *app == place).map(|(_, held)| held);
                    let tally = counted(of_app);
                    silent_applications += u32::from(tally.silent > 0);
                    prop_assert_eq!(tallies.of(&Scope::Application(app.clone())), tally);
                }
                prop_assert_eq!(tallies.silent_applications(), silent_applications);
            }
        }
    }
}
