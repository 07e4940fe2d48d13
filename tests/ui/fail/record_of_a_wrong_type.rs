use ragtrace::traced_stage;

#[traced_stage(record(pages: u32))]
async fn chunk() {
    record!(pages = "three");
}

fn main() {}
