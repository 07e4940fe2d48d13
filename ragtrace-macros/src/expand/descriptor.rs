//! Generates the stage's descriptor: a static inside the function and, if requested, a constant
//! beside it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use syn::spanned::Spanned;

use crate::function::Function;
use crate::model::Stage;

/// Returns the static that holds the descriptor, in the catalog's section.
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
    // If the path given in the attribute leads to something else, it contains no macro to create
    // the static, and each use of the static would be a further error. The static is therefore
    // generated directly, as the macro would.
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

/// The names of the catalog's section for ELF, Mach-O and PE, as in `catalog_entry!` in
/// `ragtrace-core/src/catalog/section.rs`. Both crates have the same version.
const SECTION: (&str, &str, &str) = (
    concat!("ragtrace_", env!("CARGO_PKG_VERSION_MAJOR"), "_", env!("CARGO_PKG_VERSION_MINOR"), "_L2"),
    concat!("__DATA,ragtrace_", env!("CARGO_PKG_VERSION_MAJOR"), "_", env!("CARGO_PKG_VERSION_MINOR"), "_L2"),
    concat!(".rt", env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), "l2$b"),
);

/// Returns `const NAME: StageDescriptor` if the attribute requests it. Next to an associated
/// function it is an associated constant.
pub(crate) fn constant(stage: &Stage, function: &Function) -> Option<TokenStream> {
    let name = stage.descriptor.as_ref()?;
    let krate = stage.path.as_ref().map_or_else(|| stage.krate.clone(), ToTokens::to_token_stream);
    let descriptor = descriptor(stage);
    let value = alias(stage).map_or_else(|| descriptor.clone(), |alias| quote!({ #alias #descriptor }));
    // An error about the constant, such as its use in a trait's implementation, is located at its
    // name.
    let span = Span::call_site().located_at(name.span());
    let (cfg, visibility) = (&function.cfg_attributes, &function.visibility);
    let doc = format!("The descriptor of the stage `{}`.", stage.name);
    let attributes = quote! {
        #(#cfg)*
        #[doc = #doc]
        #[allow(dead_code)]
    };
    let constant = quote_spanned!(span=> const #name: #krate::StageDescriptor = #value;);
    Some(quote!(#attributes #visibility #constant))
}

/// Returns a `use` of the path given in the attribute, if any. Only `ragtrace` has the module that
/// it imports, so a wrong path causes a single error, located at the path.
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
