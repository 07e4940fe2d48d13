use ragtrace::traced_stage;

#[traced_stage(record(pages: u32))]
fn chunk() {
    record!(pages: 3);
}

fn main() {}
