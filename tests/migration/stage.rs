//! Where a migration takes place: Eureka servers and our nodes, each a peer of all of theirs, doors that
//! clients reach them by, the clients, and who looks on.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Runtime;

use super::door::{Door, Traffic};
use super::eureka_server::EurekaServer;
use super::fleet::{Fleet, Side};
use super::harness::{Cluster, Directory, free_addr_at, until_within};
use super::ledger::Ledger;
use super::listing::{self, difference, listing, statuses};
use super::prober::{Prober, Watched};
use super::proxy;
use super::story::Story;

/// A Eureka server passes over peers at its own host, so each has one of its own.
pub const HOSTS: [Ipv4Addr; 2] = [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3)];

const ASK_AGAIN: Duration = Duration::from_millis(200);

/// Longer than it takes on a busy machine until what happens at one side is known at the other.
const SETTLE_LIMIT: Duration = Duration::from_secs(120);

pub struct Stage {
    // Dropped in this order: who looks on, and then who is looked at.
    prober: Prober,
    pub fleet: Fleet,
    pub theirs: Vec<EurekaServer>,
    pub ours: Cluster,
    pub watched_ours: Vec<Arc<Watched>>,
    watched_theirs: Vec<Arc<Watched>>,
    doors_of_theirs: Vec<Door>,
    /// To the first of the Eureka servers that is there.
    single_door_of_theirs: Door,
    doors_of_ours: Vec<Door>,
    single_door_of_ours: Door,
    traffic: Arc<Traffic>,
    pub story: Arc<Story>,
    _runtime: Runtime,
}

impl Stage {
    /// Three nodes and this many Eureka servers, of which none runs yet.
    pub fn set(name: &str, eureka_servers: usize) -> Self {
        let runtime = proxy::runtime();
        let (story, ledger) = (Arc::new(Story::begin()), Arc::new(Ledger::default()));
        let traffic = Arc::new(Traffic::new(&story, &ledger));
        let mut prober = Prober::new(&story, &ledger);

        let their_addrs: Vec<SocketAddr> = HOSTS.into_iter().take(eureka_servers).map(free_addr_at).collect();
        let directory = Directory::kept_on_failure("migration", name);
        let ours = Cluster::founded_in(directory, 3, |specs| {
            for spec in specs {
                spec.environment.push(("RS_REGISTRY_EUREKA_PEER".to_owned(), urls(&their_addrs).join(",")));
                // What it is by default, for real servers wait no longer.
                spec.environment.push(("RS_REGISTRY_REPLICATION_TIMEOUT_MS".to_owned(), "150".to_owned()));
            }
        });
        let our_addrs = ours.addrs();
        let server = |addr: &SocketAddr| {
            let others: Vec<SocketAddr> =
                their_addrs.iter().filter(|other| *other != addr).chain(&our_addrs).copied().collect();
            EurekaServer::new(*addr, urls(&others), ours.scratch(&format!("eureka-{}.log", addr.ip())))
        };
        let theirs = their_addrs.iter().map(server).collect();
        let mut watch = |name: &str, addrs: &[SocketAddr]| -> Vec<Arc<Watched>> {
            addrs
                .iter()
                .zip(1..)
                .map(|(addr, number)| prober.watch(format!("{name} {number}"), *addr))
                .collect()
        };
        let watched_theirs = watch("Eureka server", &their_addrs);
        let watched_ours = watch("node", &our_addrs);
        let door = |servers: &[SocketAddr]| Door::open(runtime.handle(), &traffic, servers);
        Self {
            fleet: Fleet::new(&story, &ledger, ours.scratch("")),
            doors_of_theirs: their_addrs.iter().map(|_| door(&[])).collect(),
            single_door_of_theirs: door(&[]),
            doors_of_ours: our_addrs.iter().map(|addr| door(&[*addr])).collect(),
            single_door_of_ours: door(&our_addrs),
            prober,
            theirs,
            ours,
            watched_theirs,
            watched_ours,
            story,
            traffic,
            _runtime: runtime,
        }
    }

    /// The Eureka servers, for clients that are started.
    pub fn their_side(&self) -> Side {
        side("the Eureka servers", &self.doors_of_theirs, &self.single_door_of_theirs)
    }

    /// Our nodes, for clients that are started.
    pub fn our_side(&self) -> Side {
        side("our nodes", &self.doors_of_ours, &self.single_door_of_ours)
    }

    /// Starts our nodes, of which none runs.
    pub fn start_ours(&mut self) {
        self.story.tell("our nodes start");
        self.ours.start_nodes();
        self.watched_ours.iter().for_each(|watched| watched.comes());
        self.story.tell("our nodes are ready");
    }

