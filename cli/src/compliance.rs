//! `natlaw compliance`: what the RFCs ask of a translator, requirement by requirement.

use std::error::Error;
use std::path::PathBuf;

use natlaw_model::nat::Nat;
use natlaw_model::profile::Profile;
use natlaw_properties::nat::compliance::{Answer, Comparison, Finding, count, judge, plain};
use natlaw_snapshots::compliance::matrix;
use natlaw_snapshots::profiles::ASKED;
use serde_json::{Value, json};

use crate::judge::configuration;
use crate::profiles::profile;
use crate::{JSON_VERSION, Report};

/// Hold a configuration against the RFCs: each requirement as held by which laws, as deviating, value
/// against value, or as outside the model, and why.
///
/// A deviation is no error: the exit status is 0 unless the input is bad.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The configuration: the [subject] table of a scenario, a whole scenario file (TOML), or the name
    /// of a profile. Without it, a pool of 50 behind two virtual IPs with the model's defaults.
    #[arg(value_name = "FILE|PROFILE")]
    nat: Option<PathBuf>,
    /// Take this reading of the profile. May be repeated.
    #[arg(long = "read-as", value_name = "READING", requires = "nat")]
    read_as: Vec<String>,
}

/// Holds the configuration against every requirement.
pub(crate) fn run(args: &Args) -> Result<Report, Box<dyn Error>> {
    let (nat, whose) = asked(args)?;
    let text = format!("translator  {nat} ({whose})\n\n{}\n", matrix(&nat));
    let findings = judge(&nat);
    let total = count(&findings);
    let json = json!({
        "version": JSON_VERSION,
        "translator": nat,
        "requirements": findings.iter().map(finding_as_json).collect::<Vec<_>>(),
        "held": total.held,
        "deviating": total.deviating,
        "outside": total.outside,
    });
    Ok(Report { text, json, as_expected: true })
}

/// The translator that is judged, and whose it is.
fn asked(args: &Args) -> Result<(Nat, String), Box<dyn Error>> {
    let Some(path) = &args.nat else { return Ok((plain(), "the model's defaults".into())) };
    let name = path.display().to_string();
    let is_profile = !path.exists() && Profile::named(&name).is_some();
    match is_profile || !args.read_as.is_empty() {
        true => Ok((profile(&name, &args.read_as)?.nat(&ASKED)?, format!("the profile {name}"))),
        false => Ok((configuration(path)?, name)),
    }
}

fn finding_as_json(finding: &Finding) -> Value {
    let requirement = finding.requirement;
    let why = match requirement.answer {
        Answer::OutsideTheModel(why) => Some(why),
        Answer::Laws(_) => None,
    };
    let values = finding.verdict.comparisons().iter().map(comparison_as_json);
    json!({
        "document": finding.document.name,
        "id": requirement.id,
        "level": requirement.level.to_string(),
        "text": requirement.text,
        "from_memory": requirement.remembered,
        "verdict": finding.verdict.word(),
        "values": values.collect::<Vec<_>>(),
        "laws": requirement.laws(),
        "outside_because": why,
    })
}

fn comparison_as_json(comparison: &Comparison) -> Value {
    let Comparison { law, actual, expected } = comparison;
    json!({ "law": law, "actual": actual, "expected": expected })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use natlaw_properties::nat::compliance::carrier_grade;

    use super::configuration;

    /// The file that a page shows is the configuration whose matrix is reviewed.
    #[test]
    fn the_carrier_of_the_page_is_the_one_that_is_reviewed() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cmd/carrier_grade.toml");
        assert_eq!(configuration(&file).expect("a configuration"), carrier_grade());
    }
}
