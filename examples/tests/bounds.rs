//! Documents that would harm others, read by processes of the built program with limits.

#[path = "support/hostile.rs"]
mod hostile;
#[path = "support/pdf.rs"]
mod made;
#[cfg(target_os = "linux")]
#[path = "support/processes.rs"]
mod processes;
#[cfg(target_os = "linux")]
#[expect(dead_code, reason = "other tests look at the records")]
#[path = "support/program.rs"]
mod program;

use std::error::Error as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ragtrace_examples::Source;
use ragtrace_examples::document::Document;
use ragtrace_examples::parse::{Memory, OnProgress, ParseError, Password, Progress, Reader, Reading, parse};
use tempfile::TempDir;

const MIB: u64 = 1 << 20;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).expect("a file");
        path
    }
}

/// Returns the settings of reading by the built program.
fn reading() -> Reading {
    Reading { reader: Reader::Child(env!("CARGO_BIN_EXE_ingest").into()), ..Reading::default() }
}

fn with_memory(mib: u64) -> Reading {
    Reading { memory: Memory::new(mib * MIB), ..reading() }
}

fn with_seconds(seconds: u64) -> Reading {
    Reading { timeout: Duration::from_secs(seconds), ..reading() }
}

async fn error_of(path: &Path, reading: &Reading) -> ParseError {
    match parse(path, reading).await {
        Ok(document) => panic!("{} bytes of text", document.text.len()),
        Err(error) => error,
    }
}

/// Returns the facts of a document that do not depend on the process that read it.
fn facts(document: &Document) -> impl PartialEq + std::fmt::Debug {
    let Document { path, name, text, headings, page_starts, bytes, .. } = document.clone();
    (path, name, text, headings, page_starts, bytes)
}

#[tokio::test]
async fn a_document_is_the_same_whichever_process_reads_it() {
    let folder = Folder::new();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    let samples = ["faq.html", "field-notes.txt", "guide.md", "specification.pdf"].map(|name| samples.join(name));
    let lossy = folder.file("lossy.pdf", made::with_undecodable_pages(2));
    for path in samples.into_iter().chain([lossy]) {
        let name = path.display();
        let there = parse(&path, &reading()).await.expect("readable");
        let here = parse(&path, &Reading { reader: Reader::InProcess, ..reading() }).await.expect("readable");
        assert_eq!(facts(&there), facts(&here), "{name}");
        assert_eq!((&there.metadata, &there.losses), (&here.metadata, &here.losses), "{name}");
    }
}

