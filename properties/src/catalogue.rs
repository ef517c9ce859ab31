//! Every law there is, as a list to print.

use natlaw_model::nat::Nat;
use natlaw_model::routing::RoutingGraph;
use natlaw_model::routing::selection::EndpointGroup;

use crate::judged::Judged;
use crate::law::{Law, ValueLaw};
use crate::nat::compliance::SETTINGS;
use crate::nat::deterministic::DETERMINISTIC_LAWS;
use crate::nat::layout::{CENSUS_LAWS, LAYOUT_LAWS, RESIZE_LAWS, SEARCH_LAWS};
use crate::routing::selection::change::CHANGE_LAWS;
use crate::tiers;

/// One law, as far as a person reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// What the law judges.
    pub of: &'static str,
    /// The law's name.
    pub name: &'static str,
    /// Where the claim comes from.
    pub source: &'static str,
    /// Who is hurt, and how, if it fails.
    pub harm: &'static str,
}

/// Every law, by what it judges.
pub fn claims() -> Vec<Claim> {
    of_answers::<Nat>("answers of a translator")
        .chain(of_value("tier tables", tiers::LAWS))
        .chain(of_value("layouts of ports", LAYOUT_LAWS))
        .chain(of_value("changes of a pool's size", RESIZE_LAWS))
        .chain(of_value("deterministic mappings", DETERMINISTIC_LAWS))
        .chain(of_value("counts of ports", CENSUS_LAWS))
        .chain(of_value("searches of an allocator", SEARCH_LAWS))
        .chain(SETTINGS.iter().map(|setting| of_one("configurations", &setting.law)))
        .chain(of_answers::<RoutingGraph>("answers of a network"))
        .chain(of_answers::<EndpointGroup>("choices of an endpoint"))
        .chain(of_value("changes of a group of endpoints", CHANGE_LAWS))
        .collect()
}

fn of_answers<S: Judged>(of: &'static str) -> impl Iterator<Item = Claim> {
    let claim =
        move |law: &Law<S>| Claim { of, name: law.name, source: law.source, harm: law.harm };
    S::LAWS.iter().map(claim)
}

fn of_value<T>(of: &'static str, laws: &'static [ValueLaw<T>]) -> impl Iterator<Item = Claim> {
    laws.iter().map(move |law| of_one(of, law))
}

const fn of_one<T>(of: &'static str, law: &'static ValueLaw<T>) -> Claim {
    Claim { of, name: law.name, source: law.source, harm: law.harm }
}
