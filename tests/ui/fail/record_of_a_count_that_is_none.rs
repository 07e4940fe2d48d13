use ragtrace::traced_stage;

#[traced_stage(record(count: f64))]
async fn chunk() {
    record!(count = 1.5);
}

fn main() {}
