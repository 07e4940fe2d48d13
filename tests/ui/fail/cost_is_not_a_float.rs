use ragtrace::traced_stage;

#[traced_stage(ok(|_| cost_usd = 3))]
async fn ask() -> String {
    String::new()
}

fn main() {}
