//! Tests of which servers the client trusts, and of its messages about others.

use std::io::{Read, Write};

use ragtrace::sink::Verdict;
use ragtrace_sinks_support::{Answer, Authority, Certificate, Server};

use super::{builder, post, send, with_variables};
use crate::http::Client;

fn server(certificate: Certificate) -> Server {
    Server::builder().tls(certificate).start(|_| Answer::status(202))
}

/// Returns the client's message about an untrusted certificate.
fn refused(client: &Client, server: &Server) -> String {
    let error = send(client, &post(&server.url())).expect_err("not trusted");
    assert_eq!(error.verdict(), Verdict::Park, "{}", error.reason());
    let begin = format!("POST {}/: error sending request: ", server.url());
    error.reason().strip_prefix(&begin).expect("where, and what").to_owned()
}

#[test]
fn a_certificate_that_is_not_valid_parks_and_says_what_to_do() {
    let authority = Authority::new();
    let client = builder().certificate("CA", authority.file()).build();
    let stranger = refused(&client, &server(Authority::new().certificate("localhost")));
    let unknown = "the server's certificate is not valid: its issuer is unknown: add the issuer's certificate to the ";
    assert_eq!(stranger, format!("{unknown}file that CA names"));
    let stranger = refused(&builder().build(), &server(authority.certificate("localhost")));
    assert_eq!(stranger, format!("{unknown}system's, or set SSL_CERT_FILE to a file of it in PEM"));
    let expired = refused(&client, &server(authority.expired("localhost")));
    assert_eq!(expired, "the server's certificate is not valid: it has expired: renew it, or set this machine's clock");
    let elsewhere = refused(&client, &server(authority.certificate("elsewhere.test")));
    assert!(elsewhere.contains("it is for another host: check the host in the URL"), "{elsewhere}");
    assert!(elsewhere.contains("elsewhere.test"), "{elsewhere}");
}

#[test]
fn the_systems_file_and_folder_are_trusted() {
    let authority = Authority::new();
    let server = server(authority.certificate("localhost"));
    let (file, folder) = (authority.file(), authority.folder().to_owned());
    let file = file.to_str().expect("a path");
    assert_eq!(send(&with_variables(&[("SSL_CERT_FILE", file)]), &post(&server.url())).expect("trusted").status(), 202);
    let missing = folder.join("missing.pem");
    let missing = missing.to_str().expect("a path");
    let told = refused(&with_variables(&[("SSL_CERT_FILE", missing)]), &server);
    assert!(told.starts_with(&format!("SSL_CERT_FILE={missing}: no certificate found: ")), "{told}");
}

#[test]
fn a_certificate_that_is_added_counts_from_the_next_request_on() {
    let (known, unknown) = (Authority::new(), Authority::new());
    let file = known.file();
    let client = builder().certificate("OTEL_EXPORTER_OTLP_CERTIFICATE", &file).build();
    let server = server(unknown.certificate("localhost"));
    refused(&client, &server);
    std::fs::write(&file, known.pem() + &unknown.pem()).expect("a file");
    assert_eq!(send(&client, &post(&server.url())).expect("trusted now").status(), 202);
}

#[test]
fn a_client_shows_its_certificate_to_a_server_that_asks_for_one() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let server = server(authority.certificate("localhost").for_clients_of(&clients));
    let identity = clients.certificate("client.test");
    let (certificate, key) =
        (clients.write("client.pem", identity.pem()), clients.write("key.pem", identity.key_pem()));
    let known = builder().certificate("CA", authority.file()).client_certificate(("CERT", &certificate), ("KEY", &key));
    assert_eq!(send(&known.build(), &post(&server.url())).expect("let in").status(), 202);

    let unknown = builder().certificate("CA", authority.file()).build();
    let told = refused(&unknown, &server);
    assert_eq!(
        told,
        "the server does not accept the client certificate (CertificateRequired): set one that it accepts"
    );

    let bad =
        builder().certificate("CA", authority.file()).client_certificate(("CERT", &certificate), ("KEY", &certificate));
    let told = refused(&bad.build(), &server);
    assert!(told.starts_with(&format!("KEY: cannot use the file {}: ", certificate.display())), "{told}");
}

#[test]
fn a_file_without_a_certificate_is_named() {
    let authority = Authority::new();
    let server = server(authority.certificate("localhost"));
    let empty = authority.write("empty.pem", "nothing");
    let told = refused(&builder().certificate("CA", &empty).build(), &server);
    assert_eq!(told, format!("CA: cannot use the file {}: it has no certificate", empty.display()));
}

#[test]
fn a_server_without_tls_is_told_from_one_that_closes() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    let thread = std::thread::spawn(move || {
        let mut hello = [0; 1024];
        let (mut plain, _) = listener.accept().expect("a client");
        let _ = plain.read(&mut hello).expect("TLS");
        plain.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").expect("an answer");
        let (mut closing, _) = listener.accept().expect("a client");
        let _ = closing.read(&mut hello).expect("TLS");
    });
    let client = builder().build();
    let error = send(&client, &post(&url)).expect_err("no TLS");
    assert_eq!(error.verdict(), Verdict::Park);
    assert!(
        error.reason().contains("the server does not speak TLS") && error.reason().ends_with("`http://`?"),
        "{error}"
    );
    let error = send(&client, &post(&url)).expect_err("no TLS");
    assert_eq!(error.verdict(), Verdict::Retry);
    assert!(error.reason().ends_with("127.0.0.1 closed the connection when TLS began"), "{error}");
    thread.join().expect("a server");
}
