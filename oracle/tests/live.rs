//! The model held against the kernel of this machine, live.
//!
//! It has a `main` of its own: a user namespace can be entered only before the first thread starts,
//! and a test that cannot be run says so in a line that the usual harness would swallow.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    live::main()
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    use natlaw_oracle::real::Error;

    let why = "this is not Linux".to_string();
    natlaw_oracle::skip::skipped("kernel_oracle", &Error::Unavailable { what: "the kernel", why })
}

#[cfg(target_os = "linux")]
mod live {
    use std::io::{BufRead as _, BufReader};
    use std::os::unix::process::ExitStatusExt as _;
    use std::path::{Path, PathBuf};
    use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
    use std::{env, fs};

    use natlaw_oracle::ctnetlink::{Ctnetlink, Naming};
    use natlaw_oracle::mutants::MUTANTS;
    use natlaw_oracle::namespace::{self, Entered};
    use natlaw_oracle::real::Error;
    use natlaw_oracle::rule::follow_linux;
    use natlaw_oracle::run::{Ran, report, run, story};
    use natlaw_oracle::skip::{VARIABLE, ends_on_ctrl_c, skipped};
    use natlaw_oracle::transcript::Transcript;
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    const TEST: &str = "kernel_oracle";
    const WALKS: usize = 256;

    pub(super) fn main() -> ExitCode {
        match env::args().nth(1).as_deref() {
            Some("--hold") => hold(),
            Some("--part") => part(),
            Some("--agree") => agree(),
            Some("--limited") => limited(),
            Some(filter) if !filter.starts_with('-') && !TEST.contains(filter) => ExitCode::SUCCESS,
            _ => match compared() {
                Err(error @ Error::Unavailable { .. }) => skipped(TEST, &error),
                other => {
                    println!("{}test {TEST} ... ok", other.expect("a device that answers"));
                    ExitCode::SUCCESS
                }
            },
        }
    }

    /// The kernel, in a network of its own.
    fn linux(naming: Naming) -> Result<Ctnetlink, Error> {
        let mut linux = Ctnetlink::new(naming)?;
        linux.probe().map(|()| linux)
    }

    fn compared() -> Result<String, Error> {
        let entered = namespace::enter()?;
        let mut kernel = linux(Naming::AsRange)?;
        let mut ran = run(&mut kernel, follow_linux, 1, WALKS)?;
        let saved = ran.save(Path::new(env!("CARGO_TARGET_TMPDIR")), follow_linux);
        if let Some((_, parted)) = &ran.parted {
            panic!("{parted}\nsaved: {:?}", saved.expect("a folder for transcripts"));
        }
        every_mistake_shows(&ran);
        ran.run.capacity = story(&mut kernel, &mut linux(Naming::OneByOne)?)?;
        members_get_what_the_story_says(&ran);
        nothing_is_left_behind();
        let privileged = match entered {
            Entered::Unprivileged => "without root",
            Entered::Privileged => "as root, for user namespaces are forbidden",
        };
        let millis = ran.took.as_millis();
        Ok(format!("{}walked and judged in {millis} ms, {privileged}\n", report(&ran.run)))
    }

    fn every_mistake_shows(ran: &Ran) {
        let survivors = ran.run.noticed.iter().filter(|noticed| noticed.walks == 0);
        assert_eq!(survivors.collect::<Vec<_>>(), Vec::<&_>::new());
        assert!(MUTANTS.len() >= 8 && ran.run.agreement.steps >= WALKS * 100);
        assert!(ran.run.agreement.counted > 100, "{:?}", ran.run.agreement);
    }

    /// One address: 1,024, the last of them after some tries. Two, named one by one: 2,048. As a
    /// range: 1,024 of one of them, for Linux does not spill over.
    fn members_get_what_the_story_says(ran: &Ran) {
        let rows = &ran.run.capacity;
        let got = rows.iter().map(|row| (row.ports, row.in_the_end)).collect::<Vec<_>>();
        assert_eq!(got, [(1024, 1024), (2048, 2048), (2048, 1024)]);
        assert!(rows.iter().all(|row| row.unlawful == 0), "{rows:?}");
        assert!(rows[0].at_first >= 850, "{rows:?}");
    }

