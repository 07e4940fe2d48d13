#[ragtrace::traced_stage]
fn dead() {}

#[ragtrace::traced_stage]
async fn dead_too() {}

struct Index;

impl Index {
    #[ragtrace::traced_stage]
    async fn load(&self) {}
}

#[allow(dead_code)]
#[ragtrace::traced_stage]
fn allowed() {}

fn main() {
    let _ = Index;
}
