use ragtrace::traced_stage;

#[traced_stage(generated(|chunk| chunk = chunk.id))]
async fn chunk() -> Chunk {
    Chunk { id: 1 }
}

struct Chunk {
    id: u64,
}

fn main() {}