    /// After success, after failure and after Ctrl-C nobody is in the namespace, and no file is there
    /// but the transcripts that a failure leaves on purpose.
    fn nothing_is_left_behind() {
        let agreed = Started::new("--agree");
        assert!(agreed.ended(&[]).success());
        assert!(Started::new("--limited").ended(&[]).success());
        let parted = Started::new("--part");
        assert_eq!(parted.ended(&["linux.jsonl", "linux.shrunk.jsonl"]).code(), Some(1));
        let held = Started::new("--hold");
        let pid = i32::try_from(held.child.id()).expect("a process");
        let signal = if ends_on_ctrl_c() { Signal::SIGINT } else { Signal::SIGTERM };
        kill(Pid::from_raw(pid), signal).expect("a process that runs");
        assert_eq!(held.ended(&[]).signal(), Some(signal as i32));
    }

    /// Where no namespace can be made, one line says so, and that is a failure only if the comparison
    /// is required.
    fn limited() -> ExitCode {
        let entered = namespace::enter().expect("a namespace");
        println!("{}", namespace_of("self").expect("a namespace").display());
        if entered == Entered::Privileged {
            return ExitCode::SUCCESS;
        }
        for limit in ["max_user_namespaces", "max_net_namespaces"] {
            fs::write(format!("/proc/sys/user/{limit}"), "0").expect("a limit of our own");
        }
        for (required, code) in [("", 0), ("require", 1)] {
            let program = env::current_exe().expect("this program");
            let output = Command::new(program).env(VARIABLE, required).output().expect("an end");
            let said = String::from_utf8(output.stdout).expect("a text");
            assert_eq!(output.status.code(), Some(code), "{said}");
            assert_eq!(said.lines().count(), 1, "{said}");
            assert!(
                said.starts_with("test kernel_oracle ... ignored, a network namespace"),
                "{said}"
            );
            assert!(said.ends_with("SKIPPED, 0 steps compared\n"), "{said}");
        }
        ExitCode::SUCCESS
    }

    /// This program again, in an empty folder, once it has a namespace of its own.
    struct Started {
        child: Child,
        namespace: PathBuf,
        folder: PathBuf,
    }

    impl Started {
        fn new(mode: &str) -> Self {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("oracle{mode}"));
            fs::create_dir_all(&folder).expect("a folder");
            let program = env::current_exe().expect("this program");
            let mut command = Command::new(program);
            command.arg(mode).current_dir(&folder).env("TMPDIR", &folder).stdout(Stdio::piped());
            let mut child = command.spawn().expect("this program again");
            let mut line = String::new();
            let output = child.stdout.as_mut().expect("its output");
            BufReader::new(output).read_line(&mut line).expect("a line");
            let namespace = PathBuf::from(line.trim());
            assert!(line.starts_with("net:["), "{line}");
            assert_ne!(Some(&namespace), namespace_of("self").as_ref());
            Self { child, namespace, folder }
        }

        /// How it ended, once nothing is left of it but these files.
        fn ended(mut self, files: &[&str]) -> ExitStatus {
            let status = self.child.wait().expect("its end");
            let processes = fs::read_dir("/proc").expect("processes").flatten();
            let names = processes.map(|process| process.file_name().to_string_lossy().into_owned());
            let inside = names.filter(|name| namespace_of(name).as_ref() == Some(&self.namespace));
            assert_eq!(inside.collect::<Vec<_>>(), Vec::<String>::new());
            for file in files {
                let text = fs::read_to_string(self.folder.join(file)).expect("a transcript");
                assert!(Transcript::parse(&text).expect("a transcript").steps() > 0);
                fs::remove_file(self.folder.join(file)).expect("a file of its own");
            }
            fs::remove_dir(&self.folder).expect("an empty folder");
            status
        }
    }

    fn namespace_of(process: &str) -> Option<PathBuf> {
        fs::read_link(format!("/proc/{process}/ns/net")).ok()
    }

    fn begin() -> Ctnetlink {
        namespace::enter().expect("a namespace");
        let kernel = linux(Naming::AsRange).expect("a kernel");
        println!("{}", namespace_of("self").expect("a namespace").display());
        kernel
    }

    /// Goes on for ever.
    fn hold() -> ExitCode {
        let mut kernel = begin();
        loop {
            run(&mut kernel, follow_linux, 1, 1).expect("a device that answers");
        }
    }

    /// Agrees, and ends.
    fn agree() -> ExitCode {
        let ran = run(&mut begin(), follow_linux, 2, 4).expect("a device that answers");
        ExitCode::from(u8::from(ran.parted.is_some()))
    }

    /// Parts from a mistaken rule, and leaves the evidence behind.
    fn part() -> ExitCode {
        let mistaken = MUTANTS[0].follow;
        let ran = run(&mut begin(), mistaken, 1, 32).expect("a device that answers");
        let saved = ran.save(Path::new("."), mistaken).expect("files");
        ExitCode::from(u8::from(saved.len() == 2))
    }
}
