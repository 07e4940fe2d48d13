use ragtrace::traced_stage;

#[traced_stage]
const fn chunk() -> u32 {
    1
}

const ONE: u32 = chunk();

fn main() {}
