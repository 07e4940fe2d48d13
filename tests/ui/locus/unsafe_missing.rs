unsafe fn dangerous() {}

#[ragtrace::traced_stage]
pub async fn asynchronous() {
    dangerous();
}

fn main() {}
