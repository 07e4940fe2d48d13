use ragtrace::traced_stage;

#[traced_stage(crate = crate, kind = embed, level = "debug", fields(n), ok(|out| out = *out), record(m: u8))]
async fn load(n: u8) -> u8 {
    record!(m = 1);
    n
}

fn main() {}