    /// Starts a Eureka server, which is let to clients when it shows what all others do: until it has
    /// copied the registry it answers 404 to whom it does not know, whoever its peers are.
    pub fn start_theirs(&mut self, place: usize) {
        let name = self.watched_theirs[place].name().to_owned();
        self.story.tell(&format!("{name} starts"));
        self.theirs[place].start();
        self.watched_theirs[place].comes_empty();
        self.until_alike();
        self.doors_of_theirs[place].lead_to(&[self.theirs[place].addr]);
        self.lead_single_door();
        self.story.tell(&format!("{name} shows what all others do"));
    }

    /// Ends a Eureka server by what is said.
    pub fn end_theirs(&mut self, place: usize, end: impl FnOnce(&mut EurekaServer), how: &str) {
        let watched = &self.watched_theirs[place];
        self.story.tell(&format!("{} {how}", watched.name()));
        watched.goes();
        self.doors_of_theirs[place].lead_to(&[]);
        self.lead_single_door();
        end(&mut self.theirs[place]);
    }

    pub fn stop_ours(&mut self, place: usize) {
        self.story.tell(&format!("{} is stopped", self.watched_ours[place].name()));
        self.watched_ours[place].goes();
        self.ours.nodes[place].terminate();
    }

    /// Restarts a node whose settings name no Eureka server any more.
    pub fn restart_ours_without_peers(&mut self, place: usize) {
        self.stop_ours(place);
        let node = &mut self.ours.nodes[place];
        node.spec.environment.clear();
        node.start();
        node.wait_ready();
        self.watched_ours[place].comes();
        self.story.tell(&format!("{} is there again, without peers", self.watched_ours[place].name()));
    }

    /// Waits until all servers that are there list the same, and all that live.
    pub fn until_alike(&self) {
        until_calm("all servers list the same", || {
            let mut listings = Vec::new();
            for watched in self.there() {
                listings.push((watched.name(), listing(watched.addr())?));
            }
            let Some((first, one)) = listings.first() else {
                return Ok(());
            };
            for (name, other) in &listings[1..] {
                if let Some(difference) = difference(one, other) {
                    return Err(format!("here is {first}, there is {name}: {difference}"));
                }
            }
            let missing = self.fleet.keys().into_iter().find(|(app, id)| statuses(one, app, id).is_none());
            missing.map_or(Ok(()), |(app, id)| Err(format!("nobody lists {app}/{id}")))
        });
    }

    /// Waits until all servers that are there show an instance like this: its status, and its override,
    /// or `None` where it is not to be listed.
    pub fn until_shown(&self, app: &str, id: &str, wanted: Option<(&str, &str)>) {
        until_calm(&format!("all servers show {app}/{id} as {wanted:?}"), || {
            for watched in self.there() {
                let listing = listing(watched.addr())?;
                let shown = statuses(&listing, app, id);
                let shown = shown.as_ref().map(|(status, overridden)| (status.as_str(), overridden.as_str()));
                if shown != wanted {
                    return Err(format!("{} shows {shown:?}", watched.name()));
                }
            }
            Ok(())
        });
    }

    /// What a run that has passed tells of itself.
    pub fn told(&self) -> String {
        format!(
            "{} look-ups without a gap, {} renewals without a 404",
            self.prober.look_ups(),
            self.traffic.renewals()
        )
    }

    fn there(&self) -> impl Iterator<Item = &Arc<Watched>> {
        self.watched_theirs.iter().chain(&self.watched_ours).filter(|watched| watched.is_there())
    }

    fn lead_single_door(&self) {
        let there = self.watched_theirs.iter().filter(|watched| watched.is_there());
        let there: Vec<SocketAddr> = there.map(|watched| watched.addr()).collect();
        self.single_door_of_theirs.lead_to(&there);
    }
}

/// A failure tells what had happened, and what each side listed in the end.
impl Drop for Stage {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("--- what happened\n{}", self.story.text());
            for watched in self.there() {
                eprintln!(
                    "--- {} ({}) lists: {}",
                    watched.name(),
                    watched.addr(),
                    listing::line(watched.addr())
                );
            }
        }
    }
}

/// Asks less often than [`until_within`] alone, which would keep from their work whom it waits for.
pub fn until_calm<T>(what: &str, mut probe: impl FnMut() -> Result<T, String>) -> T {
    until_within(SETTLE_LIMIT, what, || probe().inspect_err(|_| thread::sleep(ASK_AGAIN)))
}

fn urls(addrs: &[SocketAddr]) -> Vec<String> {
    addrs.iter().map(|addr| format!("http://{addr}/eureka/")).collect()
}

fn side(name: &'static str, doors: &[Door], single: &Door) -> Side {
    let urls: Vec<String> = doors.iter().map(Door::url).collect();
    Side { name, urls: urls.join(","), single_url: single.url() }
}
