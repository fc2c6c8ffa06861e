//! `--var NAME=VALUE`

use expect_test::expect;

use super::harness::{Nest, nest};

fn variables() -> Nest {
    nest(&[
        (
            "nest.fly",
            "variable \"idle\" {\n  type    = duration\n  default = 10m\n}\n\nvariable \"tags\" {\n  type    = list<string>\n  default = [\"docker\"]\n}\n",
        ),
        (
            "Eggs/my-app/config.fly",
            "egg \"my-app\" {\n  type = \"vm\"\n\n  runner {\n    tags         = var.tags\n    idle_timeout = var.idle\n  }\n\n  gitlab {\n    project_id = 1\n  }\n}\n",
        ),
    ])
}

#[test]
fn values_from_the_command_line_come_first() {
    let nest = variables();
    assert_eq!(nest.flyc(&["check", "--var", "idle=20m", "--var", "tags=[\"a\", \"b\"]"]).code, 0);
    nest.flyc(&["build", "--var", "idle=20m", "--var", "tags=[\"a\", \"b\"]"]);
    let config = nest.read(".fly/build/eggs/my-app/config.json");
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    assert_eq!(config["runner"]["idle_timeout_s"], 1200);
    assert_eq!(config["runner"]["tags"], serde_json::json!(["a", "b"]));
}

#[test]
fn values_from_the_command_line_are_checked() {
    let nest = variables();
    nest.flyc(&["check", "--var", "idle=soon"]).is(expect![[r#"
        exit 1
        --- stdout
        error[type-mismatch]: `--var idle=…` wants a duration
           ,-[ nest.fly:1:10 ]
         1 | variable "idle" {
           |          ^^^|^^
           |             `---- not a duration
           | note: the value was given on the command line
           | help: give another value with `--var`, or none
        ---' flyc explain type-mismatch
        --- stderr

        checked 2 files in N ms: 1 error
    "#]]);
    nest.flyc(&["check", "--var", "tags=docker"]).is(expect![[r#"
        exit 1
        --- stdout
        error[type-mismatch]: `--var tags=…` wants a list of strings
           ,-[ nest.fly:6:10 ]
         6 | variable "tags" {
           |          ^^^|^^
           |             `---- a bare word
           | note: the value was given on the command line
           | help: give another value with `--var`, or none
        ---' flyc explain type-mismatch
        --- stderr

        checked 2 files in N ms: 1 error
    "#]]);
    // Right as a duration, and wrong where it goes.
    nest.flyc(&["check", "--var", "idle=30s"]).is(expect![[r#"
        exit 1
        --- stdout
        error[out-of-range]: `idle_timeout` wants a duration from 1m to 7d, found `var.idle`
           ,-[ Eggs/my-app/config.fly:6:20 ]
         6 |     idle_timeout = var.idle
           |                    ^^^^|^^^
           |                        `----- too little
           |
           |-[ nest.fly:1:1 ]
         1 | variable "idle" {
           | ^^^^^^^|^^^^^^^
           |        `--------- the value of `var.idle` was given with `--var`
           | note: `idle_timeout` is how long a runner without a job stays active
           | help: write `1m` or more
        ---' flyc explain out-of-range
        --- stderr

        checked 2 files in N ms: 1 error
    "#]]);
    nest.flyc(&["check", "--var", "idel=20m"]).is(expect![[r#"
        exit 2
        --- stderr
        error: this Nest has no variable `idel`
        help: did you mean `idle`?
    "#]]);
    nest.flyc(&["check", "--var", "idle=20m", "--var", "idle=30m"]).is(expect![[r#"
        exit 2
        --- stderr
        error: the variable `idle` is given twice
        help: give each variable one value
    "#]]);
    nest.flyc(&["check", "--var", "idle"]).is(expect![[r#"
        exit 2
        --- stderr
        error: invalid value 'idle' for '--var <NAME=VALUE>': write NAME=VALUE, such as region=eu-central-1

        For more information, try '--help'.
    "#]]);
}
