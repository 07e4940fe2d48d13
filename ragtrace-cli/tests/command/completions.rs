//! Tests of completions and the manual.

use std::collections::BTreeSet;
use std::process::{Command, Stdio};

use crate::support::File;
use crate::{code, ragtrace, stdout};

/// Returns the commands that the help lists, with those below them.
fn commands(file: &File) -> Vec<Vec<String>> {
    let names = |arguments: &[&str]| -> Vec<String> {
        let help = stdout(&ragtrace(file, &[arguments, &["-h"]].concat()));
        let below = help.split_once("Commands:\n").map_or("", |(_, below)| below);
        let below = below.lines().take_while(|line| !line.is_empty());
        let names = below.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
        names
            .filter_map(|line| line.split_whitespace().next())
            .map(str::to_owned)
            .filter(|name| name != "help")
            .collect()
    };
    let top = names(&[]);
    let below = top.iter().flat_map(|name| names(&[name]).into_iter().map(|inner| vec![name.clone(), inner]));
    top.iter().map(|name| vec![name.clone()]).chain(below).collect()
}

/// Returns the long options that a command's help lists.
fn options(file: &File, command: &[String]) -> BTreeSet<String> {
    let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
    let help = stdout(&ragtrace(file, &arguments));
    let listed = help.lines().map(str::trim).filter(|line| line.starts_with('-'));
    let words = listed.flat_map(|line| line.split([' ', ',', '=']).filter(|word| word.starts_with("--")).take(1));
    words.map(str::to_owned).filter(|option| option != "--help" && option != "--version").collect()
}

#[test]
fn completions_have_every_command_and_option() {
    let file = File::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stdout(&ragtrace(&file, &["completions", shell]));
        for command in commands(&file) {
            let name = command.last().expect("a name");
            assert!(script.contains(name.as_str()), "{shell}: {command:?}");
            for option in options(&file, &command) {
                let option = if shell == "fish" { option.trim_start_matches('-') } else { &option };
                assert!(script.contains(option), "{shell}: {command:?} {option}");
            }
        }
    }
    assert_eq!(code(&ragtrace(&file, &["completions", "dos"])), Some(2));
    assert_eq!(code(&ragtrace(&file, &["completions"])), Some(2));
}

#[cfg(unix)]
#[test]
fn bash_reads_its_completions_and_completes_a_command() {
    let file = File::new();
    let script = stdout(&ragtrace(&file, &["completions", "bash"]));
    std::fs::write(file.folder.path().join("ragtrace.bash"), script).expect("written");
    let ask = "set -e; source ./ragtrace.bash; COMP_WORDS=(ragtrace exp); COMP_CWORD=1; _ragtrace ragtrace exp ragtrace; \
        echo \"${COMPREPLY[@]}\"";
    let bash =
        Command::new("bash").args(["--norc", "-c", ask]).current_dir(file.folder.path()).stdin(Stdio::null()).output();
    // Without bash the test checks nothing.
    let Ok(output) = bash else { return };
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "export", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_manual_has_a_page_for_each_command_with_every_option() {
    let file = File::new();
    stdout(&ragtrace(&file, &["man", "--output", "man/man1"]));
    let folder = file.folder.path().join("man/man1");
    let page = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        text.replace("\\-", "-")
    };
    let main = page("ragtrace.1");
    assert_eq!(stdout(&ragtrace(&file, &["man"])).replace("\\-", "-"), main);
    for command in commands(&file) {
        let text = page(&format!("ragtrace-{}.1", command.join("-")));
        assert!(text.contains(".SH SYNOPSIS") && text.contains("Example"), "{command:?}: {text}");
        for option in options(&file, &command) {
            assert!(text.contains(option.as_str()), "{command:?} {option}: {text}");
        }
    }
    std::fs::write(file.folder.path().join("taken"), "").expect("written");
    assert_eq!(code(&ragtrace(&file, &["man", "--output", "taken/man1"])), Some(2));
}

#[test]
fn every_command_has_an_example_and_a_short_first_line() {
    let file = File::new();
    for command in commands(&file) {
        let arguments: Vec<&str> = command.iter().map(String::as_str).chain(["--help"]).collect();
        let help = stdout(&ragtrace(&file, &arguments));
        assert!(help.contains("Example: "), "{command:?}: {help}");
        let first = help.lines().next().unwrap_or_default();
        assert!((20..=100).contains(&first.len()), "{command:?}: {first}");
    }
}

#[cfg(unix)]
#[test]
fn packages_get_completions_and_a_page_for_each_command() {
    let file = File::new();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/package-files");
    let mut script = Command::new(script);
    script.arg("package").env("RAGTRACE", env!("CARGO_BIN_EXE_ragtrace")).current_dir(file.folder.path());
    let output = script.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let share = file.folder.path().join("package/share");
    for path in [
        "bash-completion/completions/ragtrace",
        "zsh/site-functions/_ragtrace",
        "fish/vendor_completions.d/ragtrace.fish",
    ] {
        let text = std::fs::read_to_string(share.join(path)).expect("a script");
        assert!(text.contains("ragtrace") && text.contains("export"), "{path}");
    }
    for command in commands(&file) {
        assert!(share.join(format!("man/man1/ragtrace-{}.1", command.join("-"))).exists(), "{command:?}");
    }
}
