//! The fake against `python-gitlab`: what a client of others writes and reads works unchanged.

use std::process::Command;

use polar_gosling_tests::{
    doubles::gitlab::{FakeGitLab, NewJob},
    need, tools,
};

#[test]
fn a_client_of_others_works_with_the_fake() {
    let python = need!(tools::python_gitlab());
    let fake = FakeGitLab::start();
    let token = fake.owner();
    fake.change(|world| {
        world.add_group(5, "team", None);
        world.add_group(6, "inner", Some(5));
        world.add_project(7, "web", Some(6));
        world.add_project(8, "api", Some(5));
        let mut ci = NewJob::new("rotate", &["nest"], &["true"]);
        ci.stage = "deploy".to_owned();
        world.projects.get_mut(&7).unwrap().ci = vec![ci];
    });
    fake.queue_pipeline(7, vec![NewJob::new("test", &["a", "b"], &["true"]); 45]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/gitlab/drive.py");
    let output = Command::new(python).arg(script).args([fake.url(), token]).output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "all well");
    fake.look(|world| {
        assert!(world.runners.is_empty() && world.hooks.is_empty());
        // Nothing was asked that the fake doesn't know; 422 is the answer to the hook whose URL is nonsense.
        let is_odd = |status: u16| status >= 405 && status != 422;
        let odd: Vec<_> = world.calls.iter().filter(|call| is_odd(call.status)).collect();
        assert!(odd.is_empty(), "{odd:?}");
    });
}
