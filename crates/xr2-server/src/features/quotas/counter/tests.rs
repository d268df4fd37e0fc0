use super::*;

const TERMS: Terms = Terms { lapse: 30 };

fn counter(is_shared: bool) -> Counter {
    Counter::new(Uuid::nil(), 1, is_shared)
}

/// What a call that passes brings the count to.
fn passes(counter: &Counter, most: i64) -> Option<i64> {
    match counter.try_take(most, 0, false) {
        Some(Taken::Passed { used, .. }) => Some(used),
        _ => None,
    }
}

/// Redis answers what this node asks: epoch, granted, free, elsewhere, used, silent.
fn exchange(counter: &Counter, want: u64, answer: [i64; ANSWER]) -> (Report, bool) {
    let report = counter.report(Errand::Want(want), 100, 0, TERMS, true).unwrap();
    let was_taken_in = counter.take_in(&report, answer, TERMS);
    (report, was_taken_in)
}

/// What Redis is told: epoch, told before, told now, written of that, known by the database and this node.
fn told(report: &Report) -> (i64, i64, i64, i64, i64) {
    let args = report.args(1, 100, TERMS, 100);
    (args[1], args[6], args[7], args[8], args[9])
}

#[test]
fn months_begin_on_their_first_day() {
    for (text, first) in [("2026-01-01T00:00:00Z", "2026-01-01"), ("2026-12-31T23:59:59Z", "2026-12-01")] {
        let month = month_of(text.parse().unwrap());
        assert_eq!(first_day(month).to_string(), first);
    }
    assert_eq!(first_day(month_of("2026-12-31T23:59:59Z".parse().unwrap()) + 1).to_string(), "2027-01-01");
}

#[test]
fn what_is_written_counts_once() {
    let counter = counter(false);
    assert_eq!(counter.try_take(7, 0, false), None, "nobody knows what was before");
    counter.read(5);
    assert_eq!((passes(&counter, 7), passes(&counter, 7), passes(&counter, 7)), (Some(6), Some(7), None));
    counter.wrote(2);
    counter.read(7);
    assert_eq!(counter.used(), 7);
    counter.read(9);
    assert_eq!(counter.used(), 9, "another node has counted two");
    counter.take_back(false);
    assert_eq!(counter.used(), 8);
}

#[test]
fn what_was_gone_without_is_added_by_the_next_read() {
    let counter = counter(false);
    assert!(counter.go_without() && counter.wants_read(0) && !counter.go_without());
    assert_eq!(passes(&counter, 10), Some(1));
    counter.read(8);
    assert_eq!((passes(&counter, 10), passes(&counter, 10)), (Some(10), None));
    assert!(!counter.wants_read(0));
}

