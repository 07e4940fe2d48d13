//! Tells from a function's signature how its work is run: as a call, a future or a stream.

use syn::{Result, ReturnType, Signature, Type};

use crate::work::{self, Work, last_segment, without_parentheses};

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
    Stream(Box<Stream>),
}

/// How a function returns its stream.
pub(crate) struct Stream {
    pub(crate) item: Type,
    pub(crate) way: Way,
    /// Where it is: the type of the function, or what its future returns.
    pub(crate) output: Type,
    /// In a `Result`.
    pub(crate) is_fallible: bool,
    /// As a `Pin<Box<dyn Stream>>`.
    pub(crate) is_boxed: bool,
}

/// How a function comes to its stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By the call.
    Call,
    /// By an `async fn`.
    Async,
    /// By a future that a plain function returns.
    Future,
    /// By a future that a plain function returns in a box, as one of `#[async_trait]` does.
    BoxedFuture,
}

impl Stream {
    fn of(returned: &Type, way: Way) -> Option<Self> {
        let returned = without_parentheses(returned);
        let output = returned.clone();
        // `anyhow::Result`, `io::Result`, and what else is called so.
        let success = last_segment(returned).filter(|(name, _)| name.to_string().ends_with("Result"));
        let success = success.and_then(|(_, arguments)| arguments.into_iter().next());
        let is_fallible = success.is_some();
        let returned = success.as_ref().map_or(returned, without_parentheses);
        let found = |item, is_boxed| Self { item, way, output, is_fallible, is_boxed };
        if let Type::ImplTrait(opaque) = returned {
            return work::of_bounds(&opaque.bounds, Work::Stream).map(|item| found(item, false));
        }
        work::boxed(returned, Work::Stream).map(|item| found(item, true))
    }
}

impl Shape {
    /// Finds the shape.
    pub(crate) fn of(signature: &Signature) -> Result<Self> {
        let ReturnType::Type(_, returned) = &signature.output else {
            return Ok(if signature.asyncness.is_some() { Self::Async } else { Self::Sync });
        };
        let returned = without_parentheses(returned);
        work::refuse_bounds(returned)?;
        let way = if signature.asyncness.is_some() { Way::Async } else { Way::Call };
        if let Some(stream) = Stream::of(returned, way) {
            return Ok(Self::Stream(Box::new(stream)));
        }
        if signature.asyncness.is_some() {
            work::refuse_within(returned)?;
            return Ok(Self::Async);
        }
        let (output, is_boxed) = match returned {
            Type::ImplTrait(opaque) => (work::of_bounds(&opaque.bounds, Work::Future), false),
            _ => (work::boxed(returned, Work::Future), true),
        };
        let Some(output) = output else {
            work::refuse_within(returned)?;
            return Ok(Self::Sync);
        };
        let way = if is_boxed { Way::BoxedFuture } else { Way::Future };
        if let Some(stream) = Stream::of(&output, way) {
            return Ok(Self::Stream(Box::new(stream)));
        }
        work::refuse_within(&output)?;
        Ok(if is_boxed { Self::ReturnsBoxedFuture(output) } else { Self::ReturnsFuture(output) })
    }
}
