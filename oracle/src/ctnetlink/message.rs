//! Messages of netlink, as bytes: a header, then attributes that may hold attributes.

use crate::real::Error;

/// A request that the kernel answers with an acknowledgement or an error.
pub(super) const ACKNOWLEDGE: u16 = 0x1 | 0x4;
/// A request for one thing.
pub(super) const GET: u16 = 0x1;
/// A request for everything.
pub(super) const DUMP: u16 = 0x1 | 0x100 | 0x200;
/// A request to create what is not there yet, acknowledged.
pub(super) const CREATE: u16 = ACKNOWLEDGE | 0x400 | 0x200;

/// The subsystem of connection tracking, in the upper byte of a message's type.
const CONNECTION_TRACKING: u16 = 1 << 8;
/// The type of an acknowledgement or an error.
const ERROR: u16 = 2;
/// The type of what ends a dump.
const DONE: u16 = 3;
/// Marks an attribute that holds attributes.
const NESTED: u16 = 0x8000;
/// Bytes of the two headers before the attributes.
const HEADERS: usize = 16 + 4;
const IPV4: u8 = 2;

/// A request that is being written.
pub(super) struct Request(Vec<u8>);

/// What the kernel said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer<'a> {
    /// Acknowledged with 0, or refused with the number of an error.
    Done(i32),
    /// What was asked for: the bytes of its attributes.
    Data(&'a [u8]),
    /// The end of a dump.
    End,
}

impl Request {
    /// A request of this command of connection tracking, with this number.
    pub(super) fn new(command: u8, flags: u16, number: u32) -> Self {
        let mut bytes = vec![0; 4];
        bytes.extend((CONNECTION_TRACKING | u16::from(command)).to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(number.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend([IPV4, 0, 0, 0]);
        Self(bytes)
    }

    /// With this attribute.
    pub(super) fn with(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(4 + value.len()).expect("attributes are short");
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    /// With an attribute that holds those of `inner`.
    pub(super) fn with_nested(self, kind: u16, inner: &Self) -> Self {
        self.with(NESTED | kind, &inner.0)
    }

    /// Attributes alone, to be nested.
    pub(super) fn inner() -> Self {
        Self(Vec::new())
    }

    /// Attributes alone, as bytes.
    #[cfg(test)]
    pub(super) fn into_attributes(self) -> Vec<u8> {
        self.0
    }

    /// The whole message.
    pub(super) fn into_bytes(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len()).expect("messages are short");
        self.0[..4].copy_from_slice(&length.to_ne_bytes());
        self.0
    }
}

/// The messages in a datagram, each with the number of the request that it answers.
pub(super) fn answers(mut datagram: &[u8]) -> Result<Vec<(u32, Answer<'_>)>, Error> {
    let mut answers = Vec::new();
    while !datagram.is_empty() {
        let length = word(datagram, 0).ok_or_else(short)? as usize;
        let message = datagram.get(..length).filter(|it| it.len() >= 16).ok_or_else(short)?;
        let number = word(message, 8).ok_or_else(short)?;
        answers.push((number, answer(message)?));
        datagram = datagram.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(answers)
}

fn answer(message: &[u8]) -> Result<Answer<'_>, Error> {
    let kind = message.get(4..6).map(|kind| u16::from_ne_bytes([kind[0], kind[1]]));
    match kind.ok_or_else(short)? {
        ERROR => {
            let code = word(message, 16).ok_or_else(short)?;
            Ok(Answer::Done(-code.cast_signed()))
        }
        DONE => Ok(Answer::End),
        _ => message.get(HEADERS..).map(Answer::Data).ok_or_else(short),
    }
}

/// The value of the attribute at the end of this path of attributes.
pub(super) fn find<'a>(attributes: &'a [u8], path: &[u16]) -> Option<&'a [u8]> {
    path.iter().try_fold(attributes, |attributes, kind| attribute(attributes, *kind))
}

fn attribute(mut attributes: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let [a, b, c, d] = *attributes.first_chunk()?;
        let (length, kind) = (u16::from_ne_bytes([a, b]), u16::from_ne_bytes([c, d]) & !NESTED);
        let length = usize::from(length);
        if kind == wanted {
            return attributes.get(4..length);
        }
        attributes = attributes.get(length.max(4).next_multiple_of(4)..)?;
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|word| u32::from_ne_bytes(*word))
}

fn short() -> Error {
    Error::Garbled { what: "a netlink request", why: "it ends too early".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let inner = Request::inner().with(1, &[7]).with(2, &[1, 2, 3, 4, 5]);
        let bytes = Request::new(0, CREATE, 9).with(6, &[8; 4]).with_nested(3, &inner).into_bytes();
        assert_eq!(bytes.len() % 4, 0);
        let [(9, Answer::Data(attributes))] = *answers(&bytes).unwrap() else {
            panic!("{bytes:?}")
        };
        assert_eq!(find(attributes, &[6]), Some([8; 4].as_slice()));
        assert_eq!(find(attributes, &[3, 2]), Some([1, 2, 3, 4, 5].as_slice()));
        assert_eq!(find(attributes, &[3, 1]), Some([7].as_slice()));
        assert_eq!(find(attributes, &[3, 4]), None);
        assert_eq!(find(attributes, &[5]), None);
    }

    #[test]
    fn an_error_carries_its_number() {
        let mut bytes = Request::new(0, 0, 3).into_bytes();
        bytes[4..6].copy_from_slice(&ERROR.to_ne_bytes());
        bytes[16..20].copy_from_slice(&(-17_i32).to_ne_bytes());
        assert_eq!(answers(&bytes).unwrap(), [(3, Answer::Done(17))]);
        bytes[4..6].copy_from_slice(&DONE.to_ne_bytes());
        assert_eq!(answers(&bytes).unwrap(), [(3, Answer::End)]);
    }

    #[test]
    fn what_ends_too_early_is_no_answer() {
        let bytes = Request::new(0, GET, 1).with(1, &[0; 4]).into_bytes();
        for length in 1..bytes.len() {
            assert!(answers(&bytes[..length]).is_err(), "{length}");
        }
    }
}
