//! What a reader needs to see of a failed run: which tests failed, and why.

use super::without_colours;

/// Lines that a failure is given at least, however many there are.
const LEAST_LINES: usize = 6;

/// The part about failures when it can be found, else the end. No failure is left out for another's sake: each one has an
/// equal share of the lines.
pub fn excerpt(output: &str, most_lines: usize) -> String {
    let plain = without_colours(output);
    let lines: Vec<&str> = plain.lines().filter(|line| !is_noise(line)).collect();
    for failures in [cargo_failures(&lines), node_failures(&lines), tap_failures(&lines)] {
        if !failures.is_empty() {
            let share = (most_lines / failures.len()).max(LEAST_LINES);
            return failures.iter().map(|failure| shorten(failure, share)).collect::<Vec<_>>().join("\n");
        }
    }
    if let Some(report) = report(&lines) {
        return shorten(report, most_lines);
    }
    // A runner that was killed has named those that had failed by then.
    let failed = lines.iter().copied().filter(|line| line.ends_with(" ... FAILED"));
    let end = &lines[lines.len().saturating_sub(most_lines)..];
    let mut shown: Vec<&str> = failed.filter(|line| !end.contains(line)).take(most_lines).collect();
    shown.extend(end);
    shown.join("\n")
}

/// No more than so many lines: the first explain most, and the end names all of them or sums up.
pub fn shorten(lines: &[&str], most_lines: usize) -> String {
    let left_out = lines.len().saturating_sub(most_lines);
    if left_out == 0 {
        return lines.join("\n");
    }
    let (first, rest) = lines.split_at(most_lines * 2 / 3);
    format!("{}\n[{left_out} lines left out]\n{}", first.join("\n"), rest[left_out..].join("\n"))
}

/// Everything between the first `failures:` of a test binary and its verdict, for each binary that failed: what each
/// failed test has said, then their names.
fn cargo_failures<'a>(lines: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut found: Vec<Vec<&str>> = Vec::new();
    let mut inside = false;
    for line in lines {
        let begins = *line == "failures:";
        inside |= begins;
        if inside {
            let is_next = begins || (line.starts_with("---- ") && line.ends_with(" ----"));
            // The heading goes with the first test.
            let is_first =
                found.last().is_some_and(|last| last.iter().all(|line| matches!(*line, "failures:" | "")));
            match found.last_mut().filter(|_| !is_next || is_first) {
                Some(failure) => failure.push(line),
                None => found.push(vec![line]),
            }
        }
        inside &= !line.starts_with("test result: ");
    }
    found
}

/// What Node's runner repeats at its end: each failed test with its reason. The runner's own steps in the stack, and the
/// error once more as an object, say nothing new.
fn node_failures<'a>(lines: &[&'a str]) -> Vec<Vec<&'a str>> {
    let Some(start) = lines.iter().rposition(|line| line.contains("failing tests:")) else {
        return Vec::new();
    };
    let mut found: Vec<Vec<&str>> = Vec::new();
    let mut inside_object = false;
    for &line in &lines[start + 1..] {
        let step = line.trim_start().starts_with("at ");
        let is_left_out = inside_object || (step && is_of_node(line)) || line.trim().is_empty();
        if !is_left_out {
            match found.last_mut().filter(|_| !line.starts_with("test at ")) {
                Some(failure) => failure.push(line),
                None => found.push(vec![line]),
            }
        }
        inside_object = if step { line.ends_with('{') } else { inside_object && line != "  }" };
    }
    found
}

/// What Node's runner says in the TAP form, in the middle of all the rest: `not ok 2 - name`, and its reason between `---`
/// and `...`. What a file has printed that could not even be loaded stands before it.
fn tap_failures<'a>(lines: &[&'a str]) -> Vec<Vec<&'a str>> {
    let mut found: Vec<Vec<&str>> = Vec::new();
    let mut printed: Vec<&str> = Vec::new();
    let (mut has_failed, mut inside) = (false, false);
    for &line in lines {
        let text = line.trim_start();
        if inside {
            inside = text != "...";
            if let Some(failure) = found.last_mut().filter(|_| has_failed && inside && is_telling(text)) {
                failure.push(line);
            }
        } else if text.starts_with("not ok ") && !text.contains(" # TODO") {
            has_failed = true;
            found.push(printed.drain(..).chain([line]).collect());
        } else if text.starts_with("ok ") || text.starts_with("not ok ") {
            has_failed = false;
            printed.clear();
        } else if text == "---" {
            inside = true;
        } else if text.starts_with("# ") && !text.starts_with("# Subtest: ") {
            printed.push(line);
        }
    }
    found
}

