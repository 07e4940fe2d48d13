use ragtrace::traced_stage;

#[traced_stage(record(pages: u32, note: &str))]
fn chunk() {
    record!(pages = 3 note = "three");
}

fn main() {}
