#[ragtrace::traced_stage]
unsafe extern "C" {
    fn chunk();
}

fn main() {}