/// Whether a line of a reason in the TAP form says more than that there is one.
fn is_telling(line: &str) -> bool {
    let says_nothing = ["duration_ms:", "type:", "failureType:", "code: 'ERR_TEST_FAILURE'", "name:"];
    !line.is_empty() && !is_of_node(line) && !says_nothing.iter().any(|start| line.starts_with(start))
}

/// Whether a step in a stack is the runner's own.
fn is_of_node(line: &str) -> bool {
    line.contains("(node:")
}

/// The part of pytest's or Vitest's output that is about failures, with the summary behind it.
fn report<'a, 'b>(lines: &'b [&'a str]) -> Option<&'b [&'a str]> {
    let is_heading = |line: &&str| {
        let rule = line.trim_matches([' ', '=', '⎯']);
        let has_rule = line.starts_with("===") || line.trim_start().starts_with('⎯');
        has_rule
            && ["FAILURES", "ERRORS", "Failed Tests", "Failed Suites"]
                .iter()
                .any(|word| rule.starts_with(word))
    };
    lines.iter().position(is_heading).map(|start| &lines[start..])
}

fn is_noise(line: &str) -> bool {
    let line = line.trim_start();
    line.ends_with(" ... ok")
        || ["Compiling ", "Downloaded ", "Downloading ", "Checking ", "Fresh "]
            .iter()
            .any(|word| line.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_failures_of_every_binary_and_nothing_else() {
        let output = "\
   Compiling xr2 v0.1.0
test a ... ok
test b ... FAILED

failures:

---- b stdout ----
assertion failed

failures:
    b

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running tests/other.rs
test c ... ok
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
";
        let shown = excerpt(output, 100);
        assert!(shown.starts_with("failures:"), "{shown}");
        assert!(shown.contains("assertion failed") && shown.contains("1 failed"), "{shown}");
        assert!(!shown.contains("other.rs") && !shown.contains("Compiling"), "{shown}");
        assert_eq!(excerpt("1\n2\n3", 2), "2\n3");
        let long = format!("failures:\n{}test result: FAILED. ", "more\n".repeat(50));
        let shown = excerpt(&long, 9);
        assert!(shown.starts_with("failures:\nmore") && shown.ends_with("test result: FAILED. "), "{shown}");
        assert!(shown.contains("[43 lines left out]") && shown.lines().count() == 10, "{shown}");
    }

    #[test]
    fn shows_the_reason_of_every_failure_of_nodes_runner() {
        let output = "\
✔ the first (10.5ms)
✖ the second (4.2ms)
ℹ pass 1
ℹ fail 1

✖ failing tests:

test at e2e/support/browser.mjs:55:3
✖ the second (4.2ms)
  AssertionError [ERR_ASSERTION]: the page reported problems
  + actual - expected
      at file:///e2e/list.test.mjs:65:10
      at async TestContext.<anonymous> (file:///e2e/support/browser.mjs:68:7)
      at async Test.run (node:internal/test_runner/test:797:9) {
    code: 'ERR_ASSERTION',
    actual: [
      {
        id: 1
      }
    ]
  }

test at e2e/support/browser.mjs:55:3
✖ the third (15000ms)
  locator.waitFor: Timeout 15000ms exceeded.
";
        let shown = excerpt(output, 100);
        let expected = "\
test at e2e/support/browser.mjs:55:3
✖ the second (4.2ms)
  AssertionError [ERR_ASSERTION]: the page reported problems
  + actual - expected
      at file:///e2e/list.test.mjs:65:10
      at async TestContext.<anonymous> (file:///e2e/support/browser.mjs:68:7)
test at e2e/support/browser.mjs:55:3
✖ the third (15000ms)
  locator.waitFor: Timeout 15000ms exceeded.";
        assert_eq!(shown, expected);
    }
    /// From Node 20, shortened.
    const TAP: &str = "\
TAP version 13
# Subtest: the first
ok 1 - the first
  ---
  duration_ms: 1.16
  ...
# said by the first
# Subtest: the second
not ok 2 - the second
  ---
  duration_ms: 0.77
  location: 'a.test.mjs:4:1'
  failureType: 'testCodeFailure'
  error: 'one is not two'
  code: 'ERR_ASSERTION'
  name: 'AssertionError'
  expected: 2
  stack: |-
    TestContext.<anonymous> (a.test.mjs:4:37)
    Test.run (node:internal/test_runner/test:796:25)
  ...
# Subtest: a group
    # Subtest: good
    ok 1 - good
      ---
      duration_ms: 0.3
      ...
    # Subtest: bad
    not ok 2 - bad
      ---
      error: 'boom'
      code: 'ERR_TEST_FAILURE'
      ...
    1..2
not ok 3 - a group
  ---
  failureType: 'subtestsFailed'
  error: '1 subtest failed'
  ...
# Subtest: the last
ok 4 - the last
  ---
  duration_ms: 0.1
  ...
# Error: cannot load
#     at ModuleJob.run (node:internal/modules/esm/module_job:325:25)
# Subtest: b.test.mjs
not ok 5 - b.test.mjs
  ---
  error: 'test failed'
  ...
not ok 6 - some day # TODO
1..6
# tests 6
# pass 2
# fail 4
";

    #[test]
    fn shows_what_failed_in_the_middle_of_a_tap_report() {
        let shown = excerpt(TAP, 100);
        let expected = "\
# said by the first
not ok 2 - the second
  location: 'a.test.mjs:4:1'
  error: 'one is not two'
  code: 'ERR_ASSERTION'
  expected: 2
  stack: |-
    TestContext.<anonymous> (a.test.mjs:4:37)
    not ok 2 - bad
      error: 'boom'
not ok 3 - a group
  error: '1 subtest failed'
# Error: cannot load
#     at ModuleJob.run (node:internal/modules/esm/module_job:325:25)
not ok 5 - b.test.mjs
  error: 'test failed'";
        assert_eq!(shown, expected);
        let all_is_well = TAP.lines().filter(|line| !line.contains("not ok")).collect::<Vec<_>>().join("\n");
        assert!(excerpt(&all_is_well, 3).ends_with("# fail 4"), "the end, when nothing has failed");
    }

    #[test]
    fn every_failure_is_named_however_much_others_say() {
        let talk = "words\n".repeat(500);
        let cargo = format!(
            "failures:\n\n---- one stdout ----\n{talk}panicked at one\n\n---- two stdout ----\n{talk}panicked at two\n\n\
             failures:\n    one\n    two\n\ntest result: FAILED. 0 passed; 2 failed; 0 ignored\n"
        );
        let shown = excerpt(&cargo, 60);
        for part in ["---- one stdout", "panicked at one", "---- two stdout", "panicked at two", "    two"] {
            assert!(shown.contains(part), "{part} is missing in {shown}");
        }
        assert!(shown.lines().count() <= 66, "{shown}");
        let node = format!("✖ failing tests:\n\ntest at a:1\n✖ one\n{talk}\ntest at b:1\n✖ two\n{talk}");
        let shown = excerpt(&node, 60);
        assert!(shown.contains("✖ one") && shown.contains("✖ two"), "{shown}");
    }

    #[test]
    fn a_runner_that_was_killed_has_named_what_had_failed() {
        let output =
            format!("test a ... FAILED\n{}test b has been running for over 60 seconds\n", "talk\n".repeat(9));
        assert_eq!(
            excerpt(&output, 2),
            "test a ... FAILED\ntalk\ntest b has been running for over 60 seconds"
        );
    }

    #[test]
    fn shows_the_reports_of_pytest_and_vitest() {
        let talk = "collected\n".repeat(50);
        let pytest = format!("{talk}=== FAILURES ===\n___ test_a ___\nE  assert 1\n=== 1 failed in 0.1s ===");
        assert!(excerpt(&pytest, 9).starts_with("=== FAILURES ===\n___ test_a"), "{}", excerpt(&pytest, 9));
        let vitest = format!(
            "{talk}⎯⎯⎯ Failed Tests 1 ⎯⎯⎯\n FAIL  a.test.ts > a\n{}      Tests  1 failed (1)",
            "x\n".repeat(90)
        );
        let shown = excerpt(&vitest, 9);
        assert!(shown.starts_with("⎯⎯⎯ Failed Tests 1 ⎯⎯⎯\n FAIL  a.test.ts > a"), "{shown}");
        assert!(shown.ends_with("Tests  1 failed (1)"), "{shown}");
    }
}
