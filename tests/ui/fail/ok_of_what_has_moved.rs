use ragtrace::traced_stage;

#[traced_stage(ok(|_| name = name.len()))]
async fn chunk(name: String) {
    drop(name);
}

fn main() {}
