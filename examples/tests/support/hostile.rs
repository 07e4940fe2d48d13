//! PDFs that are made to harm the program that reads them. They are small; what they expand to is
//! not.

/// Returns a PDF of these objects, the first of which is its catalog.
pub(crate) fn raw(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut pdf = b"%PDF-1.7\n".to_vec();
    let mut offsets = Vec::new();
    for (object, number) in objects.iter().zip(1..) {
        offsets.push(pdf.len());
        pdf.extend_from_slice(format!("{number} 0 obj\n").as_bytes());
        pdf.extend_from_slice(object);
        pdf.extend_from_slice(b"\nendobj\n");
    }
    let start = pdf.len();
    let size = objects.len() + 1;
    pdf.extend_from_slice(format!("xref\n0 {size}\n0000000000 65535 f \n").as_bytes());
    for offset in offsets {
        pdf.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
    }
    pdf.extend_from_slice(format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").as_bytes());
    pdf
}

fn stream(dictionary: &str, bytes: &[u8]) -> Vec<u8> {
    let head = format!("<< /Length {} {dictionary} >>\nstream\n", bytes.len());
    [head.as_bytes(), bytes, b"\nendstream"].concat()
}

/// Returns a PDF of one page. Its font `F` is the fifth object, and `more` come after it.
fn page(content: Vec<u8>, font: &str, more: &[Vec<u8>]) -> Vec<u8> {
    let first = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << \
          /Font << /F 5 0 R >> /XObject << /X0 6 0 R >> >> >>"
            .to_vec(),
        content,
        font.as_bytes().to_vec(),
    ];
    raw(&[&first[..], more].concat())
}

const HELVETICA: &str = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>";
const TEXT: &[u8] = b"BT /F 12 Tf 50 700 Td (Text.) Tj ET";

/// Returns `count` zero bytes as a zlib stream (RFC 1950 and 1951) of a thousandth of the size,
/// without taking their memory.
fn deflated_zeros(count: u64) -> Vec<u8> {
    let mut bits = Bits::default();
    // The last block, of fixed Huffman codes.
    bits.push(0b011, 3);
    // A zero, whose code is written from its highest bit, and then copies of 258 bytes from a
    // distance of 1: codes 285 and 0.
    bits.push(u8::reverse_bits(0x30).into(), 8);
    let copies = (count - 1) / 258;
    for _ in 0..copies {
        bits.push(u8::reverse_bits(0b1100_0101).into(), 8);
        bits.push(0, 5);
    }
    bits.push(0, 7);
    let length = 1 + copies * 258;
    let checksum = u32::try_from(length % 65_521).expect("below the modulus") << 16 | 1;
    [&[0x78, 0x9c][..], &bits.bytes(), &checksum.to_be_bytes()].concat()
}

#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    waiting: u32,
    count: u32,
}

impl Bits {
    fn push(&mut self, bits: u32, count: u32) {
        self.waiting |= bits << self.count;
        self.count += count;
        while self.count >= 8 {
            self.bytes.push(self.waiting.to_le_bytes()[0]);
            self.waiting >>= 8;
            self.count -= 8;
        }
    }

    fn bytes(mut self) -> Vec<u8> {
        self.push(0, 7);
        self.bytes
    }
}

/// Returns a PDF whose page unpacks to `bytes` bytes of white space.
pub(crate) fn flate_bomb(bytes: u64) -> Vec<u8> {
    page(stream("/Filter /FlateDecode", &deflated_zeros(bytes)), HELVETICA, &[])
}

/// Returns PDFs of many kinds, by name.
pub(crate) fn pdfs() -> Vec<(&'static str, Vec<u8>)> {
    let mut pdfs = expanding();
    pdfs.extend(cyclic());
    pdfs.extend(nested());
    pdfs.extend(overstated());
    pdfs
}

