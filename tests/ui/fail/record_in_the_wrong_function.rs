use ragtrace::traced_stage;

#[traced_stage(record(pages: u32))]
fn chunk() {
    helper();
}

fn helper() {
    record!(pages = 1);
}

fn main() {}
