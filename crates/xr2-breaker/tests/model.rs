//! The breaker against a plain model, under any order of calls, answers and time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use xr2_breaker::{Breaker, Pass, Settings, State};

const PAUSE: u64 = 30;

fn breaker(failures: u32) -> (Breaker, Arc<AtomicU64>) {
    let seconds = Arc::new(AtomicU64::new(0));
    let clock = seconds.clone();
    let time = Arc::new(move || Duration::from_secs(clock.load(Ordering::SeqCst)));
    let settings = Settings { failures, pause: Duration::from_secs(PAUSE) };
    (Breaker::with_time(settings, time), seconds)
}

#[derive(Debug, Clone)]
enum Step {
    Begin,
    Succeed(usize),
    Fail(usize),
    Abandon(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Begin),
        2 => any::<usize>().prop_map(Step::Succeed),
        4 => any::<usize>().prop_map(Step::Fail),
        1 => any::<usize>().prop_map(Step::Abandon),
        2 => (0..PAUSE * 2).prop_map(Step::Wait),
    ]
}

/// What a call under way knew when it began.
struct Call {
    pass: Pass,
    number: u64,
    is_probe: bool,
    /// How often the breaker had changed its state.
    changes: u64,
}

/// The same thing said the long way: everything that happened, looked at anew each time.
#[derive(Default)]
struct Model {
    opened_at: Option<u64>,
    due: bool,
    probing: bool,
    changes: u64,
    /// Number of the newest call begun, and of the one that was newest when something last succeeded.
    begun: u64,
    succeeded_at: u64,
    failures: u32,
}

impl Model {
    fn lets_through(&self, now: u64) -> bool {
        match self.opened_at {
            None => true,
            Some(at) => !self.probing && (self.due || now >= at + PAUSE),
        }
    }

    fn state(&self, now: u64) -> State {
        match self.opened_at {
            None => State::Closed,
            Some(at) if !self.probing && !self.due && now < at + PAUSE => State::Open,
            Some(_) => State::HalfOpen,
        }
    }

    fn open(&mut self, now: u64) {
        (self.opened_at, self.due, self.probing, self.failures) = (Some(now), false, false, 0);
        self.changes += 1;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn does_what_the_model_says(limit in 1..5_u32, steps in prop::collection::vec(step(), 1..80)) {
        let (breaker, seconds) = breaker(limit);
        let mut model = Model::default();
        let mut calls: Vec<Call> = Vec::new();
        for step in steps {
            let now = seconds.load(Ordering::SeqCst);
            let pick = |index: usize, calls: &mut Vec<Call>| {
                (!calls.is_empty()).then(|| { let at = index % calls.len(); calls.swap_remove(at) })
            };
            match step {
                Step::Wait(more) => { seconds.fetch_add(more, Ordering::SeqCst); }
                Step::Begin => match breaker.pass() {
                    Ok(pass) => {
                        prop_assert!(model.lets_through(now));
                        let is_probe = model.opened_at.is_some();
                        if is_probe { model.probing = true; model.changes += 1; }
                        model.begun += 1;
                        calls.push(Call { pass, number: model.begun, is_probe, changes: model.changes });
                    }
                    Err(refused) => {
                        prop_assert!(!model.lets_through(now));
                        prop_assert!(refused.retry_after > Duration::ZERO);
                        prop_assert!(refused.retry_after <= Duration::from_secs(PAUSE));
                    }
                },
                Step::Succeed(index) => if let Some(call) = pick(index, &mut calls) {
                    call.pass.succeeded();
                    if call.changes == model.changes {
                        (model.failures, model.succeeded_at) = (0, model.begun);
                        if call.is_probe { (model.opened_at, model.probing, model.changes) = (None, false, model.changes + 1); }
                    }
                },
                Step::Fail(index) => if let Some(call) = pick(index, &mut calls) {
                    let opened = call.pass.failed();
                    let mut expected = false;
                    if call.changes == model.changes {
                        if call.is_probe {
                            expected = true;
                        } else if call.number > model.succeeded_at {
                            model.failures += 1;
                            expected = model.failures >= limit;
                        }
                    }
                    prop_assert_eq!(opened, expected);
                    if expected { model.open(now); }
                },
                Step::Abandon(index) => if let Some(call) = pick(index, &mut calls) {
                    drop(call.pass);
                    if call.changes == model.changes && call.is_probe {
                        (model.due, model.probing, model.changes) = (true, false, model.changes + 1);
                    }
                },
            }
            prop_assert_eq!(breaker.state(), model.state(seconds.load(Ordering::SeqCst)));
            prop_assert!(calls.iter().filter(|call| call.is_probe && call.changes == model.changes).count() <= 1, "one probe at a time");
        }
    }
}

#[test]
fn opens_after_failures_in_a_row_and_closes_by_one_probe() {
    let (breaker, seconds) = breaker(3);
    for n in 1..=3 {
        assert_eq!(breaker.pass().expect("closed").failed(), n == 3);
    }
    assert_eq!(breaker.pass().err().expect("open").retry_after, Duration::from_secs(PAUSE));
    seconds.store(PAUSE, Ordering::SeqCst);
    assert_eq!(breaker.state(), State::HalfOpen);
    let probe = breaker.pass().expect("a probe");
    assert!(breaker.pass().is_err(), "one probe at a time");
    probe.succeeded();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_crowd_that_gives_up_while_others_are_served_opens_nothing() {
    let (breaker, _) = breaker(3);
    let crowd: Vec<Pass> = (0..100).map(|_| breaker.pass().expect("closed")).collect();
    breaker.pass().expect("closed").succeeded();
    assert!(!crowd.into_iter().any(Pass::failed));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn many_threads_get_one_probe() {
    let (breaker, seconds) = breaker(1);
    assert!(breaker.pass().expect("closed").failed());
    seconds.store(PAUSE, Ordering::SeqCst);
    let probes = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| breaker.pass().ok())).collect();
        threads.into_iter().filter_map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
    });
    assert_eq!(probes.len(), 1);
}
