//! Puts changes of a file behind switches: what cargo-mutants would write stands beside what is
//! there, and `crate::mutant(NUMBER)` says which of the two counts.
//!
//! Nothing of the file is taken away. Each switch is a text before and a text after a piece of it, so
//! that switches lie within one another as the pieces do.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::list::{Change, Genre};

/// A file with switches.
#[derive(Debug, Default)]
pub struct Switched {
    /// What to compile.
    pub text: String,
    /// Which numbers a piece of the text is there for; the last is the first to blame.
    pub regions: Vec<(Range<usize>, Vec<usize>)>,
    /// The numbers that have a switch.
    pub numbers: BTreeSet<usize>,
}

/// The file with a switch for each of these numbered changes that can have one.
pub fn switched(
    source: &str,
    file: &syn::File,
    changes: &BTreeMap<usize, &Change>,
    stay_const: &BTreeSet<String>,
) -> Switched {
    let mut finder = Finder { source, stay_const, changes: vec![], switches: vec![], fixed: false };
    finder.changes =
        changes.iter().map(|(&number, &change)| (number, change, change.range(source))).collect();
    finder.visit_file(file);
    weave(source, finder.switches)
}

/// The numbers to drop for an error at this byte: the last of the smallest piece that holds it.
pub fn to_blame(regions: &[(Range<usize>, Vec<usize>)], byte: usize) -> Option<usize> {
    let holding =
        regions.iter().filter(|(range, numbers)| !numbers.is_empty() && range.contains(&byte));
    holding.min_by_key(|(range, _)| range.len()).and_then(|(_, numbers)| numbers.last().copied())
}

/// Texts around a piece of the source.
struct Switch {
    range: Range<usize>,
    /// What stands before it, each with the change that it is there for.
    before: Vec<(Option<usize>, String)>,
    after: String,
    /// Whose fault an error in it may be.
    numbers: Vec<usize>,
}

struct Finder<'a> {
    source: &'a str,
    stay_const: &'a BTreeSet<String>,
    changes: Vec<(usize, &'a Change, Range<usize>)>,
    switches: Vec<Switch>,
    /// Whether this is for the compiler to run.
    fixed: bool,
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        let whole = function.span().byte_range();
        self.function(whole, &function.sig, &function.block, |finder| {
            visit::visit_item_fn(finder, function);
        });
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        let whole = function.span().byte_range();
        self.function(whole, &function.sig, &function.block, |finder| {
            visit::visit_impl_item_fn(finder, function);
        });
    }

    fn visit_trait_item_fn(&mut self, function: &'ast syn::TraitItemFn) {
        let whole = function.span().byte_range();
        if let Some(body) = &function.default {
            self.function(whole, &function.sig, body, |finder| {
                visit::visit_trait_item_fn(finder, function);
            });
        }
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.fixed_or_not(true, |finder| visit::visit_item_const(finder, item));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.fixed_or_not(true, |finder| visit::visit_item_static(finder, item));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.fixed_or_not(true, |finder| visit::visit_impl_item_const(finder, item));
    }

    fn visit_trait_item_const(&mut self, item: &'ast syn::TraitItemConst) {
        self.fixed_or_not(true, |finder| visit::visit_trait_item_const(finder, item));
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        self.fixed_or_not(false, |finder| visit::visit_expr_closure(finder, closure));
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let operator = binary.op.span().byte_range();
        let changes = self.changes_at(Genre::BinaryOperator, operator.start);
        if !holds_let(&binary.left) && !holds_let(&binary.right) {
            self.operator(binary.span().byte_range(), &operator, &changes);
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast syn::ExprUnary) {
        let operator = unary.op.span().byte_range();
        let changes = self.changes_at(Genre::UnaryOperator, operator.start);
        self.operator(unary.span().byte_range(), &operator, &changes);
        visit::visit_expr_unary(self, unary);
    }

    fn visit_arm(&mut self, arm: &'ast syn::Arm) {
        let deleted = self.changes_at(Genre::MatchArm, arm.span().byte_range().start);
        match &arm.guard {
            Some((_, guard)) if !holds_let(guard) => self.guard(guard, &deleted),
            Some(_) => {}
            None => self.arm(&arm.pat, &deleted),
        }
        visit::visit_arm(self, arm);
    }

    fn visit_expr_match(&mut self, whole: &'ast syn::ExprMatch) {
        let starts = whole.arms.iter().map(|arm| arm.span().byte_range().start);
        let deleted = starts.flat_map(|start| self.changes_at(Genre::MatchArm, start));
        let numbers = deleted.map(|(number, _)| number).collect();
        let range = whole.expr.span().byte_range();
        self.switches.push(Switch { range, before: vec![], after: String::new(), numbers });
        visit::visit_expr_match(self, whole);
    }

    fn visit_expr_struct(&mut self, literal: &'ast syn::ExprStruct) {
        if let Some(base) = &literal.rest {
            literal.fields.iter().for_each(|field| self.field(field, base));
        }
        visit::visit_expr_struct(self, literal);
    }
}

