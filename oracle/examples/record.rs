//! Records what a real device answers, for everybody who cannot ask one:
//! `record DEVICE WALKS FOLDER` writes `DEVICE.jsonl` and `DEVICE.run.json`.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use natlaw_oracle::registry::{REAL, enter};
use natlaw_oracle::run::{report, run, situations};
use natlaw_oracle::transcript::Transcript;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [name, walks, folder] = arguments.as_slice() else {
        return Err("say DEVICE WALKS FOLDER".into());
    };
    let real = REAL.iter().find(|real| real.name == name).ok_or("no such device")?;
    enter()?;
    let mut device = (real.open)()?;
    let mut cases = situations(&mut *device, real.situations)?;
    let mut ran = run(&mut *device, real.follow, 1, walks.parse()?)?;
    ran.run.capacity = (real.capacity)(&mut *device)?;
    cases.append(&mut ran.kept);
    print!("{}", report(&ran.run));
    let transcript = Transcript { recorded: ran.run.recorded.clone(), cases };
    fs::write(Path::new(folder).join(format!("{name}.jsonl")), transcript.to_string())?;
    let run = serde_json::to_string_pretty(&ran.run)?;
    fs::write(Path::new(folder).join(format!("{name}.run.json")), format!("{run}\n"))?;
    match ran.run.mismatches {
        0 => Ok(()),
        count => {
            Err(format!("{count} mismatches; {:?}", ran.save(Path::new(folder), real.follow)?)
                .into())
        }
    }
}
