//! Compares a sink's verdicts on everything that a backend may answer with a table.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ragtrace::sink::{BoxSink, SinkError, Verdict};
use ragtrace::spool::DeadLetters;
use ragtrace::{Sink, SinkStats, Stats};

use crate::answer::Answer;
use crate::certificates::Authority;
use crate::received::Received;
use crate::records::{answer_question, batch};
use crate::server::{Server, closed_port};

/// The number of questions in a run of the pipeline.
const QUESTIONS: usize = 6;
/// The time limit of a run through the pipeline.
const BOUND: Duration = Duration::from_secs(20);

/// The verdict that a sink should give.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// Everything has arrived.
    Delivered,
    /// The request should be retried.
    Retry,
    /// The request should be retried after a time within these bounds, in seconds.
    RetryAfter(u64, u64),
    /// The request is too large.
    Split,
    /// The data is bad.
    Rejected,
    /// An operator has to act.
    Park,
}

/// The expectations for a sink. See [`Matrix::run`].
pub struct Matrix<'a> {
    make: Box<dyn Fn(&str) -> BoxSink + 'a>,
    well: Arc<dyn Fn(&Received) -> Answer + Send + Sync>,
    concerns: Arc<dyn Fn(&Received) -> bool + Send + Sync>,
    secrets: Vec<String>,
    /// The number of records of a question that the sink accepts.
    of_a_question: u64,
    rows: Vec<(String, Answer, Expected)>,
    poison: Option<Answer>,
    limit: Option<(usize, Answer)>,
}

/// A text in the question that a backend refuses.
const POISON: &str = "poison";
/// The number of records with that text: both ends of both stages, for a sink that sends starts.
const POISONED: u64 = 4;

impl<'a> Matrix<'a> {
    /// Creates a matrix for a sink, which `make` creates for a URL. Its requests should take a
    /// second at most, and one attempt. `well` is the backend's answer when everything works.
    pub fn new<S: Sink>(
        make: impl Fn(&str) -> S + 'a,
        well: impl Fn(&Received) -> Answer + Send + Sync + 'static,
    ) -> Self {
        Self {
            make: Box::new(move |url| BoxSink::new(make(url))),
            well: Arc::new(well),
            concerns: Arc::new(|_| true),
            secrets: Vec::new(),
            of_a_question: 4,
            rows: Vec::new(),
            poison: None,
            limit: None,
        }
    }

    /// Expects only the ends of stages, as a sink of spans accepts them.
    pub fn of_ends(mut self) -> Self {
        self.of_a_question = 2;
        self
    }

    /// Gives a row's answer only to those requests for which `concerns` returns `true`.
    pub fn on(mut self, concerns: impl Fn(&Received) -> bool + Send + Sync + 'static) -> Self {
        self.concerns = Arc::new(concerns);
        self
    }

    /// Adds a text that no error may contain, whatever the server repeats.
    pub fn secret(mut self, secret: &str) -> Self {
        self.secrets.push(secret.to_owned());
        self
    }

    /// Adds a row: a status, and the verdict that it should get.
    pub fn status(self, status: u16, expected: Expected) -> Self {
        self.answer(&status.to_string(), Answer::status(status), expected)
    }

    /// Adds a row: an answer, and the verdict that it should get.
    pub fn answer(mut self, name: &str, answer: Answer, expected: Expected) -> Self {
        self.rows.push((name.to_owned(), answer, expected));
        self
    }

    /// Refuses everything with a certain question in it by this answer. Exactly those records have
    /// to become dead letters, and all others have to arrive.
    pub fn poison(mut self, answer: Answer) -> Self {
        self.poison = Some(answer);
        self
    }

    /// Refuses everything larger than `bytes` before compression by this answer. Everything has to
    /// arrive in parts.
    pub fn limit(mut self, bytes: usize, answer: Answer) -> Self {
        self.limit = Some((bytes, answer));
        self
    }

    /// Delivers a batch for each row, and a program's records through a whole pipeline.
    ///
    /// The sink's own verdict has to be the row's. Through the pipeline, the server gives the row's
    /// answer once, and from then on answers that everything works: then nothing may be missing,
    /// and if the sink is parked, everything has to be in the spool. The account has to be right in
    /// any case.
    ///
    /// The rows that all backends have in common are included: a closed port, no answer, half an
    /// answer, resets, an answer that is not HTTP, and certificates of an unknown authority, of
    /// another host, and expired ones.
    ///
    /// # Panics
    ///
    /// Panics if any expectation fails. The message contains all failures.
    pub fn run(self) {
        let mut wrong = Vec::new();
        for (name, answer, expected) in &self.rows {
            wrong.extend(self.deliver_over(name, answer, expected));
            wrong.extend(self.through_pipeline(name, answer, expected));
        }
        for (name, answer) in common() {
            wrong.extend(self.deliver_over(name, &answer, &Expected::Retry));
        }
        let again = Answer::resets_at_once();
        wrong.extend(self.through_pipeline("resets at once", &again, &Expected::Retry));
        wrong.extend(self.deliver_to("a closed port", &closed_port(), &Expected::Retry, Some("connection refused")));
        wrong.extend(self.certificates());
        wrong.extend(self.over_poison());
        wrong.extend(self.over_limit());
        assert!(wrong.is_empty(), "{} of the matrix are wrong:\n{}", wrong.len(), wrong.join("\n"));
    }

