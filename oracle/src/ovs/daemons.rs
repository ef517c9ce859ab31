//! The two programs of a switch, and where they live.
//!
//! Their files are in a file system that only this process and they see, and they are ended when
//! this process ends, however that is. So nothing has to be cleared away.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use crate::program::{find, run};
use crate::real::Error;

/// The name of the switch.
pub(super) const SWITCH: &str = "natlaw";

/// Where the files are: a directory that every Linux has, and in which nobody else sees ours.
const HOME: &str = "/run";
const SCHEMAS: [&str; 2] =
    ["/usr/share/openvswitch/vswitch.ovsschema", "/usr/local/share/openvswitch/vswitch.ovsschema"];
const PATIENCE: Duration = Duration::from_secs(20);
const GLANCE: Duration = Duration::from_millis(2);

/// A switch of two ports, each at a socket, and a place for its timers.
const SET_UP: &str = "--no-wait init \
    -- add-br natlaw -- set bridge natlaw datapath-type=dummy fail-mode=secure \
    -- add-port natlaw inside -- set interface inside type=dummy ofport_request=1 \
       options:pstream=punix:/run/inside.sock \
    -- add-port natlaw outside -- set interface outside type=dummy ofport_request=2 \
       options:pstream=punix:/run/outside.sock \
    -- --id=@it create Datapath datapath_version=0 \
    -- set Open_vSwitch . datapaths:dummy=@it";

/// A database and a switch that run.
#[derive(Debug)]
pub(super) struct Daemons {
    database: Child,
    switch: Option<Child>,
}

impl Daemons {
    /// Starts both, and waits until the switch has its two ports.
    pub(super) fn start() -> Result<Self, Error> {
        let schema = SCHEMAS.into_iter().find(|schema| Path::new(schema).is_file());
        let schema = schema.ok_or_else(|| unavailable(&"its schema is not installed"))?;
        hide_home()?;
        run("ovsdb-tool", &["create", &home("conf.db"), schema], "")?;
        let remote = format!("--remote=punix:{}", home("db.sock"));
        let database = spawn("ovsdb-server", "db.ctl", &[&remote, &home("conf.db")])?;
        let mut daemons = Self { database, switch: None };
        daemons.await_file("db.sock")?;
        configure(&SET_UP.split_whitespace().collect::<Vec<_>>())?;
        let database = format!("unix:{}", home("db.sock"));
        let dummies = ["--enable-dummy=override", "--disable-system", &database];
        daemons.switch = Some(spawn("ovs-vswitchd", "switch.ctl", &dummies)?);
        for file in ["inside.sock", "outside.sock", "natlaw.mgmt"] {
            daemons.await_file(file)?;
        }
        Ok(daemons)
    }

    /// Waits until one of them has made a file.
    fn await_file(&mut self, name: &str) -> Result<(), Error> {
        let begun = Instant::now();
        while !Path::new(&home(name)).exists() {
            let children = [Some(&mut self.database), self.switch.as_mut()];
            for child in children.into_iter().flatten() {
                if let Ok(Some(status)) = child.try_wait() {
                    return Err(unavailable(&format!("it ended at once: {status}")));
                }
            }
            if begun.elapsed() > PATIENCE {
                return Err(unavailable(&format!("there is no {name} after {PATIENCE:?}")));
            }
            thread::sleep(GLANCE);
        }
        Ok(())
    }
}

impl Drop for Daemons {
    fn drop(&mut self) {
        for child in [self.switch.as_mut(), Some(&mut self.database)].into_iter().flatten() {
            // One that has ended already is only waited for
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// A file of the switch.
pub(super) fn home(name: &str) -> String {
    format!("{HOME}/{name}")
}

/// Changes the switch's configuration; where the switch runs, that is in force on return.
pub(super) fn configure(arguments: &[&str]) -> Result<(), Error> {
    let database = format!("--db=unix:{}", home("db.sock"));
    let all = [&[database.as_str(), "--timeout=20"], arguments].concat();
    run("ovs-vsctl", &all, "").map(drop)
}

pub(super) fn unavailable(why: &impl ToString) -> Error {
    Error::Unavailable { what: "Open vSwitch", why: why.to_string() }
}

/// Lays an empty file system over [`HOME`], for this process alone.
fn hide_home() -> Result<(), Error> {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS)
        .and_then(|()| mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none))
        .and_then(|()| mount(Some("natlaw"), HOME, Some("tmpfs"), MsFlags::empty(), none))
        .map_err(|errno| unavailable(&errno))
}

/// Starts a program that ends with this process, and says nothing.
fn spawn(name: &'static str, control: &str, arguments: &[&str]) -> Result<Child, Error> {
    Command::new(find("setpriv")?)
        .args(["--pdeathsig", "KILL"])
        .arg(find(name)?)
        .args(["-vconsole:off", "-vsyslog:off"])
        .arg(format!("--unixctl={}", home(control)))
        .args(arguments)
        .envs(["OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR", "OVS_SYSCONFDIR"].map(|it| (it, HOME)))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| unavailable(&error))
}
