//! Checks that `serde_json` reads the output of the JSON writer as the values that were written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ragtrace_core::Value;
use ragtrace_core::json::text_of;

fuzz_target!(|input: (&str, &str, u64, i64)| {
    let (name, text, unsigned, signed) = input;
    let float = f64::from_bits(unsigned);
    let written = text_of(|mut object| {
        object.text("text", text);
        object.text_of_two("two", name, text);
        object.texts("texts", &[name.to_owned(), text.to_owned()]);
        object.unsigned("unsigned", unsigned);
        object.hex("hex", unsigned);
        object.display("display", signed);
        let mut nested = object.nested("nested");
        nested.field("float", &Value::F64(float));
        nested.field("signed", &Value::I64(signed));
        // The application chooses the name. A name that is already used would appear twice.
        if !matches!(name, "float" | "signed") {
            nested.field(name, &Value::Text(text.to_owned().into()));
        }
        nested.close();
        object.close();
    });
    let read: serde_json::Value = serde_json::from_str(&written).unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(read["text"], text);
    assert_eq!(read["two"], format!("{name}{text}"));
    assert_eq!(read["texts"], serde_json::json!([name, text]));
    assert_eq!(read["unsigned"], unsigned);
    assert_eq!(read["hex"], format!("{unsigned:016x}"));
    assert_eq!(read["display"], signed.to_string());
    assert_eq!(read["nested"]["signed"], signed);
    if !matches!(name, "float" | "signed") {
        assert_eq!(read["nested"][name], text);
    }
    let float_is_kept = match read["nested"]["float"].as_f64() {
        Some(read) => read.to_bits() == float.to_bits(),
        None => !float.is_finite(),
    };
    assert!(float_is_kept, "{float:?} is written in {written}");
});
