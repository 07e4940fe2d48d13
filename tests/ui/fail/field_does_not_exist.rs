use ragtrace::traced_stage;

#[traced_stage(fields(page))]
fn chunk(pages: u32) {
    let _ = pages;
}

fn main() {}
