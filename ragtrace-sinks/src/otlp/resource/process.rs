//! The attributes of this process ("Semantic conventions", "Process", "Host" and "OS").

use super::pairs::Pair;

/// Returns the attributes of the process's program and runtime, and of the machine's type.
pub(super) fn attributes() -> Vec<Pair> {
    let mut pairs =
        vec![pair("process.runtime.name", "rust"), pair("host.arch", architecture()), pair("os.type", system())];
    pairs.extend(executable_name().map(|name| pair("process.executable.name", name)));
    pairs
}

/// Returns the file name of the program.
pub(super) fn executable_name() -> Option<String> {
    let path = std::env::current_exe().ok()?;
    Some(path.file_name()?.to_string_lossy().into_owned())
}

/// Returns the conventions' name of the architecture.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "arm" => "arm32",
        "powerpc" => "ppc32",
        "powerpc64" => "ppc64",
        other => other,
    }
}

/// Returns the conventions' name of the operating system.
fn system() -> &'static str {
    match std::env::consts::OS {
        "macos" => "darwin",
        "dragonfly" => "dragonflybsd",
        other => other,
    }
}

fn pair(key: &str, value: impl Into<String>) -> Pair {
    (key.to_owned(), value.into())
}
