//! The translator that a demand is played on, as a person asks for it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use natlaw_model::nat::{
    Configuration, HoldDown, IdleTimers, Member, Nat, NatError, Pool, PoolError, PortPolicy,
    Timers, VirtualIp,
};
use natlaw_model::ports::PortBlock;
use natlaw_model::time::Duration;
use natlaw_properties::nat::DEVICES;

use crate::demand::{Demand, LeftOut};

/// The translator that a demand is played on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The addresses on the inside.
    pub(crate) inside: Ipv4Net,
    /// How many outside addresses it has: 1 to 254.
    pub(crate) virtual_ips: u16,
    /// Ports of one member on one virtual IP, out of 64,512: at least 1.
    pub(crate) ports: u16,
    /// How long a key rests after its flow, however that ended.
    pub(crate) hold_down: Duration,
    /// How long a flow lives without an outbound packet: at least 2 ms.
    pub(crate) idle: Duration,
    /// A device of `natlaw_properties::nat`, by name: sound or mutant.
    pub(crate) device: String,
}

/// Why a log cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ReplayError {
    /// A translator needs an outside address.
    NoVirtualIps,
    /// One range of documentation addresses has no room for so many.
    TooManyVirtualIps(u16),
    /// Every range of documentation addresses overlaps the inside.
    NoOutside(Ipv4Net),
    /// No connection goes from the inside to the outside.
    NoMembers {
        /// The addresses on the inside.
        inside: Ipv4Net,
        /// Why each row that was read is no part of the demand.
        left_out: BTreeMap<LeftOut, usize>,
    },
    /// No keep-alive can come before the idle timer.
    IdleTooShort(Duration),
    /// There is no device of this name.
    NoSuchDevice(String),
    /// There are too many inside hosts.
    Pool(PoolError),
    /// The translator's configuration breaks a rule.
    Nat(NatError),
}

/// The shortest idle time under which a keep-alive comes in time: half of it is a whole
/// millisecond.
const IDLE_MIN: Duration = Duration::from_millis(2);

/// The network addresses of two ranges set aside for documentation (RFC 5737), each of length 24,
/// the preferred one first. A network that overlaps both overlaps the third, 192.0.2.0/24, too.
const DOCUMENTATION: [Ipv4Addr; 2] =
    [Ipv4Addr::new(203, 0, 113, 0), Ipv4Addr::new(198, 51, 100, 0)];

/// How many hosts a network of length 24 has.
const VIRTUAL_IPS_MAX: u16 = 254;

impl Settings {
    /// The translator that serves the demand. Its mapping is address-and-port-dependent, so that a
    /// port serves several destinations at once.
    pub(super) fn configure(&self, demand: &Demand) -> Result<Nat, ReplayError> {
        let Self { inside, ports, hold_down, idle, .. } = *self;
        if idle < IDLE_MIN {
            return Err(ReplayError::IdleTooShort(idle));
        }
        let members: Vec<_> = demand.sources().into_iter().map(|host| Some(Member(host))).collect();
        if members.is_empty() {
            return Err(ReplayError::NoMembers { inside, left_out: demand.left_out.clone() });
        }
        let pool = Pool::new(members).map_err(ReplayError::Pool)?;
        let ports = PortPolicy::Fixed { ports, usable: PortBlock::ABOVE_WELL_KNOWN };
        let timers = Timers {
            idle: IdleTimers::uniform(idle),
            hold_down: HoldDown::uniform(hold_down),
            unsolicited_syn: None,
        };
        let plain = Configuration::new(self.outside()?, pool, ports);
        let configuration = Configuration { timers, ..plain };
        Nat::new(configuration).map_err(ReplayError::Nat)
    }

    /// The virtual IPs: the first addresses of a range that has none in common with the inside.
    fn outside(&self) -> Result<Vec<VirtualIp>, ReplayError> {
        let Self { inside, virtual_ips, .. } = *self;
        match virtual_ips {
            0 => return Err(ReplayError::NoVirtualIps),
            1..=VIRTUAL_IPS_MAX => {}
            _ => return Err(ReplayError::TooManyVirtualIps(virtual_ips)),
        }
        let is_outside = |range: &Ipv4Net| !range.contains(&inside) && !inside.contains(range);
        let range = DOCUMENTATION
            .into_iter()
            .map(|network| Ipv4Net::new_assert(network, 24))
            .find(is_outside)
            .ok_or(ReplayError::NoOutside(inside))?;
        Ok(range.hosts().map(VirtualIp).take(virtual_ips.into()).collect())
    }
}

impl Display for ReplayError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoVirtualIps => {
                write!(f, "--vips 0: a translator needs at least one virtual IP")
            }
            Self::TooManyVirtualIps(virtual_ips) => write!(
                f,
                "--vips {virtual_ips}: they are taken from one /24 for documentation, which has \
                 {VIRTUAL_IPS_MAX} hosts"
            ),
            Self::NoOutside(inside) => write!(
                f,
                "--inside {inside}: overlaps every range for documentation, so no address is left \
                 for a virtual IP"
            ),
            Self::NoMembers { inside, left_out } => {
                write!(f, "--inside {inside}: no connection goes from there to the outside")?;
                left_out.iter().try_for_each(|(why, rows)| write!(f, "; {rows} {why}"))
            }
            Self::IdleTooShort(idle) => write!(
                f,
                "--idle {idle}: must be at least {IDLE_MIN}: keep-alives come every half of it"
            ),
            Self::NoSuchDevice(name) => {
                let names: Vec<_> = DEVICES.iter().map(|device| device.name).collect();
                write!(
                    f,
                    "--device {name}: there is none of this name; choose {} or a mutant",
                    names.join(", ")
                )
            }
            Self::Pool(error) => error.fmt(f),
            Self::Nat(error) => error.fmt(f),
        }
    }
}

impl Error for ReplayError {}
