//! What happens when a job fails.

use std::fmt::Display;
use std::time::Duration;

/// How often and when a job is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all.
    pub attempts: u32,
    /// Before the second attempt; doubled before each further one.
    pub first: Duration,
    /// Never longer than this.
    pub most: Duration,
}

impl Retry {
    /// Ten attempts within some three hours.
    pub const USUAL: Retry =
        Retry { attempts: 10, first: Duration::from_secs(10), most: Duration::from_secs(3600) };

    /// How long to wait after so many attempts: up to a quarter more or less, so that what failed together does not come
    /// back together.
    pub(crate) fn pause(&self, attempts: u32) -> Duration {
        let doubled = self.first.saturating_mul(1 << attempts.saturating_sub(1).min(30));
        doubled.min(self.most).mul_f64(0.75 + fastrand::f64() / 2.0)
    }
}

/// A job that was not done. Whatever is an error can be turned into one with `?`.
#[derive(Debug)]
pub struct Failure {
    pub(crate) message: String,
    pub(crate) next: Next,
}

/// What is to come of a failed job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// As its [`Retry`] says.
    Usual,
    /// After so long, if it has attempts left.
    After(Duration),
    /// It is given up.
    GiveUp,
}

/// Errors may quote whole documents.
const MOST_OF_MESSAGE: usize = 1000;

impl Failure {
    /// Worth another attempt. The message is kept and logged, so it holds no secret.
    pub fn new(message: impl Display) -> Failure {
        let mut message = message.to_string();
        message.truncate(message.floor_char_boundary(MOST_OF_MESSAGE));
        Failure { message, next: Next::Usual }
    }

    /// Another attempt is worth it after so long, as the other side has said.
    pub fn retry_after(self, pause: Duration) -> Failure {
        Failure { next: Next::After(pause), ..self }
    }

    /// Another attempt would fail as well.
    pub fn for_good(self) -> Failure {
        Failure { next: Next::GiveUp, ..self }
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::new(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound() {
        let retry = Retry { attempts: 5, first: Duration::from_secs(10), most: Duration::from_secs(60) };
        for (attempts, expected) in [(1, 10.0), (2, 20.0), (3, 40.0), (4, 60.0), (40, 60.0)] {
            for _ in 0..100 {
                let pause = retry.pause(attempts).as_secs_f64();
                assert!((expected * 0.75..=expected * 1.25).contains(&pause), "{attempts}: {pause}");
            }
        }
    }

    #[test]
    fn long_messages_are_cut_between_letters() {
        assert!(Failure::new("ä".repeat(2000)).message.len() <= MOST_OF_MESSAGE);
    }
}
