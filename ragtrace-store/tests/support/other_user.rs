//! Runs parts of a test as other users: it starts this program again, for that one test, and tells
//! it which part to play.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const PART: &str = "RAGTRACE_TEST_PART";
const FILE: &str = "RAGTRACE_TEST_FILE";

/// The user without any rights (Linux, `nobody`).
pub(crate) const NOBODY: u32 = 65_534;

/// Returns the part that this process plays, and the file that it uses, or `None` for the test
/// itself.
pub(crate) fn part() -> Option<(String, PathBuf)> {
    Some((std::env::var(PART).ok()?, std::env::var_os(FILE)?.into()))
}

/// Returns `true` if this process may become any user.
pub(crate) fn am_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
}

/// A part of a test that runs in a process of its own.
pub(crate) struct Part {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Part {
    /// Starts a part of the test with this name, as this user if this process may become it.
    pub(crate) fn start(test: &str, part: &str, user: u32, file: &Path) -> Self {
        Self::spawn(test, part, Some(user).filter(|_| am_root()), file)
    }

    /// Starts a part of the test with this name, as the user that runs the test.
    pub(crate) fn start_as_us(test: &str, part: &str, file: &Path) -> Self {
        Self::spawn(test, part, None, file)
    }

    fn spawn(test: &str, part: &str, user: Option<u32>, file: &Path) -> Self {
        let program = std::env::current_exe().expect("this program");
        // If the other user cannot reach the program, a copy is used.
        let spawned = Self::command(&program, test, part, user, file).spawn().or_else(|_| {
            let copy = file.parent().expect("a folder").with_extension("program");
            std::fs::copy(&program, &copy).expect("copied");
            Self::command(&copy, test, part, user, file).spawn()
        });
        let mut child = spawned.expect("this program runs");
        let orders = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, orders, answers }
    }

    fn command(program: &Path, test: &str, part: &str, user: Option<u32>, file: &Path) -> Command {
        let mut command = if let Some(user) = user {
            let mut command = Command::new("setpriv");
            let (user, group) = (format!("--reuid={user}"), format!("--regid={user}"));
            // Files that it creates are readable only by their owner, unless something changes
            // that.
            let shell = ["sh", "-c", "umask 077; exec \"$0\" \"$@\""];
            command.args([&*user, &*group, "--clear-groups", "--"]).args(shell).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.args(["--exact", test, "--nocapture", "--test-threads=1"]).env(PART, part).env(FILE, file);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    }

    /// Sends an order, and returns the answer to it.
    pub(crate) fn order(&mut self, order: &str) -> String {
        writeln!(self.orders.as_mut().expect("not ended"), "{order}").expect("it listens");
        self.answer()
    }

    /// Returns the next answer.
    pub(crate) fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.answers.read_line(&mut line).expect("text") > 0, "the part ended without an answer");
            // The test harness begins a line with the name of the test.
            if let Some((_, answer)) = line.split_once("answer: ") {
                return answer.trim_end().to_owned();
            }
        }
    }

    /// Kills the part, as a power failure would.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    /// Closes the orders, and waits for the end.
    pub(crate) fn end(mut self) {
        drop(self.orders.take());
        assert!(self.child.wait().expect("ended").success());
    }
}

/// Sends an answer to the process that started this part.
pub(crate) fn answer(answer: impl std::fmt::Display) {
    println!("answer: {answer}");
}

/// Returns the orders, until there are no more.
pub(crate) fn orders() -> impl Iterator<Item = String> {
    std::io::stdin().lines().map_while(Result::ok)
}
