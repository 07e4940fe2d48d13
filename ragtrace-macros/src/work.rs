//! Finds futures and streams in a type: those that are part of a stage, and those that would run
//! after its end.

use syn::punctuated::Punctuated;
use syn::{Error, GenericArgument, Ident, PathArguments, Result, Token, Type, TypeParamBound, parse_quote};

/// Work that continues after the call that returns it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Future,
    Stream,
}

type Bounds = Punctuated<TypeParamBound, Token![+]>;

/// Returns the output type of a future in `bounds`, or the item type of a stream. The result is `_`
/// if the bound does not name it.
pub(crate) fn of_bounds(bounds: &Bounds, work: Work) -> Option<Type> {
    bounds.iter().find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else { return None };
        let segment = bound.path.segments.last()?;
        let (of, [associated, error]) = match segment.ident.to_string().as_str() {
            "Future" | "FusedFuture" => (Work::Future, ["Output", ""]),
            "TryFuture" => (Work::Future, ["Ok", "Error"]),
            "Stream" | "FusedStream" => (Work::Stream, ["Item", ""]),
            "TryStream" => (Work::Stream, ["Ok", "Error"]),
            _ => return None,
        };
        if of != work {
            return None;
        }
        let of_name = |name: &str| associated_type(&segment.arguments, name).unwrap_or_else(|| parse_quote!(_));
        let output = of_name(associated);
        if error.is_empty() {
            return Some(output);
        }
        let error = of_name(error);
        Some(parse_quote!(::core::result::Result<#output, #error>))
    })
}

fn associated_type(arguments: &PathArguments, name: &str) -> Option<Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(assoc) if assoc.ident == name => Some(assoc.ty.clone()),
        _ => None,
    })
}

/// Returns `T` for `Pin<Box<dyn Trait<Assoc = T> + …>>` (or `impl Trait`), and for the aliases
/// `BoxFuture<'_, T>` and `BoxStream<'_, T>` of the `futures` crate.
pub(crate) fn boxed(ty: &Type, work: Work) -> Option<Type> {
    if alias(ty) == Some(work) {
        return Some(last_segment(ty)?.1.into_iter().next().unwrap_or_else(|| parse_quote!(_)));
    }
    let (name, arguments) = last_segment(ty)?;
    let (pointer, arguments) = last_segment(arguments.first().filter(|_| name == "Pin")?)?;
    of_bounds(bounds_of(arguments.first().filter(|_| pointer == "Box")?)?, work)
}

/// Returns the kind of work that an alias of the `futures` crate stands for.
fn alias(ty: &Type) -> Option<Work> {
    let (name, _) = last_segment(ty)?;
    match name.to_string().as_str() {
        "BoxFuture" | "LocalBoxFuture" => Some(Work::Future),
        "BoxStream" | "LocalBoxStream" => Some(Work::Stream),
        _ => None,
    }
}

fn bounds_of(ty: &Type) -> Option<&Bounds> {
    match without_parentheses(ty) {
        Type::ImplTrait(opaque) => Some(&opaque.bounds),
        Type::TraitObject(object) => Some(&object.bounds),
        _ => None,
    }
}

/// Rejects a future or stream with a further bound that the stage's wrapper does not satisfy.
pub(crate) fn refuse_bounds(returned: &Type) -> Result<()> {
    const UNKEPT: [&str; 5] = ["Clone", "Copy", "Default", "Sink", "AsyncRead"];
    let Type::ImplTrait(opaque) = returned else { return Ok(()) };
    let is_work = [Work::Future, Work::Stream].iter().any(|work| of_bounds(&opaque.bounds, *work).is_some());
    for bound in &opaque.bounds {
        let TypeParamBound::Trait(bound) = bound else { continue };
        let Some(last) = bound.path.segments.last() else { continue };
        if last.ident == "IntoFuture" {
            return Err(Error::new_spanned(
                last,
                "the future that this converts into would run after its stage has ended: return `impl Future<Output = …>`",
            ));
        }
        if is_work && UNKEPT.iter().any(|unkept| last.ident == unkept) {
            let message = format!(
                "the future or stream of a stage is wrapped and does not implement `{0}`: remove `{0}`",
                last.ident
            );
            return Err(Error::new_spanned(last, message));
        }
    }
    Ok(())
}

/// Rejects a type that contains a future or stream which would run after the stage has ended.
pub(crate) fn refuse_within(ty: &Type) -> Result<()> {
    let ty = without_parentheses(ty);
    let work = match bounds_of(ty) {
        Some(bounds) => [Work::Future, Work::Stream].into_iter().find(|work| of_bounds(bounds, *work).is_some()),
        None => alias(ty),
    };
    match work {
        Some(Work::Future) => Err(Error::new_spanned(
            ty,
            "this future would run after its stage has ended: await it in an `async fn`, or return it directly, as \
             `impl Future<Output = …>` or `Pin<Box<dyn Future<Output = …> + …>>`",
        )),
        Some(Work::Stream) => Err(Error::new_spanned(
            ty,
            "this stream would run after its stage has ended: return it directly or in a `Result`, as `impl Stream<Item = …>` \
             or `Pin<Box<dyn Stream<Item = …> + …>>`, from a function or an `async fn`",
        )),
        None => match ty {
            Type::Tuple(tuple) => tuple.elems.iter().try_for_each(refuse_within),
            Type::Array(array) => refuse_within(&array.elem),
            Type::Path(_) => {
                last_segment(ty).map_or(Ok(()), |(_, arguments)| arguments.iter().try_for_each(refuse_within))
            }
            _ => Ok(()),
        },
    }
}

/// Returns the type without parentheses, including the invisible ones around a type that a
/// `macro_rules!` passes on.
pub(crate) fn without_parentheses(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => without_parentheses(&group.elem),
        Type::Paren(paren) => without_parentheses(&paren.elem),
        _ => ty,
    }
}

/// Returns the last segment of a path and its type arguments.
pub(crate) fn last_segment(ty: &Type) -> Option<(&Ident, Vec<Type>)> {
    let Type::Path(path) = without_parentheses(ty) else { return None };
    let segment = path.path.segments.last()?;
    let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    });
    Some((&segment.ident, types.collect()))
}
