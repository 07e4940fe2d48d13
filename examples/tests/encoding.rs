//! The encodings of text: given, marked, declared, recognized, and broken in places.

#[path = "support/reading.rs"]
#[expect(dead_code, reason = "not every test needs every helper")]
mod reading;

use proptest::prelude::*;
use ragtrace_examples::document::LossKind;
use ragtrace_examples::normalize::normalize;
use ragtrace_examples::parse::{ParseError, Reading, TextEncoding, parse};
use reading::{Folder, block_on, losses, read, refused};

/// Sentences of many scripts. Each is long enough to be recognized.
const SENTENCES: [&str; 10] = [
    "The pump is serviced every six months, and the valve is opened by hand.",
    "Grüße aus Köln: der Wind weht, die Station misst, und es fällt Regen über den Dächern.",
    "Резервуар вмещает сорок литров; не переполняйте его. Насос обслуживают каждые шесть месяцев.",
    "貯水槽の容量は四十リットルです。入れすぎないでください。ポンプは六か月ごとに点検します。",
    "水箱可容纳四十升，请勿加满。水泵每六个月保养一次，阀门须用手打开。",
    "저수조의 용량은 사십 리터입니다. 너무 많이 채우지 마십시오. 펌프는 여섯 달마다 점검합니다.",
    "يتسع الخزان لأربعين لترا، فلا تملأه أكثر من اللازم. تجرى صيانة المضخة كل ستة أشهر.",
    "המיכל מכיל ארבעים ליטר, אין למלא אותו יתר על המידה. המשאבה מטופלת כל שישה חודשים.",
    "Η δεξαμενή χωράει σαράντα λίτρα. Μην την υπερπληρώνετε. Η αντλία συντηρείται κάθε έξι μήνες.",
    "टंकी में चालीस लीटर पानी आता है, इसे अधिक न भरें। पंप की हर छह महीने में मरम्मत होती है।",
];

fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

fn utf32(text: &str, order: fn(u32) -> [u8; 4]) -> Vec<u8> {
    text.chars().flat_map(|character| order(character.into())).collect()
}

fn marked(mark: &[u8], bytes: &[u8]) -> Vec<u8> {
    [mark, bytes].concat()
}

#[tokio::test]
async fn every_script_is_read_in_every_unicode_encoding_with_and_without_a_mark() {
    let folder = Folder::new();
    for text in SENTENCES {
        let files = [
            text.as_bytes().to_vec(),
            marked(b"\xef\xbb\xbf", text.as_bytes()),
            marked(b"\xff\xfe", &utf16(text, u16::to_le_bytes)),
            marked(b"\xfe\xff", &utf16(text, u16::to_be_bytes)),
            utf16(text, u16::to_le_bytes),
            utf16(text, u16::to_be_bytes),
            marked(b"\xff\xfe\0\0", &utf32(text, u32::to_le_bytes)),
            marked(b"\0\0\xfe\xff", &utf32(text, u32::to_be_bytes)),
            utf32(text, u32::to_le_bytes),
            utf32(text, u32::to_be_bytes),
        ];
        for (number, bytes) in files.iter().enumerate() {
            let document = folder.parse("a.txt", bytes).await.expect("readable");
            assert_eq!(document.text, normalize(text), "file {number}");
            assert!(document.losses.is_empty(), "file {number}: {:?}", document.losses);
        }
    }
}

#[tokio::test]
async fn a_legacy_encoding_is_recognized() {
    let latin1: Vec<u8> = SENTENCES[1].chars().map(|character| u8::try_from(character).expect("Latin-1")).collect();
    assert_eq!(read("a.txt", latin1).await.text, SENTENCES[1]);
    let cyrillic: Vec<u8> = SENTENCES[2].chars().map(windows_1251).collect();
    assert_eq!(read("a.txt", cyrillic).await.text, SENTENCES[2]);
    let shift_jis = b"\x83\x7c\x83\x93\x83\x76\x82\xf0\x93\x5f\x8c\x9f\x82\xb5\x82\xdc\x82\xb7\x81\x42".repeat(3);
    assert_eq!(read("a.txt", shift_jis).await.text, "ポンプを点検します。".repeat(3));
    let iso_2022_jp = b"\x1b$B%]%s%W$rE@8!$7$^$9!#\x1b(B";
    assert_eq!(read("a.txt", iso_2022_jp).await.text, "ポンプを点検します。");
}

fn windows_1251(character: char) -> u8 {
    match character {
        'А'..='я' => u8::try_from(u32::from(character) - u32::from('А') + 0xc0).expect("a letter"),
        other => u8::try_from(other).expect("ASCII"),
    }
}

