//! A network of its own for this process, without root.
//!
//! **Readings taken.** A process enters once, before it starts a thread: the kernel refuses a user
//! namespace to a process that has several. Nobody holds on to the namespaces, so they end with the
//! last process in them, however that ends.

use std::fs;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid};

use crate::real::Error;

/// How the namespace was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entered {
    /// With a user namespace around it: nothing outside could be changed even by mistake.
    Unprivileged,
    /// By root, where user namespaces are forbidden.
    Privileged,
}

/// Leaves the machine's network for an empty one, in which this process may do everything and is
/// called root.
///
/// # Errors
/// [`Error::Unavailable`] where the machine allows no such namespace.
pub fn enter() -> Result<Entered, Error> {
    let (user, group) = (geteuid(), getegid());
    match unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET) {
        Ok(()) => become_root(user.as_raw(), group.as_raw()).map(|()| Entered::Unprivileged),
        Err(_) if user.is_root() => unshare(CloneFlags::CLONE_NEWNET)
            .map(|()| Entered::Privileged)
            .map_err(|errno| unavailable(&errno)),
        Err(errno) => Err(unavailable(&errno)),
    }
}

/// Programs that are started keep what this process may do only if it is root to itself.
fn become_root(user: u32, group: u32) -> Result<(), Error> {
    let write = |path, text: String| fs::write(path, text).map_err(|error| unavailable(&error));
    write("/proc/self/setgroups", "deny".into())?;
    write("/proc/self/uid_map", format!("0 {user} 1"))?;
    write("/proc/self/gid_map", format!("0 {group} 1"))
}

fn unavailable(why: &impl ToString) -> Error {
    Error::Unavailable { what: "a network namespace", why: why.to_string() }
}
