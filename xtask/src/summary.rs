//! Reading the verdict out of what test runners print.

mod excerpt;

pub use excerpt::{excerpt, shorten};

/// How many checks passed, failed, and were not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: u64,
    pub failed: u64,
    pub skipped: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// The runners whose words are understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    Cargo,
    Vitest,
    Pytest,
    NodeTest,
}

/// Adds up what the runner reported; `None` when there is no report in the text at all.
pub fn counts(runner: Runner, output: &str) -> Option<Counts> {
    let plain = without_colours(output);
    match runner {
        Runner::Cargo => cargo(&plain),
        Runner::Vitest => vitest(&plain),
        Runner::Pytest => pytest(&plain),
        Runner::NodeTest => node_test(&plain),
    }
}

/// `test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.02s`, once a binary.
fn cargo(output: &str) -> Option<Counts> {
    let mut total = None::<Counts>;
    for line in output.lines() {
        let Some(report) = line.trim_start().strip_prefix("test result: ") else { continue };
        let (_, figures) = report.split_once(". ")?;
        *total.get_or_insert_default() += Counts {
            passed: number_before(figures, " passed"),
            failed: number_before(figures, " failed"),
            skipped: number_before(figures, " ignored"),
        };
    }
    total
}

/// `      Tests  2 failed | 31 passed | 1 skipped (34)`
fn vitest(output: &str) -> Option<Counts> {
    let line = output.lines().rev().find_map(|line| line.trim_start().strip_prefix("Tests "))?;
    Some(Counts {
        passed: number_before(line, " passed"),
        failed: number_before(line, " failed"),
        skipped: number_before(line, " skipped") + number_before(line, " todo"),
    })
}

/// `=== 1 failed, 30 passed, 2 skipped, 1 error in 1.23s ===`, or without the rules under `-q`.
fn pytest(output: &str) -> Option<Counts> {
    let words = ["passed", "failed", "skipped", "error", "errors", "xfailed", "xpassed", "deselected"];
    let line = output.lines().rev().find(|line| {
        line.contains(" in ") && words.iter().any(|word| number_before(line, &format!(" {word}")) > 0)
    })?;
    Some(Counts {
        passed: number_before(line, " passed") + number_before(line, " xfailed"),
        failed: number_before(line, " failed")
            + number_before(line, " error")
            + number_before(line, " xpassed"),
        skipped: number_before(line, " skipped"),
    })
}

/// Node's runner: `# pass 12` in the TAP form, `ℹ pass 12` in the other.
fn node_test(output: &str) -> Option<Counts> {
    let figure = |name: &str| {
        output.lines().rev().find_map(|line| {
            let rest = line.trim_start().strip_prefix("# ").or(line.trim_start().strip_prefix("ℹ "))?;
            rest.strip_prefix(name)?.strip_prefix(' ')?.trim().parse::<u64>().ok()
        })
    };
    Some(Counts {
        passed: figure("pass")?,
        failed: figure("fail")? + figure("cancelled").unwrap_or(0),
        skipped: figure("skipped").unwrap_or(0) + figure("todo").unwrap_or(0),
    })
}

/// The whole number directly before `word` where it first has one; 0 when it has none.
fn number_before(text: &str, word: &str) -> u64 {
    text.match_indices(word)
        .filter(|(at, _)| {
            // "2 failed" must not be read out of "2 failed_later", nor "1 error" out of "1 errored".
            let behind = text[at + word.len()..].chars().next();
            behind.is_none_or(|next| !next.is_alphanumeric() && next != '_' || next == 's')
        })
        .find_map(|(at, _)| {
            let digits: String = text[..at]
                .chars()
                .rev()
                .take_while(char::is_ascii_digit)
                .collect::<Vec<_>>()
                .into_iter()
                .rev()
                .collect();
            digits.parse().ok()
        })
        .unwrap_or(0)
}

/// The text without terminal colour sequences.
pub fn without_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = behind.find(|next: char| next.is_ascii_alphabetic()).map_or(behind.len(), |at| at + 1);
        rest = &behind[end..];
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(passed: u64, failed: u64, skipped: u64) -> Option<Counts> {
        Some(Counts { passed, failed, skipped })
    }

    #[test]
    fn adds_up_every_binary_of_cargo_test() {
        let output = "\
running 2 tests
test a ... ok
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
test result: FAILED. 10 passed; 3 failed; 1 ignored; 0 measured; 4 filtered out; finished in 1.00s
";
        assert_eq!(counts(Runner::Cargo, output), of(12, 3, 1));
        assert_eq!(counts(Runner::Cargo, "error[E0308]: mismatched types"), None);
    }

    #[test]
    fn reads_vitest_with_colours() {
        let output = " Test Files  1 failed | 2 passed (3)\n      Tests  \u{1b}[31m2 failed\u{1b}[39m | \u{1b}[32m31 passed\u{1b}[39m (33)\n";
        assert_eq!(counts(Runner::Vitest, output), of(31, 2, 0));
        assert_eq!(counts(Runner::Vitest, "      Tests  7 passed (7)\n"), of(7, 0, 0));
        assert_eq!(counts(Runner::Vitest, "No test files found"), None);
    }

    #[test]
    fn reads_pytest_with_and_without_rules() {
        let long = "=== 1 failed, 30 passed, 2 skipped, 1 error in 1.23s ===";
        assert_eq!(counts(Runner::Pytest, long), of(30, 2, 2));
        assert_eq!(counts(Runner::Pytest, "5 passed in 0.10s\n"), of(5, 0, 0));
        assert_eq!(counts(Runner::Pytest, "=== 2 errors in 0.10s ==="), of(0, 2, 0));
        assert_eq!(counts(Runner::Pytest, "3 passed, 9 deselected in 0.10s"), of(3, 0, 0));
        assert_eq!(counts(Runner::Pytest, "no tests ran in 0.01s"), None);
    }

    #[test]
    fn reads_both_forms_of_nodes_runner() {
        let tap = "# tests 5\n# suites 0\n# pass 3\n# fail 1\n# cancelled 1\n# skipped 0\n# todo 0\n";
        assert_eq!(counts(Runner::NodeTest, tap), of(3, 2, 0));
        let spec = "ℹ tests 2\nℹ pass 1\nℹ fail 0\nℹ cancelled 0\nℹ skipped 1\nℹ todo 0\n";
        assert_eq!(counts(Runner::NodeTest, spec), of(1, 0, 1));
        assert_eq!(counts(Runner::NodeTest, "SyntaxError: Unexpected token"), None);
    }
}