#[tokio::test]
async fn few_bad_bytes_do_not_change_the_encoding_and_are_told() {
    let text = "Größe und Maß. ".repeat(200);
    let middle = text.find("Maß").expect("a word");
    let one_bad = [&text.as_bytes()[..middle], b"\xff", &text.as_bytes()[middle..]].concat();
    let document = read("bad.txt", one_bad).await;
    assert!(document.text.starts_with("Größe und \u{fffd}Maß. Größe und Maß."), "{}", &document.text[..60]);
    assert_eq!(losses(&document), [LossKind::Bytes]);
    let expected = format!("1 sequence of bytes is not UTF-8 and became U+FFFD, the first at byte {middle}");
    assert_eq!(document.losses[0].to_string(), expected);

    let cut_off = &text.as_bytes()[..=text.find('ß').expect("a letter")];
    let document = read("cut.txt", cut_off).await;
    assert_eq!((document.text.as_str(), losses(&document)), ("Grö\u{fffd}", vec![LossKind::Bytes]));

    let odd = &utf16(SENTENCES[2], u16::to_le_bytes)[..101];
    let document = read("odd.txt", odd).await;
    assert!(document.text.starts_with("Резервуар") && document.text.ends_with('\u{fffd}'), "{}", document.text);
    assert_eq!(losses(&document), [LossKind::Bytes]);
}

#[tokio::test]
async fn a_page_is_read_in_the_encoding_it_declares() {
    let pages: [&[u8]; 4] = [
        b"<meta charset=\"iso-8859-2\"><p>\xb3\xf3d\xbc</p>",
        b"<meta http-equiv=Content-Type content='text/html; charset=iso-8859-2'><p>\xb3\xf3d\xbc</p>",
        b"<?xml version=\"1.0\" encoding=\"ISO-8859-2\"?><html><p>\xb3\xf3d\xbc</p></html>",
        // What is valid UTF-8 is UTF-8, whatever it declares.
        b"<meta charset=\"iso-8859-2\"><p>\xc5\x82\xc3\xb3d\xc5\xba</p>",
    ];
    for page in pages {
        assert_eq!(read("a.htm", page).await.text, "łódź");
    }
    // The declaration says less than the bytes.
    assert_eq!(read("a.htm", b"<meta charset=utf-8><p>caf\xe9 noir</p>").await.text, "café noir");
}

#[tokio::test]
async fn the_encoding_that_is_given_overrides_all_others() {
    let folder = Folder::new();
    let read = async |encoding: &str, bytes: &[u8]| {
        let reading = Reading { encoding: Some(encoding.parse().expect("a label")), ..Reading::default() };
        parse(&folder.file("a.txt", bytes), &reading).await.expect("readable").text
    };
    assert_eq!(read("windows-1251", b"\xc3\xe4").await, "Гд");
    assert_eq!(read("iso-8859-5", "\u{e4}".as_bytes()).await, "УЄ");
    assert_eq!(read("UTF-16LE", &utf16("hi", u16::to_le_bytes)).await, "hi");
    assert_eq!(read("utf-32be", &utf32("hi", u32::to_be_bytes)).await, "hi");
    assert_eq!(read("utf-8", b"\xef\xbb\xbfhi").await, "hi");
    let error = "klingon".parse::<TextEncoding>().expect_err("no label");
    assert_eq!(
        error.to_string(),
        "there is no encoding \"klingon\"; give a label such as utf-8, windows-1252 or shift_jis"
    );
}

#[tokio::test]
async fn binary_data_is_refused() {
    let noise: Vec<u8> = (0..4096_u32).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8 | 1).collect();
    let records: Vec<u8> = (0..500_u32).flat_map(u32::to_le_bytes).collect();
    for bytes in [noise, records, vec![0; 100], b"\x01\x02\x03\x04\0\0\0\x05".to_vec()] {
        let error = refused("a.txt", bytes).await;
        assert!(matches!(error, ParseError::Binary | ParseError::Empty), "{error:?}");
    }
}

#[tokio::test]
async fn text_of_ascii_with_nuls_is_not_taken_for_another_encoding() {
    for text in ["one\0two\0three\0four", "a list\0\nof names\0\nand more\0\n"] {
        let long = text.repeat(20);
        let document = read("a.txt", &long).await;
        assert!(document.text.is_ascii(), "{:?}", document.text);
        assert_eq!(losses(&document), [LossKind::Bytes]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn text_survives_each_unicode_encoding(
        words in proptest::collection::vec("[a-zäöüßа-яぁ-ん一-龥]{1,8}", 8..40),
    ) {
        let text = words.join(" ");
        for bytes in [text.clone().into_bytes(), utf16(&text, u16::to_le_bytes), utf16(&text, u16::to_be_bytes), utf32(&text, u32::to_le_bytes)] {
            let document = block_on(read("a.txt", bytes));
            prop_assert_eq!(document.text.split_whitespace().collect::<Vec<_>>(), words.clone());
        }
    }

    #[test]
    fn any_bytes_are_text_or_an_error_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), name in "a\\.(txt|md|html|csv|rst|gz|xyz)") {
        match block_on(Folder::new().parse(&name, bytes)) {
            Ok(document) => {
                let is_text = !document.text.trim().is_empty() && !document.text.contains('\0');
                prop_assert!(is_text, "{:?}", document.text);
            }
            Err(error) => prop_assert!(!matches!(error, ParseError::Panicked(_)), "{:?}", error),
        }
    }

    #[test]
    fn bytes_that_are_changed_in_a_text_cost_only_themselves(at in 0_usize..1_000, bad in 0x80_u8..) {
        let text = "Größe und Maß der Dächer. ".repeat(40);
        let mut bytes = text.into_bytes();
        bytes[at] = bad;
        let document = block_on(read("a.txt", bytes));
        prop_assert!(document.text.matches("Größe").count() >= 38, "{}", document.text);
    }
}
