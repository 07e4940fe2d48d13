//! Parses the function that the attribute is applied to. Its signature is returned unchanged,
//! except that unnamed parameters get names, and its body is never parsed.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Error, Ident, Result, ReturnType, Signature, Type, Visibility};

use crate::args::Args;
use crate::parameters::{Attribution, Parameters};
use crate::shape::Shape;
use crate::work::without_parentheses;

/// A function with a body.
pub(crate) struct Function {
    /// Everything before the body as written, except that unnamed parameters have names.
    pub(crate) head: TokenStream,
    /// The body's inner attributes `#![…]` and others, to be written before the head as `#[…]`.
    pub(crate) inner_attributes: Vec<TokenStream>,
    pub(crate) cfg_attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: Group,
    pub(crate) shape: Shape,
    pub(crate) parameters: Parameters,
}

impl Function {
    /// Parses the function that has the attribute `attribute` with these arguments.
    pub(crate) fn parse(item: &TokenStream, attribute: &TokenStream, args: &Args) -> Result<Self> {
        // The argument that declares the returned value a stream.
        let stream = args.stream.as_ref();
        let mut tokens: Vec<TokenTree> = item.clone().into_iter().collect();
        let Some(body) = tokens.pop().and_then(braces) else { return Err(not_a_function(item)) };
        let is_function = item_keyword(&tokens).is_some_and(|word| word == "fn");
        let head: TokenStream = tokens.into_iter().collect();
        let parse_head = |input: ParseStream<'_>| {
            let attributes = input.call(Attribute::parse_outer)?;
            let visibility: Visibility = input.parse()?;
            let lookahead = input.fork();
            if let Err(error) = lookahead.parse::<Signature>() {
                return Err(if is_function { error } else { not_a_function(item) });
            }
            Ok((attributes, visibility, input.parse::<Signature>()?))
        };
        let (attributes, visibility, mut signature) = parse_head.parse2(head.clone())?;
        if let Some(constness) = &signature.constness {
            return Err(Error::new_spanned(
                constness,
                "a `const fn` may run at compile time, where nothing can be recorded: put the attribute on its caller",
            ));
        }
        let (mut inner_attributes, body) = hoist(&body);
        if signature.asyncness.is_some() && may_be_a_future(&signature.output) {
            inner_attributes.push(quote!(#[allow(clippy::async_yields_async)]));
        }
        let shape = Shape::of(&signature)?;
        if let (Some(word), false) = (stream, matches!(shape, Shape::Stream(_))) {
            return Err(not_a_stream(&signature, word));
        }
        let parameters = Parameters::of(&mut signature, &body.stream(), &Attribution::of(attribute, args));
        let head = if parameters.are_renamed { quote!(#(#attributes)* #visibility #signature) } else { head };
        let cfg_attributes = attributes.into_iter().filter(|attribute| attribute.path().is_ident("cfg")).collect();
        Ok(Self { head, inner_attributes, cfg_attributes, visibility, signature, body, shape, parameters })
    }
}

/// Returns the brace-delimited group in `token`. A `macro_rules!` that passes on a `block` wraps it
/// in another, invisible group.
pub(crate) fn braces(token: TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = token else { return None };
    match group.delimiter() {
        Delimiter::Brace => Some(group),
        Delimiter::None => {
            let mut inside = group.stream().into_iter();
            inside.next().and_then(braces).filter(|_| inside.next().is_none())
        }
        Delimiter::Parenthesis | Delimiter::Bracket => None,
    }
}

fn not_a_stream(signature: &Signature, word: &Ident) -> Error {
    const HINT: &str = "`stream` needs a return type `impl Stream<Item = …>` or `Pin<Box<dyn Stream<Item = …> + …>>`, optionally in a `Result`";
    match &signature.output {
        ReturnType::Default => Error::new_spanned(word, format!("{HINT}; this function returns nothing")),
        ReturnType::Type(_, ty) => {
            Error::new_spanned(ty, format!("{HINT}; a stream of a named type cannot be wrapped"))
        }
    }
}

/// Returns the visibility of `item` if it is a function.
pub(crate) fn visibility_of(item: &TokenStream) -> Option<Visibility> {
    item_keyword(&item.clone().into_iter().collect::<Vec<_>>()).filter(|word| *word == "fn")?;
    let visibility = |input: ParseStream<'_>| {
        let _attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse::<Visibility>()?;
        let _rest: TokenStream = input.parse()?;
        Ok(visibility)
    };
    visibility.parse2(item.clone()).ok()
}

/// Returns the keyword that tells the kind of the item.
fn item_keyword(tokens: &[TokenTree]) -> Option<&Ident> {
    const BEFORE: [&str; 7] = ["pub", "default", "const", "async", "unsafe", "safe", "extern"];
    let mut last = None;
    for token in tokens {
        match token {
            TokenTree::Ident(word) if BEFORE.iter().any(|before| word == before) => last = Some(word),
            // In `const X` and `extern crate`, the previous keyword tells the kind.
            TokenTree::Ident(word) if word == "crate" || last.is_some_and(|last| last == "const" && word != "fn") => {
                return last;
            }
            TokenTree::Ident(word) => return Some(word),
            // Skips attributes, `pub(…)`, and the `"C"` of `extern`.
            TokenTree::Punct(hash) if hash.as_char() == '#' => {}
            TokenTree::Literal(_) => {}
            TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => {}
            _ => return last,
        }
    }
    last
}

/// Returns the error for an item that is not a function with a body, located at the keyword that
/// tells its kind.
fn not_a_function(item: &TokenStream) -> Error {
    let tokens: Vec<TokenTree> = item.clone().into_iter().collect();
    let Some(word) = item_keyword(&tokens) else {
        let message = "`#[traced_stage]` can only be applied to a function: use `ragtrace::stage!` for a block";
        return Error::new_spanned(tokens.first(), message);
    };
    if word == "fn" {
        let is_fn = |token: &&TokenTree| matches!(token, TokenTree::Ident(other) if other == "fn");
        let name = tokens.iter().skip_while(|token| !is_fn(token)).nth(1);
        return Error::new_spanned(
            name,
            "this function has no body to trace: put the attribute on the implementations, or give it a default body",
        );
    }
    let message = if word == "impl" || word == "trait" {
        "`#[traced_stage]` can only be applied to a function: put it on each method that is a stage".to_owned()
    } else {
        format!("`#[traced_stage]` can only be applied to a function, not to this `{word}`")
    };
    Error::new_spanned(word, message)
}

/// Returns `true` if the output of an `async fn` may itself be a future, such as a `JoinHandle`. A
/// lint that is an error by default flags `async` blocks that return a future, and a stage's body
/// becomes such a block.
fn may_be_a_future(output: &ReturnType) -> bool {
    const NONE: [&str; 9] = ["Result", "Option", "Vec", "String", "bool", "u32", "u64", "usize", "f64"];
    let ReturnType::Type(_, ty) = output else { return false };
    match without_parentheses(ty) {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| NONE.iter().all(|none| last.ident != none)),
        Type::ImplTrait(_) => true,
        _ => false,
    }
}

/// Removes the inner attributes `#![…]` from the beginning of a body.
fn hoist(body: &Group) -> (Vec<TokenStream>, Group) {
    let mut tokens = body.stream().into_iter().peekable();
    let mut rest = Vec::new();
    let mut attributes = Vec::new();
    while let Some(token) = tokens.next() {
        let is_hash = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
        let is_inner = is_hash && matches!(tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '!');
        if !is_inner {
            rest.push(token);
            break;
        }
        let _bang = tokens.next();
        let content = tokens.next();
        attributes.push([Some(token), content].into_iter().flatten().collect());
    }
    rest.extend(tokens);
    let mut hoisted = Group::new(Delimiter::Brace, rest.into_iter().collect());
    hoisted.set_span(body.span());
    (attributes, hoisted)
}

impl ToTokens for Function {
    /// Writes the head, preceded by the body's inner attributes.
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.inner_attributes.iter().for_each(|attribute| attribute.to_tokens(tokens));
        self.head.to_tokens(tokens);
    }
}
