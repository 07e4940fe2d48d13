//! Names what a file is that is no document, by the mark at its beginning.

/// The marks: the offset, the bytes there, and the media type (IANA's, or the customary one).
const MARKS: [(usize, &[u8], &str); 45] = [
    (0, b"\x1f\x8b", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\0", "application/x-xz"),
    (0, b"\x28\xb5\x2f\xfd", "application/zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"PK\x03\x04", "application/zip"),
    (257, b"ustar", "application/x-tar"),
    // Word, Excel and PowerPoint before 2007, and Outlook's messages.
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"II*\0", "image/tiff"),
    (0, b"MM\0*", "image/tiff"),
    (0, b"BM", "image/bmp"),
    (0, b"8BPS", "image/vnd.adobe.photoshop"),
    (0, b"\0\0\x01\0", "image/vnd.microsoft.icon"),
    (0, b"AT&TFORM", "image/vnd.djvu"),
    (0, b"\0\0\0\x0cjP  ", "image/jp2"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypavif", "image/avif"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/x-matroska"),
    (8, b"AVI ", "video/x-msvideo"),
    (8, b"WAVE", "audio/wav"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"OggS", "audio/ogg"),
    (0, b"SQLite format 3\0", "application/vnd.sqlite3"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"MZ", "application/vnd.microsoft.portable-executable"),
    (0, b"\xca\xfe\xba\xbe", "application/java-vm"),
    (0, b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (0, b"\0asm", "application/wasm"),
    (0, b"\0\x01\0\0\0", "font/ttf"),
    (0, b"OTTO", "font/otf"),
    (0, b"wOFF", "font/woff"),
    (0, b"wOF2", "font/woff2"),
    (0, b"\x80\x02}", "application/x-python-pickle"),
    (0, b"!<arch>\n", "application/x-archive"),
    // Text, but not for people.
    (0, b"{\\rtf", "application/rtf"),
    (0, b"%!PS-Adobe", "application/postscript"),
];

/// Returns the media type of the mark at the beginning of a file, or `None` if it has none that is
/// known. A text may begin with some of the marks, too.
pub fn media_type(bytes: &[u8]) -> Option<&'static str> {
    let begins = |at: usize, mark: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(mark));
    // RIFF is a container of several formats, whose own mark comes third.
    let is_riff = begins(0, b"RIFF");
    MARKS.iter().find(|(at, mark, _)| begins(*at, mark) && (*at != 8 || is_riff)).map(|(_, _, media_type)| *media_type)
}
