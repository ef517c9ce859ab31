//! Records what the devices that see packets answer, for everybody who cannot ask them:
//! `record_packets FOLDER` writes `DEVICE.jsonl` for each, and what members of the story's tiers get on
//! the wire.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use natlaw_oracle::capacity::report;
use natlaw_oracle::packets::PACKETS;
use natlaw_oracle::registry::enter;
use natlaw_oracle::run::tiers;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("say FOLDER")?;
    enter()?;
    for device in PACKETS {
        let transcript = device.record()?;
        println!("{}: {} cases, {} steps", device.name, transcript.cases.len(), transcript.steps());
        let path = Path::new(&folder).join(format!("{}.jsonl", device.name));
        fs::write(path, transcript.to_string())?;
    }
    let mut wire = (PACKETS[0].open)()?;
    let rows = tiers(&mut *wire)?;
    println!("{}", report(&rows));
    let path = Path::new(&folder).join("linux-wire.tiers.json");
    fs::write(path, format!("{}\n", serde_json::to_string_pretty(&rows)?))?;
    Ok(())
}
