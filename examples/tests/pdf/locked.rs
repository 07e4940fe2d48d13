//! Encrypted files.

use lopdf::encryption::crypt_filters::{Aes128CryptFilter, Aes256CryptFilter, CryptFilter};
use lopdf::encryption::{EncryptionState, EncryptionVersion, Permissions};
use ragtrace_examples::parse::ParseError;
use ragtrace_examples::parse::pdf::pages;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::made::{locked, pdf, saved};
use super::read;

/// Returns a PDF for each of the ways to encrypt one.
fn all(user_password: &str) -> Vec<Vec<u8>> {
    let content = ["BT /F1 12 Tf 50 700 Td (Locked text.) Tj ET"];
    let (owner_password, permissions, filter) = ("owner", Permissions::PRINTABLE, b"StdCF".to_vec());
    let filters = |filter: Arc<dyn CryptFilter>| BTreeMap::from([(b"StdCF".to_vec(), filter)]);
    let with = |version: &dyn Fn(&lopdf::Document) -> EncryptionState| {
        let mut pdf = pdf(&content, &[]);
        let state = version(&pdf);
        pdf.encrypt(&state).expect("encrypted");
        saved(pdf)
    };
    let v1 = |document: &_| {
        EncryptionVersion::V1 { document, owner_password, user_password, permissions }.try_into().expect("a key")
    };
    let v4 = |document: &_| {
        EncryptionVersion::V4 {
            document,
            encrypt_metadata: true,
            crypt_filters: filters(Arc::new(Aes128CryptFilter)),
            stream_filter: filter.clone(),
            string_filter: filter.clone(),
            owner_password,
            user_password,
            permissions,
        }
        .try_into()
        .expect("a key")
    };
    let v5 = |_: &_| {
        EncryptionVersion::V5 {
            encrypt_metadata: true,
            crypt_filters: filters(Arc::new(Aes256CryptFilter)),
            file_encryption_key: &[7; 32],
            stream_filter: filter.clone(),
            string_filter: filter.clone(),
            owner_password,
            user_password,
            permissions,
        }
        .try_into()
        .expect("a key")
    };
    vec![with(&v1), locked(user_password), with(&v4), with(&v5)]
}

#[test]
fn the_password_of_the_user_and_that_of_the_owner_open_a_pdf() {
    for (bytes, version) in all("secret").iter().zip(1..) {
        for password in ["secret", "owner"] {
            let content = pages(bytes, Some(password), &mut |_, _| {}).expect("readable");
            assert_eq!(content.pages[0].text().trim(), "Locked text.", "{version}: {password}");
        }
    }
}

#[test]
fn a_wrong_password_and_a_missing_one_are_told_apart() {
    for bytes in all("secret") {
        let wrong = pages(&bytes, Some("wr0ng"), &mut |_, _| {}).expect_err("locked");
        assert!(matches!(wrong, ParseError::WrongPassword), "{wrong:?}");
        assert!(!format!("{wrong} {wrong:?}").contains("wr0ng"), "{wrong:?}");
        let missing = pages(&bytes, None, &mut |_, _| {}).expect_err("locked");
        assert!(matches!(missing, ParseError::EncryptedPdf), "{missing:?}");
        assert_ne!(wrong.to_string(), missing.to_string());
    }
}

#[test]
fn a_pdf_that_needs_no_password_opens_with_any() {
    let plain = saved(pdf(&["BT /F1 12 Tf 50 700 Td (Locked text.) Tj ET"], &[]));
    for bytes in all("").into_iter().chain([plain]) {
        for password in [None, Some("another's")] {
            let content = pages(&bytes, password, &mut |_, _| {}).expect("readable");
            assert_eq!(content.pages[0].text().trim(), "Locked text.");
        }
    }
}

#[tokio::test]
async fn a_locked_pdf_is_an_error_that_says_what_to_do() {
    let error = read(&locked("secret")).await.expect_err("locked");
    assert!(error.to_string().contains("--password"), "{error}");
}
