//! Determines how a function's parameters move into the closure or `async` block that its body
//! becomes: which ones it must capture, and in which order it captures and therefore drops them.
//!
//! A closure drops its captures in the order in which its body mentions them, while a function
//! drops its parameters in reverse order.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, FnArg, Pat, PatIdent, PatType, PathArguments, Receiver, ReceiverKind, Signature, Type, parse_quote,
};

use crate::args::Args;
use crate::work::without_parentheses;

/// The parameters of a function that its body captures.
#[derive(Default)]
pub(crate) struct Parameters {
    /// In the order of declaration.
    taken: Vec<Parameter>,
    /// Statements that bind parameters with their declared patterns, where the signature now has
    /// plain names.
    rebound: Vec<TokenStream>,
    /// The number of names whose values may need a drop.
    owned: usize,
    /// True if a copy of a parameter may be large, because its type is an array or unknown.
    may_be_large: bool,
    /// True if any parameter is `mut`.
    has_mutable: bool,
    /// True if the signature contains names that were not written by the user.
    pub(crate) are_renamed: bool,
}

/// The words in an attribute that may be names of parameters.
pub(crate) struct Attribution {
    all: BTreeSet<String>,
    /// The words that are read at the end, in `ok`, `err` and `generated`.
    outcome: BTreeSet<String>,
}

impl Attribution {
    /// Collects the words of the attribute `all`.
    pub(crate) fn of(all: &TokenStream, args: &Args) -> Self {
        let mut found = Self { all: BTreeSet::new(), outcome: BTreeSet::new() };
        names_in(all, &mut found.all);
        let fields = [&args.ok, &args.err].into_iter().flatten().flat_map(|clause| &clause.parts);
        let items = args.generated.iter().flat_map(|clause| &clause.parts);
        for value in fields.map(|field| &field.value).chain(items.map(|items| &items.value)) {
            names_in(&value.to_token_stream(), &mut found.outcome);
        }
        found
    }
}

/// A name that a parameter binds.
struct Parameter {
    /// The `#[cfg(…)]` attributes before the parameter.
    cfg: Vec<Attribute>,
    name: TokenStream,
    /// True if the value may need a drop.
    is_owned: bool,
    /// The pattern that binds the parameter in the body, if the body does not mention it.
    unnamed: Option<TokenStream>,
}

impl Parameters {
    /// Collects the parameters of a function with this body, and names those without a name.
    pub(crate) fn of(signature: &mut Signature, body: &TokenStream, attribute: &Attribution) -> Self {
        let mut in_body = BTreeSet::new();
        names_in(body, &mut in_body);
        let mut parameters = Self::default();
        for (at, input) in signature.inputs.iter_mut().enumerate() {
            match input {
                FnArg::Receiver(receiver) => parameters.take_self(receiver, &in_body, attribute),
                FnArg::Typed(typed) => {
                    let ownership = Ownership::of(&typed.ty);
                    parameters.may_be_large |= ownership == Ownership::Unknown;
                    let is_owned = ownership.is_owned();
                    if is_owned && parameters.rename(at, typed, &in_body, attribute) || ownership == Ownership::None {
                        parameters.owned += usize::from(is_owned);
                        continue;
                    }
                    parameters.take(typed, ownership, &in_body, attribute);
                }
            }
        }
        // The drop order of a single parameter does not matter. It stays where it is, because it
        // may be large.
        if parameters.owned == 1 && parameters.rebound.is_empty() && parameters.may_be_large {
            parameters.taken.retain(|parameter| !parameter.is_owned);
        }
        parameters
    }

    fn take_self(&mut self, receiver: &Receiver, in_body: &BTreeSet<String>, attribute: &Attribution) {
        let ownership = Ownership::of_self(receiver);
        self.may_be_large |= ownership == Ownership::Unknown;
        self.has_mutable |= receiver.mutability.is_some();
        let is_taken = match ownership {
            Ownership::None => false,
            Ownership::Borrowed => in_body.contains("self"),
            Ownership::Small | Ownership::Unknown => true,
        };
        let is_owned = ownership.is_owned();
        self.owned += usize::from(is_owned);
        if is_taken && !attribute.outcome.contains("self") {
            self.taken.push(Parameter {
                cfg: cfg(&receiver.attrs),
                name: receiver.self_token.to_token_stream(),
                is_owned,
                unnamed: None,
            });
        }
    }

