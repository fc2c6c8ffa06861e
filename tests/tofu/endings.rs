//! Local processes that ended by themselves, or with their machine.

use std::{fs, path::Path, process::Command};

use super::{
    alive,
    bench::{Bench, complaint},
    eventually,
};

/// The runner `a`, which is awake, dies in every way and is brought back. `set` applies its pool.
pub(crate) fn are_noticed_and_mended(bench: &Bench, file: &Path, set: &dyn Fn(&str)) {
    let pid = || fs::read_to_string(file).unwrap().lines().next().unwrap().to_owned();
    let said_dead = || {
        let output = bench.try_tofu(&["plan", "-no-color", "-input=false"]);
        assert!(output.status.success(), "{}", complaint(&output));
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &complaint(&output);
        said.split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .contains("The process of the runner a has ended by itself")
    };
    assert!(!said_dead(), "a runs");

    // A number that another process has got is not the runner's, nor is a process that only waits to be reaped.
    let own = fs::read_to_string(file).unwrap();
    let since = own.lines().nth(1).unwrap();
    fs::write(file, format!("{}\n{since}\n", std::process::id())).unwrap();
    assert!(said_dead(), "the number is this test's");
    let mut child = Command::new("true").spawn().unwrap();
    let zombie = child.id().to_string();
    eventually("it is a zombie", || !alive(&zombie));
    let stat = fs::read_to_string(format!("/proc/{zombie}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fs::write(file, format!("{zombie}\n{}\n", fields.split(' ').nth(19).unwrap())).unwrap();
    assert!(said_dead(), "a zombie has ended");
    child.wait().unwrap();
    assert!(said_dead(), "and so has one that is gone");
    fs::write(file, &own).unwrap();

    // One that ended by itself, or with the machine, is woken anew by its way through nadir, or by its address.
    let dies = |pid: &str| {
        assert!(Command::new("kill").args(["-9", pid]).status().unwrap().success());
    };
    let a = pid();
    dies(&a);
    eventually("a is dead", || !alive(&a));
    assert!(said_dead(), "its death is noticed");
    set("nadir");
    set("apex");
    let a = pid();
    assert!(alive(&a) && !said_dead(), "it is back");
    dies(&a);
    eventually("a is dead again", || !alive(&a));
    let address = "-replace=module.runner[\"a\"].terraform_data.process[0]";
    bench.tofu(&["apply", "-auto-approve", "-input=false", address]);
    let a = pid();
    assert!(alive(&a) && !said_dead(), "it is back");
}
