use ragtrace::stage;

fn main() {
    stage!("parse", used(document = [1.5]), {});
}
