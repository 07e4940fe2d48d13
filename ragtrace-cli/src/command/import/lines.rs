//! Reads the lines of an import, none of which may take more memory than a record can.

use std::io::{self, BufRead, Read};

/// The largest length of a line in bytes. A record has at most 256 KiB unless set otherwise.
const LONGEST: u64 = 16 << 20;

/// The lines of a file.
pub(super) struct Lines<R> {
    reader: R,
    /// The number of the line that was read last, from 1.
    pub(super) number: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, number: 0, buffer: Vec::new() }
    }

    /// Returns the next line without its end, or the reason why it is no text; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<&str, String>>> {
        self.buffer.clear();
        let read = Read::take(&mut self.reader, LONGEST + 1).read_until(b'\n', &mut self.buffer)?;
        if read == 0 {
            return Ok(None);
        }
        self.number += 1;
        if read as u64 > LONGEST && self.buffer.last() != Some(&b'\n') {
            self.skip_rest()?;
            return Ok(Some(Err(format!("the line is longer than {} MiB", LONGEST >> 20))));
        }
        // A file that an editor of Windows wrote begins with this mark.
        let line = self.buffer.strip_prefix(b"\xef\xbb\xbf").filter(|_| self.number == 1).unwrap_or(&self.buffer);
        let text = std::str::from_utf8(line).map(str::trim).map_err(|error| format!("the line is not UTF-8: {error}"));
        Ok(Some(text))
    }

    fn skip_rest(&mut self) -> io::Result<()> {
        self.buffer = Vec::new();
        loop {
            let some = self.reader.fill_buf()?;
            let Some(end) = some.iter().position(|byte| *byte == b'\n') else {
                let length = some.len();
                self.reader.consume(length);
                if length == 0 {
                    return Ok(());
                }
                continue;
            };
            self.reader.consume(end + 1);
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_numbered_and_trimmed_and_a_bad_one_hides_no_other() {
        let mut bytes = b"\xef\xbb\xbfone\r\n\ntwo\n\xff\xfe\n".to_vec();
        bytes.extend(std::iter::repeat_n(b'x', usize::try_from(LONGEST).expect("it fits") + 100));
        bytes.extend(b"\nlast");
        let mut lines = Lines::new(bytes.as_slice());
        let mut seen = Vec::new();
        while let Some(line) = lines.next().expect("bytes in memory can be read") {
            let line = line.map(str::to_owned);
            seen.push((lines.number, line));
        }
        assert_eq!(seen.len(), 6);
        assert_eq!(seen[0], (1, Ok("one".to_owned())));
        assert_eq!(
            (&seen[1].1, &seen[2].1, &seen[5]),
            (&Ok(String::new()), &Ok("two".to_owned()), &(6, Ok("last".to_owned())))
        );
        assert!(seen[3].1.as_ref().is_err_and(|why| why.contains("not UTF-8")), "{:?}", seen[3]);
        assert!(seen[4].1.as_ref().is_err_and(|why| why.contains("longer than 16 MiB")), "{:?}", seen[4].0);
    }
}
