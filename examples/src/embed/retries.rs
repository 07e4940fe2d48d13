//! The waits between the attempts of a request.

use std::time::Duration;

use super::EmbedError;

/// The settings of trying a failed request again: with waits that double, each shortened at random
/// by up to half, so that many clients of a busy model do not all come back at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// The largest number of attempts of a request, including the first.
    pub attempts: u32,
    /// The longest wait before the second attempt.
    pub first_wait: Duration,
    /// The longest wait before any attempt. If a model asks for more, its request fails.
    pub longest_wait: Duration,
}

impl Default for Retries {
    /// Returns six attempts with waits from half a second to a minute: about a quarter of a minute
    /// in all, unless the model asks for more.
    fn default() -> Self {
        Self { attempts: 6, first_wait: Duration::from_millis(500), longest_wait: Duration::from_mins(1) }
    }
}

impl Retries {
    /// Makes a request, and again while it fails in a way that may pass. Returns the last outcome
    /// and the number of attempts.
    pub(super) async fn run<T, F>(&self, mut request: impl FnMut() -> F) -> (Result<T, EmbedError>, u32)
    where
        F: Future<Output = Result<T, EmbedError>>,
    {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let error = match request().await {
                Ok(made) => return (Ok(made), attempts),
                Err(error) => error,
            };
            let wait = self.wait(attempts, error.retry_after(), fastrand::f64());
            match wait.filter(|_| error.is_retryable()) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return (Err(error), attempts),
            }
        }
    }

    /// Returns the wait after a number of failed attempts, or `None` if there is no further one.
    /// `asked` is the time that the model asked for, and `random` a number from 0 to 1.
    pub fn wait(&self, failed: u32, asked: Option<Duration>, random: f64) -> Option<Duration> {
        if failed >= self.attempts || asked.is_some_and(|asked| asked > self.longest_wait) {
            return None;
        }
        let doubled = self.first_wait.saturating_mul(2_u32.saturating_pow(failed.saturating_sub(1)));
        let ours = doubled.min(self.longest_wait).mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0);
        Some(asked.map_or(ours, |asked| asked.max(ours)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn retries() -> Retries {
        Retries { attempts: 4, first_wait: SECOND, longest_wait: 3 * SECOND }
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let waits = [1, 2, 3, 4].map(|failed| retries().wait(failed, None, 0.0));
        assert_eq!(waits, [Some(SECOND), Some(2 * SECOND), Some(3 * SECOND), None]);
        assert_eq!(retries().wait(1, None, 1.0), Some(SECOND / 2));
    }

    #[test]
    fn a_model_is_left_alone_for_as_long_as_it_asks_or_given_up() {
        assert_eq!(retries().wait(1, Some(2 * SECOND), 0.5), Some(2 * SECOND));
        assert_eq!(retries().wait(1, Some(4 * SECOND), 0.5), None);
    }
}
