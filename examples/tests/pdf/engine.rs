//! The program `pdftotext` in place of the library.
