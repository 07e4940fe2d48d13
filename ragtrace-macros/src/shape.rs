//! Tells from a function's signature how its work is run: as a call, a future or a stream.

use syn::{ReturnType, Signature, Type};

/// How the function's work is run.
pub(crate) enum Shape {
    /// A call.
    Sync,
    /// An `async fn`.
    Async,
    /// A plain function that returns `impl Future<Output = T>`.
    ReturnsFuture(Type),
    /// A plain function that returns `Pin<Box<dyn Future<Output = T> + …>>`.
    ReturnsBoxedFuture(Type),
    /// A function whose stage ends when the stream that it returns does.
    Stream(Stream),
}

/// How a function returns its stream.
pub(crate) struct Stream {
    pub(crate) item: Type,
    pub(crate) is_async: bool,
    /// In a `Result`.
    pub(crate) is_fallible: bool,
    /// As a `Pin<Box<dyn Stream>>`.
    pub(crate) is_boxed: bool,
}

impl Stream {
    fn of(signature: &Signature) -> Option<Self> {
        let ReturnType::Type(_, returned) = &signature.output else { return None };
        let returned = without_parentheses(returned);
        let success = last_segment(returned).filter(|(name, _)| name == "Result");
        let success = success.and_then(|(_, arguments)| arguments.into_iter().next());
        let is_fallible = success.is_some();
        let returned = success.as_ref().map_or(returned, without_parentheses);
        let is_async = signature.asyncness.is_some();
        let found = |item, is_boxed| Self { item, is_async, is_fallible, is_boxed };
        if let Type::ImplTrait(opaque) = returned {
            return output_of_bounds(&opaque.bounds, "Stream", "Item").map(|item| found(item, false));
        }
        boxed_trait(returned, "Stream", "Item").map(|item| found(item, true))
    }
}

impl Shape {
    /// Finds the shape. `stream` says that the attribute has that word; `impl Stream` is recognised without it.
    pub(crate) fn of(signature: &Signature, stream: bool) -> Self {
        match Stream::of(signature) {
            Some(found) if stream || !(found.is_boxed || found.is_fallible) => return Self::Stream(found),
            _ => {}
        }
        if signature.asyncness.is_some() {
            return Self::Async;
        }
        let ReturnType::Type(_, returned) = &signature.output else { return Self::Sync };
        let returned = without_parentheses(returned);
        if let Type::ImplTrait(opaque) = returned {
            let future = output_of_bounds(&opaque.bounds, "Future", "Output").map(Self::ReturnsFuture);
            return future.unwrap_or(Self::Sync);
        }
        boxed_trait(returned, "Future", "Output").map_or(Self::Sync, Self::ReturnsBoxedFuture)
    }
}

/// Returns `T` of `Pin<Box<dyn Trait<Assoc = T> + …>>`, or of a `BoxTrait<'_, T>`, as the futures crate calls that.
fn boxed_trait(ty: &Type, trait_name: &str, associated: &str) -> Option<Type> {
    let (name, arguments) = last_segment(ty)?;
    if name == format!("Box{trait_name}") || name == format!("LocalBox{trait_name}") {
        return arguments.into_iter().next();
    }
    let (pointer, arguments) = last_segment(arguments.first().filter(|_| name == "Pin")?)?;
    let Type::TraitObject(object) = without_parentheses(arguments.first().filter(|_| pointer == "Box")?) else {
        return None;
    };
    output_of_bounds(&object.bounds, trait_name, associated)
}

/// Returns the type without parentheses around it, such as the invisible ones of a type that a `macro_rules!` passes on.
pub(crate) fn without_parentheses(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => without_parentheses(&group.elem),
        Type::Paren(paren) => without_parentheses(&paren.elem),
        _ => ty,
    }
}

/// Returns the last segment of a path type, and its type arguments.
fn last_segment(ty: &Type) -> Option<(String, Vec<Type>)> {
    let Type::Path(path) = without_parentheses(ty) else { return None };
    let segment = path.path.segments.last()?;
    let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    });
    Some((segment.ident.to_string(), types.collect()))
}

/// Returns `T` of a bound `Trait<Assoc = T>` among `bounds`.
fn output_of_bounds<'a>(
    bounds: impl IntoIterator<Item = &'a syn::TypeParamBound>,
    trait_name: &str,
    associated: &str,
) -> Option<Type> {
    bounds.into_iter().find_map(|bound| {
        let syn::TypeParamBound::Trait(bound) = bound else { return None };
        let segment = bound.path.segments.last().filter(|segment| segment.ident == trait_name)?;
        let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else { return None };
        arguments.args.iter().find_map(|argument| match argument {
            syn::GenericArgument::AssocType(assoc) if assoc.ident == associated => Some(assoc.ty.clone()),
            _ => None,
        })
    })
}
