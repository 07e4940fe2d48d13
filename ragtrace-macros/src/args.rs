//! What is written between the parentheses of the attribute, as it is written.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseBuffer, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Ident, LitStr, Pat, Path, Result, Token, Type};

use crate::suggest::did_you_mean;

/// The arguments, each at most once.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) name: Option<LitStr>,
    pub(crate) kind: Option<Ident>,
    pub(crate) level: Option<LitStr>,
    pub(crate) target: Option<LitStr>,
    pub(crate) fields: Vec<Field>,
    pub(crate) ok: Option<Clause>,
    pub(crate) err: Option<Clause>,
    pub(crate) record: Vec<Declared>,
    pub(crate) stream: Option<Ident>,
    pub(crate) root: bool,
    pub(crate) descriptor: Option<Ident>,
    pub(crate) krate: Option<Path>,
}

/// `|value| name = expr, …`
pub(crate) struct Clause {
    pub(crate) pattern: Pat,
    pub(crate) fields: Vec<Field>,
}

/// `name = expr`, or in `fields` a bare place expression that names itself.
pub(crate) struct Field {
    pub(crate) name: String,
    /// The tokens that an error about the name points at.
    pub(crate) name_tokens: TokenStream,
    pub(crate) form: Form,
    pub(crate) value: Expr,
}

/// How a value is recorded.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Form {
    /// By `ToValue`.
    Plain,
    /// `%`: by `Display`.
    Display,
    /// `?`: by `Debug`.
    Debug,
}

/// `name: Type`
pub(crate) struct Declared {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

const KEYS: [&str; 12] =
    ["name", "kind", "level", "target", "fields", "ok", "err", "record", "stream", "root", "descriptor", "crate"];

impl Parse for Args {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut args = Self::default();
        let mut seen: Vec<String> = Vec::new();
        if input.peek(LitStr) {
            args.name = Some(input.parse()?);
            seen.push("name".to_owned());
            comma(input)?;
        }
        while !input.is_empty() {
            if input.peek(syn::Lit) {
                return Err(input
                    .error("the stage's name comes first, and is a string literal: `#[traced_stage(\"name\", …)]`"));
            }
            let key = input.call(Ident::parse_any).map_err(|error| Error::new(error.span(), expected_keys()))?;
            let text = key.to_string();
            if seen.contains(&text) {
                return Err(Error::new_spanned(&key, format!("`{text}` is given twice")));
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
            "kind" => {
                equals(key, input, "a kind: `kind = chunk`")?;
                let quoted = input.peek(LitStr);
                if quoted {
                    let literal: LitStr = input.parse()?;
                    let hint = format!("a kind is written without quotes: `kind = {}`", literal.value());
                    return Err(Error::new_spanned(literal, hint));
                }
                self.kind = Some(input.call(Ident::parse_any)?);
            }
            "level" => self.level = Some(assigned(key, input, "a string literal: `level = \"debug\"`")?),
            "target" => self.target = Some(assigned(key, input, "a string literal: `target = \"rag.ingestion\"`")?),
            "fields" => self.fields = fields(&parenthesized(key, input, "fields(doc.name, pages = doc.pages())")?)?,
            "ok" => self.ok = Some(clause(key, input, "ok(|out| name = expr)")?),
            "err" => self.err = Some(clause(key, input, "err(|e| name = expr)")?),
            "record" => self.record = declared(&parenthesized(key, input, "record(pages: u32)")?)?,
            "stream" => self.stream = Some(key.clone()),
            "root" => self.root = true,
            "descriptor" => {
                equals(key, input, "a name for the constant: `descriptor = CHUNKING`")?;
                self.descriptor = Some(input.parse()?);
            }
            "crate" => {
                equals(key, input, "a path: `crate = my_library::ragtrace`")?;
                self.krate = Some(input.call(Path::parse_mod_style)?);
            }
            _ => {
                let hint = did_you_mean(text, &KEYS).unwrap_or_else(expected_keys);
                return Err(Error::new_spanned(key, format!("unknown argument `{text}`: {hint}")));
            }
        }
        Ok(())
    }
}

fn expected_keys() -> String {
    format!("expected a name in quotes or one of {}", KEYS.map(|key| format!("`{key}`")).join(", "))
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

fn equals(key: &Ident, input: ParseStream<'_>, what: &str) -> Result<()> {
    if !input.peek(Token![=]) {
        return Err(Error::new_spanned(key, format!("`{key}` takes {what}")));
    }
    input.parse::<Token![=]>().map(|_| ())
}

fn assigned(key: &Ident, input: ParseStream<'_>, what: &str) -> Result<LitStr> {
    equals(key, input, what)?;
    input.parse().map_err(|error| Error::new(error.span(), format!("`{key}` takes {what}")))
}

/// What is in the parentheses after `key`.
fn parenthesized<'a>(key: &Ident, input: ParseStream<'a>, example: &str) -> Result<ParseBuffer<'a>> {
    if !input.peek(syn::token::Paren) {
        return Err(Error::new_spanned(key, format!("`{key}` takes a list in parentheses: `{example}`")));
    }
    let content;
    syn::parenthesized!(content in input);
    if content.is_empty() {
        return Err(Error::new_spanned(key, format!("`{key}` names nothing: write `{example}`")));
    }
    Ok(content)
}

