//! `ragtrace tail`: shows the newest records, and follows new ones with `-f`.

use std::collections::HashSet;
use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use ragtrace_store::{self as store, LogRow, LogStore, StoreError, TailCursor};

use crate::arguments::number;
use crate::arguments::selection::{RecordFilter, Selection};
use crate::output::rows;
use crate::output::{Failure, Format, Found, Output, is_stdout_closed, tell};

/// The pause between two queries for new records.
const PAUSE: Duration = Duration::from_millis(200);
/// The largest number of rows shown of a new file, which were written before it was noticed.
const NEW_FILE_ROWS: usize = 100_000;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Keep printing new records until interrupted. If another file replaces the SQLite file,
    /// follow that one.
    #[arg(short, long)]
    follow: bool,
    /// Begin with at most this many of the records that are there already.
    #[arg(short = 'n', long, value_name = "NUMBER", default_value = "10", value_parser = number::lines, allow_negative_numbers = true)]
    lines: usize,
    #[command(flatten)]
    records: RecordFilter,
    /// Output format. With `-f`, `json` is written as `jsonl`, since the list has no end.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(crate) async fn run(url: &str, args: &Args) -> Result<Found, Failure> {
    args.records.check()?;
    let store = store::open(url).await?;
    let selection = match args.records.select(&store).await? {
        Ok(selection) => selection,
        Err(why) => return Found::nothing_listed(args.format, why),
    };
    if args.follow {
        drop(store);
        // A reader that closes the pipe is noticed at once, and not when the next record comes.
        let mut following = pin!(follow(url, args, &selection));
        let mut closed = pin!(until_closed());
        return poll_fn(|context| match following.as_mut().poll(context) {
            Poll::Pending => closed.as_mut().poll(context).map(|()| Ok(Found::Something)),
            ready @ Poll::Ready(_) => ready,
        })
        .await;
    }
    let mut rows = store.logs(selection.filter().limit(args.lines)).await?;
    if rows.is_empty() {
        return Found::nothing_listed(args.format, "no records match");
    }
    rows.reverse();
    rows::write(&mut Output::new(), args.format, &rows)?;
    Ok(Found::Something)
}

async fn until_closed() {
    while !is_stdout_closed() {
        tokio::time::sleep(PAUSE).await;
    }
}

async fn follow(url: &str, args: &Args, selection: &Selection) -> Result<Found, Failure> {
    let format = if args.format == Format::Json { Format::Jsonl } else { args.format };
    let mut output = Output::new();
    let mut place = Place::of(url);
    let (mut followed, rows) = Followed::begin(url, selection, args.lines).await?;
    rows::write(&mut output, format, &rows)?;
    loop {
        tokio::time::sleep(PAUSE).await;
        // Checked before the new records are read: until then they were written to the old file.
        let is_moved = |place: &Option<Place>| place.as_ref().is_some_and(Place::has_moved);
        let has_moved = is_moved(&place);
        match followed.news(selection).await {
            Ok(rows) => rows::write(&mut output, format, &rows)?,
            // The file may have gone just now: the next round reads the one that replaced it.
            Err(_) if has_moved || is_moved(&place) => {}
            // A file that was truncated, or cannot be read for a while, may become a store again.
            Err(error) if error.is_retryable() || place.is_some() => followed.note_lost(error),
            Err(error) => return Err(error.into()),
        }
        if let (true, Some(at)) = (has_moved, &mut place) {
            let rows = at.reopen(url, selection, &mut followed).await;
            rows::write(&mut output, format, &rows)?;
        }
    }
}

/// The store that is followed, and the position reached in it.
struct Followed {
    store: LogStore,
    cursor: TailCursor,
    /// The ids of the last two sets of rows that were written. A row may be read again with the
    /// first new rows, or when one file replaces another.
    written: [HashSet<u128>; 2],
    /// `true` if the last query failed.
    is_lost: bool,
}