#[test]
fn exactly_the_most_pass_under_concurrency() {
    let counter = counter(false);
    counter.read(0);
    let passed = std::sync::atomic::AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..100 {
                    if passes(&counter, 250).is_some() {
                        passed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(passed.into_inner(), 250);
}

#[test]
fn a_sum_begins_with_what_the_database_knows() {
    let counter = counter(true);
    let (report, was_taken_in) = exchange(&counter, 1, [0; ANSWER]);
    assert_eq!((told(&report), was_taken_in), ((0, 0, 0, 0, -1), false));
    assert!(counter.needs_read(0) && counter.is_lost_without_read());
    counter.read(40);
    let (report, was_taken_in) = exchange(&counter, 1, [7, 2, 50, 0, 40, 0]);
    assert_eq!((told(&report), was_taken_in), ((0, 0, 0, 0, 40), true));
    assert_eq!((passes(&counter, 100), passes(&counter, 100)), (Some(41), Some(42)));
    assert_eq!(counter.try_take(100, 0, false), None, "no permits are left");
    counter.take_back(true);
    assert_eq!(passes(&counter, 100), Some(42), "its permit came back");
    let (report, _) = exchange(&counter, 0, [7, 0, 50, 0, 42, 0]);
    assert_eq!(told(&report), (7, 0, 2, 0, -1), "what the database knows was told");
    counter.read(45);
    assert!(counter.is_due(0, TERMS), "somebody counts past Redis");
}

#[test]
fn a_report_without_an_answer_is_told_again() {
    let counter = counter(true);
    exchange(&counter, 3, [7, 3, 50, 0, 0, 0]);
    assert_eq!(passes(&counter, 100), Some(1));
    let lost = counter.report(Errand::Tell, 100, 0, TERMS, true).unwrap();
    counter.missed(&lost);
    assert_eq!(passes(&counter, 100), Some(2));
    let (report, _) = exchange(&counter, 0, [7, 0, 50, 0, 2, 0]);
    assert_eq!((told(&lost), told(&report)), ((7, 0, 1, 0, -1), (7, 0, 2, 0, -1)));
}

#[test]
fn what_was_counted_without_redis_is_told_and_what_of_it_is_written() {
    let counter = counter(true);
    exchange(&counter, 1, [7, 1, 50, 0, 0, 0]);
    assert_eq!(passes(&counter, 100), Some(1));
    counter.read(0);
    for _ in 0..4 {
        assert!(matches!(counter.try_take(100, 1, true), Some(Taken::Passed { is_lent: false, .. })));
    }
    counter.wrote(3);
    assert!(counter.is_astray() && counter.wants_read(1));
    counter.read(3);
    let (report, _) = exchange(&counter, 1, [7, 1, 50, 0, 5, 0]);
    assert_eq!(told(&report), (7, 0, 5, 2, 5), "for the first one a permit is lent");
    assert!(!counter.is_astray());
}

#[test]
fn a_sum_that_is_gone_is_told_everything() {
    let counter = counter(true);
    exchange(&counter, 5, [7, 5, 50, 0, 0, 0]);
    for _ in 0..4 {
        passes(&counter, 100);
    }
    exchange(&counter, 0, [7, 0, 50, 0, 4, 0]);
    counter.wrote(1);
    let (_, was_taken_in) = exchange(&counter, 0, [0; ANSWER]);
    assert!(!was_taken_in && counter.needs_read(0));
    counter.read(1);
    let (report, _) = exchange(&counter, 0, [8, 0, 50, 0, 4, 0]);
    assert_eq!(told(&report), (0, 4, 8, 1, 4), "one of the four is written");
    assert_eq!(report.args(1, 100, TERMS, 100)[5], 1, "what it holds it keeps");
    assert_eq!(report.args(1, 100, TERMS, 100)[11], 100, "others are to be heard first");
}

#[test]
fn permits_that_lapsed_unheard_come_with_what_the_database_knows() {
    let counter = counter(true);
    exchange(&counter, 2, [7, 2, 50, 0, 0, 0]);
    passes(&counter, 100);
    assert!(!counter.needs_read(24));
    assert_eq!(
        counter.try_take(100, 25, false),
        None,
        "a permit may be used for less long than Redis keeps it"
    );
    assert!(counter.needs_read(25) && counter.is_astray());
}

#[test]
fn names_are_read_as_they_are_written() {
    let counter = Counter::new(Uuid::from_u128(7), 24_320, true);
    assert_eq!(Counter::of_name(&counter.name()), Some((Uuid::from_u128(7), 24_320, 0)));
    assert_eq!(Counter::of_name("key:7"), None);
}

#[test]
fn what_went_astray_just_now_is_not_told_while_it_may_be_written() {
    let counter = counter(true);
    exchange(&counter, 3, [7, 3, 50, 0, 0, 0]);
    assert_eq!(passes(&counter, 100), Some(1));
    assert!(counter.report(Errand::Tell, 100, 0, TERMS, false).is_some(), "Redis knows of the permit");
    counter.read(0);
    assert!(matches!(counter.take_alone(100), Taken::Passed { is_lent: false, .. }));
    assert!(counter.report(Errand::Tell, 100, 0, TERMS, false).is_none());
    assert!(counter.is_astray(), "and is still to be told");
    assert!(counter.report(Errand::Tell, 100, 0, TERMS, true).is_some());
}