    fn certificates(&self) -> Vec<String> {
        let authority = Authority::new();
        let rows = [
            ("a stranger's certificate", authority.certificate("localhost")),
            ("another host's certificate", authority.certificate("elsewhere.test")),
            ("an expired certificate", authority.expired("localhost")),
        ];
        let wrong = rows.into_iter().flat_map(|(name, certificate)| {
            let well = Arc::clone(&self.well);
            let server = Server::builder().tls(certificate).start(move |request| well(request));
            self.deliver_to(name, &server.url(), &Expected::Park, Some("certificate"))
        });
        wrong.collect()
    }

    fn deliver_over(&self, name: &str, answer: &Answer, expected: &Expected) -> Vec<String> {
        let server = self.server(answer.clone(), None);
        let status = (answer.status >= 300).then(|| answer.status.to_string());
        self.deliver_to(name, &server.url(), expected, status.as_deref())
    }

    /// Delivers one batch, and returns what is wrong with the verdict.
    fn deliver_to(&self, name: &str, url: &str, expected: &Expected, says: Option<&str>) -> Vec<String> {
        let sink = (self.make)(url);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let result = runtime.block_on(async {
            let result = sink.deliver(&batch(3)).await;
            sink.close().await;
            result
        });
        let error = match result {
            Ok(_) if *expected == Expected::Delivered => return Vec::new(),
            Ok(delivered) => return vec![format!("{name}: delivered ({delivered:?}), expected {expected}")],
            Err(error) => error,
        };
        let mut wrong = Vec::new();
        let reason = error.reason();
        if !expected.is(&error) {
            wrong.push(format!(
                "{name}: {:?} after {:?}, expected {expected}: {reason}",
                error.verdict(),
                error.retry_after()
            ));
        }
        if let Some(says) = says.filter(|says| *expected != Expected::Delivered && !reason.contains(says)) {
            wrong.push(format!("{name}: the error does not say `{says}`: {reason}"));
        }
        for secret in
            self.secrets.iter().filter(|secret| reason.contains(*secret) || format!("{error:?}").contains(*secret))
        {
            wrong.push(format!("{name}: the error shows `{secret}`: {reason}"));
        }
        wrong
    }

    /// Sends a program's records through a pipeline, and returns what is wrong with the account.
    fn through_pipeline(&self, name: &str, answer: &Answer, expected: &Expected) -> Vec<String> {
        let spool = tempfile::TempDir::new().expect("a folder");
        let once = (*expected != Expected::Park).then(AtomicBool::default);
        let server = self.server(answer.clone(), once);
        let name = format!("{name}, through a pipeline");
        let goal = if *expected == Expected::Park { Goal::Spooled } else { Goal::Delivered };
        let records = self.records();
        let mut wrong = run(spool.path(), (self.make)(&server.url()), QUESTIONS, (goal, records)).wrong(&name);
        if *expected == Expected::Park {
            // The operator has fixed the problem.
            let well = Arc::clone(&self.well);
            let server = Server::start(move |request| well(request));
            let again = run(spool.path(), (self.make)(&server.url()), 0, (Goal::Delivered, records));
            wrong.extend(again.wrong(&format!("{name}, when it is well again")));
        }
        wrong
    }

    /// Returns the number of a run's records that the sink accepts.
    fn records(&self) -> u64 {
        self.of_a_question * QUESTIONS as u64
    }

    fn over_poison(&self) -> Vec<String> {
        let Some(answer) = self.poison.clone() else { return Vec::new() };
        let spool = tempfile::TempDir::new().expect("a folder");
        let server = self.server_that(move |request| request.mentions(POISON).then(|| answer.clone()));
        let account = run(spool.path(), (self.make)(&server.url()), QUESTIONS, (Goal::AllButPoison, self.records()));
        let mut wrong = account.wrong("poison");
        let letters = DeadLetters::new(spool.path()).read().unwrap_or_default();
        if letters.len() as u64 != account.stats.dead_lettered {
            wrong.push(format!("poison: {} dead letters, counted {:?}", letters.len(), account.stats));
        }
        for letter in letters.iter().filter(|letter| !letter.record().to_json().contains(POISON)) {
            wrong.push(format!(
                "poison: a good record is a dead letter: {}: {}",
                letter.reason(),
                letter.record().to_json()
            ));
        }
        wrong
    }

