//! Programs that are ended by signals.

use std::process::{Child, Command, Stdio};

use crate::program::{Ended, Folder, end};

/// Starts a program whose output is kept for [`ended`].
pub(crate) fn start(folder: &Folder, program: &str, arguments: &[&str]) -> Child {
    let mut command = folder.command(program, arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs")
}

/// Sends signals to a process, each by its name and in this order.
pub(crate) fn send(child: &Child, signals: &[&str]) {
    let id = child.id();
    let kills: Vec<String> = signals.iter().map(|signal| format!("kill -{signal} {id}")).collect();
    let sent = Command::new("sh").args(["-c", &kills.join(" && ")]).status();
    assert!(sent.expect("a shell").success());
}

/// Waits for the end of a process, and returns its outcome.
pub(crate) async fn ended(mut child: Child) -> Ended {
    end(&mut child).await;
    Ended::from(child.wait_with_output().expect("its output"))
}
