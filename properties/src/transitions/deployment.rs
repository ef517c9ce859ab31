//! Deployments, and the changes from one to the next.

use std::net::Ipv4Addr;

use natlaw_model::nat::{InboundRule, Member, Nat, Pool};
use natlaw_model::profile::{Profile, ProfileError};

/// A profile in use.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// Whose rules hold.
    pub profile: Profile,
    /// Who is in the pool.
    pub pool: Pool,
    /// Outside addresses.
    pub addresses: usize,
    /// Ports of one member, where a person chose them.
    pub ports: Option<u16>,
    /// What the outside may open connections to.
    pub rules: Vec<InboundRule>,
}

/// A change of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A member joins.
    MemberJoins,
    /// The member in the highest slot leaves.
    NewestLeaves,
    /// This member leaves.
    MemberLeaves(Member),
    /// One more address.
    AddressAdded,
    /// The last address is taken away.
    AddressRemoved,
    /// One more inbound rule.
    RuleAdded(InboundRule),
    /// An inbound rule is taken away.
    RuleRemoved(InboundRule),
    /// The pool is redeployed: for a while it is reported as large as the profile says it may be.
    Redeployed,
    /// All members are replaced, so many at a time.
    SurgeUpgrade {
        /// How many join before as many leave.
        surge: usize,
    },
    /// The ports that a person chose are forgotten: the default comes back.
    ResetToDefault,
}

impl Deployment {
    /// So many members from 10.0.0.1 on behind so many addresses.
    ///
    /// # Errors
    /// When there can be no such pool.
    pub fn new(profile: Profile, members: usize, addresses: usize) -> Result<Self, ProfileError> {
        let pool = Pool::of_size(FIRST_MEMBER, members).map_err(ProfileError::Pool)?;
        Ok(Self { profile, pool, addresses, ports: None, rules: Vec::new() })
    }

    /// Its translator.
    ///
    /// # Errors
    /// When it breaks a bound of its profile.
    pub fn nat(&self) -> Result<Nat, ProfileError> {
        let nat = self.profile.nat_of(self.pool.clone(), self.addresses, self.ports)?;
        let rules = self.rules.clone();
        nat.with(|nat| nat.inbound_rules = rules).map_err(ProfileError::Nat)
    }

    /// This deployment, and those that a change leads to, in order.
    ///
    /// # Errors
    /// When nobody would be left in the pool.
    pub fn changed(&self, change: Change) -> Result<Vec<Self>, ProfileError> {
        let mut all = vec![self.clone()];
        all.extend(self.after(change)?);
        Ok(all)
    }

    fn after(&self, change: Change) -> Result<Vec<Self>, ProfileError> {
        let one = |next| Ok(vec![next]);
        match change {
            Change::MemberJoins => one(self.joined(1)?),
            Change::NewestLeaves => one(self.with_pool(self.pool.left_by_newest())?),
            Change::MemberLeaves(member) => one(self.with_pool(self.pool.left_by(member))?),
            Change::AddressAdded => one(Self { addresses: self.addresses + 1, ..self.clone() }),
            Change::AddressRemoved => one(Self { addresses: self.addresses - 1, ..self.clone() }),
            Change::RuleAdded(rule) => one(self.with_rules(|rules| rules.push(rule))),
            Change::RuleRemoved(rule) => {
                one(self.with_rules(|rules| rules.retain(|other| *other != rule)))
            }
            Change::Redeployed => {
                let times = usize::from(self.profile.reported_size_max.value);
                let reported = self.joined(self.pool.slots().len() * (times - 1))?;
                Ok(vec![reported, self.clone()])
            }
            Change::SurgeUpgrade { surge } => self.surged(surge),
            Change::ResetToDefault => one(Self { ports: None, ..self.clone() }),
        }
    }

    /// So many join, as many of the old leave, until none of the old is left.
    fn surged(&self, surge: usize) -> Result<Vec<Self>, ProfileError> {
        let old: Vec<Member> = self.pool.members().collect();
        let mut stages = Vec::new();
        let mut now = self.clone();
        for leaving in old.chunks(surge.max(1)) {
            now = now.joined(leaving.len())?;
            stages.push(now.clone());
            for member in leaving {
                now = now.with_pool(now.pool.left_by(*member))?;
            }
            stages.push(now.clone());
        }
        Ok(stages)
    }

    /// So many more members, whose addresses follow the highest.
    fn joined(&self, count: usize) -> Result<Self, ProfileError> {
        let highest = self.pool.members().max().map_or(u32::from(FIRST_MEMBER), |m| m.0.into());
        let joiners = (1..).take(count).map(|next| Member(Ipv4Addr::from(highest + next)));
        joiners
            .into_iter()
            .try_fold(self.clone(), |now, joiner| now.with_pool(now.pool.joined_by(joiner)))
    }

    fn with_pool(
        &self,
        pool: Result<Pool, natlaw_model::nat::PoolError>,
    ) -> Result<Self, ProfileError> {
        Ok(Self { pool: pool.map_err(ProfileError::Pool)?, ..self.clone() })
    }

    fn with_rules(&self, change: impl FnOnce(&mut Vec<InboundRule>)) -> Self {
        let mut next = self.clone();
        change(&mut next.rules);
        next
    }
}

/// The first member of every pool.
const FIRST_MEMBER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
