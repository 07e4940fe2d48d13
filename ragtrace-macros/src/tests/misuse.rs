compile_error! {
    "`#[traced_stage]` can only be applied to a function, not to this `struct`"
}
struct Document {
    name: String,
}
