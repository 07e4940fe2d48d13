//! Changes of the database: each is one transaction, tried again while the disk is full or another
//! program is writing.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::{Connection as _, SqliteConnection, SqlitePool};
use tokio::sync::Mutex;

use super::StoreError;

/// The longest time for which a change is tried again, if earlier ones succeeded.
const PERSISTENCE: Duration = Duration::from_secs(30);

/// The wait before the first repetition. It doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A change of the database. It may be applied several times, to a connection without the effects
/// of the earlier attempts.
pub(super) trait Change: Sync {
    /// The result of the change.
    type Outcome: Send;

    /// Makes the change, inside a transaction.
    fn apply(
        &self,
        connection: &mut SqliteConnection,
    ) -> impl Future<Output = Result<Self::Outcome, sqlx::Error>> + Send;
}

/// The state that the writers of a process share.
#[derive(Debug, Default)]
pub(super) struct Writers {
    /// The turn to write. `SQLite` has one writer at a time, and its own waiting is not in order.
    turn: Mutex<()>,
    /// `true` after a change that was given up. Until one succeeds again, each is tried once, so
    /// that a disk that stays full does not hold up every document of a large run.
    gave_up: AtomicBool,
}

impl Writers {
    /// Makes a change in a transaction of its own, and tries again after a failure that may pass.
    pub(super) async fn make<C: Change>(&self, pool: &SqlitePool, change: &C) -> Result<C::Outcome, StoreError> {
        let begin = Instant::now();
        let mut wait = FIRST_WAIT;
        loop {
            match self.attempt(pool, change).await {
                Ok(outcome) => {
                    self.gave_up.store(false, Ordering::Relaxed);
                    return Ok(outcome);
                }
                Err(error) if !may_pass(&error) => return Err(StoreError::Write(error)),
                Err(error) if self.gave_up.load(Ordering::Relaxed) || begin.elapsed() + wait > PERSISTENCE => {
                    self.gave_up.store(true, Ordering::Relaxed);
                    return Err(StoreError::Write(error));
                }
                Err(_) => (),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    async fn attempt<C: Change>(&self, pool: &SqlitePool, change: &C) -> Result<C::Outcome, sqlx::Error> {
        let _turn = self.turn.lock().await;
        let mut connection = pool.acquire().await?;
        let outcome = async {
            // The transaction takes the write lock at once: a reader that becomes a writer may be
            // refused without waiting.
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
            let outcome = change.apply(&mut transaction).await?;
            transaction.commit().await?;
            Ok(outcome)
        }
        .await;
        if outcome.is_err() {
            // A full disk ends a transaction behind the back of sqlx, which then believes for ever
            // that the connection is inside of it.
            connection.close_on_drop();
        }
        outcome
    }
}

/// Returns `true` if the reason for an error may pass by itself: a lock, a full disk, a disk that
/// fails to write, or a broken connection.
fn may_pass(error: &sqlx::Error) -> bool {
    /// The primary result codes `SQLITE_BUSY`, `SQLITE_LOCKED`, `SQLITE_NOMEM`, `SQLITE_IOERR`,
    /// `SQLITE_FULL`, `SQLITE_CANTOPEN` and `SQLITE_PROTOCOL` ("Result and Error Codes").
    const CODES: [i32; 7] = [5, 6, 7, 10, 13, 14, 15];
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().and_then(|code| code.parse::<i32>().ok());
            // The low byte of an extended code is its primary code.
            code.is_some_and(|code| CODES.contains(&(code & 0xff)))
        }
        sqlx::Error::Io(_)
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed
        | sqlx::Error::InvalidSavePointStatement => true,
        _ => false,
    }
}
