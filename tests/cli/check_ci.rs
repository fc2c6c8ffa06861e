//! `flyc check --ci`.

use expect_test::expect;

use super::{APP, SHOP, fleet, nest};

const CI: &str = r"include:
  - local: /ci/*.yml
  - template: Security/SAST.gitlab-ci.yml

default:
  tags: [docker]

.long:
  extends: .tags
  timeout: 90 minutes

lint: &lint
  tags: [dokcer]
  script: make lint

test:
  extends: .long
  script: make test

train:
  <<: *lint
  tags: !reference [.gpu, tags]
  timeout: 2h

matrix:
  tags: [$SIZE]
  script: make

untagged:
  inherit: { default: false }
  tags: []
  script: make

deploy:
  trigger: other/project
";

const CI_TAGS: &str = ".tags:\n  tags:\n    - docker\n    - linux\n\n.gpu:\n  tags: [gpu]\n";

#[test]
fn check_ci_finds_jobs_that_no_egg_takes() {
    let nest = fleet(&[("app/.gitlab-ci.yml", CI), ("app/ci/tags.yml", CI_TAGS)]);
    nest.flyc(&["check", "--ci", "app", "--project", "1"]).is(expect![[r#"
        exit 1
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

        error[job-without-runner]: no egg takes the job `lint`
            ,-[ app/.gitlab-ci.yml:13:10 ]
         13 |   tags: [dokcer]
            |          ^^^|^^
            |             `---- `dokcer` is a tag of no runner that fits
            | note: the nearest egg is `my-app`: the job asks for the tag `dokcer`, which its runners don't have
            | note: `shop`: the job asks for the tag `dokcer`, which its runners don't have
            | help: did you mean `docker`?
        ----' flyc explain job-without-runner

        error[job-without-runner]: no egg takes the job `train`
           ,-[ app/ci/tags.yml:7:10 ]
         7 |   tags: [gpu]
           |          ^|^
           |           `--- `gpu` is a tag of no runner that fits
           | note: the nearest egg is `my-app`: the job asks for the tag `gpu`, which its runners don't have
           | note: `shop`: lives 1h at most, so it takes shorter jobs; this one may take 2h
           | help: ask for other tags, or give `my-app` the tag `gpu`
        ---' flyc explain job-without-runner
        --- stderr

        checked 2 files in N ms: 2 errors, 1 warning
        judged 4 jobs of the CI configuration
        note: what is included from elsewhere was not read: template: Security/SAST.gitlab-ci.yml
        note: not judged, because their tags can't be known: matrix
    "#]]);
    // Every egg is asked, whatever it serves.
    let run = nest.flyc(&["check", "--ci", "app", "--output-format", "concise"]);
    run.is(expect![[r#"
        exit 1
        --- stdout
        Eggs/shop/config.fly:13:22: warning[overlapping-eggs] `my-app` and `shop` both claim project 1 of gitlab.com
        app/.gitlab-ci.yml:13:10: error[job-without-runner] no egg takes the job `lint`
        app/ci/tags.yml:7:10: error[job-without-runner] no egg takes the job `train`
        --- stderr
        checked 2 files in N ms: 2 errors, 1 warning
        judged 4 jobs of the CI configuration
        note: the Nest serves several projects, and every egg was asked; `--project ID` asks those of one
        note: what is included from elsewhere was not read: template: Security/SAST.gitlab-ci.yml
        note: not judged, because their tags can't be known: matrix
    "#]]);
    let run = nest.flyc(&["check", "--ci", "app/.gitlab-ci.yml", "--project", "77", "--group", "5"]);
    run.is(expect![[r#"
        exit 1
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

        error[job-without-runner]: no egg of this Nest serves project 77
            ,-[ app/.gitlab-ci.yml:12:1 ]
         12 | lint: &lint
            | ^^|^
            |   `--- the first of its jobs
            | note: other projects are served by `my-app` and `shop`
            | help: add an egg with `gitlab { project_id = 77 }`, or give another `--project`
        ----' flyc explain job-without-runner
        --- stderr

        checked 2 files in N ms: 1 error, 1 warning
        judged 4 jobs of the CI configuration
        note: what is included from elsewhere was not read: template: Security/SAST.gitlab-ci.yml
        note: not judged, because their tags can't be known: matrix
    "#]]);
}

#[test]
fn check_ci_tells_of_overlaps_and_of_tags_nobody_asks_for() {
    let other = SHOP
        .replace("serverless", "vm")
        .replace("server   = \"git.example.com\"\n        group_id = 789", "project_id = 1");
    let nest = nest(&[
        ("Eggs/my-app/config.fly", APP),
        ("Eggs/shop/config.fly", &other),
        (
            ".gitlab-ci.yml",
            "build:\n  tags: [docker]\n  script: make\npack:\n  tags: [docker]\n  script: make\n",
        ),
    ]);
    nest.flyc(&["check", "--ci", "."]).is(expect![[r#"
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

        warning[overlapping-eggs]: `my-app` and `shop` both claim project 1 of gitlab.com
            ,-[ Eggs/shop/config.fly:19:22 ]
         19 |         project_id = 1
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

        warning[job-with-several-eggs]: the job `build` is taken by `my-app` and `shop`
           ,-[ .gitlab-ci.yml:1:1 ]
         1 | build:
           | ^^|^^
           |   `---- which of them is open
           |
           |-[ Eggs/my-app/config.fly:1:1 ]
         1 | egg "my-app" {
           | ^^^^^^|^^^^^
           |       `------- `my-app` takes it
           |
           |-[ Eggs/shop/config.fly:1:1 ]
         1 | eggsbucket "shop" {
           | ^^^^^^^^|^^^^^^^^
           |         `---------- `shop` takes it
           | note: GitLab gives a job to the runner that asks first, so a runner of either egg may get it
           | note: the same holds for `pack`
           | help: give one of the eggs a tag of its own, and let the job ask for that
        ---' flyc explain job-with-several-eggs

        info[unreachable-tag]: no job of project 1 asks for the tag `linux`
           ,-[ Eggs/my-app/config.fly:5:23 ]
         5 |     tags = ["docker", "linux"]
           |                       ^^^|^^^
           |                          `----- asked for by nobody
           | note: `my-app` serves this project alone, and its CI configuration was read whole
           | help: remove it, or ask for it in the jobs that are meant
        ---' flyc explain unreachable-tag
        --- stderr

        checked 2 files in N ms: 3 warnings, 1 note
        judged 2 jobs of the CI configuration
    "#]]);
}

#[test]
fn check_ci_tells_what_it_can_not_read() {
    let with = |ci: &str| {
        let nest = nest(&[("Eggs/my-app/config.fly", APP), ("app/.gitlab-ci.yml", ci)]);
        let run = nest.flyc(&["check", "--ci", "app", "--output-format", "concise"]);
        format!("{}\n{}", run.code, run.stdout)
    };
    let all = [
        "build: [\n",
        "- build\n",
        "include: /missing.yml\nbuild: { tags: [docker] }\n",
        "include: ../other.yml\n",
        "include: /.gitlab-ci.yml\n",
        "include: ci/*.yml\n",
        "build: { extends: .base }\n",
        "a: { extends: b }\nb: { extends: a }\n",
        "build: { tags: [!reference [.x, tags]] }\n.x: { tags: !reference [.x, tags] }\n",
        "build: &x { tags: [docker], more: *x }\n",
        "",
    ];
    expect![[r#"
        1
        app/.gitlab-ci.yml:2:1: error[ci-unreadable] `app/.gitlab-ci.yml` is not YAML: while parsing a node, did not find expected node content
        1
        app/.gitlab-ci.yml:1:1: error[ci-unreadable] `app/.gitlab-ci.yml` holds no jobs: it is not a map
        1
        app/.gitlab-ci.yml:1:10: error[ci-unreadable] there is no file `app/missing.yml`
        1
        app/.gitlab-ci.yml:1:10: error[ci-unreadable] `../other.yml` leads out of the project
        1
        app/.gitlab-ci.yml:1:10: error[ci-unreadable] `.gitlab-ci.yml` includes itself
        1
        app/.gitlab-ci.yml:1:10: error[ci-unreadable] no file matches `ci/*.yml`
        1
        app/.gitlab-ci.yml:1:19: error[ci-unreadable] there is no job `.base` to extend
        1
        app/.gitlab-ci.yml:2:15: error[ci-unreadable] `a` extends itself
        1
        app/.gitlab-ci.yml:2:13: error[ci-unreadable] `!reference` nests deeper than 10 levels
        1
        app/.gitlab-ci.yml:1:35: error[ci-unreadable] `app/.gitlab-ci.yml` is not YAML: an anchor can't hold itself
        0
    "#]].assert_eq(&all.map(with).concat());
    fleet(&[]).flyc(&["check", "--ci", "app"]).is(expect![[r#"
        exit 2
        --- stderr
        error: there is no file `app`
        help: give the folder of a project that has a `.gitlab-ci.yml`
    "#]]);
    fleet(&[]).flyc(&["check", "--project", "1"]).is(expect![[r#"
        exit 2
        --- stderr
        error: the following required arguments were not provided:
          --ci <DIR>

        Usage: flyc check --ci <DIR> --project <ID> [PATH]...

        For more information, try '--help'.
    "#]]);
}

#[test]
fn check_ci_does_not_judge_by_eggs_with_errors() {
    let nest = nest(&[
        ("Eggs/my-app/config.fly", &APP.replace("vm", "wm")),
        ("app/.gitlab-ci.yml", "build:\n  tags: [gpu]\n"),
    ]);
    nest.flyc(&["check", "--ci", "app", "--output-format", "concise"]).is(expect![[r#"
        exit 1
        --- stdout
        Eggs/my-app/config.fly:2:10: error[unknown-value] `type` wants "vm" or "serverless", found `"wm"`
        --- stderr
        checked 1 file in N ms: 1 error
        judged 0 jobs of the CI configuration
        note: no job was judged, because of the errors in `my-app`
    "#]]);
}
