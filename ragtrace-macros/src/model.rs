//! Validates the parsed arguments. Every name in a [`Stage`] is well-formed, known and given once.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Error, Expr, LitStr, Pat, Path, Result, ReturnType, Type};

use crate::args::{Args, Clause, RecordDeclaration};
use crate::field::{Field, Form};
use crate::function::Function;
use crate::items::Items;
use crate::keywords::{KINDS, LEVELS};
use crate::name;
use crate::shape::Shape;
use crate::suggest::unknown;

/// A valid stage.
pub(crate) struct Stage {
    pub(crate) name: String,
    /// The stage's previous name.
    pub(crate) renamed_from: Option<String>,
    /// The variant of `StageKind`, unless it is the default.
    pub(crate) kind: Option<Ident>,
    /// The variant of `Level`, unless it is the default.
    pub(crate) level: Option<Ident>,
    pub(crate) target: Option<LitStr>,
    pub(crate) root: bool,
    pub(crate) start: Vec<Recorded>,
    pub(crate) ok: Option<OutcomeFields>,
    pub(crate) err: Option<OutcomeFields>,
    pub(crate) used: Vec<IndexedItems>,
    pub(crate) generated: Option<GeneratedItems>,
    pub(crate) record: Vec<RecordDeclaration>,
    /// All fields, in the order of their indices.
    pub(crate) declared: Vec<DeclaredField>,
    pub(crate) descriptor: Option<Ident>,
    /// The path by which generated code refers to the `ragtrace` crate.
    pub(crate) krate: TokenStream,
    /// The path of the `ragtrace` crate, if the attribute sets it.
    pub(crate) path: Option<Path>,
}

/// The fields that are read from a success value or an error.
pub(crate) struct OutcomeFields {
    pub(crate) pattern: Pat,
    pub(crate) fields: Vec<Recorded>,
}

/// The items that are read from a success value.
pub(crate) struct GeneratedItems {
    pub(crate) pattern: Pat,
    pub(crate) items: Vec<IndexedItems>,
}

/// An expression for the items of one type, with the type's index in the descriptor.
pub(crate) struct IndexedItems {
    pub(crate) index: u16,
    pub(crate) value: Expr,
}

/// A field with its index in the descriptor.
pub(crate) struct Recorded {
    pub(crate) index: u16,
    pub(crate) field: Field,
}

/// A field as the descriptor lists it.
pub(crate) struct DeclaredField {
    pub(crate) name: String,
    /// The constructor of `FieldDescriptor`.
    pub(crate) source: Ident,
    pub(crate) ty: Option<String>,
}

impl Stage {
    /// Validates the arguments of an attribute on `function`.
    pub(crate) fn check(args: Args, function: &Function) -> Result<Self> {
        let name = match &args.name {
            Some(literal) => name::of_literal(literal)?,
            None => name::of_function(&function.signature.ident)?,
        };
        if let (Shape::Stream(_), Some(ok)) = (&function.shape, &args.ok) {
            return Err(Error::new_spanned(
                &ok.pattern,
                "a stream has no single success value for `ok`: remove it, and record fields with `record!`; items are counted anyway",
            ));
        }
        if let (Shape::Stream(_), Some(generated)) = (&function.shape, &args.generated) {
            return Err(Error::new_spanned(
                &generated.pattern,
                "a stream has no single success value for `generated`: put it on the stage that collects the stream's items",
            ));
        }
        if let (Some(err), true) = (&args.err, is_no_result(&function.signature.output)) {
            return Err(Error::new_spanned(
                &err.pattern,
                "this function does not return a `Result`, so it has no error for `err`: remove it",
            ));
        }
        Self::build(name, args)
    }

