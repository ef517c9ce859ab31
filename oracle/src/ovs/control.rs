//! Commands to the running switch, as JSON-RPC 1.0 over its control socket.

use std::io::{BufReader, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::daemons::{home, unavailable};
use crate::real::Error;

/// A connection to the switch.
#[derive(Debug)]
pub(super) struct Control {
    requests: UnixStream,
    answers: BufReader<UnixStream>,
}

#[derive(Serialize)]
struct Request<'a> {
    method: &'a str,
    params: &'a [&'a str],
    id: u32,
}

#[derive(Deserialize)]
struct Answer {
    result: Option<String>,
    error: Option<String>,
}

const PATIENCE: Duration = Duration::from_secs(30);

impl Control {
    pub(super) fn connect() -> Result<Self, Error> {
        let connect = || {
            let requests = UnixStream::connect(home("switch.ctl"))?;
            requests.set_read_timeout(Some(PATIENCE))?;
            let answers = BufReader::new(requests.try_clone()?);
            Ok::<_, std::io::Error>(Self { requests, answers })
        };
        connect().map_err(|error| unavailable(&error))
    }

    /// What the switch answers to a command.
    pub(super) fn ask(&mut self, method: &'static str, params: &[&str]) -> Result<String, Error> {
        let failed = |why: String| Error::Failed { what: method, why };
        let request = serde_json::to_vec(&Request { method, params, id: 0 })
            .map_err(|error| failed(error.to_string()))?;
        self.requests.write_all(&request).map_err(|error| failed(error.to_string()))?;
        let mut answers = serde_json::Deserializer::from_reader(&mut self.answers);
        let answer =
            Answer::deserialize(&mut answers).map_err(|error| failed(error.to_string()))?;
        match answer.error {
            None => Ok(answer.result.unwrap_or_default()),
            Some(why) => Err(failed(why.trim().to_owned())),
        }
    }
}
