pub mod stages {
    use ragtrace::traced_stage;

    #[traced_stage(kind = chunks, record(pages: u32), descriptor = CHUNK)]
    pub async fn chunk() -> u32 {
        record!(pages = 1);
        1
    }
}

pub async fn all() -> u32 {
    stages::chunk().await
}

fn main() {}
