//! Generates the closures that read fields: from the arguments at the start, and from the result at
//! the end.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Pat};

use super::names::Names;
use crate::field::Form;
use crate::model::{GeneratedItems, IndexedItems, OutcomeFields, Recorded, Stage};

/// Returns `|fields| { … }`, which reads the fields of the start before the arguments move into the
/// body. If the parameter's type cannot be inferred, `ty` gives it.
pub(crate) fn start_fields(stage: &Stage, names: &Names, ty: Option<&TokenStream>) -> TokenStream {
    let fields = &names.fields;
    if stage.start.is_empty() && stage.used.is_empty() {
        return quote!(|_| ());
    }
    let set = stage.start.iter().map(|recorded| {
        let Recorded { index, field } = recorded;
        let value = reference(&field.value);
        let method = method(field.form);
        quote_spanned!(field.value.span()=> #fields.#method(#index, #value);)
    });
    let used = (!stage.used.is_empty()).then(|| {
        let add = add(&stage.used);
        quote!(#fields.used() #add;)
    });
    quote!(|#fields #ty| { #(#set)* #used })
}

/// Returns `|out, end| { … }`, which reads the fields of the result. The caller adds `move` if the
/// closure runs later.
pub(crate) fn on_end(stage: &Stage, names: &Names) -> TokenStream {
    let Names { out, end, .. } = names;
    let read = result(stage, names, &quote!(#out));
    quote!(|#out, #end| #read)
}

/// Returns `|end| { … }`, which reads the fields of the result in the variable `out`.
pub(crate) fn on_end_of_call(stage: &Stage, names: &Names) -> TokenStream {
    let Names { out, end, .. } = names;
    let read = result(stage, names, &quote!(&#out));
    quote!(|#end| #read)
}

/// Returns the expression that reads the fields of the result to which `output` refers.
fn result(stage: &Stage, names: &Names, output: &TokenStream) -> TokenStream {
    let Names { out, end, .. } = names;
    let krate = &stage.krate;
    let private = quote!(#krate::__private);
    let ok = stage.ok.as_ref().map(|ok| read(ok, out, names));
    let err = stage.err.as_ref().map(|err| read(err, out, names));
    let generated = stage.generated.as_ref().map(|GeneratedItems { pattern, items }| {
        let (value, add) = (at_pattern(out, pattern), add(items));
        quote!({ let #pattern = #value; #end.generated() #add; })
    });
    quote! {
        match #private::Probe::new(#output).split() {
            ::core::result::Result::Ok(#out) => {
                #end.count(#private::CountProbe::new(#out).count());
                #generated
                #ok
            }
            ::core::result::Result::Err(#out) => {
                #end.fail(#private::ErrorProbe::new(#out).capture());
                #err
            }
        }
    }
}

/// Returns `|item, open| …`, which fails the stage if the item is an error.
pub(crate) fn on_item(stage: &Stage, names: &Names) -> TokenStream {
    let Names { out, open, .. } = names;
    let krate = &stage.krate;
    let fail = fail(stage, names);
    quote!(move |#out, #open| if let ::core::result::Result::Err(#out) = #krate::__private::Probe::new(#out).split() { #fail })
}

/// Returns `|error, open| …`, which fails the stage if an error is returned instead of a stream.
pub(crate) fn on_error(stage: &Stage, names: &Names) -> TokenStream {
    let Names { out, open, .. } = names;
    let fail = fail(stage, names);
    quote!(move |#out, #open| { #fail })
}

fn fail(stage: &Stage, names: &Names) -> TokenStream {
    let Names { out, end, open, .. } = names;
    let krate = &stage.krate;
    let err = stage.err.as_ref().map(|err| read(err, out, names));
    let binding = if err.is_some() { quote!(let mut #end =) } else { quote!(let _ =) };
    quote!(#binding #open.fail(#krate::__private::ErrorProbe::new(#out).capture()); #err)
}

fn read(outcome: &OutcomeFields, value: &Ident, names: &Names) -> TokenStream {
    let end = &names.end;
    let pattern = &outcome.pattern;
    let set = outcome.fields.iter().map(|recorded| {
        let Recorded { index, field } = recorded;
        let span = field.value.span();
        let expr = &field.value;
        match field.name.as_str() {
            "count" => quote_spanned!(span=> #end.set_count(#expr);),
            "cost_usd" => quote_spanned!(span=> #end.set_cost(#index, #expr);),
            _ => {
                let value = reference(expr);
                let method = method(field.form);
                quote_spanned!(span=> #end.#method(#index, #value);)
            }
        }
    });
    let value = at_pattern(value, pattern);
    quote!(let #pattern = #value; #(#set)*)
}

/// Returns the method calls that add items.
fn add(items: &[IndexedItems]) -> TokenStream {
    let calls = items.iter().map(|IndexedItems { index, value }| {
        let add = Ident::new("add", Span::mixed_site().located_at(value.span()));
        quote_spanned!(value.span()=> .#add(#index, #value))
    });
    quote!(#(#calls)*)
}

/// Returns the name of a value with the pattern's span, so that a mismatch is reported at the
/// pattern.
fn at_pattern(value: &Ident, pattern: &Pat) -> Ident {
    Ident::new(&value.to_string(), value.span().located_at(pattern.span()))
}

fn method(form: Form) -> Ident {
    let name = match form {
        Form::Plain => "set",
        Form::Display => "display",
        Form::Debug => "debug",
    };
    Ident::new(name, Span::mixed_site())
}

/// Returns `&expr`, with parentheses if needed.
fn reference(expr: &Expr) -> TokenStream {
    let span = expr.span();
    match expr {
        Expr::Path(_)
        | Expr::Field(_)
        | Expr::MethodCall(_)
        | Expr::Call(_)
        | Expr::Lit(_)
        | Expr::Macro(_)
        | Expr::Index(_)
        | Expr::Paren(_) => quote_spanned!(span=> &#expr),
        _ => quote_spanned!(span=> &(#expr)),
    }
}
