//! The program `pdftotext` in place of the library, where it is installed.

use std::process::{Command, Stdio};

use ragtrace_examples::parse::pdf::Engine;
use ragtrace_examples::parse::{ParseError, Password, Reading};

use super::made::{locked, pdf, saved};
use super::read_with;

fn pdftotext() -> Reading {
    Reading { pdf_engine: Engine::Pdftotext, ..Reading::default() }
}

fn is_installed() -> bool {
    let mut command = Command::new("pdftotext");
    command.arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Returns the error of a machine without the program, which is all that it can test.
fn assert_is_missing(error: &ParseError) {
    assert!(matches!(error, ParseError::NoPdftotext(_)), "{error:?}");
    assert!(error.to_string().contains("install poppler-utils"), "{error}");
}

#[tokio::test]
async fn the_program_reads_the_text_of_each_page() {
    let contents = ["BT /F1 12 Tf 50 700 Td (First page.) Tj ET", "BT /F1 12 Tf 50 700 Td (Second page.) Tj ET"];
    match read_with(&saved(pdf(&contents, &[])), &pdftotext()).await {
        Ok(document) => {
            assert_eq!(document.text, "First page.\n\nSecond page.");
            assert_eq!((document.page_at(0), document.page_at(14)), (Some(1), Some(2)));
            assert_eq!(document.losses, []);
        }
        Err(error) => assert_is_missing(&error),
    }
}

#[tokio::test]
async fn a_password_is_not_given_to_the_program() {
    let with_password = Reading { password: Some(Password::new("secret")), ..pdftotext() };
    for (reading, expected) in [(with_password, "pdfboss"), (pdftotext(), "--password")] {
        let error = read_with(&locked("secret"), &reading).await.expect_err("locked");
        if is_installed() {
            assert!(error.to_string().contains(expected), "{error}");
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        } else {
            assert_is_missing(&error);
        }
    }
}

#[tokio::test]
async fn what_the_program_complains_about_is_told() {
    let sound =
        String::from_utf8(super::raw::Raw::new("BT /F1 12 Tf 50 700 Td (Sound.) Tj ET", super::raw::HELVETICA).bytes());
    let file = sound.expect("ASCII").replace("%PDF-1.4\n", "");
    match read_with(file.as_bytes(), &pdftotext()).await {
        Ok(document) => {
            assert_eq!(document.text, "Sound.");
            let causes: Vec<&str> = document.losses.iter().map(|loss| loss.cause.as_str()).collect();
            assert!(causes.iter().all(|cause| cause.starts_with("pdftotext: ")) && !causes.is_empty(), "{causes:?}");
        }
        Err(error) => assert_is_missing(&error),
    }
}

#[tokio::test]
async fn a_file_that_the_program_cannot_read_is_damaged() {
    let error = read_with(b"not a PDF", &pdftotext()).await.expect_err("no PDF");
    if is_installed() {
        assert!(matches!(error, ParseError::BrokenPdf(_)), "{error:?}");
    } else {
        assert_is_missing(&error);
    }
}
