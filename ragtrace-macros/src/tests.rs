//! Snapshots of the expansion of the main shapes, formatted. Run with `UPDATE_EXPECT=1` to update
//! the files.

use expect_test::{ExpectFile, expect_file};
use quote::quote;

use proc_macro2::TokenStream;

use crate::traced::{traced_block, traced_function};

fn formatted(expansion: TokenStream) -> String {
    let file = syn::parse2(expansion).expect("the expansion is no items");
    prettyplease::unparse(&file)
}

#[expect(clippy::needless_pass_by_value, reason = "tests create the value in the call")]
fn expands(args: TokenStream, item: TokenStream, to: ExpectFile) {
    to.assert_eq(&formatted(traced_function(args, item)));
}

#[test]
fn an_async_function_with_fields_and_ok_takes_forty_lines_at_most() {
    let args = quote!(kind = chunk, fields(doc.name), ok(|chunks| avg_chars = mean_chars(chunks)));
    let item = quote! {
        async fn chunk_document(doc: &Document) -> Result<Vec<Chunk>, IngestError> {
            split(doc).await
        }
    };
    let lines = formatted(traced_function(args.clone(), item.clone())).lines().count();
    assert!(lines <= 40, "it takes {lines} lines");
    expands(args, item, expect_file!["tests/async_with_fields_and_ok.rs"]);
}

#[test]
fn a_plain_function_is_called() {
    expands(
        quote!(),
        quote!(
            pub fn parse(text: &str) -> Outline {
                outline(text)
            }
        ),
        expect_file!["tests/plain.rs"],
    );
}

#[test]
fn the_fields_of_a_returned_future_are_read_at_the_call() {
    let item = quote! {
        fn embed(&self) -> Pin<Box<dyn Future<Output = Result<Vec<f32>, Error>> + Send + '_>> {
            Box::pin(async move { self.model.embed().await })
        }
    };
    expands(quote!("embedding", root), item, expect_file!["tests/boxed_future.rs"]);
}

#[test]
fn a_stream_looks_at_its_items() {
    let item = quote! {
        async fn tokens(prompt: &str) -> Result<impl Stream<Item = Result<Token, Error>>, Error> {
            request(prompt).await
        }
    };
    expands(quote!(stream, err(|e| code = e.code())), item, expect_file!["tests/stream.rs"]);
}

#[test]
fn items_are_added_by_their_types() {
    let args = quote!(
        used(document = [&doc.id]),
        generated(|chunks| chunk = chunks.iter().map(|chunk| &chunk.id), page = pages),
        ok(|out| longest = longest(out))
    );
    let item = quote! {
        fn chunk(doc: &Document, pages: &[u32]) -> Vec<Chunk> {
            split(doc)
        }
    };
    expands(args, item, expect_file!["tests/items.rs"]);
}

#[test]
fn record_has_an_arm_for_each_name() {
    let args = quote!(record(pages: u32, note: &str), descriptor = PARSING, crate = telemetry);
    expands(
        args,
        quote!(
            fn parse() {
                record!(pages = 1)
            }
        ),
        expect_file!["tests/record.rs"],
    );
}

#[test]
fn a_misuse_leaves_the_item_as_it_is() {
    expands(
        quote!(kind = chunks),
        quote!(
            struct Document {
                name: String,
            }
        ),
        expect_file!["tests/misuse.rs"],
    );
}

#[test]
fn a_block_that_is_not_async_is_called() {
    let block = traced_block(quote!("file_parsing", kind = parse, renamed_from = "parsing", fields(path), {
        read(path)?.parse()
    }));
    expect_file!["tests/sync_block.rs"].assert_eq(&formatted(quote!(fn load() { #block })));
}

#[test]
fn an_async_block_is_a_future() {
    let block = traced_block(quote!("file_parsing", async move { read(path).await }));
    expect_file!["tests/async_block.rs"].assert_eq(&formatted(quote!(fn load() { #block })));
}
