//! The stage's descriptor: a static in the function, and on demand a constant beside it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use syn::spanned::Spanned;

use crate::function::Function;
use crate::model::Stage;

/// Returns the item that holds the descriptor, in the section of the program that is the catalog.
pub(crate) fn items(stage: &Stage) -> TokenStream {
    let krate = &stage.krate;
    let (alias, descriptor) = (alias(stage), descriptor(stage));
    if alias.is_none() {
        return quote! {
            #krate::__private::catalog_entry! {
                static __RAGTRACE_STAGE = #descriptor;
            }
        };
    }
    // Where the path that the attribute gives leads to something else, it has no macro to make the
    // item, and whatever names the item would be an error too. So this is what the macro makes.
    let (elf, mach_o, pe) = SECTION;
    quote! {
        #alias
        #[used]
        #[cfg_attr(all(unix, not(target_vendor = "apple")), unsafe(link_section = #elf))]
        #[cfg_attr(target_vendor = "apple", unsafe(link_section = #mach_o))]
        #[cfg_attr(windows, unsafe(link_section = #pe))]
        static __RAGTRACE_STAGE: #krate::__private::CatalogEntry = #krate::__private::CatalogEntry::new(#descriptor);
    }
}

/// The catalog's section, as `catalog_entry!` in `ragtrace-core/src/catalog/section.rs` names it
/// for ELF, Mach-O and PE. The version of both crates is the same.
const SECTION: (&str, &str, &str) = (
    concat!("ragtrace_", env!("CARGO_PKG_VERSION_MAJOR"), "_", env!("CARGO_PKG_VERSION_MINOR"), "_L2"),
    concat!("__DATA,ragtrace_", env!("CARGO_PKG_VERSION_MAJOR"), "_", env!("CARGO_PKG_VERSION_MINOR"), "_L2"),
    concat!(".rt", env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), "l2$b"),
);

/// Returns `const NAME: StageDescriptor`, if the attribute asks for it. It is an associated
/// constant where the function is an associated function.
pub(crate) fn constant(stage: &Stage, function: &Function) -> Option<TokenStream> {
    let name = stage.descriptor.as_ref()?;
    let krate = stage.path.as_ref().map_or_else(|| stage.krate.clone(), ToTokens::to_token_stream);
    let descriptor = descriptor(stage);
    let value = alias(stage).map_or_else(|| descriptor.clone(), |alias| quote!({ #alias #descriptor }));
    // An error about the constant (in the implementation of a trait it has no place) is at its
    // name.
    let span = Span::call_site().located_at(name.span());
    let (cfg, visibility) = (&function.cfg_attributes, &function.visibility);
    let doc = format!("The stage `{}`.", stage.name);
    let attributes = quote! {
        #(#cfg)*
        #[doc = #doc]
        #[allow(dead_code)]
    };
    let constant = quote_spanned!(span=> const #name: #krate::StageDescriptor = #value;);
    Some(quote!(#attributes #visibility #constant))
}

/// Returns a `use` of the path that the attribute gives, if it does. The module that it names is
/// ours alone, so a path to anything else is one error, at the path.
fn alias(stage: &Stage) -> Option<TokenStream> {
    let here = |path: &syn::Path| Span::call_site().located_at(path.span());
    stage.path.as_ref().map(|path| quote_spanned!(here(path)=> use #path::__private as __ragtrace;))
}

fn descriptor(stage: &Stage) -> TokenStream {
    let Stage { name, krate, .. } = stage;
    let target = stage.target.as_ref().map_or_else(|| quote!(::core::module_path!()), ToTokens::to_token_stream);
    let kind = stage.kind.as_ref().map(|kind| quote!(.with_kind(#krate::StageKind::#kind)));
    let level = stage.level.as_ref().map(|level| quote!(.with_level(#krate::Level::#level)));
    let root = stage.root.then(|| quote!(.with_root()));
    let renamed_from = stage.renamed_from.iter();
    let fields = stage.declared.iter().map(|field| {
        let (name, source) = (&field.name, &field.source);
        let ty = field.ty.iter();
        quote!(#krate::FieldDescriptor::#source(#name #(, #ty)*))
    });
    let fields = (!stage.declared.is_empty()).then(|| quote!(.with_fields(&[#(#fields),*])));
    quote!(#krate::StageDescriptor::new(#name, #target) #kind #level #root #(.with_renamed_from(&#renamed_from))* #fields)
}
