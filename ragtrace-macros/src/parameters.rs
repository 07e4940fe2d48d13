//! Finds what has to be said of a function's parameters where its body moves into a closure or an
//! `async` block: in which order these take them, and so drop them, and whether they have to take
//! all of them.
//!
//! A closure drops what it captured in the order in which its body names it, and a function drops
//! its parameters in reverse.

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

/// The parameters of a function that its body takes.
#[derive(Default)]
pub(crate) struct Parameters {
    /// In the order of their declaration.
    taken: Vec<Parameter>,
    /// Statements that bind parameters as they were declared, where the signature has only names
    /// for them.
    rebound: Vec<TokenStream>,
    /// How many names there are of what may need a drop.
    owned: usize,
    /// True if a copy of one may be large: its type is an array or not known.
    may_be_large: bool,
    /// True if one is `mut`.
    has_mutable: bool,
    /// True if the signature has other names than were written.
    pub(crate) are_renamed: bool,
}

/// The words in an attribute that may be names of parameters.
pub(crate) struct Attribution {
    all: BTreeSet<String>,
    /// Those that are read at the end, in `ok`, `err` and `generated`.
    outcome: BTreeSet<String>,
}

impl Attribution {
    /// Finds the words of the attribute whose text is `all`.
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
    /// Each `#[cfg(…)]` before it.
    cfg: Vec<Attribute>,
    name: TokenStream,
    /// It may need a drop.
    is_owned: bool,
    /// How the body binds it that does not name it.
    unnamed: Option<TokenStream>,
}

impl Parameters {
    /// Finds the parameters of a function with this body, and names those that have no name.
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
        // Alone, a parameter is dropped when it may be, and stays where it is: it may be large.
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
            // Where a lint is expected of it, it stays where the lint finds it.
            let stays = ownership == Ownership::Borrowed || cfg.len() < typed.attrs.len();
            // A part of it that is read at the end is not the body's.
            if !is_named && stays || attribute.outcome.contains(&text) {
                continue;
            }
            let unnamed = (!is_named && !text.starts_with('_'))
                .then(|| if attribute.all.contains(&text) { quote!(_) } else { ident.to_token_stream() });
            let (name, is_owned) = (ident.to_token_stream(), ownership.is_owned());
            self.taken.push(Parameter { cfg: cfg.clone(), name, is_owned, unnamed });
        }
    }

    /// Gives a parameter that is `_` a name, since only what has a name can be dropped in its turn.
    /// The same goes for what a pattern leaves in the parameter: the body takes all of it, and
    /// binds it and what comes after it as a function would.
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
            // It keeps its name, but a lint does not take ours for the user's use of it.
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
            // Dropped before what the one before is bound to.
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

    /// Returns whether the body is a closure like any other: there is nothing to be said of it.
    pub(crate) fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }

    /// Returns whether a closure leaves what can be copied where it is, since that may be large.
    /// The others move it, so that what the body makes of it may outlive the call; and so does one
    /// whose outcome is read besides, if it may change it.
    pub(crate) fn stay(&self, is_outcome_read: bool) -> bool {
        self.may_be_large && !(is_outcome_read && self.has_mutable)
    }

    /// Returns statements that name the parameters in the order in which they are to be dropped.
    /// They stand behind a `return`: nothing is run, and no lint takes a parameter for used.
    pub(crate) fn order(&self) -> Option<TokenStream> {
        let takes = self.taken.iter().rev().map(|Parameter { cfg, name, .. }| quote!(#(#cfg)* let __taken = #name;));
        (!self.taken.is_empty()).then(|| quote!(#[allow(unreachable_code)] { #(#takes)* };))
    }

    /// Returns statements that bind what the body does not name, which a lint finds unused as it
    /// would the parameter, and what the signature has under other names.
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

/// Returns whether something of the value stays where it was when the pattern has bound its names.
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

/// The sort of thing that the drop of a parameter would give back.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ownership {
    /// Nothing: a number or a shared reference.
    None,
    /// Nothing, but it is moved all the same: `&mut T`.
    Borrowed,
    /// Something behind a pointer.
    Small,
    /// It may have something, and may be large itself.
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

/// Collects what a pattern binds, in order.
fn bindings<'a>(pattern: &'a Pat, found: &mut Vec<&'a PatIdent>) {
    match pattern {
        Pat::Ident(binding) => {
            // `None` and the like are no bindings.
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

/// Collects the words of the body that may be names of variables, also those in the texts of its
/// macros.
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
