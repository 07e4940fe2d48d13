compile_error! {
    "`#[traced_stage]` goes on a function, and this is `struct`"
}
struct Document {
    name: String,
}
