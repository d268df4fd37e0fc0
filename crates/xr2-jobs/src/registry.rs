//! Who does what.

use std::collections::{BTreeSet, HashMap};
use std::pin::Pin;
use std::time::Duration;

use serde_json::Error;
use xr2_db::Value;

use crate::enqueue::Row;
use crate::{Attempt, Failure, Handler, Retry};

/// A job at work.
pub(crate) type Work = Pin<Box<dyn Future<Output = Result<(), Failure>> + Send>>;

/// Reads a job and begins it.
type Begin<C> = Box<dyn Fn(&str, C, Attempt) -> Result<Work, Error> + Send + Sync>;

/// How one kind of job is done.
pub(crate) struct Handling<C> {
    pub queue: &'static str,
    pub retry: Retry,
    pub time_limit: Duration,
    pub begin: Begin<C>,
}

/// A job that is put off again and again.
pub(crate) struct Schedule {
    pub name: &'static str,
    pub queue: &'static str,
    pub every: Duration,
    pub payload: Value,
}

/// All jobs that a program knows how to do. What other programs put off is left to them, so that nodes of two versions
/// can work side by side.
pub struct Registry<C> {
    handlers: HashMap<&'static str, Handling<C>>,
    schedules: Vec<Schedule>,
}

impl<C> Default for Registry<C> {
    fn default() -> Registry<C> {
        Registry { handlers: HashMap::new(), schedules: Vec::new() }
    }
}

impl<C: Send + 'static> Registry<C> {
    /// Without any.
    pub fn new() -> Registry<C> {
        Registry::default()
    }

    /// Adds a kind of job.
    ///
    /// # Panics
    /// When there is one of that name already.
    pub fn handle<H: Handler<C>>(mut self) -> Registry<C> {
        let begin: Begin<C> = Box::new(|payload, context, attempt| {
            let job: H = serde_json::from_str(payload)?;
            Ok(Box::pin(async move { job.handle(context, attempt).await }))
        });
        let handling = Handling { queue: H::QUEUE, retry: H::RETRY, time_limit: H::TIME_LIMIT, begin };
        assert!(self.handlers.insert(H::KIND, handling).is_none(), "two jobs are called {}", H::KIND);
        self
    }

    /// Adds a kind of job that is done so often, by one node at a time. The next one waits for the last to end.
    pub fn every<H: Handler<C>>(mut self, every: Duration, job: &H) -> Registry<C> {
        let payload = Value::json(job);
        self.schedules.push(Schedule { name: H::KIND, queue: H::QUEUE, every, payload });
        self.handle::<H>()
    }

    /// The queues that there are.
    pub fn queues(&self) -> BTreeSet<&'static str> {
        self.handlers.values().map(|handling| handling.queue).collect()
    }

    /// Only the jobs of these queues.
    pub fn only(mut self, queues: &[String]) -> Registry<C> {
        let is_wanted = |queue: &str| queues.iter().any(|wanted| wanted == queue);
        self.handlers.retain(|_, handling| is_wanted(handling.queue));
        self.schedules.retain(|schedule| is_wanted(schedule.queue));
        self
    }

    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.handlers.keys().copied().collect()
    }

    pub(crate) fn schedules(&self) -> &[Schedule] {
        &self.schedules
    }

    pub(crate) fn handling(&self, kind: &str) -> Option<&Handling<C>> {
        self.handlers.get(kind)
    }
}

impl Schedule {
    pub(crate) fn row(&self) -> Row {
        Row { queue: self.queue, kind: self.name, payload: self.payload.clone() }
    }
}

impl<C> Handling<C> {
    /// Whether a job that was begun so often is to be begun once more.
    pub(crate) fn allows(&self, attempts: i64) -> bool {
        attempts <= i64::from(self.retry.attempts)
    }
}
