//! Eggs are stopped and go on, go back to an earlier plan; runners are listed and taken away.

use polar_gosling_tests::{
    doubles::{
        gitlab::Status,
        stage::{EGG, Stage},
    },
    need,
};
use serde_json::Value;

use crate::{refused, stage};

fn succeeded(stage: &Stage, job: u64) {
    stage
        .gitlab
        .wait("the job's success", |world| (world.jobs[&job].status == Status::Success).then_some(()));
}

fn json(stage: &Stage, arguments: &[&str]) -> Value {
    serde_json::from_str(&stage.run(&[arguments, &["--output", "json"]].concat())).expect("JSON")
}

#[test]
fn a_paused_egg_makes_no_runner_until_it_goes_on() {
    let stage = need!(stage());
    let said = stage.run(&["pause", "demo"]);
    assert_eq!(said, "demo: paused; no runner is made or woken until `gosling resume demo`");
    let job = stage.queue_job("late", &["demo"], &["true"]);
    stage.status_shows("the job that waits", |status| {
        (status["status"]["waiting_total"] == 1 && status["status"]["eggs"][0]["paused"] == true)
            .then_some(())
    });
    assert_eq!(json(&stage, &["runner", "list"]), Value::Array(Vec::new()));
    assert_eq!(json(&stage, &["resume", "demo"])[0]["paused"], false);
    succeeded(&stage, job);
    for command in [&["pause", "demi"][..], &["rotate-tokens", "demi"], &["rollback", "demi", "--yes"]] {
        let (code, said) = refused(&stage.output(command));
        assert_eq!(code, Some(3), "{said}");
        assert_eq!(said, "error: the egg `demi` is unknown\nhelp: did you mean `demo`?\n");
    }
}

#[test]
fn runners_are_drained_and_terminated() {
    let stage = need!(stage());
    let job = stage.queue_job("one", &["demo"], &["true"]);
    succeeded(&stage, job);
    let runner = stage.transition("demo", "idle");
    let list = stage.run(&["runner", "list", "--egg", "demo", "--output", "table"]);
    assert!(list.lines().count() == 2 && list.contains(&runner), "{list}");
    let (code, said) = refused(&stage.output(&["runner", "drain", "demo-12"]));
    assert_eq!((code, said.contains(&format!("did you mean `{runner}`?"))), (Some(3), true), "{said}");
    // Nobody is asked where nobody is.
    let (code, said) = refused(&stage.output(&["runner", "terminate", &runner]));
    assert_eq!((code, said.contains("--yes")), (Some(2), true), "{said}");
    let said = stage.run(&["runner", "drain", &runner, "--wait"]);
    assert_eq!(said, format!("{runner}: it is gone"));
    assert_eq!(stage.run(&["runner", "list"]), "");

    let job = stage.queue_job("two", &["demo"], &["true"]);
    succeeded(&stage, job);
    let id = json(&stage, &["runner", "list"])[0]["id"].as_str().unwrap().to_owned();
    let gone = json(&stage, &["runner", "terminate", &id, "--yes", "--wait"]);
    assert_eq!((&gone[0]["id"], &gone[0]["state"]), (&Value::from(id), &Value::from("terminated")));
}

#[test]
fn an_egg_goes_back_to_an_earlier_plan() {
    let stage = need!(stage());
    let first = stage.queue_job("first", &["demo"], &["true"]);
    succeeded(&stage, first);
    let (code, said) = refused(&stage.output(&["rollback", "demo", "--yes"]));
    assert_eq!((code, said.contains("never deployed from anything else")), (Some(3), true), "{said}");
    let good = json(&stage, &["runner", "list"])[0]["commit"].clone();

    let bad = stage.commit(&[("Eggs/demo/config.fly", &EGG.replace(r#"["demo"]"#, r#"["demo", "bad"]"#))]);
    stage.status_shows("the new Nest", |status| {
        (status["status"]["syncs"][0]["commit"] == *bad
            && status["status"]["syncs"][0]["status"] == "applied")
            .then_some(())
    });
    // The first machine is in the way of a new one.
    let old = stage.transition("demo", "idle");
    stage.run(&["runner", "drain", &old, "--wait"]);
    let second = stage.queue_job("second", &["bad"], &["true"]);
    succeeded(&stage, second);

    let (code, said) = refused(&stage.output(&["rollback", "demo"]));
    assert_eq!((code, said.contains("--yes")), (Some(2), true), "{said}");
    let (code, said) = refused(&stage.output(&["rollback", "demo", "--to", "nothing", "--yes"]));
    assert_eq!((code, said.contains("has no plan `nothing`")), (Some(3), true), "{said}");
    let plan = json(&stage, &["rollback", "demo", "--yes", "--wait"]);
    assert_eq!(
        (&plan["kind"], &plan["status"], &plan["commit"]),
        (&"rollback".into(), &"applied".into(), &good)
    );
    let again = stage.run(&["rollback", "demo", "--to", plan["id"].as_str().unwrap(), "--yes"]);
    assert_eq!(again, "demo is there already");
    // What was made of the other one goes, and the next is made of what was.
    stage.status_shows("that the other runner goes", |status| {
        let runners = status["runners"].as_array()?;
        let made_of_bad = |runner: &&Value| runner["commit"] == *bad;
        runners.iter().filter(made_of_bad).all(|runner| runner["state"] == "terminated").then_some(())
    });
    let third = stage.queue_job("third", &["demo"], &["true"]);
    succeeded(&stage, third);
    let runners = json(&stage, &["runner", "list"]);
    assert_eq!(runners[0]["commit"], good);
}