    fn take(&mut self, typed: &PatType, ownership: Ownership, in_body: &BTreeSet<String>, attribute: &Attribution) {
        let cfg = cfg(&typed.attrs);
        let mut bound = Vec::new();
        bindings(&typed.pat, &mut bound);
        for PatIdent { ident, mutability, .. } in bound {
            self.has_mutable |= mutability.is_some();
            self.owned += usize::from(ownership.is_owned());
            let text = ident.unraw().to_string();
            let is_named = in_body.contains(&text);
            // A parameter with a lint attribute stays where the lint finds it.
            let stays = ownership == Ownership::Borrowed || cfg.len() < typed.attrs.len();
            // A value that is read at the end does not belong to the body.
            if !is_named && stays || attribute.outcome.contains(&text) {
                continue;
            }
            let unnamed = (!is_named && !text.starts_with('_'))
                .then(|| if attribute.all.contains(&text) { quote!(_) } else { ident.to_token_stream() });
            let (name, is_owned) = (ident.to_token_stream(), ownership.is_owned());
            self.taken.push(Parameter { cfg: cfg.clone(), name, is_owned, unnamed });
        }
    }

    /// Gives a `_` parameter a name, because only a named value can be dropped in its turn.
    ///
    /// A pattern that leaves a part of the parameter unbound is treated alike: the body captures
    /// the whole parameter, and then binds it and the parameters after it as a function would.
    fn rename(&mut self, at: usize, typed: &mut PatType, in_body: &BTreeSet<String>, attribute: &Attribution) -> bool {
        let pattern = &*typed.pat;
        let mut bound = Vec::new();
        bindings(pattern, &mut bound);
        let is_free = !bound.iter().any(|bound| attribute.all.contains(&bound.ident.unraw().to_string()));
        let is_wild = matches!(pattern, Pat::Wild(_));
        let is_after_another = !self.rebound.is_empty();
        let is_rebound = is_after_another || !is_wild && leaves_a_part(pattern);
        let name = match pattern {
            Pat::Ident(PatIdent { ident, by_ref: None, subpat: None, .. }) if is_rebound && !is_free => ident.clone(),
            // Keeps the name, but with a span for which lints do not treat generated uses as the
            // user's.
            Pat::Ident(PatIdent { ident, by_ref: None, subpat: None, .. })
                if is_free && ident.to_string().starts_with('_') && !in_body.contains(&ident.to_string()) =>
            {
                Ident::new(&ident.to_string(), Span::mixed_site().located_at(ident.span()))
            }
            _ if is_wild || is_rebound && is_free => {
                Ident::new(&format!("__{at}"), Span::mixed_site().located_at(pattern.span()))
            }
            _ => return false,
        };
        let attributes = &typed.attrs;
        if is_after_another {
            // This binding is dropped before the bindings of the previous parameter.
            self.rebound.push(quote!(#(#attributes)* let #name = #name;));
        }
        if is_rebound {
            self.rebound.push(quote!(#(#attributes)* let #pattern = #name;));
        }
        self.taken.push(Parameter {
            cfg: cfg(attributes),
            name: name.to_token_stream(),
            is_owned: true,
            unnamed: None,
        });
        self.are_renamed = true;
        *typed.pat = parse_quote!(#name);
        true
    }

    /// Returns `true` if no parameter needs special treatment, so that the body can be an ordinary
    /// closure.
    pub(crate) fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    /// Returns `true` if the closure borrows values that can be copied, because they may be large.
    /// Otherwise it moves them, so that values derived from them may outlive the call. It also
    /// moves them if the result is read in addition and a parameter may be mutated.
    pub(crate) fn stay(&self, is_outcome_read: bool) -> bool {
        self.may_be_large && !(is_outcome_read && self.has_mutable)
    }

    /// Returns statements that mention the parameters in the order in which they must be dropped.
    /// They are placed after a `return`, so that nothing runs, and no lint considers a parameter
    /// used.
    pub(crate) fn order(&self) -> Option<TokenStream> {
        let takes = self.taken.iter().rev().map(|Parameter { cfg, name, .. }| quote!(#(#cfg)* let __taken = #name;));
        (!self.taken.is_empty()).then(|| quote!(#[allow(unreachable_code)] { #(#takes)* };))
    }

    /// Returns statements that bind parameters the body does not mention, so that lints report them
    /// as unused, and parameters that were renamed in the signature.
    pub(crate) fn bind(&self) -> TokenStream {
        let unnamed = self.taken.iter().filter_map(|Parameter { cfg, name, unnamed, .. }| {
            unnamed.as_ref().map(|unnamed| quote!(#(#cfg)* #[allow(clippy::shadow_same)] let #unnamed = &#name;))
        });
        let rebound = &self.rebound;
        quote!(#(#unnamed)* #(#rebound)*)
    }
}

fn cfg(attributes: &[Attribute]) -> Vec<Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).cloned().collect()
}

/// Returns `true` if part of the value stays unbound after the pattern has been matched.
fn leaves_a_part(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) | Pat::Rest(_) => true,
        Pat::Ident(binding) => {
            binding.by_ref.is_some() || binding.subpat.as_ref().is_some_and(|(_, inner)| leaves_a_part(inner))
        }
        Pat::Tuple(tuple) => tuple.elems.iter().any(leaves_a_part),
        Pat::TupleStruct(tuple) => tuple.elems.iter().any(leaves_a_part),
        Pat::Struct(fields) => fields.rest.is_some() || fields.fields.iter().any(|field| leaves_a_part(&field.pat)),
        Pat::Slice(slice) => slice.elems.iter().any(leaves_a_part),
        Pat::Paren(paren) => leaves_a_part(&paren.pat),
        _ => false,
    }
}

/// The kind of value that is released when a parameter is dropped.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ownership {
    /// None, as for a number or a shared reference.
    None,
    /// None, but the parameter is moved, as for `&mut T`.
    Borrowed,
    /// A value behind a pointer.
    Small,
    /// Possibly a value, which may itself be large.
    Unknown,
}

impl Ownership {
    fn is_owned(self) -> bool {
        matches!(self, Self::Small | Self::Unknown)
    }

    fn of_self(receiver: &Receiver) -> Self {
        match &receiver.kind {
            ReceiverKind::Typed(_, ty) => Self::of(ty),
            ReceiverKind::Reference(_, _, Some(_mut)) => Self::Borrowed,
            ReceiverKind::Reference(..) => Self::None,
            _ => Self::Unknown,
        }
    }

    fn of(ty: &Type) -> Self {
        const NUMBERS: [&str; 17] = [
            "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
            "isize", "f32", "f64",
        ];
        const POINTERS: [&str; 9] = ["String", "Vec", "Box", "Arc", "Rc", "PathBuf", "HashMap", "BTreeMap", "VecDeque"];
        match without_parentheses(ty) {
            Type::Reference(reference) if reference.mutability.is_some() => Self::Borrowed,
            Type::Reference(_) | Type::Ptr(_) | Type::FnPtr(_) | Type::Never(_) => Self::None,
            Type::Tuple(tuple) if tuple.elems.is_empty() => Self::None,
            Type::Path(path) if path.qself.is_none() => {
                let Some(last) = path.path.segments.last() else { return Self::Unknown };
                let name = last.ident.to_string();
                let is_plain = matches!(last.arguments, PathArguments::None);
                if is_plain && path.path.segments.len() == 1 && NUMBERS.contains(&name.as_str()) {
                    Self::None
                } else if POINTERS.contains(&name.as_str()) {
                    Self::Small
                } else {
                    Self::Unknown
                }
            }
            _ => Self::Unknown,
        }
    }
}

/// Collects the bindings of a pattern, in order.
fn bindings<'a>(pattern: &'a Pat, found: &mut Vec<&'a PatIdent>) {
    match pattern {
        Pat::Ident(binding) => {
            // Upper-case names such as `None` are constants and bind nothing.
            let is_constant = binding.ident.to_string().starts_with(|c: char| c.is_uppercase());
            if !is_constant {
                found.push(binding);
            }
            if let Some((_, inner)) = &binding.subpat {
                bindings(inner, found);
            }
        }
        Pat::Tuple(tuple) => tuple.elems.iter().for_each(|inner| bindings(inner, found)),
        Pat::TupleStruct(tuple) => tuple.elems.iter().for_each(|inner| bindings(inner, found)),
        Pat::Struct(fields) => fields.fields.iter().for_each(|field| bindings(&field.pat, found)),
        Pat::Slice(slice) => slice.elems.iter().for_each(|inner| bindings(inner, found)),
        Pat::Reference(reference) => bindings(&reference.pat, found),
        Pat::Paren(paren) => bindings(&paren.pat, found),
        _ => {}
    }
}

/// Collects words that may be names of variables, including those in format strings.
fn names_in(tokens: &TokenStream, names: &mut BTreeSet<String>) {
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(word) => drop(names.insert(word.unraw().to_string())),
            TokenTree::Group(group) => names_in(&group.stream(), names),
            TokenTree::Literal(literal) => {
                let text = literal.to_string();
                if text.contains('{') {
                    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
                    names.extend(words.map(str::to_owned));
                }
            }
            TokenTree::Punct(_) => {}
        }
    }
}