impl Followed {
    /// Opens the store, and returns its newest rows in order of time.
    async fn begin(url: &str, selection: &Selection, limit: usize) -> Result<(Self, Vec<LogRow>), StoreError> {
        let store = store::open(url).await?;
        // The cursor is taken first, so that no row falls between the two queries. Rows that both
        // return are written once.
        let cursor = store.tail(None).await?.cursor;
        let mut rows = store.logs(selection.filter().limit(limit)).await?;
        rows.reverse();
        let mut followed = Self { store, cursor, written: Default::default(), is_lost: false };
        followed.note(&rows);
        Ok((followed, rows))
    }

    /// Returns the rows written since the last call.
    async fn news(&mut self, selection: &Selection) -> Result<Vec<LogRow>, StoreError> {
        let mut news = Vec::new();
        while news.len() < NEW_FILE_ROWS {
            let tail = match self.store.tail(Some(self.cursor.clone())).await {
                Ok(tail) => tail,
                // The next call reports this error if it persists.
                Err(_) if !news.is_empty() => break,
                Err(error) => return Err(error),
            };
            self.cursor = tail.cursor;
            if std::mem::take(&mut self.is_lost) {
                tell("the store answers again");
            }
            if tail.rows.is_empty() {
                break;
            }
            news.extend(tail.rows.into_iter().filter(|row| selection.fits(row) && self.is_new(row)));
        }
        self.note(&news);
        Ok(news)
    }

    fn is_new(&self, row: &LogRow) -> bool {
        !self.written.iter().any(|ids| ids.contains(&row.id().as_u128()))
    }

    fn note(&mut self, rows: &[LogRow]) {
        if !rows.is_empty() {
            self.written.swap(0, 1);
            self.written[0] = rows.iter().map(|row| row.id().as_u128()).collect();
        }
    }

    /// Tells, once, that the store cannot be read.
    fn note_lost(&mut self, error: StoreError) {
        if !std::mem::replace(&mut self.is_lost, true) {
            tell(format_args!("{}; waiting for the store", Failure::from(error)));
        }
    }
}

/// The path of the file that is followed, and the file that was found there.
struct Place {
    path: PathBuf,
    file: Option<FileId>,
}

impl Place {
    /// Returns the place that `url` names, or `None` if it does not name a file.
    fn of(url: &str) -> Option<Self> {
        let path = url.strip_prefix("sqlite:")?;
        let path = PathBuf::from(path.strip_prefix("//").unwrap_or(path));
        let file = Some(FileId::of(&path)?);
        Some(Self { path, file })
    }

    /// Returns `true` if another file is at the path now, or none.
    fn has_moved(&self) -> bool {
        FileId::of(&self.path) != self.file
    }

    /// Waits for a store at the path, opens it, and returns the rows that are new.
    async fn reopen(&mut self, url: &str, selection: &Selection, followed: &mut Followed) -> Vec<LogRow> {
        let path = self.path.display().to_string();
        let (mut said_gone, mut said_why) = (false, false);
        loop {
            let file = FileId::of(&self.path);
            match Followed::begin(url, selection, NEW_FILE_ROWS).await {
                // The file may have been replaced again while it was being opened.
                Ok((next, mut rows)) if file.is_some() && file == FileId::of(&self.path) => {
                    tell(format_args!("`{path}` has been replaced: following the new file"));
                    self.file = file;
                    let before = std::mem::replace(followed, next);
                    rows.retain(|row| before.is_new(row));
                    return rows;
                }
                Err(_) if file.is_none() && !said_gone => {
                    tell(format_args!("`{path}` is gone: waiting for a file of that name"));
                    said_gone = true;
                }
                // A file that is being created is not a store yet for some milliseconds.
                Err(error) if file.is_some() && !said_why && !error.is_retryable() && !error.is_not_a_store() => {
                    tell(format_args!("`{path}` has been replaced: {}", Failure::from(error)));
                    said_why = true;
                }
                _ => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// The identity of the file that a path leads to.
#[derive(PartialEq, Eq)]
struct FileId {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
}

impl FileId {
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let metadata = std::fs::metadata(path).ok()?;
        Some(Self { device_and_inode: (metadata.dev(), metadata.ino()) })
    }

    /// Tells only that a file exists: on other systems an open file cannot be replaced.
    #[cfg(not(unix))]
    fn of(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().map(|_| Self {})
    }
}
