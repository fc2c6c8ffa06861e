//! Conditions, and the boxes they are held against.

use super::*;

#[test]
fn a_job_comes_and_goes() {
    let mut condition = Condition::new();
    assert_eq!(condition.mood(), RunnerMood::Starting);
    condition.heard(Event::Ready);
    assert_eq!(condition.mood(), RunnerMood::Idle);
    condition.heard(Event::Took(3));
    assert_eq!(condition.mood(), RunnerMood::Busy);
    condition.heard(Event::Ended(3, Outcome::Ran));
    assert_eq!((condition.mood(), condition.jobs_done), (RunnerMood::Busy, 0), "GitLab is not told yet");
    condition.heard(Event::Left(3));
    assert_eq!((condition.mood(), condition.jobs_done), (RunnerMood::Idle, 1));
}

#[test]
fn who_has_read_its_configuration_is_not_set_up_yet() {
    let mut condition = Condition::new();
    condition.heard(Event::Loaded);
    assert_eq!(condition.mood(), RunnerMood::Starting);
}

#[test]
fn failures_are_counted_until_a_job_runs() {
    let mut condition = Condition::new();
    condition.heard(Event::Took(1));
    condition.died();
    assert_eq!((condition.mood(), condition.failures), (RunnerMood::Failing, 1));
    assert!(condition.jobs.is_empty());
    condition.started();
    condition.heard(Event::Took(2));
    condition.heard(Event::Ended(2, Outcome::SystemFailure));
    assert_eq!(condition.failures, 2);
    condition.heard(Event::Took(3));
    condition.heard(Event::Ended(3, Outcome::Ran));
    assert_eq!(condition.failures, 0);
}

#[test]
fn who_drains_says_so_whatever_happens() {
    let mut condition = Condition::new();
    condition.heard(Event::Took(1));
    condition.draining = true;
    assert_eq!((condition.mood(), condition.jobs.len()), (RunnerMood::Draining, 1));
    condition.stopped();
    assert_eq!((condition.mood(), condition.jobs.len()), (RunnerMood::Draining, 0));
}