impl Finder<'_> {
    fn changes_at(&self, genre: Genre, start: usize) -> Vec<(usize, String)> {
        let here = self.changes.iter().filter(|(_, change, range)| {
            !self.fixed && change.genre == genre && range.start == start
        });
        here.map(|(number, change, _)| (*number, change.replacement.clone())).collect()
    }

    fn fixed_or_not(&mut self, fixed: bool, look: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.fixed, fixed);
        look(self);
        self.fixed = outside;
    }

    fn function(
        &mut self,
        whole: Range<usize>,
        signature: &syn::Signature,
        body: &syn::Block,
        look: impl FnOnce(&mut Self),
    ) {
        let is_const = signature.constness.is_some();
        let stays = is_const && self.stay_const.contains(&signature.ident.to_string());
        if let Some(word) = signature.constness.filter(|_| !stays) {
            self.put(word.span().byte_range(), vec![(None, "/*".into())], "*/");
        }
        self.fixed_or_not(stays, |finder| {
            if !stays {
                finder.blame_changes_in(whole);
                finder.body(signature, body);
            }
            look(finder);
        });
    }

    /// For an error of the signature a value in place of the body is the first to blame.
    fn blame_changes_in(&mut self, function: Range<usize>) {
        let inside = self.changes.iter().filter(|(_, _, range)| function.contains(&range.start));
        let mut inside: Vec<_> = inside.collect();
        inside.sort_by_key(|(number, change, _)| (change.genre == Genre::FnValue, *number));
        let numbers = inside.into_iter().map(|(number, ..)| *number).collect();
        self.switches.push(Switch {
            range: function,
            before: vec![],
            after: String::new(),
            numbers,
        });
    }

    /// A value instead of the body; an iterator instead of an iterator of another type.
    fn body(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let (Some(first), Some(last)) = (body.stmts.first(), body.stmts.last()) else { return };
        let range = first.span().byte_range().start..last.span().byte_range().end;
        let changes = self.changes_at(Genre::FnValue, range.start);
        let is_opaque = matches!(&signature.output,
            syn::ReturnType::Type(_, of) if matches!(**of, syn::Type::ImplTrait(_)));
        if is_opaque { self.either(range, changes) } else { self.early(range, changes) }
    }

    fn early(&mut self, body: Range<usize>, values: Vec<(usize, String)>) {
        let early = |(number, value)| {
            (Some(number), format!("if crate::mutant({number}) {{ return {value}; }}\n"))
        };
        self.put(body, values.into_iter().map(early).collect(), "");
    }

    fn either(&mut self, body: Range<usize>, iterators: Vec<(usize, String)>) {
        const LEFT: &str = "::itertools::Either::Left";
        const RIGHT: &str = "::itertools::Either::Right";
        let after = format!(" }}{}", ") }".repeat(iterators.len()));
        let either = |(number, value)| {
            let asked = format!("if crate::mutant({number})");
            (Some(number), format!("{asked} {{ {LEFT}({value}) }} else {{ {RIGHT}("))
        };
        let mut before: Vec<_> = iterators.into_iter().map(either).collect();
        if !before.is_empty() {
            before.push((None, "{ ".into()));
            self.put(body, before, &after);
        }
    }

    fn operator(
        &mut self,
        whole: Range<usize>,
        operator: &Range<usize>,
        changes: &[(usize, String)],
    ) {
        let (left, right) =
            (&self.source[whole.start..operator.start], &self.source[operator.end..whole.end]);
        let other = |new: &str| format!("{left}{new}{right}");
        let alternatives = changes.iter().map(|(number, new)| (*number, other(new))).collect();
        self.instead(whole, alternatives);
    }

    fn guard(&mut self, guard: &syn::Expr, deleted: &[(usize, String)]) {
        let range = guard.span().byte_range();
        let constants = self.changes_at(Genre::MatchArmGuard, range.start);
        for (number, _) in deleted {
            let before = format!("!crate::mutant({number}) && (");
            self.put(range.clone(), vec![(Some(*number), before)], ")");
        }
        self.instead(range, constants);
    }

    /// An arm that is never taken is an arm that is not there.
    fn arm(&mut self, pattern: &syn::Pat, deleted: &[(usize, String)]) {
        for (number, _) in deleted {
            let never = format!(" if !crate::mutant({number})");
            self.put(pattern.span().byte_range(), vec![(Some(*number), String::new())], &never);
        }
    }

    fn field(&mut self, field: &syn::FieldValue, base: &syn::Expr) {
        let range = field.span().byte_range();
        let base = &self.source[base.span().byte_range()];
        let syn::Member::Named(name) = &field.member else { return };
        let changes = self.changes_at(Genre::StructField, range.start);
        let values = changes.into_iter().map(|(number, _)| (number, format!("({base}).{name}")));
        let values: Vec<_> = values.collect();
        if field.colon_token.is_some() {
            self.instead(field.expr.span().byte_range(), values);
        } else if !values.is_empty() {
            self.put(range.clone(), vec![(None, format!("{name}: "))], "");
            self.instead(range, values);
        }
    }

    /// Another expression in place of this one.
    fn instead(&mut self, range: Range<usize>, alternatives: Vec<(usize, String)>) {
        if alternatives.is_empty() {
            return;
        }
        let other = |(number, text)| {
            (Some(number), format!("if crate::mutant({number}) {{ {text} }} else "))
        };
        let mut before = vec![(None, "(".into())];
        before.extend(alternatives.into_iter().map(other));
        before.push((None, "{ ".into()));
        self.put(range, before, " })");
    }

    fn put(&mut self, range: Range<usize>, before: Vec<(Option<usize>, String)>, after: &str) {
        let numbers = before.iter().filter_map(|(number, _)| *number).collect();
        self.switches.push(Switch { range, before, after: after.into(), numbers });
    }
}

