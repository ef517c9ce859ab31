//! Which functions a compiler calls: those stay `const`, and what is changed in them has no switch.
//!
//! A switch reads the environment, which no compiler does. A constant would keep its value while the
//! function that it came from is changed, and a test that compares the two would notice a change
//! that it does not notice in truth.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};

/// The names of all functions that constants of these files call, and that those call in turn. A name
/// stands for every function that has it, so there may be too many.
pub fn called_by_constants<'a>(files: impl IntoIterator<Item = &'a syn::File>) -> BTreeSet<String> {
    let mut calls = Calls::default();
    files.into_iter().for_each(|file| calls.visit_file(file));
    let mut called = BTreeSet::new();
    let mut left: Vec<String> = calls.constants.into_iter().collect();
    while let Some(name) = left.pop() {
        if let Some(names) = calls.functions.get(&name)
            && !called.contains(&name)
        {
            left.extend(names.iter().cloned());
        }
        called.insert(name);
    }
    called
}

/// Names in constants, and names in each `const fn`.
#[derive(Default)]
struct Calls {
    constants: BTreeSet<String>,
    functions: BTreeMap<String, BTreeSet<String>>,
}

impl<'ast> Visit<'ast> for Calls {
    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        self.constants.extend(names(|names| names.visit_expr(&item.expr)));
    }

    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        self.constants.extend(names(|names| names.visit_expr(&item.expr)));
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.constants.extend(names(|names| names.visit_expr(&item.expr)));
    }

    fn visit_trait_item_const(&mut self, item: &'ast syn::TraitItemConst) {
        self.constants.extend(names(|names| visit::visit_trait_item_const(names, item)));
    }

    fn visit_expr_const(&mut self, block: &'ast syn::ExprConst) {
        self.constants.extend(names(|names| names.visit_block(&block.block)));
    }

    fn visit_expr_repeat(&mut self, array: &'ast syn::ExprRepeat) {
        self.constants.extend(names(|names| names.visit_expr(&array.len)));
        visit::visit_expr_repeat(self, array);
    }

    fn visit_type_array(&mut self, array: &'ast syn::TypeArray) {
        self.constants.extend(names(|names| names.visit_expr(&array.len)));
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.function(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }
}

impl Calls {
    fn function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        if signature.constness.is_some() {
            let called = names(|names| names.visit_block(body));
            self.functions.entry(signature.ident.to_string()).or_default().extend(called);
        }
    }
}

fn names(look: impl FnOnce(&mut Names)) -> BTreeSet<String> {
    let mut names = Names::default();
    look(&mut names);
    names.0
}

/// The names of what is called; not in closures, which are called later.
#[derive(Default)]
struct Names(BTreeSet<String>);

impl<'ast> Visit<'ast> for Names {
    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let syn::Expr::Path(function) = &*call.func {
            self.0.extend(function.path.segments.last().map(|last| last.ident.to_string()));
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.0.insert(call.method.to_string());
        visit::visit_expr_method_call(self, call);
    }
}
