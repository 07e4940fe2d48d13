use ragtrace::traced_stage;

#[traced_stage(record(pages: u32, note: &str))]
async fn chunk() {
    record!(note = "begin", page = 1);
}

fn main() {}
