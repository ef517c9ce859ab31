//! Records what real devices answer, for everybody who cannot ask them: `record FOLDER [DEVICE]...`
//! writes `DEVICE.jsonl` and what else is kept of it. Without a name it is all that can be had here.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use natlaw_oracle::capacity;
use natlaw_oracle::devices::Device;
use natlaw_oracle::packets::Packets;
use natlaw_oracle::real;
use natlaw_oracle::registry::{Real, enter};
use natlaw_oracle::run::{report, run, situations, tiers};
use natlaw_oracle::transcript::Transcript;

/// Walks of a million steps and more.
const WALKS: usize = 9_200;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let folder = arguments.next().ok_or("say FOLDER [DEVICE]...")?;
    let names: Vec<String> = arguments.collect();
    if let Some(name) = names.iter().find(|name| Device::named(name).is_none()) {
        return Err(format!("there is no {name}").into());
    }
    enter()?;
    for device in Device::all() {
        let is_named = names.iter().any(|name| name == device.name());
        if !is_named && !names.is_empty() {
            continue;
        }
        match record(device, Path::new(&folder)) {
            Err(error) if !is_named && is_missing(&*error) => {
                println!("{}: SKIPPED, {error}", device.name());
            }
            recorded => recorded?,
        }
    }
    Ok(())
}

fn is_missing(error: &(dyn Error + 'static)) -> bool {
    matches!(error.downcast_ref(), Some(real::Error::Unavailable { .. }))
}

fn record(device: Device, folder: &Path) -> Result<(), Box<dyn Error>> {
    match device {
        Device::WithoutPackets(real) => record_told(real, folder),
        Device::WithPackets(packets) => record_packets(packets, folder),
    }
}

fn record_told(real: &Real, folder: &Path) -> Result<(), Box<dyn Error>> {
    let mut device = (real.open)()?;
    let mut cases = situations(&mut *device, real.situations)?;
    let mut ran = run(&mut *device, real.follow, 1, WALKS)?;
    ran.run.capacity = (real.capacity)(&mut *device)?;
    cases.append(&mut ran.kept);
    print!("{}", report(&ran.run));
    let transcript = Transcript { recorded: ran.run.recorded.clone(), cases };
    fs::write(folder.join(format!("{}.jsonl", real.name)), transcript.to_string())?;
    let run = serde_json::to_string_pretty(&ran.run)?;
    fs::write(folder.join(format!("{}.run.json", real.name)), format!("{run}\n"))?;
    match ran.run.mismatches {
        0 => Ok(()),
        count => Err(format!("{count} mismatches; {:?}", ran.save(folder, real.follow)?).into()),
    }
}

fn record_packets(packets: &Packets, folder: &Path) -> Result<(), Box<dyn Error>> {
    let transcript = packets.record()?;
    println!("{}: {} cases, {} steps", packets.name, transcript.cases.len(), transcript.steps());
    fs::write(folder.join(format!("{}.jsonl", packets.name)), transcript.to_string())?;
    if packets.tiers.is_none() {
        return Ok(());
    }
    let rows = tiers(&mut *(packets.open)()?)?;
    println!("{}", capacity::report(&rows));
    let rows = serde_json::to_string_pretty(&rows)?;
    fs::write(folder.join(format!("{}.tiers.json", packets.name)), format!("{rows}\n"))?;
    Ok(())
}
