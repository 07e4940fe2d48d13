//! Parses the arguments between the attribute's parentheses.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseBuffer, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitStr, Pat, Path, Result, Token, Type};

use crate::field::{Field, NamedField, StartField};
use crate::items::Items;
use crate::keywords::{ARGUMENTS, KINDS, LEVELS};
use crate::suggest::{did_you_mean, list, unknown};

/// The arguments, each given at most once.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<LitStr>,
    pub(crate) kind: Option<Ident>,
    pub(crate) level: Option<LitStr>,
    pub(crate) target: Option<LitStr>,
    pub(crate) fields: Vec<Field>,
    pub(crate) ok: Option<Clause<Field>>,
    pub(crate) err: Option<Clause<Field>>,
    pub(crate) record: Vec<RecordDeclaration>,
    pub(crate) used: Vec<Items>,
    pub(crate) generated: Option<Clause<Items>>,
    pub(crate) stream: Option<Ident>,
    pub(crate) root: bool,
    pub(crate) renamed_from: Option<LitStr>,
    pub(crate) descriptor: Option<Ident>,
    pub(crate) krate: Option<Path>,
}

/// A clause `|value| name = expr, …`.
pub(crate) struct Clause<T> {
    pub(crate) pattern: Pat,
    pub(crate) parts: Vec<T>,
}

/// A declaration `name: Type`.
pub(crate) struct RecordDeclaration {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut args = Self::default();
        let mut seen: Vec<String> = Vec::new();
        if input.peek(LitStr) {
            args.name = Some(literal(input)?);
            seen.push("name".to_owned());
            comma(input)?;
        }
        while !input.is_empty() {
            if input.peek(syn::Lit) {
                return Err(input.error(
                    "the stage's name must be the first argument, as a string literal: `#[traced_stage(\"name\", …)]`",
                ));
            }
            let key = input.call(Ident::parse_any).map_err(|error| Error::new(error.span(), expected_keys()))?;
            let text = key.to_string();
            if seen.contains(&text) {
                return Err(Error::new_spanned(&key, format!("`{text}` is given twice: write it once")));
            }
            args.parse_one(&key, &text, input)?;
            seen.push(text);
            comma(input)?;
        }
        Ok(args)
    }
}

impl Args {
    fn parse_one(&mut self, key: &Ident, text: &str, input: ParseStream<'_>) -> Result<()> {
        match text {
            "name" => self.name = Some(assigned(key, input, "a string literal: `name = \"document_chunking\"`")?),
            "kind" => self.kind = Some(kind(key, input)?),
            "level" => self.level = Some(assigned(key, input, "a string literal: `level = \"debug\"`")?),
            "target" => self.target = Some(assigned(key, input, "a string literal: `target = \"rag.ingestion\"`")?),
            "fields" => self.fields = fields(&parenthesized(key, input, "fields(doc.name, pages = doc.pages())")?)?,
            "ok" => self.ok = Some(fields_of(clause(key, input, "ok(|out| name = expr)")?)),
            "err" => self.err = Some(fields_of(clause(key, input, "err(|e| name = expr)")?)),
            "used" => {
                let items = parenthesized(key, input, "used(document = [&doc.id])")?;
                self.used = Punctuated::<Items, Token![,]>::parse_terminated(&items)?.into_iter().collect();
            }
            "generated" => {
                self.generated = Some(clause(key, input, "generated(|out| chunk = out.iter().map(|c| &c.id))")?);
            }
            "record" => self.record = declared(&parenthesized(key, input, "record(pages: u32)")?)?,
            "stream" => {
                refuse_value(key, input)?;
                self.stream = Some(key.clone());
            }
            "root" => {
                refuse_value(key, input)?;
                self.root = true;
            }
            "renamed_from" => {
                self.renamed_from = Some(assigned(key, input, "a string literal: `renamed_from = \"chunking\"`")?);
            }
            "descriptor" => {
                const WHAT: &str = "a name for the constant: `descriptor = CHUNKING`";
                equals(key, input, WHAT)?;
                self.descriptor = Some(input.parse().map_err(|_| wrong_value(key, input, WHAT))?);
            }
            "crate" => {
                const WHAT: &str = "a path, without quotes: `crate = my_library::ragtrace`";
                equals(key, input, WHAT)?;
                self.krate = Some(input.call(Path::parse_mod_style).map_err(|_| wrong_value(key, input, WHAT))?);
            }
            _ => return Err(Error::new_spanned(key, unknown_key(text))),
        }
        Ok(())
    }
}

/// Returns the message for the unknown argument `text`, with a hint on what to write instead.
fn unknown_key(text: &str) -> String {
    let hint = match text {
        "skip" | "skip_all" => "arguments are recorded only if `fields(…)` names them, so remove this".to_owned(),
        "ret" => "record the success value with `ok(|out| name = expr)`".to_owned(),
        "parent" => "the parent is the stage or scope around the call; use `root` to start a new trace".to_owned(),
        kind if KINDS.contains(&kind) => format!("write `kind = {kind}`"),
        level if LEVELS.contains(&level) => format!("write `level = \"{level}\"`"),
        _ if did_you_mean(text, &ARGUMENTS).is_some() => return unknown("argument", text, &ARGUMENTS),
        _ => expected_keys(),
    };
    format!("unknown argument `{text}`: {hint}")
}

fn expected_keys() -> String {
    format!("expected a name in quotes or one of {}", list(&ARGUMENTS))
}

fn comma(input: ParseStream<'_>) -> Result<()> {
    if input.is_empty() {
        return Ok(());
    }
    if !input.peek(Token![,]) {
        return Err(input.error("expected `,` between arguments"));
    }
    input.parse::<Token![,]>().map(|_| ())
}

