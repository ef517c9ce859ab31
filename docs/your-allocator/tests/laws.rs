//! The verdict and the report of the allocator: a line each.

use natlaw_properties::nat::conformance::{assert_lawful, conformance};
use your_allocator::NextFit;

#[test]
fn it_is_lawful() {
    assert_lawful("next-fit", NextFit::new);
}

#[test]
fn its_report_is_as_reviewed() {
    insta::assert_snapshot!(conformance("next-fit", NextFit::new));
}
