use ragtrace::traced_stage;

#[traced_stage(record(pages))]
fn chunk() {
    record!(pages = 1);
}

fn main() {}