#[tokio::test]
async fn an_error_is_the_same_whichever_process_reads_the_document() {
    let folder = Folder::new();
    let whole = made::saved(made::pdf(&["BT /F1 12 Tf 50 700 Td (Text.) Tj ET"], &[]));
    let files = [
        folder.file("cut.pdf", &whole[..whole.len() / 3]),
        folder.file("locked.pdf", made::locked("secret")),
        folder.file("drawn.pdf", made::saved(made::pdf(&["0 0 9 9 re f"], &[]))),
        folder.file("undecodable.pdf", made::saved(made::pdf(&["/A Do"], &[("A", "/A Do")]))),
        folder.file("blank.html", "<p> </p>"),
        folder.file("binary.md", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    ];
    for path in files {
        let there = error_of(&path, &reading()).await;
        let here = error_of(&path, &Reading { reader: Reader::InProcess, ..reading() }).await;
        assert_eq!(there.to_string(), here.to_string());
        let cause = |error: &ParseError| error.source().map(ToString::to_string);
        assert_eq!((there.kind(), cause(&there)), (here.kind(), cause(&here)), "{}", path.display());
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_name_may_be_of_any_bytes() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = Folder::new();
    let paths = [&b"bad\xff.md"[..], b"bad\xfe.md"].map(|name| folder.file(OsStr::from_bytes(name), "# A title"));
    for path in paths {
        let document = parse(&path, &reading()).await.expect("readable");
        assert_eq!(document.path, path.canonicalize().expect("it exists"));
    }
}

#[tokio::test]
async fn a_password_reaches_the_process_and_no_error() {
    let folder = Folder::new();
    let path = folder.file("locked.pdf", made::locked("hunter2"));
    let with = |password: &str| Reading { password: Some(Password::new(password)), ..reading() };
    assert_eq!(parse(&path, &with("hunter2")).await.expect("unlocked").text, "Locked text.");
    let error = error_of(&path, &with("hunter3")).await;
    assert_eq!(error.kind(), "locked");
    assert!(!format!("{error:?} {error}").contains("hunter3"));
}

#[tokio::test]
async fn pages_are_told_as_they_are_read() {
    let folder = Folder::new();
    let pages = vec!["BT /F1 12 Tf 50 700 Td (Text.) Tj ET"; 30];
    let path = folder.file("long.pdf", made::saved(made::pdf(&pages, &[])));
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let on_progress = OnProgress::new(move |source: &Source, progress: Progress| {
        heard.lock().expect("a lock").push((source.path.clone(), progress));
    });
    parse(&path, &Reading { on_progress, ..reading() }).await.expect("readable");
    let told = told.lock().expect("a lock").clone();
    assert_eq!(told.first(), Some(&(path, Progress { done: 0, pages: 30 })));
    assert!(told.is_sorted_by_key(|(_, progress)| progress.done), "{told:?}");
}

#[tokio::test]
async fn the_size_of_a_file_is_looked_at_before_it_is_read() {
    let folder = Folder::new();
    for (name, mib) in [("sparse.txt", 10_000), ("sparse.md", 65), ("sparse.html", 65), ("sparse.pdf", 257)] {
        let path = folder.path(name);
        fs::File::create(&path).and_then(|file| file.set_len(mib * MIB)).expect("a sparse file");
        let error = error_of(&path, &reading()).await;
        assert_eq!(error.kind(), "too large", "{name}: {error:?}");
        assert!(error.to_string().ends_with("split it or raise --max-bytes"), "{error}");
    }
    let path = folder.file("a.txt", "Eleven byte");
    for (limit, fits) in [(10, false), (11, true)] {
        let outcome = parse(&path, &Reading { max_bytes: Some(limit), ..reading() }).await;
        assert_eq!(outcome.is_ok(), fits, "{outcome:?}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_document_that_takes_all_memory_is_an_error_that_names_the_limit() {
    let folder = Folder::new();
    let page = folder.file("page.html", "<p>a<b>b</b>".repeat(300_000));
    let bomb = folder.file("bomb.pdf", hostile::flate_bomb(200 * MIB));
    for path in [page, bomb] {
        let error = error_of(&path, &with_memory(48)).await;
        assert!(matches!(error, ParseError::OutOfMemory(_)), "{error:?}");
        let expected = "reading the file takes more than 48 MiB of memory; split it or raise --memory";
        assert_eq!((error.kind(), error.to_string().as_str()), ("out of memory", expected));
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_document_that_takes_more_memory_than_usual_is_read_alone() {
    let folder = Folder::new();
    // Each element takes far more memory than its bytes.
    let path = folder.file("dense.html", "<i>a</i>".repeat(300_000));
    let reading = with_memory(320);
    let document = parse(&path, &reading).await.expect("there is enough for one");
    assert_eq!(document.text.len(), 300_000);
    assert!(document.room.is_some_and(|room| room.bytes() < 8 * MIB), "the rest is given back");
}

#[tokio::test]
async fn text_that_no_memory_holds_with_its_chunks_is_an_error() {
    let folder = Folder::new();
    // Each of these characters becomes eighteen.
    let path = folder.file("long.txt", "\u{fdfa}".repeat(330_000));
    let error = error_of(&path, &with_memory(32)).await;
    assert_eq!(error.kind(), "too much text", "{error:?}");
    assert_eq!(error.to_string(), "the file holds more than 8 MiB of text; split it or raise --memory");
}

#[cfg(unix)]
#[tokio::test]
async fn a_document_that_takes_the_processor_for_too_long_is_an_error() {
    let folder = Folder::new();
    let path = folder.file("deep.html", "<div>".repeat(400_000) + "Deep.");
    let error = error_of(&path, &with_seconds(1)).await;
    assert!(matches!(error, ParseError::TooSlow(_)), "{error:?}");
    let expected = "reading the file takes more than 1s of computing; split it or raise --timeout";
    assert_eq!((error.kind(), error.to_string().as_str()), ("out of time", expected));
}

#[tokio::test]
async fn hostile_pdfs_are_read_or_are_errors_within_their_limits() {
    let folder = Folder::new();
    for (name, bytes) in hostile::pdfs() {
        let path = folder.file(format!("{name}.pdf"), bytes);
        let outcome = parse(&path, &with_seconds(2)).await;
        let kind = outcome.as_ref().map_or_else(ParseError::kind, |_| "read");
        println!("{name}: {kind}");
        let expected = ["read", "damaged", "only pictures", "out of memory", "out of time", "too much text", "crashed"];
        assert!(expected.contains(&kind), "{name}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_pdf_without_pages_is_damaged() {
    let path = Folder::new();
    let path = path.file("none.pdf", made::saved(made::pdf(&[], &[])));
    assert_eq!(error_of(&path, &reading()).await.kind(), "damaged");
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_no_file_is_not_read() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = Folder::new();
    let pipe = folder.path("pipe.md");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().expect("a program").success());
    let device = folder.path("device.txt");
    symlink("/dev/zero", &device).expect("a link");
    let socket = folder.path("socket.pdf");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
    for path in [&pipe, &device, &socket] {
        assert_eq!(error_of(path, &reading()).await.kind(), "not a file", "{}", path.display());
    }
    let looped = folder.path("loop.md");
    symlink(&looped, &looped).expect("a link");
    assert_eq!(error_of(&looped, &reading()).await.kind(), "unreadable");

    let closed = folder.path("closed");
    fs::create_dir(&closed).expect("a folder");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).expect("its owner");
    // The superuser may list it all the same.
    let expected = if fs::read_dir(&closed).is_ok() { "not a file" } else { "unreadable" };
    assert_eq!(error_of(&closed, &reading()).await.kind(), expected);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).expect("its owner");
}

#[tokio::test]
async fn sound_documents_are_read_beside_hostile_ones() {
    let folder = Folder::new();
    let reading = Reading { memory: Memory::new(128 * MIB), ..with_seconds(1) };
    let mut all = tokio::task::JoinSet::new();
    for number in 0..8 {
        let hostile = match number % 2 {
            0 => folder.file(format!("{number}.html"), "<div>".repeat(60_000)),
            _ => folder.file(format!("{number}.pdf"), hostile::flate_bomb(200 * MIB)),
        };
        let sound = folder.file(format!("sound-{number}.md"), format!("Document {number}."));
        for path in [hostile, sound] {
            let reading = reading.clone();
            all.spawn(async move { (path.clone(), parse(&path, &reading).await) });
        }
    }
    let mut read = 0;
    while let Some(ended) = all.join_next().await {
        let (path, outcome) = ended.expect("no panic");
        let is_sound = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("sound"));
        assert!(outcome.is_ok() || !is_sound, "{}: {outcome:?}", path.display());
        read += usize::from(is_sound);
    }
    assert_eq!(read, 8);
}

/// Programs in place of the one that reads, which die or lie as no parser can be made to.
#[cfg(unix)]
mod readers {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Returns the error of a document that is read by a shell script.
    async fn error_by(folder: &Folder, script: &str, reading: Reading) -> ParseError {
        let document = folder.file("a.md", "A text.");
        error_of(&document, &Reading { reader: script_at(folder, script), ..reading }).await
    }

    fn script_at(folder: &Folder, script: &str) -> Reader {
        let path = folder.file("reader", format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("its owner");
        Reader::Child(path)
    }

    #[tokio::test]
    async fn a_process_that_dies_tells_how() {
        let folder = Folder::new();
        let ends = [
            ("kill -SEGV $$", "crashed", "signal: 11 (SIGSEGV)"),
            ("echo 'thread main has overflowed its stack' >&2; kill -ABRT $$", "crashed", "overflowed its stack"),
            ("echo 'error: no such\noption' >&2; exit 2", "crashed", "exit status: 2: error: no such option"),
            ("exit 0", "crashed", "exit status: 0"),
            ("kill -KILL $$", "crashed", "signal: 9 (SIGKILL)"),
        ];
        for (script, kind, cause) in ends {
            let error = error_by(&folder, script, reading()).await;
            assert_eq!(error.kind(), kind, "{script}: {error:?}");
            let said = error.source().expect("a cause").to_string();
            assert!(said.contains(cause), "{script}: {said}");
        }
        let script = "echo 'memory allocation of 99 bytes failed' >&2; kill -ABRT $$";
        assert_eq!(error_by(&folder, script, reading()).await.kind(), "out of memory");
    }

    #[tokio::test]
    async fn an_answer_is_not_believed() {
        let folder = Folder::new();
        let answers = [
            // A text of 4 GiB is announced.
            (r"printf 't\377\377\377\377'; yes", "too much text"),
            (r"printf 't\2\0\0\0\377\377'; sleep 100", "crashed"),
            (r"printf 'd\2\0\0\0{}'; sleep 100", "crashed"),
            (r"printf 'e\4\0\0\0true'; sleep 100", "crashed"),
            (r"printf 'x\0\0\0\0'; sleep 100", "crashed"),
            (r"printf 't\7\0\0\0and'", "crashed"),
            ("echo 'Hello, I am another program, and I talk a lot.'", "too much text"),
        ];
        for (script, kind) in answers {
            let error = error_by(&folder, script, reading()).await;
            assert_eq!(error.kind(), kind, "{script}: {error:?}");
        }
    }

    #[tokio::test]
    async fn a_process_may_write_any_number_of_messages() {
        let folder = Folder::new();
        let error = error_by(&folder, "yes 'a message' | head -c 4000000 >&2; exit 3", reading()).await;
        let cause = error.source().expect("a cause").to_string();
        assert!(cause.starts_with("exit status: 3: ") && cause.len() < 4096, "{} bytes", cause.len());
    }

    #[tokio::test]
    async fn a_password_is_not_in_a_message_of_the_process() {
        let folder = Folder::new();
        // It repeats everything that it is sent.
        let reading = Reading { password: Some(Password::new("hunter2")), ..reading() };
        let script = "head -c 300 >&2; exit 1";
        let error = error_by(&folder, script, reading).await;
        let cause = error.source().expect("a cause").to_string();
        assert!(cause.contains("[redacted]") && !cause.contains("hunter2"), "{cause}");
    }

    #[tokio::test]
    async fn a_program_that_cannot_be_started_is_an_error_that_says_so() {
        let folder = Folder::new();
        let document = folder.file("a.md", "A text.");
        let missing = Reading { reader: Reader::Child(folder.path("missing")), ..reading() };
        let error = error_of(&document, &missing).await;
        assert_eq!((error.kind(), error.source().is_some()), ("not started", true));
    }

    #[tokio::test]
    async fn a_reader_that_sleeps_is_ended_by_the_clock() {
        let folder = Folder::new();
        let error = error_by(&folder, "sleep 1000", with_seconds(1)).await;
        assert!(matches!(error, ParseError::Stalled(_)), "{error:?}");
        assert_eq!(error.kind(), "out of time");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_document_that_nobody_waits_for_leaves_no_process() {
        let folder = Folder::new();
        let document = folder.file("a.md", "A text.");
        // It starts another process, which must end as well.
        let script = format!("cd {}; sleep 1000 & echo $! > other; echo $$ > own; wait", folder.path("").display());
        let reader = script_at(&folder, &script);
        let reading = Reading { reader, ..reading() };
        let (own, other) = (folder.path("own"), folder.path("other"));
        let waiting = tokio::spawn(async move { parse(&document, &reading).await.map(|_| ()) });
        let number = |path: PathBuf| async move {
            eventually("process", || fs::read_to_string(&path).ok()?.strip_suffix('\n')?.parse::<u32>().ok()).await
        };
        let (own, other) = (number(own).await, number(other).await);
        waiting.abort();
        assert!(waiting.await.is_err_and(|error| error.is_cancelled()));
        // It is waited for, too. The other one is an orphan, and somebody else's to wait for.
        eventually("end of it", || (!fs::exists(format!("/proc/{own}")).unwrap_or(true)).then_some(())).await;
        eventually("end of the other", || (!processes::is_running(other)).then_some(())).await;
    }
}

/// The program as its users run it.
#[cfg(target_os = "linux")]
mod runs {
    use super::*;
    use crate::program::{Ended, Folder};

    /// Starts a run that reads a page for a long time, and returns it with its reader.
    async fn long_run(folder: &Folder) -> (std::process::Child, u32) {
        folder.file("deep.html", "<div>".repeat(400_000));
        let mut command = folder.command("ingest", &["deep.html"]);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let run = command.spawn().expect("the program runs");
        let reader = eventually("reader", || processes::children(run.id()).first().copied()).await;
        (run, reader)
    }

    #[tokio::test]
    async fn readers_end_with_a_program_that_is_killed() {
        let folder = Folder::new();
        let (mut run, reader) = long_run(&folder).await;
        assert!(processes::is_running(reader));
        processes::signal(run.id(), "KILL");
        crate::program::end(&mut run).await;
        eventually("end of the reader", || (!processes::is_running(reader)).then_some(())).await;
    }

    #[tokio::test]
    async fn readers_end_with_a_program_that_is_interrupted() {
        let folder = Folder::new();
        let (mut run, reader) = long_run(&folder).await;
        processes::signal(run.id(), "INT");
        assert_eq!(crate::program::end(&mut run).await.code(), Some(130));
        eventually("end of the reader", || (!processes::is_running(reader)).then_some(())).await;
    }

    #[test]
    fn a_run_over_hostile_documents_stays_below_its_memory_and_ingests_the_sound_ones() {
        let folder = Folder::new();
        for number in 0..3 {
            folder.file(&format!("in/{number}-bomb.pdf"), hostile::flate_bomb(400 * MIB));
            folder.file(&format!("in/{number}-dense.html"), "<i>a</i> ".repeat(100_000));
            folder.file(&format!("in/{number}-dense.md"), "- *a* `b`\n".repeat(20_000));
            folder
                .file(&format!("in/{number}-long.txt"), "A sentence of a long book, which goes on.\n\n".repeat(5_000));
            folder.file(&format!("in/{number}-sound.md"), "# Sound\n\nThis one is short.");
        }
        let (output, peak) = processes::watched(&mut folder.command("ingest", &["--jobs", "8", "in"]));
        let run = Ended::from(output);
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(!run.stderr.contains("sound.md") && !run.stderr.contains("long.txt"), "{}", run.stderr);
        assert!(peak.all < 500_000_000, "{peak:?}");
    }
}

/// Asks repeatedly until there is an answer, for at most a minute.
#[cfg(target_os = "linux")]
async fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begin = std::time::Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begin.elapsed() < Duration::from_mins(1), "no {what} in time");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
