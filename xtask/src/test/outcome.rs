//! What a step found.

use crate::process::Finished;
use crate::summary::{self, Counts, Runner};

const MOST_LINES: usize = 120;

/// How many checks a step was, and what to show when some of them failed.
#[derive(Debug, Default)]
pub struct Outcome {
    pub counts: Counts,
    pub details: String,
}

impl Outcome {
    /// Something was made that later steps need; it is no check by itself.
    pub fn made() -> Self {
        Self::default()
    }

    /// One check that went well.
    pub fn success() -> Self {
        Self { counts: Counts { passed: 1, ..Counts::default() }, details: String::new() }
    }

    /// One check that did not, with what to show.
    pub fn failure(details: impl Into<String>) -> Self {
        Self { counts: Counts { failed: 1, ..Counts::default() }, details: details.into() }
    }

    /// A program that is one check: its exit status is the verdict.
    pub fn of_check(finished: Finished) -> Self {
        match finished.problem {
            None => Self::success(),
            Some(problem) => {
                Self::failure(format!("{}\n{problem}", summary::excerpt(&finished.output, MOST_LINES)))
            }
        }
    }

    /// A test runner: its own figures count, and it is believed only when exit status and figures agree.
    pub fn of_tests(runner: Runner, finished: Finished, may_be_empty: bool) -> Self {
        let reported = summary::counts(runner, &finished.output);
        let mut counts = reported.unwrap_or_default();
        let mut details = summary::excerpt(&finished.output, MOST_LINES);
        let mut complain = |words: &str| {
            details.push('\n');
            details.push_str(words);
        };
        match finished.problem {
            Some(problem) => {
                complain(&problem);
                counts.failed = counts.failed.max(1);
            }
            None if counts.failed > 0 => {
                complain("the runner reported failures and ended as if all were well")
            }
            None if reported.is_none() && !may_be_empty => {
                complain("no report of the test runner was found in its output");
                counts.failed = 1;
            }
            None if counts.passed == 0 && !may_be_empty => {
                complain("no tests ran");
                counts.failed = 1;
            }
            None => {}
        }
        Self { counts, details }
    }

    /// Both together.
    pub fn and(mut self, other: Self) -> Self {
        self.counts += other.counts;
        if other.counts.failed > 0 {
            if !self.details.is_empty() {
                self.details.push('\n');
            }
            self.details.push_str(&other.details);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(success: bool, output: &str) -> Finished {
        Finished { success, output: output.into(), problem: (!success).then(|| "it failed".into()) }
    }

    const GOOD: &str = "test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured";
    const BAD: &str = "test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured";

    fn failed(success: bool, output: &str, may_be_empty: bool) -> u64 {
        Outcome::of_tests(Runner::Cargo, finished(success, output), may_be_empty).counts.failed
    }

    #[test]
    fn a_runner_is_believed_when_status_and_figures_agree() {
        assert_eq!(failed(true, GOOD, false), 0);
        assert_eq!(failed(false, BAD, false), 1);
        assert_eq!(failed(false, GOOD, false), 1, "it ended with an error behind a good report");
        assert_eq!(failed(false, "error: could not compile", false), 1);
        assert_eq!(failed(true, BAD, false), 1);
    }

    #[test]
    fn no_tests_are_a_failure_unless_a_filter_asked_for_it() {
        let none = "test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured";
        assert_eq!(failed(true, none, false), 1);
        assert_eq!(failed(true, "", false), 1);
        assert_eq!(failed(true, none, true), 0);
    }

    #[test]
    fn outcomes_add_up() {
        let both = Outcome::success().and(Outcome::failure("the second")).and(Outcome::failure("the third"));
        assert_eq!((both.counts.passed, both.counts.failed), (1, 2));
        assert_eq!(both.details, "the second\nthe third");
    }
}
