//! Writes the code that a stage becomes: its function with another body, which calls the runtime.
//!
//! Every path is rooted at the crate's hidden module; every name of ours is hygienic. The user's
//! tokens keep their spans, so the user's own mistakes are reported where they were made.

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

/// Returns the function with its new body, and the constant beside it.
pub(crate) fn expand(stage: &Stage, function: &Function) -> TokenStream {
    let constant = descriptor::constant(stage, function);
    let items = descriptor::items(stage);
    let record = record::definition(stage);
    let body = body(stage, function);
    // A lint asks for a `return` at the end, and none finds ours needless. A body that never
    // returns has none to write.
    let is_never = matches!(&function.signature.output, ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)));
    let give_back = (!is_never).then(|| quote_spanned!(here(function)=> return));
    // The function's own braces, so that the compiler takes the whole for the user's function.
    let body = braces(quote!(#items #record #give_back #body), function.body.span());
    quote!(#constant #function #body)
}

/// Returns the code of `stage!`: a future, or the value of a block that is not `async`.
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
            // The closure does not outlive the expression, so it borrows what it only looks at. The
            // type that is expected of the whole is known before the block is looked at, as it is
            // without the macro.
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

/// Returns the place of errors about the whole: the body's, not the attribute's.
fn here(function: &Function) -> Span {
    Span::call_site().located_at(function.body.span())
}

/// Returns the expression that makes the run.
fn open(stage: &Stage, here: Span, names: &Names) -> TokenStream {
    let private = stage.private(here);
    if stage.start.is_empty() && stage.used.is_empty() {
        return quote_spanned!(here=> #private::open_bare(&__RAGTRACE_STAGE));
    }
    // The fields are read by a closure, so that a `return` or `?` in them is an error. It is called
    // here: a function of ours that took it would be compiled for each stage.
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
                // The box that is there anyway holds the stage too.
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

/// Returns the body of a stage that goes on with the stream that it returns.
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
            // A type that is inferred from the body alone needs no saying.
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

/// Returns the expression that runs `body`, which returns a stream or makes a future of one, and
/// goes on with the stream.
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

/// Returns statements and an expression that run `call`, a closure. One that is large, or returns
/// what is large, is called where it is, so that neither is copied.
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

/// Returns a body that never returns: its stage ends only by a panic or by being dropped.
fn never(stage: &Stage, function: &Function, names: &Names) -> TokenStream {
    let here = here(function);
    let private = stage.private(here);
    let open = open(stage, here, names);
    let span = function.body.span();
    // At the `!`, or an error about what the body makes instead would be at the attribute.
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

/// Returns an expression of the type that a body has. It is never evaluated.
fn expected(private: &TokenStream, output: &TokenStream) -> TokenStream {
    quote!(#private::expected::<#output>())
}

/// Returns the body as a block of the type of `expected`, which the compiler sees before it infers
/// anything in the body, and which takes `parameters` in the order in which they are to be dropped.
///
/// The outer braces have the body's place, or errors about borrows would not name the user's
/// variables.
fn typed_block(expected: &TokenStream, parameters: &Parameters, body: &Group) -> TokenStream {
    // In parentheses of ours the body's braces are no lint's superfluous ones, and they stay the
    // user's, so that lints that look from a macro's call at what is around it find the user's
    // code.
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

/// Returns the body as a closure that is called once. All of it has the body's place, as with
/// [`typed_block`].
fn closure(stage: &Stage, output: Option<&TokenStream>, function: &Function) -> TokenStream {
    let Function { body, parameters, .. } = function;
    let span = body.span();
    let private = stage.private(here(function));
    // Where nothing is said of the type, saying so makes the body's braces needed, which a lint
    // would call superfluous.
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

/// Returns the block of a body that is `Box::pin(async move { … })` and nothing else, as
/// `#[async_trait]` makes it, and the place of the call.
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

/// Returns the type with each `impl Trait` in it left to inference.
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