/// Returns the error for a wrong value, located at the value, or at `key` if there is no value.
fn wrong_value(key: &Ident, input: ParseStream<'_>, what: &str) -> Error {
    let at = if input.is_empty() || input.peek(Token![,]) { key.span() } else { input.span() };
    Error::new(at, format!("`{key}` takes {what}"))
}

fn equals(key: &Ident, input: ParseStream<'_>, what: &str) -> Result<()> {
    if !input.peek(Token![=]) {
        return Err(Error::new_spanned(key, format!("`{key}` takes {what}")));
    }
    input.parse::<Token![=]>().map(|_| ())
}

fn assigned(key: &Ident, input: ParseStream<'_>, what: &str) -> Result<LitStr> {
    equals(key, input, what)?;
    if input.peek(LitStr) { literal(input) } else { Err(wrong_value(key, input, what)) }
}

fn literal(input: ParseStream<'_>) -> Result<LitStr> {
    let literal: LitStr = input.parse()?;
    match literal.suffix() {
        "" => Ok(literal),
        suffix => Err(Error::new_spanned(&literal, format!("this string cannot have a suffix: remove `{suffix}`"))),
    }
}

fn kind(key: &Ident, input: ParseStream<'_>) -> Result<Ident> {
    let what = format!("one of {}: `kind = chunk`", list(&KINDS));
    equals(key, input, &what)?;
    if input.peek(LitStr) {
        let quoted: LitStr = input.parse()?;
        let word = quoted.value();
        let message = if KINDS.contains(&word.as_str()) {
            format!("a kind is written without quotes: `kind = {word}`")
        } else {
            unknown("kind", &word, &KINDS)
        };
        return Err(Error::new_spanned(quoted, message));
    }
    input.call(Ident::parse_any).map_err(|_| wrong_value(key, input, &what))
}

/// Checks that an argument without a value has none.
fn refuse_value(key: &Ident, input: ParseStream<'_>) -> Result<()> {
    if input.peek(Token![=]) || input.peek(syn::token::Paren) {
        return Err(Error::new_spanned(key, format!("`{key}` takes no value: write `{key}` alone")));
    }
    Ok(())
}

/// Parses the parentheses after `key`, which must not be empty.
fn parenthesized<'a>(key: &Ident, input: ParseStream<'a>, example: &str) -> Result<ParseBuffer<'a>> {
    if !input.peek(syn::token::Paren) {
        return Err(Error::new_spanned(key, format!("`{key}` takes a list in parentheses: `{example}`")));
    }
    let content;
    syn::parenthesized!(content in input);
    if content.is_empty() {
        return Err(Error::new_spanned(key, format!("`{key}` is empty: write `{example}`")));
    }
    Ok(content)
}

fn fields(input: ParseStream<'_>) -> Result<Vec<Field>> {
    let fields = Punctuated::<StartField, Token![,]>::parse_terminated(input)?;
    Ok(fields.into_iter().map(|field| field.0).collect())
}

fn fields_of(clause: Clause<NamedField>) -> Clause<Field> {
    let Clause { pattern, parts } = clause;
    Clause { pattern, parts: parts.into_iter().map(|field| field.0).collect() }
}

fn clause<T: Parse>(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<Clause<T>> {
    let input = &parenthesized(key, input, example)?;
    let no_head = |at: Span| Error::new(at, format!("expected a closure's parameter: `{example}`"));
    if !input.peek(Token![|]) || input.peek(Token![||]) {
        return Err(no_head(input.span()));
    }
    let bar: Token![|] = input.parse()?;
    let pattern = Pat::parse_single(input).map_err(|_| no_head(bar.span))?;
    if input.peek(Token![:]) {
        return Err(input.error("the parameter's type is inferred: remove it"));
    }
    if input.peek(Token![,]) {
        return Err(input.error(format!("expected exactly one parameter: `{example}`")));
    }
    if !input.peek(Token![|]) {
        return Err(no_head(bar.span));
    }
    input.parse::<Token![|]>()?;
    if input.is_empty() {
        return Err(Error::new_spanned(pattern, format!("nothing follows the parameter: write `{example}`")));
    }
    if input.peek(syn::token::Brace) || input.peek(Token![->]) {
        return Err(input.error(format!(
            "expected names and values directly after the parameter, without braces or a return type: `{example}`"
        )));
    }
    let parts = Punctuated::<T, Token![,]>::parse_terminated(input)?;
    Ok(Clause { pattern, parts: parts.into_iter().collect() })
}

fn declared(input: ParseStream<'_>) -> Result<Vec<RecordDeclaration>> {
    let parse_one = |input: ParseStream<'_>| {
        const EXPECTED: &str = "expected a name and its type: `pages: u32`";
        let name = input.call(Ident::parse_any).map_err(|error| Error::new(error.span(), EXPECTED))?;
        let goes_on =
            input.is_empty() || [input.peek(Token![,]), input.peek(Token![=]), input.peek(Token![:])].contains(&true);
        if name == "_" || !goes_on {
            return Err(Error::new_spanned(&name, EXPECTED));
        }
        let colon: Option<Token![:]> = input.parse()?;
        if colon.is_none() || input.is_empty() || input.peek(Token![,]) {
            return Err(Error::new_spanned(&name, format!("the type of `{name}` is missing: write `{name}: u32`")));
        }
        let ty = input.parse().map_err(|error| Error::new(error.span(), format!("expected a type: `{name}: u32`")))?;
        if !(input.is_empty() || input.peek(Token![,])) {
            return Err(input.error("expected `,` between names"));
        }
        Ok(RecordDeclaration { name, ty })
    };
    Ok(Punctuated::<_, Token![,]>::parse_terminated_with(input, parse_one)?.into_iter().collect())
}