    /// Validates the arguments of `stage!`.
    pub(crate) fn check_block(args: Args) -> Result<Self> {
        let Some(literal) = &args.name else {
            return Err(Error::new(Span::call_site(), "a block needs a name: `stage!(\"file_parsing\", { … })`"));
        };
        if let Some(word) = &args.stream {
            return Err(Error::new_spanned(
                word,
                "`stream` cannot be used on a block: put the attribute on a function",
            ));
        }
        if let Some(name) = &args.descriptor {
            return Err(Error::new_spanned(
                name,
                "`descriptor` cannot be used on a block: put the attribute on a function",
            ));
        }
        let name = name::of_literal(literal)?;
        Self::build(name, args)
    }

    fn build(name: String, args: Args) -> Result<Self> {
        if let Some(target) = args.target.as_ref().filter(|target| target.value().trim().is_empty()) {
            return Err(Error::new_spanned(target, "`target` must not be empty: write `target = \"rag.ingestion\"`"));
        }
        let renamed_from = args.renamed_from.as_ref().map(|older| name::older(older, &name)).transpose()?;
        let kind = args.kind.as_ref().map(|kind| known_variant(kind, &KINDS, "kind")).transpose()?;
        let level = args.level.as_ref().map(known_level).transpose()?;
        let mut declared = Vec::new();
        let start = with_indices(args.fields, "start", &mut declared)?;
        let ok = args.ok.map(|clause| outcome(clause, "ok", &mut declared)).transpose()?;
        let err = args.err.map(|clause| outcome(clause, "err", &mut declared)).transpose()?;
        let used = items(args.used, "used", &mut declared)?;
        let generated = args.generated.map(|clause| {
            let items = items(clause.parts, "generated", &mut declared)?;
            Ok::<_, Error>(GeneratedItems { pattern: clause.pattern, items })
        });
        let generated = generated.transpose()?;
        check_declarations(&args.record)?;
        declared.extend(args.record.iter().map(|field| DeclaredField {
            name: field.name.unraw().to_string(),
            source: format_ident!("record"),
            ty: Some(type_text(&field.ty)),
        }));
        let Args { target, root, record, descriptor, krate: path, .. } = args;
        // A path is written into the code only once, so that an error about it is reported once.
        let krate = if path.is_some() { quote!(__ragtrace) } else { quote!(::ragtrace) };
        Ok(Self {
            name,
            renamed_from,
            kind,
            level,
            target,
            root,
            start,
            ok,
            err,
            used,
            generated,
            record,
            declared,
            descriptor,
            krate,
            path,
        })
    }

    /// Returns the path of the module that generated code calls, with the given span.
    pub(crate) fn private(&self, span: Span) -> TokenStream {
        if self.path.is_some() {
            quote_spanned!(span=> __ragtrace::__private)
        } else {
            quote_spanned!(span=> ::ragtrace::__private)
        }
    }

    /// Returns the index of the first field of `record(…)`.
    pub(crate) fn first_record(&self) -> usize {
        self.declared.len() - self.record.len()
    }
}

/// Returns the enum variant for a known word.
fn known_variant(word: &Ident, words: &[&str], what: &str) -> Result<Ident> {
    let text = word.to_string();
    if !words.contains(&text.as_str()) {
        return Err(Error::new_spanned(word, unknown(what, &text, words)));
    }
    Ok(variant(&text))
}

fn known_level(level: &LitStr) -> Result<Ident> {
    let text = level.value();
    if !LEVELS.contains(&text.as_str()) {
        return Err(Error::new_spanned(level, unknown("level", &text, &LEVELS)));
    }
    Ok(variant(&text))
}

fn variant(word: &str) -> Ident {
    let mut chars = word.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase()).into_iter();
    Ident::new(&first.chain(chars).collect::<String>(), Span::call_site())
}

/// Returns `true` if the declared type alone shows that the function does not return a `Result`.
fn is_no_result(output: &ReturnType) -> bool {
    const PLAIN: [&str; 9] = ["Vec", "Option", "String", "bool", "u32", "u64", "usize", "i32", "f64"];
    let ReturnType::Type(_, ty) = output else { return true };
    match &**ty {
        Type::Tuple(_) | Type::Array(_) | Type::Reference(_) | Type::Never(_) => true,
        Type::Path(path) => path.path.segments.last().is_some_and(|last| PLAIN.iter().any(|plain| last.ident == plain)),
        _ => false,
    }
}

