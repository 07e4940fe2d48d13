//! What compiles, what does not, and what the compiler says of it.

mod pass {
    //! Shapes of functions that are taken. Each file stands for itself.
    #[path = "../pass/async_trait_methods.rs"]
    mod async_trait_methods;
    #[path = "../pass/attributes.rs"]
    mod attributes;
    #[path = "../pass/blocks.rs"]
    mod blocks;
    #[path = "../pass/clean_under_lints.rs"]
    mod clean_under_lints;
    #[path = "../pass/descriptors.rs"]
    mod descriptors;
    #[path = "../pass/fields.rs"]
    mod fields;
    #[path = "../pass/free_async.rs"]
    mod free_async;
    #[path = "../pass/free_sync.rs"]
    mod free_sync;
    #[path = "../pass/generics.rs"]
    mod generics;
    #[path = "../pass/methods.rs"]
    mod methods;
    #[path = "../pass/never.rs"]
    mod never;
    #[path = "../pass/other_names.rs"]
    mod other_names;
    #[path = "../pass/records.rs"]
    mod records;
    #[path = "../pass/returned_futures.rs"]
    mod returned_futures;
    #[path = "../pass/shadowed_names.rs"]
    mod shadowed_names;
    #[path = "../pass/streams.rs"]
    mod streams;
    #[path = "../pass/trait_methods.rs"]
    mod trait_methods;
    #[path = "../pass/without_prelude.rs"]
    mod without_prelude;
}
