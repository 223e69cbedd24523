// SPDX-License-Identifier: BSD-2-Clause
//! `#[protection_domain]`, which the crate `sel4-microkit` re-exports and documents.

use proc_macro::{TokenStream, TokenTree};

/// Makes a function the initialisation function of a protection domain; see `sel4_microkit::protection_domain`.
#[proc_macro_attribute]
pub fn protection_domain(attr: TokenStream, item: TokenStream) -> TokenStream {
    let Some(name) = function_name(&item) else {
        return "::core::compile_error!(\"#[protection_domain] goes on a function\");"
            .parse()
            .unwrap_or_default();
    };
    let declaration = format!("::sel4_microkit::declare_protection_domain! {{ init = {name}, {attr} }}");
    let Ok(declaration) = declaration.parse::<TokenStream>() else {
        return "::core::compile_error!(\"#[protection_domain] takes stack_size = … and heap_size = …\");"
            .parse()
            .unwrap_or_default();
    };
    [declaration, item].into_iter().collect()
}

/// The identifier after `fn`.
fn function_name(item: &TokenStream) -> Option<String> {
    let mut tokens = item.clone().into_iter();
    tokens.find(|token| matches!(token, TokenTree::Ident(ident) if ident.to_string() == "fn"))?;
    match tokens.next()? {
        TokenTree::Ident(name) => Some(name.to_string()),
        _ => None,
    }
}
