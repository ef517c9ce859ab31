//! A port of the switch: a stream of frames, each after its length in two bytes.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::daemons::{home, unavailable};
use crate::real::Error;

/// The far end of a port.
#[derive(Debug)]
pub(super) struct Port(UnixStream);

const PATIENCE: Duration = Duration::from_secs(30);

impl Port {
    pub(super) fn connect(socket: &str) -> Result<Self, Error> {
        let stream = UnixStream::connect(home(socket)).map_err(|error| unavailable(&error))?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(|error| unavailable(&error))?;
        Ok(Self(stream))
    }

    pub(super) fn send(&mut self, frame: &[u8]) -> Result<(), Error> {
        let length = u16::try_from(frame.len()).unwrap_or(u16::MAX).to_be_bytes();
        let bytes = [&length, frame].concat();
        self.0.write_all(&bytes).map_err(|error| failed("sending a frame", &error))
    }

    pub(super) fn receive(&mut self) -> Result<Vec<u8>, Error> {
        let mut length = [0; 2];
        self.0.read_exact(&mut length).map_err(|error| failed("receiving a frame", &error))?;
        let mut frame = vec![0; usize::from(u16::from_be_bytes(length))];
        self.0.read_exact(&mut frame).map_err(|error| failed("receiving a frame", &error))?;
        Ok(frame)
    }
}

fn failed(what: &'static str, why: &std::io::Error) -> Error {
    Error::Failed { what, why: why.to_string() }
}
