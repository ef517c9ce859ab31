//! Claims that others published: what the model says, and that it is the translator that says it.

use natlaw_model::profile::Profile;
use natlaw_properties::published::nearest::{Count, Question, count, questions, smallest};
use natlaw_properties::published::{checked, members_max};

fn rules() -> Profile {
    Profile::named("azure-outbound-rules").expect("a profile")
}

#[test]
fn the_nearest_integer_promises_too_many_nodes_for_25381_of_56000_questions() {
    let Count { questions, too_few_ports, blocks_do_not_fit } = count();
    assert_eq!((questions, too_few_ports, blocks_do_not_fit), (56_000, 25_381, 16_146));
}

#[test]
fn its_smallest_counterexamples() {
    let told = |(name, question): (&'static str, Question)| {
        let Question { ports, addresses } = question;
        (name, ports, addresses, question.promised(), question.needed())
    };
    let expected = [
        ("ports", 24, 1, 2_667, 64_008),
        ("nodes", 32_008, 1, 2, 64_016),
        ("power of two", 1_024, 1, 63, 64_512),
    ];
    assert_eq!(smallest().into_iter().map(told).collect::<Vec<_>>(), expected);
}

/// The translator of the document refuses what the formula promises, and gives one node less.
#[test]
fn the_model_refuses_each_of_them_and_gives_what_fits() {
    for (name, question) in smallest() {
        assert!(!question.is_given(&rules(), question.promised()), "{name}");
        assert!(question.is_given(&rules(), question.fitting()), "{name}");
        assert_eq!(question.fitting(), question.promised() - 1, "{name}");
    }
}

#[test]
fn what_fits_is_what_the_translator_takes() {
    let few = |question: &Question| question.fitting() <= 40 && question.ports.is_multiple_of(104);
    let mut tried = 0;
    for question in questions().filter(few) {
        tried += 1;
        assert!(question.is_given(&rules(), question.fitting()), "{question:?}");
        assert!(!question.is_given(&rules(), question.fitting() + 1), "{question:?}");
    }
    assert!(tried > 2_000, "{tried}");
}

/// Where blocks straddle no address it is the floor of each address, not that of the sum.
#[test]
fn six_addresses_of_4096_ports_a_node_carry_90_nodes_and_not_93() {
    let question = Question { ports: 4_096, addresses: 6 };
    assert_eq!((question.promised(), 6 * 64_000 / 4_096, question.fitting()), (94, 93, 90));
    assert_eq!(members_max(&rules(), 6, 4_096), 90);
}

#[test]
fn a_half_is_rounded_up() {
    let promised = |ports| Question { ports, addresses: 1 }.promised();
    assert_eq!([promised(1_024), promised(25_600), promised(25_608)], [63, 3, 2]);
}

#[test]
fn of_the_other_claims_one_stands() {
    let claims = checked().expect("the profiles keep their bounds");
    let stands: Vec<bool> = claims.iter().map(|claim| claim.stands).collect();
    assert_eq!(stands, [false, true, false, false, false, false]);
    let numbers = [
        "434 VMs",
        "1,024, 1,024, 1,024, 1,024, 1,024, 1,024, 1,024",
        "512, 1,024, 1,024, 1,024, 1,024, 1,024, 1,024; with 2 a node of them opens 1,024",
        "64,512 connections to one destination, 63x of 1,024",
        "16 addresses at most, with 64,512 ports each: 1,032,192",
        "64,512: 64K is 65,536",
    ];
    for (claim, number) in claims.iter().zip(numbers) {
        assert!(claim.finding.contains(number), "{}: {}", claim.claim, claim.finding);
    }
}

#[test]
fn the_nodes_of_14_addresses_are_434() {
    let google = Profile::named("google-cloud-nat-static").expect("a profile");
    assert_eq!(members_max(&google, 14, 2_048), 434);
    assert_eq!(members_max(&google, 1, 64_512), 1);
}
