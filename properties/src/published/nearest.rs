//! A formula for the most nodes of a cluster, gone through whole.
//!
//! The formula: 64,000 ports of an address, divided by the ports of a node, times the addresses,
//! *rounded to the nearest integer* ("Use a public standard load balancer", Azure Kubernetes Service
//! documentation, date not known). Where it rounds up, one node more is promised than has ports.
//!
//! **Readings taken.** Ports of a node are a multiple of 8 from 8 to 64,000, addresses one to seven.
//! A half is rounded up. Two reasons to refuse are told apart: all ports together are too few; or they
//! would do, and still some node's block would have to lie on two addresses.

use natlaw_model::profile::{Ask, Profile};

/// What the formula is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// Ports of one node.
    pub ports: u16,
    /// Outside addresses.
    pub addresses: usize,
}

/// How many questions there are, and to how many the formula's answer is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Count {
    /// Questions.
    pub questions: usize,
    /// All ports together are too few for the nodes that it promises.
    pub too_few_ports: usize,
    /// They would do, but for blocks that lie on one address each.
    pub blocks_do_not_fit: usize,
}

/// Ports of an address that nodes share.
pub const PORTS_OF_AN_ADDRESS: usize = 64_000;

/// Every question, by ports and then by addresses.
pub fn questions() -> impl Iterator<Item = Question> {
    let ports = (8..=64_000).step_by(8);
    ports.flat_map(|ports| (1..=7).map(move |addresses| Question { ports, addresses }))
}

impl Question {
    /// The nodes that the formula promises.
    pub fn promised(self) -> usize {
        let ports = usize::from(self.ports);
        (2 * PORTS_OF_AN_ADDRESS * self.addresses + ports) / (2 * ports)
    }

    /// Ports that those nodes need.
    pub fn needed(self) -> usize {
        self.promised() * usize::from(self.ports)
    }

    /// The nodes whose blocks lie on one address each.
    pub fn fitting(self) -> usize {
        PORTS_OF_AN_ADDRESS / usize::from(self.ports) * self.addresses
    }

    /// Whether all ports together are too few.
    pub fn has_too_few_ports(self) -> bool {
        self.needed() > PORTS_OF_AN_ADDRESS * self.addresses
    }

    /// Whether the model gives a translator for so many nodes.
    pub fn is_given(self, profile: &Profile, members: usize) -> bool {
        let Self { ports, addresses } = self;
        profile.nat(&Ask { members, addresses, ports: Some(ports) }).is_ok()
    }
}

/// How often the formula is wrong.
pub fn count() -> Count {
    let mut count = Count::default();
    for question in questions() {
        let has_too_few = question.has_too_few_ports();
        let does_not_fit = question.promised() > question.fitting();
        count.questions += 1;
        count.too_few_ports += usize::from(has_too_few);
        count.blocks_do_not_fit += usize::from(does_not_fit && !has_too_few);
    }
    count
}

/// The smallest questions to which its answer is wrong, each by what is smallest about it.
pub fn smallest() -> Vec<(&'static str, Question)> {
    let wrong = || questions().filter(|question| question.has_too_few_ports());
    let fewest_ports = wrong().min();
    let fewest_nodes = wrong().min_by_key(|question| (question.promised(), *question));
    let power_of_two = wrong().filter(|question| question.ports.is_power_of_two()).min();
    let named = [("ports", fewest_ports), ("nodes", fewest_nodes), ("power of two", power_of_two)];
    named.into_iter().filter_map(|(name, question)| Some((name, question?))).collect()
}
