use ragtrace::traced_stage;

trait Load {
    fn load(&self);
}

impl Load for () {
    #[traced_stage(descriptor = LOAD)]
    fn load(&self) {}
}

fn main() {}