fn expanding() -> Vec<(&'static str, Vec<u8>)> {
    let laughs: Vec<Vec<u8>> = (6..36)
        .map(|number| {
            let next = number + 1;
            let resources =
                format!("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X {next} 0 R >> >>");
            stream(&resources, "/X Do ".repeat(10).as_bytes())
        })
        .collect();
    let many_fonts = "BT /F 12 Tf (Text.) Tj ET ".repeat(200_000);
    vec![
        ("flate bomb", flate_bomb(400 << 20)),
        ("flate bombs in one page", {
            let bomb = stream("/Filter /FlateDecode", &deflated_zeros(200 << 20));
            page(format!("[{}]", "6 0 R ".repeat(50)).into_bytes(), HELVETICA, &[bomb])
        }),
        ("flate bomb twice packed", {
            let once = deflated_zeros(400 << 20);
            // Its packed form is stored as it is, in blocks of at most 65,535 bytes.
            let mut twice = vec![0x78, 0x01];
            let blocks = once.chunks(65_535);
            let last = blocks.len() - 1;
            for (block, number) in blocks.zip(0..) {
                let length = u16::try_from(block.len()).expect("a block");
                twice.push(u8::from(number == last));
                twice.extend_from_slice(&length.to_le_bytes());
                twice.extend_from_slice(&(!length).to_le_bytes());
                twice.extend_from_slice(block);
            }
            page(stream("/Filter [/FlateDecode /FlateDecode]", &twice), HELVETICA, &[])
        }),
        ("run length bomb", page(stream("/Filter /RunLengthDecode", &[129, b' '].repeat(1 << 20)), HELVETICA, &[])),
        ("billion laughs", page(stream("", b"/X0 Do"), HELVETICA, &laughs)),
        ("one text a hundred thousand times", page(stream("", many_fonts.as_bytes()), HELVETICA, &[])),
        ("code range of four billion", mapped("<00000000> <FFFFFFFF>", "<00000000> <FFFFFFFF> <0041>", "bfrange")),
        ("code ranges of four billion", {
            let ranges = "<00000000> <FFFFFFFF> <0041>\n".repeat(1000);
            mapped("<00000000> <FFFFFFFF>", &ranges, "bfrange")
        }),
        ("width range of four billion", {
            let wide = "<< /Type /Font /Subtype /Type0 /BaseFont /A /Encoding /Identity-H /DescendantFonts [<< /Type /Font \
                        /Subtype /CIDFontType2 /BaseFont /A /CIDSystemInfo << /Registry (A) /Ordering (I) /Supplement 0 >> \
                        /W [0 4294967295 500 0 2147483647 600] >>] >>";
            page(stream("", TEXT), wide, &[])
        }),
    ]
}

/// Returns a PDF whose font has a map from codes to characters.
fn mapped(space: &str, ranges: &str, kind: &str) -> Vec<u8> {
    let font = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>";
    let count = ranges.lines().count();
    let map = format!(
        "/CIDInit /ProcSet findresource begin begincmap /CMapName /A def 1 begincodespacerange {space} endcodespacerange \
         {count} begin{kind} {ranges} end{kind} endcmap"
    );
    page(stream("", TEXT), font, &[stream("", map.as_bytes())])
}

