//! PDFs for tests, made by another library than the one that reads them.

use lopdf::encryption::{EncryptionState, EncryptionVersion, Permissions};
use lopdf::{Dictionary, Object, Stream, dictionary};

/// Returns a PDF with one page for each content stream. `forms` are its forms by name.
pub(crate) fn pdf(contents: &[&str], forms: &[(&str, &str)]) -> lopdf::Document {
    let mut pdf = lopdf::Document::with_version("1.5");
    let pages_id = pdf.new_object_id();
    let font = pdf.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "Encoding" => "WinAnsiEncoding",
    });
    let resources_id = pdf.new_object_id();
    let mut named = Dictionary::new();
    for (name, content) in forms {
        let dictionary = dictionary! {
            "Type" => "XObject", "Subtype" => "Form", "BBox" => vec![0.into(), 0.into(), 9.into(), 9.into()],
            "Resources" => resources_id,
        };
        named.set(*name, pdf.add_object(Stream::new(dictionary, content.as_bytes().to_vec())));
    }
    let resources = dictionary! { "Font" => dictionary! { "F1" => font }, "XObject" => named };
    pdf.objects.insert(resources_id, Object::Dictionary(resources));
    let mut kids = Vec::new();
    for content in contents {
        let content = pdf.add_object(Stream::new(Dictionary::new(), content.as_bytes().to_vec()));
        kids.push(pdf.add_object(dictionary! { "Type" => "Page", "Parent" => pages_id, "Contents" => content }).into());
    }
    let count = i64::try_from(contents.len()).expect("few pages");
    let pages = dictionary! {
        "Type" => "Pages", "Count" => count, "Kids" => kids, "Resources" => resources_id,
        "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
    };
    pdf.objects.insert(pages_id, Object::Dictionary(pages));
    let catalog = pdf.add_object(dictionary! { "Type" => "Catalog", "Pages" => pages_id });
    pdf.trailer.set("Root", catalog);
    let id = Object::string_literal("an id of sixteen");
    pdf.trailer.set("ID", vec![id.clone(), id]);
    pdf
}

/// Returns the bytes of the PDF's file.
pub(crate) fn saved(mut pdf: lopdf::Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    pdf.save_to(&mut bytes).expect("a PDF");
    bytes
}

/// Returns a PDF with one page of text that opens with `user_password`.
pub(crate) fn locked(user_password: &str) -> Vec<u8> {
    let mut pdf = pdf(&["BT /F1 12 Tf 50 700 Td (Locked text.) Tj ET"], &[]);
    let version = EncryptionVersion::V2 {
        document: &pdf,
        owner_password: "owner",
        user_password,
        key_length: 128,
        permissions: Permissions::PRINTABLE,
    };
    let state = EncryptionState::try_from(version).expect("a key");
    pdf.encrypt(&state).expect("encrypted");
    saved(pdf)
}

/// A page of text, and as many whose content nobody can decode.
pub(crate) fn with_undecodable_pages(count: usize) -> Vec<u8> {
    let text = "BT /F1 12 Tf 50 700 Td (Sound.) Tj ET";
    let mut file = pdf(&[&[text][..], &vec!["BT ET"; count]].concat(), &[]);
    for (number, page) in file.get_pages() {
        for content in file.get_page_contents(page).into_iter().filter(|_| number > 1) {
            let stream = file.get_object_mut(content).and_then(|object| object.as_stream_mut()).expect("a stream");
            stream.dict.set("Filter", "Nonesuch");
        }
    }
    saved(file)
}
