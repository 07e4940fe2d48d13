//! Generates the code of a stage: its function with a new body that calls the runtime.
//!
//! All paths start at the crate's hidden module, and all names introduced here are hygienic. The
//! user's tokens keep their spans, so that errors in the user's code are reported where they are.

mod descriptor;
mod names;
mod outcome;
mod record;

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ReturnType, Type};

use self::names::Names;
use crate::block::Body;
use crate::function::Function;
use crate::model::Stage;
use crate::parameters::Parameters;
use crate::shape::{Shape, Stream, Way};

/// Returns the function with its new body, preceded by the descriptor constant if there is one.
pub(crate) fn expand(stage: &Stage, function: &Function) -> TokenStream {
    let constant = descriptor::constant(stage, function);
    let items = descriptor::items(stage);
    let record = record::definition(stage);
    let body = body(stage, function);
    // One lint requires a `return` at the end, and no lint considers this one unnecessary. A body
    // that never returns has none.
    let is_never = matches!(&function.signature.output, ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)));
    let give_back = (!is_never).then(|| quote_spanned!(here(function)=> return));
    // Uses the function's own braces, so that the compiler treats the result as the user's
    // function.
    let body = braces(quote!(#items #record #give_back #body), function.body.span());
    quote!(#constant #function #body)
}

/// Returns the expansion of `stage!`: a future, or the value of a synchronous block.
pub(crate) fn expand_block(stage: &Stage, body: &Body) -> TokenStream {
    let names = Names::new();
    let items = descriptor::items(stage);
    let record = record::definition(stage);
    let run = match body {
        Body::Async(future) => {
            let end = outcome::on_end(stage, &names);
            let open = open_deferred(stage, Span::call_site(), &names);
            quote!(#open.block(#future).end(move #end))
        }
        Body::Sync(block) => {
            let here = Span::call_site().located_at(block.span());
            let private = stage.private(here);
            let open = open(stage, here, &names);
            let end = outcome::on_end_of_call(stage, &names);
            let Names { expected, whole, .. } = &names;
            let block = typed_block(&quote!(#expected()), &Parameters::default(), block);
            // The closure is used only within this expression, so it borrows values that it only
            // reads. The expected type of the whole expression is fixed before the block is
            // checked, as it is without the macro.
            let run = called(stage, here, &open, &quote_spanned!(here=> || -> _ #block), &end);
            quote_spanned!(here=> #whole: {
                let #expected = #private::expected;
                if false {
                    break #whole #expected();
                }
                #run
            })
        }
    };
    quote!({ #items #record #run })
}

/// Returns the span for errors about the whole: that of the body instead of the attribute.
fn here(function: &Function) -> Span {
    Span::call_site().located_at(function.body.span())
}

/// Returns the expression that creates the run.
fn open(stage: &Stage, here: Span, names: &Names) -> TokenStream {
    let private = stage.private(here);
    if stage.start.is_empty() && stage.used.is_empty() {
        return quote_spanned!(here=> #private::open_bare(&__RAGTRACE_STAGE));
    }
    // A closure reads the fields, so that a `return` or `?` in them is an error. It is called in
    // place, because a runtime function that takes it would be compiled for each stage.
    let fields = &names.fields;
    let ty = quote_spanned!(here=> : &mut #private::FieldBuffer);
    let read = outcome::start_fields(stage, names, Some(&ty));
    quote_spanned!(here=> {
        let mut #fields = #private::start_fields();
        if #fields.is_wanted() {
            (#read)(&mut #fields);
        }
        #private::open(&__RAGTRACE_STAGE, #fields)
    })
}

/// Returns the expression that reads the fields of a run that begins later.
fn open_deferred(stage: &Stage, here: Span, names: &Names) -> TokenStream {
    let private = stage.private(here);
    let read = outcome::start_fields(stage, names, None);
    quote_spanned!(here=> #private::open_deferred(&__RAGTRACE_STAGE, #read))
}

fn body(stage: &Stage, function: &Function) -> TokenStream {
    let names = Names::new();
    let end = outcome::on_end(stage, &names);
    let end = quote!(move #end);
    let span = function.body.span();
    let here = here(function);
    let private = stage.private(here);
    let open = open(stage, here, &names);
    let returned = match &function.signature.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)) => return never(stage, function, &names),
        ReturnType::Type(_, ty) => without_impl(ty),
    };
    match &function.shape {
        Shape::Async => {
            let inner = typed_block(&expected(&private, &returned), &function.parameters, &function.body);
            let future = quote_spanned!(span=> async move #inner);
            quote_spanned!(here=> #private::run(#open, #future, #end).await)
        }
        Shape::Sync => {
            let call = closure(stage, Some(&returned), function);
            let end = outcome::on_end_of_call(stage, &names);
            let run = called(stage, here, &open, &call, &end);
            quote_spanned!(here=> { #run })
        }
        Shape::ReturnsFuture(output) => {
            let call = closure(stage, None, function);
            let output = without_impl(output);
            let open = open_deferred(stage, here, &names);
            quote_spanned!(here=> #open.future::<#output, _>(#call).end(#end))
        }
        Shape::ReturnsBoxedFuture(output) => {
            let output = without_impl(output);
            let (here, run) = if let Some((here, block)) = boxed_block(&function.body) {
                // The existing box can hold the stage as well.
                let inner = typed_block(&expected(&private, &output), &Parameters::default(), &block);
                let future = quote_spanned!(span=> async move #inner);
                (here, quote_spanned!(here=> block(#future)))
            } else {
                let call = closure(stage, Some(&returned), function);
                (here, quote_spanned!(here=> future::<#output, _>(#call)))
            };
            let (private, open) = (stage.private(here), open_deferred(stage, here, &names));
            quote_spanned!(here=> #private::boxed(#open.#run.end(#end)))
        }
        Shape::Stream(stream) => streaming(stage, function, stream),
    }
}

/// Returns the body of a stage that continues with the stream it returns.
fn streaming(stage: &Stage, function: &Function, stream: &Stream) -> TokenStream {
    let here = here(function);
    let private = stage.private(here);
    let names = Names::new();
    let span = function.body.span();
    let returned = match &function.signature.output {
        ReturnType::Type(_, ty) => without_impl(ty),
        ReturnType::Default => quote!(()),
    };
    let deferred = open_deferred(stage, here, &names);
    match stream.way {
        Way::Call => {
            // A type that the body alone determines is not annotated.
            let call = closure(stage, Some(&returned).filter(|_| stream.is_boxed || stream.is_fallible), function);
            let open = if stream.is_fallible { open(stage, here, &names) } else { deferred };
            going_on(stage, stream, here, &open, &call)
        }
        Way::Async => {
            let block = typed_block(&expected(&private, &returned), &function.parameters, &function.body);
            let future = quote_spanned!(span=> async move #block);
            going_on(stage, stream, here, &open(stage, here, &names), &future)
        }
        Way::Future | Way::BoxedFuture => {
            let future = if let Some((_, block)) = boxed_block(&function.body) {
                let block = typed_block(&quote!(#private::expected()), &Parameters::default(), &block);
                quote_spanned!(span=> async move #block)
            } else {
                let call = closure(stage, Some(&returned).filter(|_| stream.way == Way::BoxedFuture), function);
                quote_spanned!(here=> (#call)())
            };
            let Names { deferred: name, future: body, .. } = &names;
            let open = quote_spanned!(here=> #name.begin());
            let run = going_on(stage, stream, here, &open, &body.to_token_stream());
            let expected = expected(&private, &without_impl(&stream.output));
            let run = quote_spanned!(here=> async move {
                if false {
                    return #expected;
                }
                #run
            });
            let run = if stream.way == Way::BoxedFuture { quote_spanned!(here=> #private::boxed(#run)) } else { run };
            quote_spanned!(here=> { let #name = #deferred; let #body = #future; #run })
        }
    }
}

/// Returns the expression that runs `body`, which returns a stream or a future of one, and
/// continues with the stream.
fn going_on(stage: &Stage, stream: &Stream, here: Span, open: &TokenStream, body: &TokenStream) -> TokenStream {
    let names = Names::new();
    let private = stage.private(here);
    let on_item = outcome::on_item(stage, &names);
    let item = without_impl(&stream.item);
    let is_call = stream.way == Way::Call;
    let boxed = |open: TokenStream| {
        let items = quote_spanned!(here=> #open.items(#on_item));
        if stream.is_boxed { quote_spanned!(here=> #private::boxed(#items)) } else { items }
    };
    if !stream.is_fallible {
        return boxed(if is_call {
            quote_spanned!(here=> #open.stream::<#item, _>(#body))
        } else {
            quote_spanned!(here=> #open.await_stream::<#item, _>(#body).await)
        });
    }
    let on_error = outcome::on_error(stage, &names);
    let result = if is_call {
        quote_spanned!(here=> #open.try_call_stream::<#item, _, _>(#body, #on_error))
    } else {
        quote_spanned!(here=> #open.try_await_stream::<#item, _, _>(#body, #on_error).await)
    };
    let Names { open, out, .. } = &names;
    let stream = boxed(open.to_token_stream());
    quote_spanned!(here=> match #result {
        ::core::result::Result::Ok(#open) => ::core::result::Result::Ok(#stream),
        ::core::result::Result::Err(#out) => ::core::result::Result::Err(#out),
    })
}

/// Returns statements and an expression that run the closure `call`. A closure that is large, or
/// that returns a large value, is called in place, so that neither is copied.
fn called(stage: &Stage, here: Span, open: &TokenStream, call: &TokenStream, end: &TokenStream) -> TokenStream {
    let Names { span, entered, body, out, .. } = &Names::new();
    let private = stage.private(here);
    quote_spanned! {here=>
        let mut #span = #open;
        let mut #entered = #span.call();
        let mut #body = #call;
        let #out = if #private::is_large(&#body) { (#body)() } else { #entered.run(#body) };
        #entered.end(#end);
        #out
    }
}

/// Returns the body of a function that never returns. Its stage ends only by a panic or by being
/// dropped.
fn never(stage: &Stage, function: &Function, names: &Names) -> TokenStream {
    let here = here(function);
    let private = stage.private(here);
    let open = open(stage, here, names);
    let span = function.body.span();
    // Located at the `!`, so that an error about a body of another type is not reported at the
    // attribute.
    let never = match &function.signature.output {
        ReturnType::Type(_, ty) => Span::call_site().located_at(ty.span()),
        ReturnType::Default => here,
    };
    let never = quote_spanned!(never=> ::core::convert::Infallible);
    if function.signature.asyncness.is_some() {
        let block = typed_block(&expected(&private, &never), &function.parameters, &function.body);
        let future = quote_spanned!(span=> async move #block);
        quote_spanned!(here=> match #private::run(#open, #future, |_, _| ()).await {})
    } else {
        let call = closure(stage, Some(&never), function);
        let run = called(stage, here, &open, &call, &quote!(|_| ()));
        quote_spanned!(here=> match { #run } {})
    }
}

/// Returns an expression of a body's type. It is never evaluated.
fn expected(private: &TokenStream, output: &TokenStream) -> TokenStream {
    quote!(#private::expected::<#output>())
}

/// Returns the body as a block with the type of `expected`, which is known to the compiler before
/// it infers types in the body. The block captures `parameters` in the order in which they must be
/// dropped.
///
/// The outer braces have the body's span; otherwise, borrow checker errors would not name the
/// user's variables.
fn typed_block(expected: &TokenStream, parameters: &Parameters, body: &Group) -> TokenStream {
    // Inside generated parentheses, lints do not report the body's braces as unnecessary. The
    // braces keep the user's span, so that lints which look outward from a macro call find the
    // user's code.
    let mut inner = Group::new(Delimiter::Parenthesis, body.to_token_stream());
    inner.set_span(body.span().resolved_at(Span::mixed_site()));
    let (order, bind) = (parameters.order(), parameters.bind());
    let block = quote! {
        if false {
            return #expected;
            #order
        }
        #bind
        #inner
    };
    braces(block, body.span()).into_token_stream()
}

/// Returns the body as a closure that is called once. All of it has the body's span, as in
/// [`typed_block`].
fn closure(stage: &Stage, output: Option<&TokenStream>, function: &Function) -> TokenStream {
    let Function { body, parameters, .. } = function;
    let span = body.span();
    let private = stage.private(here(function));
    // Without a return type the body's braces would be optional, and a lint would report them as
    // unnecessary.
    let output = output.map_or_else(|| quote!(_), ToTokens::to_token_stream);
    let block = if parameters.is_empty() {
        body.to_token_stream()
    } else {
        typed_block(&quote!(#private::expected()), parameters, body)
    };
    let is_outcome_read = stage.ok.is_some() || stage.err.is_some() || stage.generated.is_some();
    let capture = (!parameters.stay(is_outcome_read)).then(|| quote_spanned!(span=> move));
    quote_spanned!(span=> #capture || -> #output #block)
}

fn braces(inside: TokenStream, span: Span) -> Group {
    let mut group = Group::new(Delimiter::Brace, inside);
    group.set_span(span);
    group
}

/// Returns the block and the call's span for a body that consists only of `Box::pin(async move { …
/// })`, as `#[async_trait]` generates it.
fn boxed_block(body: &Group) -> Option<(Span, Group)> {
    let call: syn::ExprCall = syn::parse2(body.stream()).ok()?;
    let syn::Expr::Path(callee) = &*call.func else { return None };
    let segments: Vec<_> = callee.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let is_box_pin = segments.ends_with(&["Box".to_owned(), "pin".to_owned()]);
    let argument = call.args.first().filter(|_| is_box_pin && call.args.len() == 1)?;
    let syn::Expr::Async(block) = argument else { return None };
    block.capture?;
    let tokens = block.block.to_token_stream();
    match tokens.into_iter().next()? {
        proc_macro2::TokenTree::Group(group) => Some((Span::call_site().located_at(callee.span()), group)),
        _ => None,
    }
}

/// Returns the type with each `impl Trait` in it replaced by `_`.
fn without_impl(ty: &Type) -> TokenStream {
    struct Opaque;
    impl syn::visit_mut::VisitMut for Opaque {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            if matches!(ty, Type::ImplTrait(_)) {
                *ty = syn::parse_quote!(_);
            } else {
                syn::visit_mut::visit_type_mut(self, ty);
            }
        }
    }
    let mut ty = ty.clone();
    syn::visit_mut::VisitMut::visit_type_mut(&mut Opaque, &mut ty);
    ty.into_token_stream()
}
