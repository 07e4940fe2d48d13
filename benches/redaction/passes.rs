//! Passes over the lines of standard input with redaction, as often as the argument says.

mod redact;

fn main() {
    let passes: usize = std::env::args().nth(1).and_then(|passes| passes.parse().ok()).expect("a number of passes");
    let text = std::io::read_to_string(std::io::stdin()).expect("lines of text");
    let redacted = (0..passes).flat_map(|_| text.lines()).filter_map(redact::redacted).count();
    println!("{redacted}");
}
