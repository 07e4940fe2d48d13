pub mod stages {
    use ragtrace::traced_stage;

    #[traced_stage("chunking", kind = chunker, descriptor = CHUNKING)]
    pub fn chunk() {}
}

fn main() {
    println!("{}", stages::CHUNKING.name());
}