fn fields(input: ParseStream<'_>) -> Result<Vec<Field>> {
    let fields = Punctuated::<StartField, Token![,]>::parse_terminated(input)?;
    Ok(fields.into_iter().map(|field| field.0).collect())
}

fn clause(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<Clause> {
    let input = &parenthesized(key, input, example)?;
    if !input.peek(Token![|]) {
        return Err(input.error(format!("expected a closure's head: `{example}`")));
    }
    input.parse::<Token![|]>()?;
    let pattern = Pat::parse_single(input)?;
    if input.peek(Token![:]) {
        return Err(input.error("its type is known: leave it out"));
    }
    input.parse::<Token![|]>()?;
    if input.is_empty() {
        return Err(Error::new_spanned(pattern, format!("nothing is recorded of it: write `{example}`")));
    }
    let fields = Punctuated::<NamedField, Token![,]>::parse_terminated(input)?;
    Ok(Clause { pattern, fields: fields.into_iter().map(|field| field.0).collect() })
}

fn declared(input: ParseStream<'_>) -> Result<Vec<Declared>> {
    let parse_one = |input: ParseStream<'_>| {
        let name = input.parse()?;
        if !input.peek(Token![:]) {
            return Err(Error::new_spanned(&name, format!("its type is missing: `{name}: u32`")));
        }
        input.parse::<Token![:]>()?;
        Ok(Declared { name, ty: input.parse()? })
    };
    Ok(Punctuated::<_, Token![,]>::parse_terminated_with(input, parse_one)?.into_iter().collect())
}

struct StartField(Field);

impl Parse for StartField {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let form = form(input)?;
        if form != Form::Plain || !has_name(input) {
            let value: Expr = input.parse()?;
            let name = place_name(&value)?;
            let name_tokens = quote::ToTokens::to_token_stream(&value);
            return Ok(Self(Field { name, name_tokens, form, value }));
        }
        input.parse::<NamedField>().map(|field| Self(field.0))
    }
}

struct NamedField(Field);

impl Parse for NamedField {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut name = String::new();
        let mut name_tokens = TokenStream::new();
        loop {
            let segment = input.call(Ident::parse_any)?;
            name.push_str(segment.unraw().to_string().as_str());
            name_tokens.extend(quote::ToTokens::to_token_stream(&segment));
            if !input.peek(Token![.]) {
                break;
            }
            let dot: Token![.] = input.parse()?;
            name.push('.');
            name_tokens.extend(quote::ToTokens::to_token_stream(&dot));
        }
        let ends = |input: ParseStream<'_>| input.is_empty() || input.peek(Token![,]);
        let is_named = input.peek(Token![=]) && !input.peek(Token![==]);
        if !is_named && !ends(input) {
            return Err(Error::new_spanned(&name_tokens, "what is recorded needs a name: `name = expr`"));
        }
        let equals: Option<Token![=]> = input.parse()?;
        let form = form(input)?;
        if equals.is_none() || ends(input) {
            return Err(Error::new_spanned(&name_tokens, format!("its value is missing: `{name} = expr`")));
        }
        Ok(Self(Field { name, name_tokens, form, value: input.parse()? }))
    }
}

fn form(input: ParseStream<'_>) -> Result<Form> {
    if input.peek(Token![%]) {
        input.parse::<Token![%]>()?;
        Ok(Form::Display)
    } else if input.peek(Token![?]) {
        input.parse::<Token![?]>()?;
        Ok(Form::Debug)
    } else {
        Ok(Form::Plain)
    }
}

/// Whether what follows is `a.b.c =`.
fn has_name(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    loop {
        if ahead.call(Ident::parse_any).is_err() {
            return false;
        }
        if ahead.peek(Token![=]) && !ahead.peek(Token![==]) {
            return true;
        }
        if ahead.parse::<Token![.]>().is_err() {
            return false;
        }
    }
}

/// The name of `a`, `a.b` or `self.a` as a field.
fn place_name(value: &Expr) -> Result<String> {
    fn segments(value: &Expr, out: &mut Vec<String>) -> Option<()> {
        match value {
            Expr::Path(path) => {
                let ident = path.path.get_ident().filter(|_| path.qself.is_none())?;
                out.push(ident.unraw().to_string());
            }
            Expr::Field(field) => {
                segments(&field.base, out)?;
                out.push(match &field.member {
                    syn::Member::Named(name) => name.unraw().to_string(),
                    syn::Member::Unnamed(index) => index.index.to_string(),
                });
            }
            _ => return None,
        }
        Some(())
    }
    let mut names = Vec::new();
    if segments(value, &mut names).is_none() {
        return Err(Error::new_spanned(value, "this value needs a name: `name = …`"));
    }
    let of_self = names.first().is_some_and(|first| first == "self");
    match &names[usize::from(of_self)..] {
        [] => Err(Error::new_spanned(value, "`self` needs a name: `name = …`, or record one of its parts: `self.x`")),
        rest => Ok(rest.join(".")),
    }
}
