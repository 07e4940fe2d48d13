//! Determines from a function's signature how its body runs: as a call, a future or a stream.

use syn::{Result, ReturnType, Signature, Type};

use crate::work::{self, Work, last_segment, without_parentheses};

/// The way in which a function's body runs.
pub(crate) enum Shape {
    /// As a synchronous call.
    Sync,
    /// As the future of an `async fn`.
    Async,
    /// As a future that a plain function returns as `impl Future<Output = T>`.
    ReturnsFuture(Type),
    /// As a future that a plain function returns as `Pin<Box<dyn Future<Output = T> + …>>`.
    ReturnsBoxedFuture(Type),
    /// As a stream. The stage ends when the stream ends.
    Stream(Box<Stream>),
}

/// The stream that a function returns.
pub(crate) struct Stream {
    pub(crate) item: Type,
    pub(crate) way: Way,
    /// The type that contains the stream: the function's return type, or the output of its future.
    pub(crate) output: Type,
    /// True if the stream is in a `Result`.
    pub(crate) is_fallible: bool,
    /// True if the stream is a `Pin<Box<dyn Stream>>`.
    pub(crate) is_boxed: bool,
}

/// The way in which a function produces its stream.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A plain function returns it.
    Call,
    /// An `async fn` returns it.
    Async,
    /// A plain function returns a future of it.
    Future,
    /// A plain function returns a boxed future of it, as `#[async_trait]` does.
    BoxedFuture,
}

impl Stream {
    fn of(returned: &Type, way: Way) -> Option<Self> {
        let returned = without_parentheses(returned);
        let output = returned.clone();
        // Includes `anyhow::Result`, `io::Result` and other aliases with such a name.
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
    /// Determines the shape of a function.
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
