::core::compile_error! {
    "`#[traced_stage]` goes on a function, not on a `struct`"
}
struct Document {
    name: String,
}
