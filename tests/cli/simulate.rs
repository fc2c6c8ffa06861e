//! `flyc simulate`. The events are GitLab's own examples.

use expect_test::expect;

use super::fleet;

const PIPELINE: &str = include_str!("events/pipeline.json");
const BUILD: &str = include_str!("events/build.json");
const PUSH: &str = include_str!("events/push.json");
const MERGE_REQUEST: &str = include_str!("events/merge_request.json");

const OWN: &str = "nest {\n  gitlab {\n    project_id = 15\n    branch     = \"master\"\n  }\n}\n";

#[test]
fn simulate_answers_for_every_job_of_a_pipeline() {
    let nest = fleet(&[("event.json", PIPELINE)]);
    let run = nest.flyc(&["simulate", "event.json", "--tags", "docker", "--job", "production=gpu,docker"]);
    run.is(expect![[r#"
        exit 1
        --- stdout
        job production (#380, stage deploy): skipped, needs no runner any more
          asks for  the tags `gpu` and `docker`
          egg       none takes it
          not       my-app: the job asks for the tag `gpu`, which its runners don't have
          not       shop: takes jobs of protected branches and tags only

        job test-image (#377, stage test): success, needs no runner any more
          asks for  the tags `docker`
          egg       my-app
          runner    vm on yandex ru-central1-a: 2 CPUs, 4GiB of memory, 20GiB of disk
          why       serves project 1; has `docker`
          not       shop: takes jobs of protected branches and tags only

        job test-build (#378, stage test): success, needs no runner any more
          asks for  the tags `docker`
          egg       my-app
          runner    vm on yandex ru-central1-a: 2 CPUs, 4GiB of memory, 20GiB of disk
          why       serves project 1; has `docker`
          not       shop: takes jobs of protected branches and tags only

        job build-image (#376, stage build): success, needs no runner any more
          asks for  the tags `docker`
          egg       my-app
          runner    vm on yandex ru-central1-a: 2 CPUs, 4GiB of memory, 20GiB of disk
          why       serves project 1; has `docker`
          not       shop: takes jobs of protected branches and tags only

        job staging (#379, stage deploy): created, will need a runner
          asks for  the tags `docker`
          egg       my-app
          runner    vm on yandex ru-central1-a: 2 CPUs, 4GiB of memory, 20GiB of disk
          why       serves project 1; has `docker`
          not       shop: takes jobs of protected branches and tags only

        note: the Nest names no server `192.168.64.1:3005`, so servers are not compared
        note: the job's timeout is not known; GitLab's default, 1h, counts

        4 of 5 jobs of project 1 served
    "#]]);
}

#[test]
fn simulate_of_a_job_hook_from_standard_input() {
    let run =
        fleet(&[]).flyc_with(&["simulate", "-", "--group", "789", "--protected", "--timeout", "20m"], BUILD);
    run.is(expect![[r#"
        exit 0
        --- stdout
        job test (#1977, stage test): created, will need a runner
          asks for  no tags, as far as is known; --tags, --job or --ci tells them
          bucket    shop, repository all
          runner    serverless on yandex ru-central1-a: 2 CPUs, 4GiB of memory, 10GiB of disk
          why       serves group 789, which project 380 is in; takes jobs without tags; 20m at most
          note      the Nest names no server `192.168.64.1:3005`, so servers are not compared
          not       my-app: serves project 1, not 380; takes no jobs without tags

        1 of 1 job of project 380 served
    "#]]);
}

#[test]
fn simulate_takes_tags_and_timeouts_from_the_ci_configuration() {
    let ci = "test:\n  tags: [docker]\n  timeout: 1h 30m\n  script: make\n";
    let nest = fleet(&[
        ("event.json", &BUILD.replace("\"project_id\": 380", "\"project_id\": 1")),
        ("app/.gitlab-ci.yml", ci),
    ]);
    let run = nest.flyc(&["simulate", "event.json", "--ci", "app", "--protected"]);
    run.is(expect![[r#"
        exit 0
        --- stdout
        job test (#1977, stage test): created, will need a runner
          asks for  the tags `docker`
          egg       my-app
          runner    vm on yandex ru-central1-a: 2 CPUs, 4GiB of memory, 20GiB of disk
          why       serves project 1; has `docker`; 1h30m at most
          note      the Nest names no server `192.168.64.1:3005`, so servers are not compared
          not       shop: lives 1h at most, so it takes shorter jobs; this one may take 1h30m

        1 of 1 job of project 1 served
    "#]]);
}

#[test]
fn simulate_says_when_the_ci_configuration_does_not_tell_the_tags() {
    let ci = "staging: { tags: [docker] }\nproduction: { tags: [$WHERE] }\n";
    let nest = fleet(&[("event.json", PIPELINE), ("app/.gitlab-ci.yml", ci)]);
    let run = nest.flyc(&["simulate", "event.json", "--ci", "app", "--job", "test-build=docker"]);
    let told: Vec<&str> =
        run.stdout.lines().filter(|line| line.contains("asks for  ") || line.contains("the CI")).collect();
    expect![[r#"
          asks for  no tags, as far as is known; --tags, --job or --ci tells them
          asks for  no tags, as far as is known; --tags, --job or --ci tells them
          asks for  the tags `docker`
          asks for  no tags, as far as is known; --tags, --job or --ci tells them
          asks for  the tags `docker`
        note: the CI configuration does not tell the tags of `production`
        note: the CI configuration does not tell the tags of `test-image`
        note: the CI configuration does not tell the tags of `build-image`"#]]
    .assert_eq(&told.join("\n"));
}

#[test]
fn simulate_prints_json_of_a_fixed_shape() {
    let job = r#"{"id": 8, "name": "build", "status": "pending", "stage": "test", "ref": "main", "tag_list": ["gpu"],
        "web_url": "https://gitlab.com/a/b/-/jobs/8", "pipeline": {"id": 6, "project_id": 1}}"#;
    let nest = fleet(&[("Eggs/broken/config.fly", "egg \"broken\" {\n  type = \"wm\"\n}\n")]);
    let run = nest.flyc_with(&["simulate", "-", "--output-format", "json", "--protected"], job);
    run.is(expect![[r#"
        exit 0
        --- stdout
        {
          "event": {
            "kind": "job",
            "project_id": 1,
            "server": "gitlab.com",
            "ref": "main",
            "pipeline_id": 6
          },
          "jobs": [
            {
              "id": 8,
              "name": "build",
              "stage": "test",
              "status": "pending",
              "needs_runner": true,
              "tags": [
                "gpu"
              ],
              "tags_from": "event",
              "protected": true,
              "timeout_s": null,
              "chosen": {
                "egg": "shop",
                "kind": "bucket",
                "repository": "api",
                "via": "project",
                "runner_type": "serverless",
                "cloud": "yandex",
                "region": "ru-central1-a",
                "zone": "ru-central1-a",
                "resources": {
                  "cpu": 2,
                  "memory_mib": 4096,
                  "disk_gib": 10
                }
              },
              "candidates": [
                "shop"
              ],
              "rejected": [
                {
                  "egg": "my-app",
                  "repository": null,
                  "reasons": [
                    {
                      "id": "missing-tags",
                      "text": "the job asks for the tag `gpu`, which its runners don't have"
                    }
                  ]
                }
              ],
              "notes": [
                {
                  "id": "timeout-unknown",
                  "text": "the job's timeout is not known; GitLab's default, 1h, counts"
                }
              ]
            }
          ],
          "unresolved": [
            "broken"
          ],
          "notes": [
            "the Nest has 2 errors, so its eggs may be others than meant; `flyc check` shows them"
          ],
          "served": true
        }
    "#]]);
}

#[test]
fn simulate_of_events_that_deploy_nothing() {
    let nest = fleet(&[("nest.fly", OWN), ("mr.json", MERGE_REQUEST)]);
    nest.flyc_with(&["simulate", "-"], PUSH).is(expect![[r#"
        exit 0
        --- stdout
        note: a push deploys nothing by itself; the jobs of its pipeline do
        note: this is a push to the Nest's own branch: the orchestrator reads the Nest anew
    "#]]);
    nest.flyc_with(&["simulate", "-"], &PUSH.replace("heads/master", "heads/topic")).is(expect![[r#"
        exit 0
        --- stdout
        note: a push deploys nothing by itself; the jobs of its pipeline do
        note: this is no push to the Nest's own branch, so the Nest stays as it is
    "#]]);
    nest.flyc(&["simulate", "mr.json"]).is(expect![[r#"
        exit 0
        --- stdout
        note: a merge request deploys nothing by itself; the jobs of its pipeline do
    "#]]);
    fleet(&[]).flyc_with(&["simulate", "-"], PUSH).is(expect![[r#"
        exit 0
        --- stdout
        note: a push deploys nothing by itself; the jobs of its pipeline do
        note: a push to the Nest's own project makes the orchestrator read it anew; which project that is stands in `nest { gitlab { project_id = … } }`, and this Nest doesn't tell
    "#]]);
}

#[test]
fn simulate_tells_what_is_wrong_with_an_event() {
    let nest = fleet(&[]);
    let said = |input: &str| {
        let run = nest.flyc_with(&["simulate", "-"], input);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{input}");
        run.stderr
    };
    let all = [
        "{ no json",
        "[]",
        "{}",
        r#"{"object_kind": "pieline"}"#,
        r#"{"object_kind": "wiki_page"}"#,
        r#"{"object_kind": "build", "build_id": 1}"#,
        r#"{"object_kind": "build", "build_id": "one"}"#,
        r#"{"object_kind": "pipeline", "object_attributes": {}, "project": {"id": 1}, "builds": [{"id": 1}]}"#,
    ];
    expect![[r#"
        error: the event is not JSON: key must be a string at line 1 column 3
        help: give the body of the webhook, and nothing else
        error: an event is a JSON object, found a list
        help: give the body of a webhook, or one job as `GET /projects/:id/jobs/:job_id` answers it
        error: the event lacks `object_kind`, and is no job of the API either: it lacks `pipeline`
        help: give the body of a webhook, or one job as `GET /projects/:id/jobs/:job_id` answers it
        error: events of kind `pieline` have nothing to do with runners
        help: did you mean `pipeline`?
        error: events of kind `wiki_page` have nothing to do with runners
        help: those that do are build, pipeline, push, tag_push, merge_request
        error: this job hook: missing field `build_name`
        help: GitLab's documentation of webhook events shows the whole of it
        error: `build_id` of this job hook: found string "one", expected a whole number
        help: GitLab's documentation of webhook events shows the whole of it
        error: `builds[0]` of this pipeline hook: missing field `name`
        help: GitLab's documentation of webhook events shows the whole of it
    "#]]
    .assert_eq(&all.map(said).concat());
    let run = nest.flyc_with(&["simulate", "-", "--job", "tset=docker"], BUILD);
    run.is(expect![[r#"
        exit 2
        --- stderr
        error: this event has no job `tset`
        help: it has test
    "#]]);
}

#[test]
fn simulate_reads_no_more_than_an_event_can_be() {
    let nest = fleet(&[]);
    let file = std::fs::File::create(nest.path("huge.json")).expect("the file can be made");
    // It takes no room on the disk.
    file.set_len(1 << 30).expect("the file can be long");
    nest.flyc(&["simulate", "huge.json"]).is(expect![[r#"
        exit 2
        --- stderr
        error: `huge.json` is larger than 16 MiB
        help: give the JSON of one GitLab event, as the webhook got it
    "#]]);
    nest.flyc(&["simulate", "missing.json"]).is(expect![[r#"
        exit 2
        --- stderr
        error: `missing.json` can't be read: No such file or directory (os error 2)
    "#]]);
    nest.flyc(&["simulate", "Eggs"]).is(expect![[r#"
        exit 2
        --- stderr
        error: `Eggs` can't be read: it is a folder
        help: give the JSON of one GitLab event, as the webhook got it
    "#]]);
}

#[test]
fn eggs_of_other_projects_are_counted_when_they_are_many() {
    let eggs: Vec<(String, String)> = (1..=20)
        .map(|at| {
            let text = format!(
                "egg \"e{at:02}\" {{\n  type = \"vm\"\n\n  runner {{\n    tags = [\"docker\"]\n  }}\n\n  gitlab {{\n    project_id = {at}\n  }}\n}}\n"
            );
            (format!("Eggs/e{at:02}/config.fly"), text)
        })
        .collect();
    let mut files: Vec<(&str, &str)> =
        eggs.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    files.push(("event.json", BUILD_OF_3));
    let nest = super::super::harness::nest(&files);
    let run = nest.flyc(&["simulate", "event.json", "--tags", "docker"]);
    run.is(expect![[r#"
        exit 0
        --- stdout
        job test (#7): pending, waits for a runner
          asks for  the tags `docker`
          egg       e03
          runner    vm on yandex ru-central1-a: 2 CPUs, 4GiB of memory, 20GiB of disk
          why       serves project 3; has `docker`
          note      the job's timeout is not known; GitLab's default, 1h, counts
          not       e01: serves project 1, not 3
          not       e02: serves project 2, not 3
          not       e04: serves project 4, not 3
          not       e05: serves project 5, not 3
          not       e06: serves project 6, not 3
          not       14 more eggs, which serve other projects

        1 of 1 job of project 3 served
    "#]]);
}

const BUILD_OF_3: &str = r#"{ "object_kind": "build", "build_id": 7, "build_name": "test", "build_status": "pending", "project_id": 3 }"#;