    fn over_limit(&self) -> Vec<String> {
        let Some((most, answer)) = self.limit.clone() else { return Vec::new() };
        let spool = tempfile::TempDir::new().expect("a folder");
        let refused = Arc::new(AtomicBool::default());
        let was_refused = Arc::clone(&refused);
        let server = self.server_that(move |request| {
            let is_refused = request.body.len() > most;
            was_refused.fetch_or(is_refused, Ordering::SeqCst);
            is_refused.then(|| answer.clone())
        });
        let mut wrong = run(spool.path(), (self.make)(&server.url()), QUESTIONS, (Goal::Delivered, self.records()))
            .wrong("too large");
        if !refused.load(Ordering::SeqCst) {
            wrong.push(format!("too large: no request had more than {most} bytes: set a lower limit"));
        }
        wrong
    }

    /// Starts a server that gives the result of `answer` to the requests concerned, and otherwise
    /// answers that everything works.
    fn server_that(&self, answer: impl Fn(&Received) -> Option<Answer> + Send + Sync + 'static) -> Server {
        let (well, concerns) = (Arc::clone(&self.well), Arc::clone(&self.concerns));
        Server::start(move |request| {
            let refusal = concerns(request).then(|| answer(request)).flatten();
            refusal.unwrap_or_else(|| well(request))
        })
    }

    /// Starts a server that gives an answer to the requests concerned, always or `once`.
    fn server(&self, answer: Answer, once: Option<AtomicBool>) -> Server {
        self.server_that(move |_| {
            let is_meant = once.as_ref().is_none_or(|was| !was.swap(true, Ordering::SeqCst));
            is_meant.then(|| answer.clone())
        })
    }
}

/// Returns the rows of every backend that end without an answer.
fn common() -> [(&'static str, Answer); 6] {
    [
        ("reset at once", Answer::resets_at_once()),
        ("reset in the middle of the answer", Answer::status(200).resets_in_body()),
        ("no head in time", Answer::hangs_at_once()),
        ("no end of the body in time", Answer::status(200).hangs_in_body()),
        ("no end of a refusal in time", Answer::status(503).hangs_in_body()),
        ("no HTTP", Answer::garbage()),
    ]
}

/// The place where all records of a run should be in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    Delivered,
    Spooled,
    AllButPoison,
}

/// The account of one run.
struct Account {
    goal: Goal,
    records: u64,
    stats: SinkStats,
}

impl Account {
    fn is_reached(&self) -> bool {
        let there = match self.goal {
            Goal::Delivered => self.stats.delivered,
            Goal::Spooled => self.stats.spooled,
            Goal::AllButPoison if !(1..=POISONED).contains(&self.stats.dead_lettered) => return false,
            Goal::AllButPoison => self.stats.delivered + self.stats.dead_lettered,
        };
        // The pipeline's reports on itself come beside the records of the run.
        there >= self.records && there == self.stats.accepted + self.stats.recovered
    }

    fn wrong(&self, name: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        if !self.stats.is_balanced() {
            wrong.push(format!("{name}: the account does not add up: {:?}", self.stats));
        }
        if !self.is_reached() {
            wrong.push(format!("{name}: not all are {:?}: {:?}", self.goal, self.stats));
        }
        wrong
    }
}

/// Asks a number of questions, waits until the goal is reached, and returns the account.
fn run(spool: &Path, sink: BoxSink, questions: usize, (goal, records): (Goal, u64)) -> Account {
    let name = sink.name().to_owned();
    let telemetry = ragtrace::builder()
        .service("matrix")
        .level("info")
        .console(ragtrace::Console::Off)
        .sinks([sink])
        .spool(spool, ragtrace::SpoolLimits::default())
        .install()
        .expect("one telemetry at a time");
    for number in 0..questions {
        let poison = if goal == Goal::AllButPoison && number == 2 { POISON } else { "" };
        let _ = answer_question(&format!("what is {number}? {poison}"));
    }
    telemetry.flush_blocking(BOUND);
    let account =
        |stats: &Stats| Account { goal, records, stats: stats.sink(&name).expect("the sink's account").clone() };
    let begin = Instant::now();
    while !account(&telemetry.stats()).is_reached() && begin.elapsed() < BOUND {
        std::thread::sleep(Duration::from_millis(5));
    }
    account(&telemetry.shutdown_blocking(BOUND).stats)
}

impl Expected {
    fn is(&self, error: &SinkError) -> bool {
        let verdict = match self {
            Self::Delivered => return false,
            Self::Retry => Verdict::Retry,
            Self::RetryAfter(least, most) => {
                let bounds = Duration::from_secs(*least)..=Duration::from_secs(*most);
                return error.verdict() == Verdict::Retry
                    && error.retry_after().is_some_and(|wait| bounds.contains(&wait));
            }
            Self::Split => Verdict::Split,
            Self::Rejected => Verdict::Rejected,
            Self::Park => Verdict::Park,
        };
        error.verdict() == verdict
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl fmt::Debug for Matrix<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Matrix").field("rows", &self.rows).finish_non_exhaustive()
    }
}
