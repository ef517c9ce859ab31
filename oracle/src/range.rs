//! Ranges of addresses and ports, as rules name them: `203.0.113.1-203.0.113.2:1024-2047`.

use std::net::Ipv4Addr;

use itertools::Itertools as _;
use natlaw_model::nat::VirtualIp;
use natlaw_model::ports::PortBlock;

use crate::real::Error;

/// These ports on these addresses.
///
/// # Errors
/// [`Error::Unsupported`] where the addresses do not follow one another.
pub(crate) fn endpoints(virtual_ips: &[VirtualIp], block: PortBlock) -> Result<String, Error> {
    Ok(format!("{}:{}", addresses(virtual_ips)?, ports(block)))
}

/// Addresses that follow one another, as the first and the last.
///
/// # Errors
/// [`Error::Unsupported`] where they do not.
pub(crate) fn addresses(virtual_ips: &[VirtualIp]) -> Result<String, Error> {
    let (first, last) = ends(virtual_ips)?;
    Ok(if first == last { first.to_string() } else { format!("{first}-{last}") })
}

/// The first and the last of addresses that follow one another.
///
/// # Errors
/// [`Error::Unsupported`] where they do not, or there is none.
pub(crate) fn ends(virtual_ips: &[VirtualIp]) -> Result<(Ipv4Addr, Ipv4Addr), Error> {
    let numbers = virtual_ips.iter().map(|address| address.0.to_bits());
    let in_a_row = numbers.tuple_windows().all(|(one, next)| one.checked_add(1) == Some(next));
    match virtual_ips {
        [first, .., last] if in_a_row => Ok((first.0, last.0)),
        [only] => Ok((only.0, only.0)),
        _ => Err(Error::Unsupported("virtual IPs follow one another".into())),
    }
}

/// Ports as the first and the last.
pub(crate) fn ports(block: PortBlock) -> String {
    format!("{}-{}", block.first(), block.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn virtual_ips(addresses: &[&str]) -> Vec<VirtualIp> {
        addresses.iter().map(|address| VirtualIp(address.parse().expect("an address"))).collect()
    }

    #[test]
    fn addresses_in_a_row_are_named_by_their_ends() {
        let block = PortBlock::from_len(1024, 64).expect("ports");
        for (addresses, expected) in [
            (&["203.0.113.1"][..], "203.0.113.1:1024-1087"),
            (&["203.0.113.1", "203.0.113.2"], "203.0.113.1-203.0.113.2:1024-1087"),
            (&["203.0.113.255", "203.0.114.0"], "203.0.113.255-203.0.114.0:1024-1087"),
            (&["255.255.255.255"], "255.255.255.255:1024-1087"),
        ] {
            assert_eq!(endpoints(&virtual_ips(addresses), block).expect("a row"), expected);
        }
    }

    #[test]
    fn addresses_that_do_not_follow_one_another_are_no_range() {
        for addresses in [
            &["203.0.113.1", "203.0.113.3"][..],
            &["203.0.113.2", "203.0.113.1"],
            &["203.0.113.1", "203.0.113.1"],
            &["255.255.255.255", "0.0.0.0"],
            &[],
        ] {
            let ends = ends(&virtual_ips(addresses));
            assert!(matches!(ends, Err(Error::Unsupported(_))), "{ends:?}");
        }
    }
}
