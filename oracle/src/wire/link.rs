//! The far ends of the two wires: frames go in and come out here.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::ifaddrs::getifaddrs;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, bind, recvfrom, send,
    socket,
};

use crate::frame::{Hop, Mac};
use crate::real::Error;

/// One end of a wire, with all that passes it.
#[derive(Debug)]
pub(super) struct Link {
    socket: OwnedFd,
    /// From this end to the router's.
    pub(super) hop: Hop,
}

/// `PACKET_OUTGOING`: a frame that this very end sent, shown to it once more.
const OUTGOING: u8 = 4;
const FRAME_BYTES_MAX: usize = 2048;

impl Link {
    /// The end `far` of the wire whose other end is the router's `near`.
    pub(super) fn open(far: &str, near: &str) -> Result<Self, Error> {
        let (address, source) = interface(far)?;
        let (_, destination) = interface(near)?;
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let protocol = SockProtocol::EthAll;
        let socket = socket(AddressFamily::Packet, SockType::Raw, flags, protocol)
            .map_err(|errno| unavailable(&errno))?;
        bind(socket.as_raw_fd(), &address).map_err(|errno| unavailable(&errno))?;
        let mut link = Self { socket, hop: Hop { source, destination } };
        link.drain()?;
        Ok(link)
    }

    /// Sends a frame. The router's whole path has run when this returns.
    pub(super) fn send(&self, frame: &[u8]) -> Result<(), Error> {
        send(self.socket.as_raw_fd(), frame, MsgFlags::empty())
            .map(drop)
            .map_err(|errno| failed("sending a frame", errno))
    }

    /// The next frame that came from the router, if one did.
    pub(super) fn receive(&self) -> Result<Option<Vec<u8>>, Error> {
        let mut buffer = [0; FRAME_BYTES_MAX];
        loop {
            match recvfrom::<LinkAddr>(self.socket.as_raw_fd(), &mut buffer) {
                Ok((_, Some(from))) if from.pkttype() == OUTGOING => {}
                Ok((bytes, _)) => return Ok(Some(buffer[..bytes].to_vec())),
                Err(Errno::EAGAIN) => return Ok(None),
                Err(errno) => return Err(failed("receiving a frame", errno)),
            }
        }
    }

    /// Waits until there is something to receive: whether there is, before the time is over.
    pub(super) fn wait(&self, time: Duration) -> Result<bool, Error> {
        let mut watched = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        let time = PollTimeout::try_from(time).unwrap_or(PollTimeout::MAX);
        poll(&mut watched, time)
            .map(|ready| ready > 0)
            .map_err(|errno| failed("waiting for a frame", errno))
    }

    /// Throws away what came unasked.
    pub(super) fn drain(&mut self) -> Result<(), Error> {
        while self.receive()?.is_some() {}
        Ok(())
    }
}

/// An interface of this namespace, as an address to bind to, and its hardware address.
fn interface(name: &str) -> Result<(LinkAddr, Mac), Error> {
    let interfaces = getifaddrs().map_err(|errno| failed("listing interfaces", errno))?;
    let address = interfaces
        .filter(|interface| interface.interface_name == name)
        .find_map(|interface| interface.address?.as_link_addr().copied());
    let found = address.and_then(|address| Some((address, address.addr()?)));
    found.ok_or_else(|| unavailable(&format!("there is no {name}")))
}

fn unavailable(why: &impl ToString) -> Error {
    Error::Unavailable { what: "a packet socket", why: why.to_string() }
}

fn failed(what: &'static str, errno: Errno) -> Error {
    Error::Failed { what, why: errno.to_string() }
}
