//! The external endpoints that a flow may be given.

use std::ops::Range;

use super::doubling::Lease;
use super::pool::VirtualIp;
use crate::flow::Endpoint;
use crate::ports::PortBlock;

/// The external endpoints that a flow may be given if nobody holds them: some virtual IPs, the
/// same ports on each; where a member has a guarantee, those of the guarantee and then the shared
/// ones. They are numbered from 0, one virtual IP after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidates<'a> {
    addresses: &'a [VirtualIp],
    block: PortBlock,
    beyond: Option<(&'a [VirtualIp], PortBlock)>,
}

impl<'a> Candidates<'a> {
    /// The same ports on each of these virtual IPs.
    pub(crate) const fn new(addresses: &'a [VirtualIp], block: PortBlock) -> Self {
        Self { addresses, block, beyond: None }
    }

    /// These, and beyond them the same ports on each of those virtual IPs.
    pub(crate) const fn and_beyond(self, addresses: &'a [VirtualIp], block: PortBlock) -> Self {
        Self { beyond: Some((addresses, block)), ..self }
    }

    /// The virtual IPs, of the guarantee where there is one.
    pub const fn addresses(self) -> &'a [VirtualIp] {
        self.addresses
    }

    /// The ports of each virtual IP, of the guarantee where there is one.
    pub const fn block(self) -> PortBlock {
        self.block
    }

    /// Those that are looked at first: all, but for those beyond a guarantee.
    #[must_use]
    pub const fn first(self) -> Self {
        Self { beyond: None, ..self }
    }

    /// Those beyond the guarantee, where there is one.
    pub fn beyond(self) -> Option<Self> {
        self.beyond.map(|(addresses, block)| Self::new(addresses, block))
    }

    /// The ports of one block on one virtual IP, if that is one of the first.
    pub(crate) fn within(self, lease: Lease) -> Option<Self> {
        let index = self.addresses.iter().position(|vip| *vip == lease.virtual_ip)?;
        let addresses = &self.addresses[index..=index];
        self.block.covers(lease.block).then(|| Self::new(addresses, lease.block))
    }

    /// How many there are: at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub fn len(self) -> usize {
        let first = self.addresses.len() * self.block.len() as usize;
        first + self.beyond().map_or(0, Self::len)
    }

    /// The one at this position (from 0), if there is one.
    pub fn at(self, position: usize) -> Option<Endpoint> {
        let ports = self.block.len() as usize;
        let Some(address) = self.addresses.get(position / ports) else {
            return self.beyond()?.at(position - self.first().len());
        };
        let port = self.block.first() + u16::try_from(position % ports).ok()?;
        Some(Endpoint::new(address.0, port))
    }

    /// Where an endpoint stands among them, if it is one of them.
    pub fn position(self, endpoint: Endpoint) -> Option<usize> {
        let beyond = || Some(self.first().len() + self.beyond()?.position(endpoint)?);
        let address = self.addresses.iter().position(|vip| vip.0 == endpoint.address);
        let address = address.filter(|_| self.block.contains(endpoint.port));
        let Some(address) = address else { return beyond() };
        let port = endpoint.port - self.block.first();
        Some(address * self.block.len() as usize + usize::from(port))
    }

    /// Where others that follow one another among them stand.
    pub(crate) fn positions_of(self, others: Self) -> Range<usize> {
        let first = others.at(0).and_then(|first| self.position(first)).unwrap_or(0);
        first..first + others.len()
    }

    /// Those of each virtual IP by themselves: the first ones, and then those beyond.
    pub fn by_address(self) -> impl Iterator<Item = Self> {
        let (beyond, block) = self.beyond.unwrap_or((&[], self.block));
        let first = self.addresses.chunks(1).map(move |addresses| Self::new(addresses, self.block));
        first.chain(beyond.chunks(1).map(move |addresses| Self::new(addresses, block)))
    }

    /// All of them, in order.
    pub fn iter(self) -> impl Iterator<Item = Endpoint> + 'a {
        let on = |one: Self| {
            let ports = one.block.first()..=one.block.last();
            let on = move |vip: &VirtualIp| {
                let address = vip.0;
                ports.clone().map(move |port| Endpoint::new(address, port))
            };
            one.addresses.iter().flat_map(on)
        };
        [Some(self.first()), self.beyond()].into_iter().flatten().flat_map(on)
    }
}