/// The metrics that every end record has automatically.
const MEASURED: [&str; 3] = ["duration_ms", "busy_ms", "first_item_ms"];

fn refuse_measured(name: &str, at: &impl ToTokens) -> Result<()> {
    if MEASURED.contains(&name) {
        return Err(Error::new_spanned(at, format!("`{name}` is recorded automatically: choose another name")));
    }
    Ok(())
}

fn outcome(clause: Clause<Field>, source: &str, declared: &mut Vec<DeclaredField>) -> Result<OutcomeFields> {
    Ok(OutcomeFields { pattern: clause.pattern, fields: with_indices(clause.parts, source, declared)? })
}

/// Gives each field the next index. Names must be unique, and fields that are measured
/// automatically are rejected.
fn with_indices(fields: Vec<Field>, source: &str, declared: &mut Vec<DeclaredField>) -> Result<Vec<Recorded>> {
    let mut names: Vec<String> = Vec::new();
    let mut recorded = Vec::new();
    for field in fields {
        if names.contains(&field.name) {
            return Err(Error::new_spanned(
                &field.name_tokens,
                format!("`{}` is recorded twice: remove one of them, or choose another name", field.name),
            ));
        }
        if source != "start" {
            refuse_measured(&field.name, &field.name_tokens)?;
        }
        let is_typed = source != "start" && matches!(field.name.as_str(), "count" | "cost_usd");
        if is_typed && field.form != Form::Plain {
            let what = if field.name == "count" { "an integer" } else { "a float" };
            return Err(Error::new_spanned(
                &field.name_tokens,
                format!("`{}` must be {what}: remove `%` or `?`", field.name),
            ));
        }
        names.push(field.name.clone());
        let index = next_index(declared, &field.name_tokens)?;
        declared.push(DeclaredField { name: field.name.clone(), source: format_ident!("{source}"), ty: None });
        recorded.push(Recorded { index, field });
    }
    Ok(recorded)
}

/// Gives each item type the next index.
fn items(items: Vec<Items>, source: &str, declared: &mut Vec<DeclaredField>) -> Result<Vec<IndexedItems>> {
    let mut types: Vec<String> = Vec::new();
    let mut indexed = Vec::new();
    for Items { item_type, type_tokens, value } in items {
        if types.contains(&item_type) {
            return Err(Error::new_spanned(
                type_tokens,
                format!("the item type `{item_type}` is given twice: combine its items with `.chain(…)`"),
            ));
        }
        types.push(item_type.clone());
        let index = next_index(declared, &type_tokens)?;
        declared.push(DeclaredField { name: item_type, source: format_ident!("{source}"), ty: None });
        indexed.push(IndexedItems { index, value });
    }
    Ok(indexed)
}

fn next_index(declared: &[DeclaredField], at: &TokenStream) -> Result<u16> {
    /// More than a record can hold, and far below the largest index.
    const MOST: usize = 256;
    let index = u16::try_from(declared.len()).ok().filter(|_| declared.len() < MOST);
    index.ok_or_else(|| Error::new_spanned(at, format!("a stage can declare at most {MOST} fields")))
}

fn check_declarations(record: &[RecordDeclaration]) -> Result<()> {
    for (at, field) in record.iter().enumerate() {
        refuse_measured(&field.name.unraw().to_string(), &field.name)?;
        if record[..at].iter().any(|earlier| earlier.name.unraw() == field.name.unraw()) {
            return Err(Error::new_spanned(
                &field.name,
                format!("`{}` is declared twice: remove one of them", field.name),
            ));
        }
    }
    Ok(())
}

fn type_text(ty: &Type) -> String {
    let mut text = ty.to_token_stream().to_string();
    for (spaced, tight) in
        [("& ", "&"), (" < ", "<"), ("< ", "<"), (" >", ">"), (" :: ", "::"), (":: ", "::"), (" ,", ","), (" ;", ";")]
    {
        text = text.replace(spaced, tight);
    }
    text
}
