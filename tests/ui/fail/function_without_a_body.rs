use ragtrace::traced_stage;

trait Chunker {
    #[traced_stage(kind = chunk)]
    fn chunk(&self, text: &str) -> Vec<String>;
}

fn main() {}
