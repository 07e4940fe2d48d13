use ragtrace::traced_stage;

#[traced_stage(record(pages: u32))]
fn chunk() {
    let pages = 1;
    record!(pages);
}

fn main() {}
