//! What is planted in a run for the rules to find out.

#[cfg(feature = "planted-bugs")]
use rs_registry::planted::{self, Bug};

use super::disk::Flaw;
use super::wire::NodeId;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plant {
    Nothing,
    /// All disks have it.
    #[cfg_attr(not(feature = "planted-bugs"), expect(dead_code, reason = "only with bugs of the program"))]
    Disk(Flaw),
    /// All nodes have it.
    #[cfg(feature = "planted-bugs")]
    Program(Bug),
    /// One node has it.
    #[cfg(feature = "planted-bugs")]
    ProgramOf(NodeId, Bug),
}

impl Plant {
    pub fn flaw(self) -> Option<Flaw> {
        match self {
            Plant::Disk(flaw) => Some(flaw),
            _ => None,
        }
    }

    /// The node that makes another state of the log than the others.
    pub fn deviant(self) -> Option<NodeId> {
        match self {
            #[cfg(feature = "planted-bugs")]
            Plant::ProgramOf(node, _) => Some(node),
            _ => None,
        }
    }

    /// From here on this thread runs the program of a node, whose clock shows this.
    #[cfg_attr(not(feature = "planted-bugs"), expect(unused_variables, reason = "programs are as they are"))]
    pub fn run_program_of(self, node: NodeId, clock_ms: i64) {
        #[cfg(feature = "planted-bugs")]
        planted::plant(self.bug_of(node), clock_ms);
    }

    #[cfg(feature = "planted-bugs")]
    fn bug_of(self, node: NodeId) -> Option<Bug> {
        match self {
            Plant::Program(bug) => Some(bug),
            Plant::ProgramOf(of, bug) if of == node => Some(bug),
            _ => None,
        }
    }
}
