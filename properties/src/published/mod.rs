//! Claims that others published, held against the model.
//!
//! Each claim is computed from the profile of the document that it speaks of, by asking its translator:
//! how many members fit, how many endpoints a flow may be given, how many connections are accepted.
//! [`checked`] lists them; [`nearest`] goes through the whole domain of one formula.

pub mod nearest;

use natlaw_model::allocator::Bitmap;
use natlaw_model::flow::{Endpoint, FiveTuple, Transport};
use natlaw_model::nat::{Candidates, Event, Nat, Outcome, PortPolicy, Signal};
use natlaw_model::profile::{Ask, Profile, ProfileError};
use natlaw_model::subject::Device;
use natlaw_model::translator::Translator;

use crate::nat::{allocated_ports, grouped};
use crate::transitions::ports_of_a_member;

/// A claim, and what the model says to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What was published.
    pub claim: &'static str,
    /// Where, and when.
    pub source: &'static str,
    /// The profile that it is held against, with its document's date.
    pub against: &'static str,
    /// What the model says.
    pub finding: String,
    /// Whether the claim stands.
    pub stands: bool,
}

/// Every claim that is not [`nearest`].
///
/// # Errors
/// Never, as long as the profiles keep their bounds: the error is that of a profile.
pub fn checked() -> Result<Vec<Published>, ProfileError> {
    Ok(vec![
        nodes_of_14_addresses()?,
        addresses_add_no_chosen_ports()?,
        addresses_add_no_default_ports()?,
        ports_of_an_address_of_its_own()?,
        millions_of_ports()?,
        ports_of_a_gateway_address()?,
    ])
}

/// The largest pool that the profile gives a translator for.
///
/// # Panics
/// When not even one member fits.
pub fn members_max(profile: &Profile, addresses: usize, ports: u16) -> usize {
    let fits = |members| {
        let ask = Ask { members, addresses, ports: Some(ports) };
        profile.nat(&ask).is_ok()
    };
    assert!(fits(1), "one member fits");
    let (mut fitting, mut beyond) = (1, profile.members_max.value + 1);
    while beyond - fitting > 1 {
        let middle = usize::midpoint(fitting, beyond);
        if fits(middle) { fitting = middle } else { beyond = middle }
    }
    fitting
}

/// Connections of the first member to one destination that are accepted, of so many.
pub fn accepted(nat: &Nat, connections: u16) -> usize {
    let mut device = Translator::new(nat, Bitmap::new);
    let mut open = |port| device.step(&Event::outbound(flow(port), Signal::Open));
    let outcomes = (0..connections).map(|port| open(port + 1_024));
    outcomes.filter(|outcome| matches!(outcome, Outcome::Forwarded(_))).count()
}

fn flow(port: u16) -> FiveTuple {
    FiveTuple {
        transport: Transport::Tcp,
        source: Endpoint::new([10, 0, 0, 1].into(), port),
        destination: Endpoint::new([198, 51, 100, 1].into(), 443),
    }
}

fn named(name: &str) -> Profile {
    Profile::named(name).expect("a profile of this list")
}

fn nodes_of_14_addresses() -> Result<Published, ProfileError> {
    let profile = named("google-cloud-nat-static");
    let fit = members_max(&profile, 14, 2_048);
    let more = profile.nat(&Ask { members: fit + 1, addresses: 14, ports: Some(2_048) });
    Ok(Published {
        claim: "14 addresses with 2,048 ports a VM carry (65,536 / 2,048) x 14 = 448 VMs",
        source: "GitLab infrastructure issue 10629, date not known",
        against: "google-cloud-nat-static",
        finding: format!(
            "{fit} VMs: each address has {} ports, and no VM's block lies on two; {}",
            grouped(profile.ports_of_an_address.value as usize),
            more.map_or_else(|error| error.to_string(), |_| "one more fits".into()),
        ),
        stands: fit == 448,
    })
}

