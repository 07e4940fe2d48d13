//! Shapes of functions that the attribute accepts, one per file.
#[path = "../ui/pass/async_blocks.rs"]
mod async_blocks;
#[path = "../ui/pass/async_trait_methods.rs"]
mod async_trait_methods;
#[path = "../ui/pass/attributes.rs"]
mod attributes;
#[path = "../ui/pass/clean_under_lints.rs"]
mod clean_under_lints;
#[path = "../ui/pass/descriptors.rs"]
mod descriptors;
#[path = "../ui/pass/fields.rs"]
mod fields;
#[path = "../ui/pass/free_async.rs"]
mod free_async;
#[path = "../ui/pass/free_sync.rs"]
mod free_sync;
#[path = "../ui/pass/generics.rs"]
mod generics;
#[path = "../ui/pass/hidden_work.rs"]
mod hidden_work;
#[path = "../ui/pass/lints_stay.rs"]
mod lints_stay;
#[path = "../ui/pass/methods.rs"]
mod methods;
#[path = "../ui/pass/never.rs"]
mod never;
#[path = "../ui/pass/other_names.rs"]
mod other_names;
#[path = "../ui/pass/records.rs"]
mod records;
#[path = "../ui/pass/returned_futures.rs"]
mod returned_futures;
#[path = "../ui/pass/shadowed_names.rs"]
mod shadowed_names;
#[path = "../ui/pass/streams.rs"]
mod streams;
#[path = "../ui/pass/sync_blocks.rs"]
mod sync_blocks;
#[path = "../ui/pass/trait_methods.rs"]
mod trait_methods;
#[path = "../ui/pass/without_prelude.rs"]
mod without_prelude;
