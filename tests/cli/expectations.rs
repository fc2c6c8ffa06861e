//! `flyc test`.

use expect_test::expect;

use super::{fleet, nest};

const TESTS: &str = r#"locals {
  project = 1
}

test "docker-jobs" {
  event = { project_id = local.project, tags = ["docker"] }

  expect {
    egg         = "my-app"
    runner_type = "vm"
    cloud       = "yandex"
    tags        = ["linux"]
  }
}

test "nobody-has-a-mac" {
  event = { project_id = local.project, tags = ["mac"] }

  expect {
    served = false
  }
}

test "short-protected-jobs" {
  event = {
    project_id = local.project
    tags       = ["docker"]
    protected  = true
    timeout    = 20m
  }

  expect {
    egg        = "shop"
    repository = "api"
  }
}
"#;

#[test]
fn tests_that_pass() {
    let nest = fleet(&[("Eggs/shop/jobs.test.fly", TESTS)]);
    nest.flyc(&["check"]).is(expect![[r#"
        exit 0
        --- stdout
        warning[overlapping-eggs]: `my-app` and `shop` both claim project 1 of gitlab.com
            ,-[ Eggs/shop/config.fly:13:22 ]
         13 |         project_id = 1
            |                      |
            |                      `-- again with the tag `docker`
            |
            |-[ Eggs/my-app/config.fly:9:18 ]
          9 |     project_id = 1
            |                  |
            |                  `-- first claimed here
            | note: a job tagged `docker` goes to whichever runner asks first, so it is open where it runs
            | help: give each egg tags of its own, or remove one of the two
        ----' flyc explain overlapping-eggs
        --- stderr

        checked 3 files in N ms: 1 warning
    "#]]);
    nest.flyc(&["test"]).is(expect![[r#"
        exit 0
        --- stdout
        test docker-jobs (Eggs/shop/jobs.test.fly:5) ... ok
        test nobody-has-a-mac (Eggs/shop/jobs.test.fly:16) ... ok
        test short-protected-jobs (Eggs/shop/jobs.test.fly:24) ... ok
        --- stderr
        ran 3 tests: 3 passed, 0 failed
    "#]]);
    nest.flyc(&["test", "--filter", "docker"]).is(expect![[r#"
        exit 0
        --- stdout
        test docker-jobs (Eggs/shop/jobs.test.fly:5) ... ok
        --- stderr
        ran 1 test: 1 passed, 0 failed (2 left out by the filter)
    "#]]);
    nest.flyc(&["test", "--filter", "nothing"]).is(expect![[r#"
        exit 0
        --- stderr
        no test has such a name (3 left out by the filter)
    "#]]);
    assert_eq!(nest.flyc(&["build"]).code, 0);
}

#[test]
fn tests_that_fail_show_the_expectation_and_what_came() {
    let tests = TESTS
        .replace("\"vm\"", "\"serverless\"")
        .replace("[\"linux\"]", "[\"linux\", \"arm\"]")
        .replace("[\"mac\"]", "[\"docker\"]")
        .replace("20m", "90m");
    let nest = fleet(&[("routing.test.fly", &tests)]);
    nest.flyc(&["test"]).is(expect![[r#"
        exit 1
        --- stdout
        test docker-jobs (routing.test.fly:5) ... FAILED
        test nobody-has-a-mac (routing.test.fly:16) ... FAILED
        test short-protected-jobs (routing.test.fly:24) ... FAILED

        error[test-failed]: test `docker-jobs` expects the runner type `serverless`, and that of `my-app` is `vm`
            ,-[ routing.test.fly:10:19 ]
         10 |     runner_type = "serverless"
            |                   ^^^^^^|^^^^^
            |                         `------- it is `vm`
            |
            |-[ Eggs/my-app/config.fly:1:1 ]
          1 | egg "my-app" {
            | ^^^^^^|^^^^^
            |       `------- `my-app` stands here
            | note: the job: project 1, tags `docker`
        ----' flyc explain test-failed

        error[test-failed]: test `docker-jobs` expects a runner with the tag `arm`, and `my-app` doesn't have it
            ,-[ routing.test.fly:12:29 ]
         12 |     tags        = ["linux", "arm"]
            |                             ^^|^^
            |                               `---- not a tag of this runner
            |
            |-[ Eggs/my-app/config.fly:1:1 ]
          1 | egg "my-app" {
            | ^^^^^^|^^^^^
            |       `------- `my-app` stands here
            | note: the job: project 1, tags `docker`
            | note: `my-app` has the tags `docker`, `linux`
        ----' flyc explain test-failed

        error[test-failed]: test `nobody-has-a-mac` expects that nobody takes the job, and `my-app` does
            ,-[ routing.test.fly:20:14 ]
         20 |     served = false
            |              ^^|^^
            |                `---- `my-app` takes it
            |
            |-[ Eggs/my-app/config.fly:1:1 ]
          1 | egg "my-app" {
            | ^^^^^^|^^^^^
            |       `------- `my-app` stands here
            | note: the job: project 1, tags `docker`
        ----' flyc explain test-failed

        error[test-failed]: test `short-protected-jobs` expects `shop`, and `my-app` takes the job
            ,-[ routing.test.fly:33:18 ]
         33 |     egg        = "shop"
            |                  ^^^|^^
            |                     `---- `my-app` takes it
            |
            |-[ Eggs/shop/config.fly:1:1 ]
          1 | eggsbucket "shop" {
            | ^^^^^^^^|^^^^^^^^
            |         `---------- `shop` stands here
            | note: the job: project 1, tags `docker`, a protected ref, 1h30m at most
            | note: `shop`: lives 1h at most, so it takes shorter jobs; this one may take 1h30m
        ----' flyc explain test-failed

        --- stderr
        ran 3 tests: 0 passed, 3 failed
    "#]]);
    let run = nest.flyc(&["test", "--filter", "mac", "--output-format", "json", "--output", "junit=j.xml"]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("one object");
    let test = &json["tests"][0];
    assert_eq!(
        (&test["name"], &test["outcome"], &test["egg"], &test["line"]),
        (&"nobody-has-a-mac".into(), &"failed".into(), &"my-app".into(), &16.into())
    );
    assert_eq!(test["failures"][0]["id"], "test-failed");
    assert_eq!((&json["passed"], &json["failed"], &json["filtered"]), (&0.into(), &1.into(), &2.into()));
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="flyc test" tests="1" failures="1" errors="0">
          <testsuite name="routing.test.fly" tests="1" failures="1" errors="0" skipped="0">
            <testcase name="nobody-has-a-mac" classname="routing.test.fly" file="routing.test.fly" line="16">
              <failure type="test-failed" message="test `nobody-has-a-mac` expects that nobody takes the job, and `my-app` does">routing.test.fly:20:14: test `nobody-has-a-mac` expects that nobody takes the job, and `my-app` does&#10;note: the job: project 1, tags `docker`</failure>
            </testcase>
          </testsuite>
        </testsuites>
    "#]].assert_eq(&nest.read("j.xml"));
}

#[test]
fn tests_of_jobs_that_nobody_takes() {
    let tests = r#"test "windows" {
  event = { project_id = 2, group_ids = [789], server = "git.example.com", tags = ["windows"] }

  expect {
    runner_type = "vm"
  }
}

test "untagged" {
  event = { project_id = 1 }

  expect {
    egg = "shop"
  }
}

test "contradiction" {
  event = { project_id = 1 }

  expect {
    served = false
    cloud  = "aws"
  }
}

test "the-other-one" {
  event = { project_id = 1, tags = ["docker"], protected = true }

  expect {
    egg = "shop"
  }
}
"#;
    fleet(&[("a.test.fly", tests)]).flyc(&["test"]).is(expect![[r#"
        exit 1
        --- stdout
        test windows (a.test.fly:1) ... FAILED
        test untagged (a.test.fly:9) ... FAILED
        test contradiction (a.test.fly:17) ... FAILED
        test the-other-one (a.test.fly:26) ... FAILED

        error[test-failed]: test `windows` expects a runner, and no egg takes the job
           ,-[ a.test.fly:5:19 ]
         5 |     runner_type = "vm"
           |                   ^^|^
           |                     `--- nobody takes it
           | note: the job: project 2, groups 789, tags `windows`
           | note: `my-app`: serves gitlab.com, not git.example.com; the job asks for the tag `windows`, which its runners don't have
           | note: `shop`: takes jobs of protected branches and tags only; the job asks for the tag `windows`, which its runners don't have
        ---' flyc explain test-failed

        error[test-failed]: test `untagged` expects `shop`, and no egg takes the job
            ,-[ a.test.fly:13:11 ]
         13 |     egg = "shop"
            |           ^^^|^^
            |              `---- doesn't take it
            |
            |-[ Eggs/shop/config.fly:1:1 ]
          1 | eggsbucket "shop" {
            | ^^^^^^^^|^^^^^^^^
            |         `---------- `shop` stands here
            | note: the job: project 1, no tags
            | note: `shop`: takes jobs of protected branches and tags only
        ----' flyc explain test-failed

        error[test-failed]: test `contradiction` expects `cloud` of a job that nobody is to take
            ,-[ a.test.fly:22:14 ]
         22 |     cloud  = "aws"
            |              ^^|^^
            |                `---- of which runner?
            | note: the job: project 1, no tags
            | help: remove it, or `served = false`
        ----' flyc explain test-failed

        error[test-failed]: test `the-other-one` expects `shop`, and `my-app` takes the job
            ,-[ a.test.fly:30:11 ]
         30 |     egg = "shop"
            |           ^^^|^^
            |              `---- `my-app` takes it
            |
            |-[ Eggs/shop/config.fly:1:1 ]
          1 | eggsbucket "shop" {
            | ^^^^^^^^|^^^^^^^^
            |         `---------- `shop` stands here
            | note: the job: project 1, tags `docker`, a protected ref
            | note: `shop` takes such jobs too, but `my-app` is a vm, which comes first for jobs not known to be shorter than 60m
        ----' flyc explain test-failed

        --- stderr
        ran 4 tests: 0 passed, 4 failed
    "#]]);
}

#[test]
fn no_test_is_run_of_a_nest_with_errors() {
    let nest = fleet(&[("a.test.fly", &TESTS.replace("my-app", "my-ap"))]);
    nest.flyc(&["test"]).is(expect![[r#"
        exit 1
        --- stdout
        error[unknown-entity]: there is no egg or bucket `my-ap` in this Nest
           ,-[ a.test.fly:9:19 ]
         9 |     egg         = "my-ap"
           |                   ^^^|^^^
           |                      `----- names nothing
           | note: eggs and buckets stand in Eggs/<name>/config.fly
           | help: did you mean `"my-app"`?
        ---' flyc explain unknown-entity
        --- stderr

        no test was run: 1 error
    "#]]);
    let json = nest.flyc(&["test", "--output-format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).expect("one object");
    assert_eq!(
        (json["tests"].as_array().map(Vec::len), &json["diagnostics"][0]["id"]),
        (Some(0), &"unknown-entity".into())
    );
}

#[test]
fn a_nest_without_tests_says_so() {
    fleet(&[]).flyc(&["test"]).is(expect![[r#"
        exit 0
        --- stderr
        this Nest has no tests: they are `test` blocks in `nest.fly` or in a `*.test.fly`
    "#]]);
    nest(&[("readme.txt", "")]).flyc(&["test"]).is(expect![[r#"
        exit 2
        --- stderr
        error: `.` is not in a Nest
        help: go to the folder of a Nest, or begin one: make `Eggs/<name>/config.fly`
    "#]]);
}

#[test]
fn a_variable_without_a_default_gets_its_value_from_the_command_line() {
    let nest = nest(&[
        ("nest.fly", "variable \"tag\" {\n  type = string\n}\n"),
        (
            "Eggs/my-app/config.fly",
            "egg \"my-app\" {\n  type = \"vm\"\n\n  runner {\n    tags = [var.tag]\n  }\n\n  gitlab {\n    project_id = 1\n  }\n}\n",
        ),
        (
            "a.test.fly",
            "test \"tagged jobs\" {\n  event = { project_id = 1, tags = [\"docker\"] }\n\n  expect {\n    egg = egg.my-app\n  }\n}\n",
        ),
        (
            "event.json",
            r#"{ "object_kind": "build", "build_id": 7, "build_name": "test", "build_status": "pending", "project_id": 1 }"#,
        ),
    ]);
    for (value, code) in [("tag=docker", 0), ("tag=gpu", 1)] {
        assert_eq!(nest.flyc(&["test", "--var", value]).code, code, "{value}");
        let run = nest.flyc(&["simulate", "event.json", "--tags", "docker", "--var", value]);
        assert_eq!(run.code, code, "{value}");
    }
}

#[test]
fn variables_reach_tests_and_events() {
    let nest = fleet(&[
        ("event.json", include_str!("events/merge_request.json")),
        (
            "nest.fly",
            "variable \"tag\" {\n  type = string\n}\n\ntest \"tagged\" {\n  event = { project_id = 77, tags = [\"a\"] }\n\n  expect {\n    egg = \"tagged\"\n  }\n}\n",
        ),
        (
            "Eggs/tagged/config.fly",
            "egg \"tagged\" {\n  type = \"vm\"\n\n  runner {\n    tags = [var.tag]\n  }\n\n  gitlab {\n    project_id = 77\n  }\n}\n",
        ),
    ]);
    nest.flyc(&["test", "--var", "tag=a"]).is(expect![[r#"
        exit 0
        --- stdout
        test tagged (nest.fly:5) ... ok
        --- stderr
        ran 1 test: 1 passed, 0 failed
    "#]]);
    nest.flyc(&["test", "--var", "tag=b", "--output", "xml=report.xml"]).is(expect![[r#"
        exit 2
        --- stderr
        error: invalid value 'xml=report.xml' for '--output <FORMAT=PATH>': the formats are full, json and junit

        For more information, try '--help'.
    "#]]);
    nest.flyc(&["simulate", "--var", "nope=b", "event.json"]).is(expect![[r#"
        exit 2
        --- stderr
        error: this Nest has no variable `nope`
        help: the variables are tag
    "#]]);
    nest.flyc(&["simulate", "--var", "tag=b", "event.json"]).is(expect![[r#"
        exit 0
        --- stdout
        note: a merge request deploys nothing by itself; the jobs of its pipeline do
    "#]]);
}
