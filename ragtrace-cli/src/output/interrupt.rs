//! Ends a command in order when Ctrl-C is pressed.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use crate::output::{Failure, Found};

/// Runs a command, and drops it where it stands when Ctrl-C is pressed, so that it removes its
/// unfinished files.
pub(crate) async fn unless_interrupted(
    command: impl Future<Output = Result<Found, Failure>>,
) -> Result<Found, Failure> {
    let mut command = pin!(command);
    let mut interrupt = pin!(tokio::signal::ctrl_c());
    poll_fn(|context| match command.as_mut().poll(context) {
        // Without a handler, the signal ends the process by itself.
        Poll::Pending => match interrupt.as_mut().poll(context) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(Found::Interrupted)),
            _ => Poll::Pending,
        },
        done @ Poll::Ready(_) => done,
    })
    .await
}
