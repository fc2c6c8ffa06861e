//! CI configurations as GitLab reads them.

use std::{fmt::Write, sync::Arc};

use super::{Files, MAIN, Pipeline, read};

struct Project<'a>(&'a [(&'a str, &'a str)]);

impl Files for Project<'_> {
    fn read(&self, path: &str) -> Result<Option<Arc<str>>, String> {
        Ok(self.0.iter().find(|(name, _)| *name == path).map(|(_, text)| Arc::from(*text)))
    }

    fn list(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    fn shown(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// Each job with its tags (`?` when they are not known) and its timeout.
fn jobs(pipeline: &Pipeline) -> Vec<String> {
    let told = |job: &super::PipelineJob| {
        let tags = match &job.tags {
            Some(tags) => tags.iter().map(|tag| tag.name.as_str()).collect::<Vec<_>>().join(","),
            None => "?".to_owned(),
        };
        let timeout = job.timeout_s.map(|seconds| format!(" {seconds}s")).unwrap_or_default();
        format!("{}: {tags}{timeout}", job.name)
    };
    pipeline.jobs.iter().map(told).collect()
}

fn of(text: &str) -> Vec<String> {
    let pipeline = read(MAIN, &Project(&[(MAIN, text)]));
    assert_eq!(pipeline.diagnostics, [], "{text}");
    jobs(&pipeline)
}

#[test]
fn defaults_are_inherited_unless_a_job_says_otherwise() {
    let text = "\
default: { tags: [docker], timeout: 10m }
a: { script: x }
b: { script: x, tags: [gpu], timeout: 2 hours }
c: { script: x, tags: [] }
d: { script: x, inherit: { default: false } }
e: { script: x, inherit: { default: [tags] } }
f: { script: x, inherit: { default: [image] } }
";
    assert_eq!(of(text), ["a: docker 600s", "b: gpu 7200s", "c:  600s", "d: ", "e: docker", "f: "]);
}

#[test]
fn extends_merges_in_order_and_over_several_steps() {
    let text = "\
.one: { tags: [one], timeout: 1m }
.two: { extends: .one, tags: [two] }
.three: { timeout: 3m }
a: { extends: .two }
b: { extends: [.two, .three] }
c: { extends: [.three, .two], tags: [own] }
";
    assert_eq!(of(text), ["a: two 60s", "b: two 180s", "c: own 60s"]);
}

#[test]
fn anchors_merge_keys_and_references() {
    let text = "\
.shared: &shared
  tags: &tags [docker, linux]
  timeout: 5m
a:
  <<: *shared
  timeout: 6m
b:
  tags: *tags
c:
  tags:
    - !reference [.shared, tags]
    - gpu
d:
  extends: .shared
  tags: !reference [c, tags]
e:
  <<: [{ tags: [first] }, *shared]
";
    assert_eq!(
        of(text),
        [
            "a: docker,linux 360s",
            "b: docker,linux",
            "c: docker,linux,gpu",
            "d: docker,linux,gpu 300s",
            "e: first 300s"
        ]
    );
}

#[test]
fn what_is_no_job_is_none() {
    let text = "\
spec: { inputs: {} }
---
stages: [a]
variables: { X: 1 }
image: debian
workflow: { rules: [] }
.hidden: { script: x }
bridge: { trigger: other/project }
pages: { script: x }
word: text
";
    assert_eq!(of(text), ["pages: "]);
}

#[test]
fn variables_are_not_known() {
    assert_eq!(of("a: { tags: [docker, $SIZE], timeout: $T }\n"), ["a: ?"]);
}

#[test]
fn includes_come_first_and_are_merged_over() {
    let files = [
        (MAIN, "include: [ci/*.yml, { local: '/more/x.yml' }]\na: { tags: [main] }\n"),
        ("ci/one.yml", "include: /ci/deep/two.yml\na: { tags: [one], timeout: 1m }\nb: { tags: [b] }\n"),
        ("ci/deep/two.yml", "default: { tags: [deep] }\nc: { script: x }\n"),
        ("more/x.yml", "b: { timeout: 2m }\n"),
    ];
    let pipeline = read(MAIN, &Project(&files));
    assert_eq!(
        (jobs(&pipeline), pipeline.whole),
        (vec!["c: deep".into(), "a: main 60s".into(), "b: b 120s".into()], true)
    );
    let place = &pipeline.jobs[1].tags.as_ref().unwrap()[0].span;
    assert_eq!((&*place.file, &files[0].1[place.range]), (MAIN, "main"));
}

#[test]
fn what_is_kept_elsewhere_leaves_open_what_it_may_hold() {
    let text = "\
include:
  - remote: https://example.com/ci.yml
  - https://example.com/other.yml
a: { script: x }
b: { extends: .theirs }
c: { tags: [docker] }
d: { tags: !reference [.theirs, tags] }
";
    let pipeline = read(MAIN, &Project(&[(MAIN, text)]));
    assert_eq!(pipeline.diagnostics, []);
    assert_eq!(jobs(&pipeline), ["a: ?", "b: ?", "c: docker", "d: ?"]);
    assert_eq!((pipeline.whole, pipeline.elsewhere.len()), (false, 2));
}

#[test]
fn places_count_bytes_and_not_characters() {
    let text = "# čšž 🦊\n\"größe\": { tags: [\"ü\", 'x'] }\n";
    let pipeline = read(MAIN, &Project(&[(MAIN, text)]));
    let job = &pipeline.jobs[0];
    let tags: Vec<&str> = job.tags.as_ref().unwrap().iter().map(|tag| &text[tag.span.range]).collect();
    assert_eq!((&text[job.span.range], tags), ("\"größe\"", vec!["\"ü\"", "'x'"]));
}

#[test]
fn a_configuration_that_grows_without_end_is_read_all_the_same() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for at in 1..9 {
        let line = vec![format!("*a{}", at - 1); 10].join(", ");
        writeln!(text, "a{at}: &a{at} [{line}]").unwrap();
    }
    text.push_str("job: { tags: *a8 }\n");
    let pipeline = read(MAIN, &Project(&[(MAIN, &text)]));
    assert_eq!(jobs(&pipeline), ["job: ?"]);
    let deep = format!("a: {}1{}\n", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(read(MAIN, &Project(&[(MAIN, &deep)])).diagnostics.len(), 1);
}
