//! Parses a single field in `fields(…)`, `ok(…)` or `err(…)`.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Expr, Ident, LitStr, Result, Token};

/// A field: `name = expr`, or in `fields` a place expression that serves as its own name.
pub(crate) struct Field {
    pub(crate) name: String,
    /// The tokens at which errors about the name are located.
    pub(crate) name_tokens: TokenStream,
    pub(crate) form: Form,
    pub(crate) value: Expr,
}

/// The trait through which a value is recorded.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Form {
    /// `ToValue`.
    Plain,
    /// `Display`, written `%`.
    Display,
    /// `Debug`, written `?`.
    Debug,
}

/// A field in `fields(…)`.
pub(crate) struct StartField(pub(crate) Field);

impl Parse for StartField {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        const EXPECTED: &str = "expected a field: `doc.name`, `%doc`, `?doc`, or `pages = expr`";
        refuse_quotes(input)?;
        if is_at_end(input) {
            return Err(input.error(EXPECTED));
        }
        let sign = input.span();
        let form = form(input)?;
        if form == Form::Plain && has_name(input) {
            return input.parse::<NamedField>().map(|field| Self(field.0));
        }
        if is_at_end(input) {
            return Err(Error::new(sign, EXPECTED));
        }
        let value: Expr = input.parse().map_err(|error: Error| {
            let is_none = error.to_string().ends_with("expected an expression");
            if is_none { Error::new(error.span(), EXPECTED) } else { error }
        })?;
        check_end(input)?;
        let name = place_name(&value)?;
        Ok(Self(Field { name, name_tokens: value.to_token_stream(), form, value }))
    }
}

/// A field after the parameter of `ok(…)` or `err(…)`.
pub(crate) struct NamedField(pub(crate) Field);

impl Parse for NamedField {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        refuse_quotes(input)?;
        if input.peek(Token![%]) || input.peek(Token![?]) {
            return Err(input.error("this value needs a name: write `name = %expr` or `name = ?expr`"));
        }
        let (name, name_tokens) = dotted(input)?;
        if input.peek(Token![:]) {
            return Err(input.error(AFTER_EQUALS));
        }
        let is_named = input.peek(Token![=]) && !input.peek(Token![==]);
        if !is_named && !is_at_end(input) {
            return Err(Error::new_spanned(&name_tokens, "this value needs a name: write `name = expr`"));
        }
        let equals: Option<Token![=]> = input.parse()?;
        let form = form(input)?;
        if equals.is_none() || is_at_end(input) {
            return Err(Error::new_spanned(
                &name_tokens,
                format!("the value of `{name}` is missing: write `{name} = expr`"),
            ));
        }
        let value = input.parse()?;
        check_end(input)?;
        Ok(Self(Field { name, name_tokens, form, value }))
    }
}

const AFTER_EQUALS: &str = "expected `=` before a field's value: `name = expr`";

/// Parses a name that consists of words separated by dots.
fn dotted(input: ParseStream<'_>) -> Result<(String, TokenStream)> {
    let mut name = String::new();
    let mut tokens = TokenStream::new();
    loop {
        let segment = input
            .call(Ident::parse_any)
            .map_err(|error| Error::new(error.span(), "expected a field: `name = expr`"))?;
        if segment == "_" {
            return Err(Error::new_spanned(segment, "`_` is not a valid field name: write `name = expr`"));
        }
        name.push_str(segment.unraw().to_string().as_str());
        segment.to_tokens(&mut tokens);
        let Some(dot) = input.parse::<Option<Token![.]>>()? else { return Ok((name, tokens)) };
        name.push('.');
        dot.to_tokens(&mut tokens);
    }
}

fn refuse_quotes(input: ParseStream<'_>) -> Result<()> {
    if input.peek(LitStr) && input.peek2(Token![=]) && !input.peek2(Token![==]) {
        return Err(input.error("a field's name is written without quotes: `name = expr`"));
    }
    Ok(())
}

/// Checks that the field ends here.
fn check_end(input: ParseStream<'_>) -> Result<()> {
    if is_at_end(input) {
        Ok(())
    } else if input.peek(Token![:]) {
        Err(input.error(AFTER_EQUALS))
    } else {
        Err(input.error("expected `,` between fields"))
    }
}

fn is_at_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
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

/// Returns `true` if `a.b.c =` follows.
fn has_name(input: ParseStream<'_>) -> bool {
    let lookahead = input.fork();
    loop {
        if lookahead.call(Ident::parse_any).is_err() {
            return false;
        }
        if lookahead.peek(Token![=]) && !lookahead.peek(Token![==]) {
            return true;
        }
        if lookahead.parse::<Token![.]>().is_err() {
            return false;
        }
    }
}

/// Returns the field name of a place expression `a`, `a.b` or `self.a`.
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
    if let Expr::Assign(assign) = value {
        return Err(Error::new_spanned(
            &assign.left,
            "a field's name consists of words separated by dots: `doc.name = expr`",
        ));
    }
    let mut names = Vec::new();
    if segments(value, &mut names).is_none() {
        return Err(Error::new_spanned(value, "this value needs a name: write `name = …`"));
    }
    let of_self = names.first().is_some_and(|first| first == "self");
    match &names[usize::from(of_self)..] {
        [] => Err(Error::new_spanned(
            value,
            "`self` needs a name: write `name = …`, or record one of its fields: `self.x`",
        )),
        rest => Ok(rest.join(".")),
    }
}