/// What a member has with one to seven addresses.
fn ports_by_addresses(profile: &Profile, members: usize, ports: Option<u16>) -> Vec<usize> {
    let of = |addresses| profile.nat(&Ask { members, addresses, ports }).ok();
    let of = |addresses| of(addresses).and_then(|nat| ports_of_a_member(&nat));
    (1..=7).filter_map(of).collect()
}

const ADDING: &str = "Adding more IPs does not add more ports to any node";
const AKS: &str = "\"Use a public standard load balancer\", Azure Kubernetes Service documentation, date not known";

fn addresses_add_no_chosen_ports() -> Result<Published, ProfileError> {
    let profile = named("azure-outbound-rules");
    let ports = ports_by_addresses(&profile, 50, Some(1_024));
    Ok(Published {
        claim: ADDING,
        source: AKS,
        against: "azure-outbound-rules, 50 nodes of 1,024 chosen ports",
        finding: format!("with 1 to 7 addresses a node has {}", list(&ports)),
        stands: ports.iter().all(|of| *of == ports[0]),
    })
}

fn addresses_add_no_default_ports() -> Result<Published, ProfileError> {
    let profile = named("azure-load-balancer");
    let ports = ports_by_addresses(&profile, 100, None);
    let played = accepted(&profile.nat(&Ask::of(100, 2))?, 2_000);
    Ok(Published {
        claim: ADDING,
        source: AKS,
        against: "azure-load-balancer, 100 nodes by the default table",
        finding: format!(
            "with 1 to 7 addresses a node has {}; with 2 a node of them opens {} connections to one \
             destination",
            list(&ports),
            grouped(played)
        ),
        stands: ports.iter().all(|of| *of == ports[0]),
    })
}

fn ports_of_an_address_of_its_own() -> Result<Published, ProfileError> {
    let profile = named("azure-classic");
    let shared = profile.nat(&Ask::of(1, 1))?;
    let own = shared.with(|nat| nat.ports = PortPolicy::Static).map_err(ProfileError::Nat)?;
    let block = ports_of_a_member(&shared).unwrap_or(1);
    let played = accepted(&own, 64_512);
    Ok(Published {
        claim: "An address for each VM has 64x the ports: 65k against 1,024",
        source: "the story \"Scaling past Port Exhaustion\", date not known",
        against: "azure-classic, one VM, ports 1,024 to 65,535 of an address of its own",
        finding: format!(
            "{} connections to one destination, {}x of {}; 64x counts the well-known ports too",
            grouped(played),
            played / block,
            grouped(block)
        ),
        stands: played == 64 * block,
    })
}

fn millions_of_ports() -> Result<Published, ProfileError> {
    let profile = named("azure-nat-gateway");
    let most = profile.addresses_max.value;
    let ports = allocated_ports(&profile.nat(&Ask::of(1, most))?).unwrap_or(0);
    Ok(Published {
        claim: "A NAT gateway offers millions of ports",
        source: "the story \"Scaling past Port Exhaustion\", date not known",
        against: "azure-nat-gateway",
        finding: format!(
            "{most} addresses at most, with {} ports each: {}",
            grouped(ports / most),
            grouped(ports)
        ),
        stands: ports >= 2_000_000,
    })
}

fn ports_of_a_gateway_address() -> Result<Published, ProfileError> {
    let nat = named("azure-nat-gateway").nat(&Ask::of(1, 1))?;
    let ports = nat.candidates(flow(1_024)).map_or(0, Candidates::len);
    Ok(Published {
        claim: "A NAT gateway provides up to 64K outbound ports",
        source: "the story of an App Service that called management.azure.com, date not known",
        against: "azure-nat-gateway, 1 address",
        finding: format!(
            "{}: 64K is 65,536, of which the well-known are not given",
            grouped(ports)
        ),
        stands: ports == 65_536,
    })
}

fn list(ports: &[usize]) -> String {
    ports.iter().map(|of| grouped(*of)).collect::<Vec<_>>().join(", ")
}