fn cyclic() -> Vec<(&'static str, Vec<u8>)> {
    let catalog = b"<< /Type /Catalog /Pages 2 0 R >>".to_vec();
    let drawn = |font: &str| {
        let content = b"BT /F 12 Tf (A) Tj ET";
        page(stream("", content), font, &[stream("/Resources << /Font << /F 5 0 R >> >>", content)])
    };
    vec![
        ("pages that are their own children", {
            raw(&[catalog.clone(), b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>".to_vec()])
        }),
        ("pages that are each other's children", {
            let pages = |other| format!("<< /Type /Pages /Kids [{other} 0 R {other} 0 R] /Count 2 >>").into_bytes();
            raw(&[catalog, pages(3), pages(2)])
        }),
        ("length that is its own stream", {
            page(b"<< /Length 4 0 R >>\nstream\nBT ET\nendstream".to_vec(), HELVETICA, &[])
        }),
        ("reference to itself", page(b"4 0 R".to_vec(), HELVETICA, &[])),
        ("font that is drawn with itself", {
            drawn(
                "<< /Type /Font /Subtype /Type3 /FontMatrix [1 0 0 1 0 0] /FontBBox [0 0 1 1] /FirstChar 65 /LastChar 65 \
                   /Widths [1] /Encoding << /Differences [65 /A] >> /CharProcs << /A 6 0 R >> >>",
            )
        }),
        (
            "font that descends from itself",
            drawn("<< /Type /Font /Subtype /Type0 /DescendantFonts [5 0 R] /Encoding 5 0 R >>"),
        ),
        ("table of objects that follows itself", {
            let mut pdf = page(stream("", TEXT), HELVETICA, &[]);
            let text = String::from_utf8_lossy(&pdf);
            let at = text.rfind("/Root").expect("a trailer");
            let start = text.rfind("startxref\n").expect("its place") + "startxref\n".len();
            let place: String = text[start..].chars().take_while(char::is_ascii_digit).collect();
            pdf.splice(at..at, format!("/Prev {place} ").into_bytes());
            pdf
        }),
    ]
}

fn nested() -> Vec<(&'static str, Vec<u8>)> {
    let deep = |open: &str, close: &str| [open.repeat(200_000), close.repeat(200_000)].concat();
    let content = |content: String| page(stream("", content.as_bytes()), HELVETICA, &[]);
    let levels = 5_000;
    let mut tree = vec![b"<< /Type /Catalog /Pages 2 0 R >>".to_vec()];
    tree.extend((3..levels).map(|kid| format!("<< /Type /Pages /Kids [{kid} 0 R] /Count 1 >>").into_bytes()));
    tree.push(b"<< /Type /Page /MediaBox [0 0 9 9] >>".to_vec());
    vec![
        ("deep array", page(deep("[", "]").into_bytes(), HELVETICA, &[])),
        ("deep dictionary", page(deep("<</A ", ">>").into_bytes(), HELVETICA, &[])),
        ("deep array in a page", content(deep("[", "]") + " TJ")),
        ("deep string", content(format!("BT /F 9 Tf {} Tj ET", deep("(", ")")))),
        ("deep state", content(deep("q ", "Q "))),
        ("deep tree of pages", raw(&tree)),
        ("open ends", content("[ << ( <".repeat(100_000))),
    ]
}

fn overstated() -> Vec<(&'static str, Vec<u8>)> {
    let predicted =
        "/Filter /FlateDecode /DecodeParms << /Predictor 15 /Columns 2147483647 /Colors 32 /BitsPerComponent 16 >>";
    let huge_size = |key: &str| {
        let mut pdf = page(stream("", TEXT), HELVETICA, &[]);
        let at = String::from_utf8_lossy(&pdf).rfind(key).expect("the key") + key.len();
        pdf.splice(at..at, *b" 99999999");
        pdf
    };
    vec![
        ("rows of gigabytes", page(stream(predicted, &deflated_zeros(1 << 20)), HELVETICA, &[])),
        ("two billion pages", {
            let pages = b"<< /Type /Pages /Kids [] /Count 2147483647 >>".to_vec();
            raw(&[b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(), pages])
        }),
        ("a million kids that are missing", {
            let kids = "9 0 R ".repeat(1_000_000);
            let pages = format!("<< /Type /Pages /Kids [{kids}] /Count 1000000 >>").into_bytes();
            raw(&[b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(), pages])
        }),
        ("one page a hundred thousand times", {
            let kids = "3 0 R ".repeat(100_000);
            let pages = format!("<< /Type /Pages /Kids [{kids}] /Count 100000 >>").into_bytes();
            let one = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>".to_vec();
            raw(&[b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(), pages, one])
        }),
        ("many objects", huge_size("/Size")),
        ("far table", huge_size("xref\n")),
    ]
}
