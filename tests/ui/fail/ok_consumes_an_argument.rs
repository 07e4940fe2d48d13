use ragtrace::traced_stage;

#[traced_stage(ok(|_| size = label.into_bytes().len()))]
async fn chunk(label: String) -> u32 {
    1
}

fn main() {}