fn holds_let(condition: &syn::Expr) -> bool {
    match condition {
        syn::Expr::Let(_) => true,
        syn::Expr::Binary(both) => holds_let(&both.left) || holds_let(&both.right),
        _ => false,
    }
}

/// Writes the switches into the source, the outer around the inner.
fn weave(source: &str, mut switches: Vec<Switch>) -> Switched {
    switches.sort_by_key(|switch| (switch.range.start, Reverse(switch.range.end)));
    let mut weaver = Weaver { source, at: 0, open: vec![], out: Switched::default() };
    for switch in switches {
        weaver.close_before(switch.range.start);
        weaver.open(switch);
    }
    weaver.close_before(usize::MAX);
    weaver.copy_to(source.len());
    weaver.out
}

struct Weaver<'a> {
    source: &'a str,
    at: usize,
    /// The switches that have begun, each with where it did.
    open: Vec<(usize, Switch)>,
    out: Switched,
}

impl Weaver<'_> {
    fn copy_to(&mut self, end: usize) {
        self.out.text.push_str(&self.source[self.at..end]);
        self.at = end;
    }

    fn open(&mut self, switch: Switch) {
        self.copy_to(switch.range.start);
        let begin = self.out.text.len();
        for (number, text) in &switch.before {
            let start = self.out.text.len();
            self.out.text.push_str(text);
            let own = number.map(|number| (start..self.out.text.len(), vec![number]));
            self.out.regions.extend(own);
            self.out.numbers.extend(number);
        }
        self.open.push((begin, switch));
    }

    fn close_before(&mut self, start: usize) {
        while let Some((begin, switch)) = self.open.pop_if(|(_, open)| open.range.end <= start) {
            self.copy_to(switch.range.end);
            self.out.text.push_str(&switch.after);
            self.out.regions.push((begin..self.out.text.len(), switch.numbers));
        }
    }
}
