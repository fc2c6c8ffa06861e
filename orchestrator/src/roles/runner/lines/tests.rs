//! Lines of the agent's log, and what is read of them.

use super::*;

fn event(text: &str) -> Option<Event> {
    Line::parse(text)?.event()
}

#[test]
fn jobs_are_followed_in_json() {
    let lines = [
        (
            r#"{"builds":0,"level":"info","max_builds":1,"msg":"Configuration loaded","time":"t"}"#,
            Some(Event::Loaded),
        ),
        (
            r#"{"builds":0,"level":"info","max_builds":1,"msg":"Initializing executor providers","time":"t"}"#,
            Some(Event::Ready),
        ),
        // It may turn out to be none that can be worked on.
        (
            r#"{"job":7,"level":"info","msg":"Checking for jobs... received","repo_url":"u","runner":"r"}"#,
            None,
        ),
        (
            r#"{"builds":1,"job":7,"level":"info","max_builds":1,"msg":"Added job to processing list"}"#,
            Some(Event::Took(7)),
        ),
        (
            r#"{"job":7,"level":"info","msg":"Job succeeded","duration_s":1.5}"#,
            Some(Event::Ended(7, Outcome::Ran)),
        ),
        (
            r#"{"job":7,"level":"warning","msg":"Job failed: exit status 1\n"}"#,
            Some(Event::Ended(7, Outcome::Ran)),
        ),
        (
            r#"{"job":"7","level":"error","msg":"Job failed (system failure): prepare environment"}"#,
            Some(Event::Ended(7, Outcome::SystemFailure)),
        ),
        (r#"{"job":7,"level":"info","msg":"Removed job from processing list"}"#, Some(Event::Left(7))),
        (
            r#"{"builds":0,"level":"warning","max_builds":1,"msg":"[runWait] received stop signal","stop-signal":3}"#,
            Some(Event::Stopping),
        ),
        (r#"{"level":"info","msg":"Checking for jobs... failed","runner":"r"}"#, None),
        (r#"{"level":"info","msg":"Job succeeded"}"#, None),
    ];
    for (text, expected) in lines {
        assert_eq!(event(text), expected, "{text}");
    }
}

#[test]
fn jobs_are_followed_in_coloured_text() {
    let took = "Added job to processing list                        \u{1b}[0;m  \u{1b}[0;mjob\u{1b}[0;m=12 repo_url=u";
    assert_eq!(event(took), Some(Event::Took(12)));
    let failed = "\u{1b}[0;33mWARNING: Job failed: exit status 1\n  \u{1b}[0;m duration_s=1 job=12 project=1";
    let line = Line::parse(failed).unwrap();
    assert_eq!((line.level, line.job), (Level::Warning, Some(12)));
    assert_eq!(line.event(), Some(Event::Ended(12, Outcome::Ran)));
}

#[test]
fn anything_else_means_nothing() {
    for text in ["", "   ", "{", "{}", "{\"msg\":1}", "{\"msg\":\"\"}", "\u{1b}[", "job=1", "a  b"] {
        assert_eq!(event(text), None, "{text:?}");
    }
}
