//! Which egg takes a job: Nests as texts through the compiler and the routing rule, against a second telling of the rule
//! that knows nothing but what was written.

use std::{collections::BTreeSet, fmt::Write};

use flyc::{
    artifact::{EggConfig, Provider, RunnerType},
    compiler::Compiler,
    pipeline,
    routing::{
        Candidate, Decision, Fleet, Job, Reason, Via,
        event::{self, Event},
    },
};
use proptest::{collection::vec, prelude::*, sample::select};

use super::{cases, project::Project};

const TAGS: [&str; 4] = ["docker", "linux", "gpu", "arm"];
const SERVERS: [&str; 2] = ["git.example.com", "gitlab.com"];

/// What a repository names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Project(u64),
    Group(u64),
}

/// A repository as it is written.
#[derive(Debug, Clone, Copy)]
struct Repo {
    server: &'static str,
    names: Names,
}

/// An egg, or a bucket, as it is written.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "these are independent switches")]
struct Spec {
    name: String,
    serverless: bool,
    aws: bool,
    cpu: u32,
    tags: BTreeSet<&'static str>,
    run_untagged: bool,
    protected: bool,
    /// One for an egg.
    repos: Vec<Repo>,
    bucket: bool,
}

fn tags() -> impl Strategy<Value = BTreeSet<&'static str>> {
    prop::collection::btree_set(select(TAGS.to_vec()), 0..4)
}

fn repo() -> impl Strategy<Value = Repo> {
    let names = prop_oneof![2 => (1..5_u64).prop_map(Names::Project), 1 => (1..4_u64).prop_map(Names::Group)];
    (select(SERVERS.to_vec()), names).prop_map(|(server, names)| Repo { server, names })
}

fn spec(buckets: bool) -> impl Strategy<Value = Spec> {
    (any::<[bool; 5]>(), 1..16_u32, tags(), vec(repo(), 1..5)).prop_map(
        move |([serverless, aws, run_untagged, protected, bucket], cpu, tags, mut repos)| {
            let bucket = bucket || buckets;
            repos.truncate(if bucket { 5 } else { 1 });
            Spec { name: String::new(), serverless, aws, cpu, tags, run_untagged, protected, repos, bucket }
        },
    )
}

fn named(mut specs: Vec<Spec>) -> Vec<Spec> {
    for (at, spec) in specs.iter_mut().enumerate() {
        spec.name = format!("egg-{at}");
    }
    specs
}

fn nest() -> impl Strategy<Value = Vec<Spec>> {
    vec(spec(false), 1..7).prop_map(named)
}

fn job() -> impl Strategy<Value = Job> {
    let server = select(vec![None, Some(SERVERS[0]), Some(SERVERS[1]), Some("10.0.0.7:3005")]);
    let timeout = select(vec![None, Some(60), Some(3599), Some(3600), Some(3601), Some(7200)]);
    let groups = prop::collection::btree_set(1..4_u64, 0..3);
    (1..5_u64, groups, tags(), any::<bool>(), server, timeout).prop_map(
        |(project_id, groups, tags, ref_protected, server, timeout_s)| Job {
            name: "job".to_owned(),
            server: server.map(str::to_owned),
            project_id,
            groups: groups.into_iter().collect(),
            tags: tags.into_iter().map(str::to_owned).collect(),
            ref_protected,
            timeout_s,
        },
    )
}

fn gitlab(repo: Repo) -> String {
    let names = match repo.names {
        Names::Project(id) => format!("project_id = {id}"),
        Names::Group(id) => format!("group_id = {id}"),
    };
    format!("gitlab {{\n server = \"{}\"\n {names}\n}}\n", repo.server)
}

/// The egg as Fly text.
fn written(spec: &Spec) -> String {
    let keyword = if spec.bucket { "eggsbucket" } else { "egg" };
    let kind = if spec.serverless { "serverless" } else { "vm" };
    let provider = if spec.aws { "aws" } else { "yandex" };
    let tags: Vec<String> = spec.tags.iter().map(|tag| format!("\"{tag}\"")).collect();
    let mut text = format!(
        "{keyword} \"{}\" {{\ntype = \"{kind}\"\ncloud {{\n provider = \"{provider}\"\n}}\nresources {{\n cpu = {}\n}}\n\
         runner {{\n tags = [{}]\n run_untagged = {}\n protected = {}\n}}\n",
        spec.name,
        spec.cpu,
        tags.join(", "),
        spec.run_untagged,
        spec.protected
    );
    if spec.bucket {
        text.push_str("repositories {\n");
        for (at, repo) in spec.repos.iter().enumerate() {
            writeln!(text, "repo \"r{at}\" {{\n{}}}", gitlab(*repo)).unwrap();
        }
        text.push_str("}\n}\n");
    } else {
        writeln!(text, "{}}}", gitlab(spec.repos[0])).unwrap();
    }
    text
}

fn compiler(specs: &[Spec]) -> Compiler {
    Compiler::new(specs.iter().map(|spec| (format!("Eggs/{}/config.fly", spec.name), written(spec))))
}

fn configs(compiler: &Compiler, specs: &[Spec]) -> Vec<EggConfig> {
    let eggs = compiler.egg_configs();
    let configs: Vec<EggConfig> = eggs.iter().filter_map(|egg| Some(egg.resolved?.config.clone())).collect();
    assert_eq!(configs.len(), specs.len(), "{:?}", compiler.check());
    configs
}

/// What the compiler makes of a Nest, asked for a job.
fn routed<T>(specs: &[Spec], job: &Job, with: impl FnOnce(&Decision<'_>) -> T) -> T {
    let compiler = compiler(specs);
    let configs = configs(&compiler, specs);
    let server = compiler.nest_project().server;
    with(&Fleet::new(&configs, Some(&server)).decide(job))
}

/// Text made of what YAML and CI configurations are made of.
fn any_yaml() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "\n",
        "\n  ",
        "\n    ",
        " ",
        ": ",
        "- ",
        ", ",
        "[",
        "]",
        "{ ",
        " }",
        "&a ",
        "*a",
        "<<: ",
        "!reference ",
        "!x ",
        "|\n",
        ">-\n",
        "'",
        "\"",
        "\\",
        "#",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "? ",
        "a",
        "b",
        ".a",
        "é🦊",
        "\t",
        "\r\n",
        "tags",
        "extends",
        "default",
        "include",
        "local",
        "timeout",
        "1h 30m",
        "$X",
        "inherit",
        "false",
        "~",
        "\u{feff}",
        "\u{85}",
    ]);
    prop_oneof![
        3 => vec(pieces, 0..60).prop_map(|pieces| pieces.concat()),
        1 => "\\PC{0,60}",
        1 => vec(select(vec!["a: ", "  ", "tags: [a, b]\n", "extends: a\n", "\n", "b:\n", "  <<: *a\n", "a: &a\n"]), 0..30)
            .prop_map(|pieces| pieces.concat()),
    ]
}

/// The repositories of an egg that a job belongs to, by their places, the project before groups.
fn repositories(specs: &[Spec], spec: &Spec, job: &Job) -> Vec<usize> {
    let named = |server: &str| {
        server == "gitlab.com" || specs.iter().flat_map(|spec| &spec.repos).any(|repo| repo.server == server)
    };
    let on_server = |repo: &Repo| match &job.server {
        Some(server) if named(server) => repo.server == server.as_str(),
        _ => true,
    };
    let is_project = |repo: &Repo| repo.names == Names::Project(job.project_id);
    let is_group = |repo: &Repo| job.groups.iter().any(|group| repo.names == Names::Group(*group));
    let all = |wanted: &dyn Fn(&Repo) -> bool| -> Vec<usize> {
        (0..spec.repos.len()).filter(|at| on_server(&spec.repos[*at]) && wanted(&spec.repos[*at])).collect()
    };
    let mut found = all(&is_project);
    found.extend(all(&is_group));
    found
}

/// Whether an egg takes a job, told once more.
fn takes(specs: &[Spec], spec: &Spec, job: &Job) -> bool {
    let tags: BTreeSet<&str> = job.tags.iter().map(String::as_str).collect();
    let too_long = spec.serverless && matches!(job.timeout_s, Some(seconds) if seconds >= 3600);
    let protected = !spec.protected || job.ref_protected;
    let tagged = spec.run_untagged || !tags.is_empty();
    !repositories(specs, spec, job).is_empty()
        && protected
        && tagged
        && tags.is_subset(&spec.tags)
        && !too_long
}

fn is_elsewhere(reason: &Reason) -> bool {
    match reason {
        Reason::OtherServer { .. } | Reason::OtherProject { .. } | Reason::UnknownGroup { .. } => true,
        Reason::Protected | Reason::Untagged | Reason::MissingTags(_) | Reason::TooLong { .. } => false,
    }
}

proptest! {
    #![proptest_config(cases(256))]

    /// A real hook, read as GitLab sends it, is matched to all eggs that serve its project and to no other.
    #[test]
    fn property_9_events_match_the_eggs_of_their_project(specs in nest(), project in 1..5_u64, own in any::<bool>()) {
        let host = if own { SERVERS[0] } else { "10.0.0.7:3005" };
        let hook = serde_json::json!({
            "object_kind": "build", "build_id": 7, "build_name": "test", "build_status": "pending", "project_id": project,
            "repository": { "homepage": format!("http://{host}/a/b") }, "unknown": [1, 2],
        });
        let Ok(Event::Jobs(jobs)) = event::parse(&hook.to_string()) else { panic!("a job hook") };
        let job = Job { project_id: jobs.project_id, server: jobs.server, ..Job::default() };
        let wanted: BTreeSet<&str> = specs
            .iter()
            .filter(|spec| !repositories(&specs, spec, &job).is_empty())
            .map(|spec| spec.name.as_str())
            .collect();
        routed(&specs, &job, |decision| {
            let matched = decision.candidates.iter().map(|one| one.egg.name.as_str());
            let refused = decision.rejected.iter().filter(|one| !one.reasons.iter().any(is_elsewhere));
            let found: BTreeSet<&str> = matched.chain(refused.map(|one| one.egg.name.as_str())).collect();
            prop_assert_eq!(found, wanted);
            Ok(())
        })?;
    }

    /// Serverless for jobs under 60 minutes, vms for longer ones.
    #[test]
    fn property_10_runner_type_follows_the_timeout(specs in nest(), job in job()) {
        routed(&specs, &job, |decision| {
            let long = matches!(job.timeout_s, Some(seconds) if seconds >= 3600);
            let short = matches!(job.timeout_s, Some(seconds) if seconds < 3600);
            for one in &decision.candidates {
                prop_assert!(!long || one.egg.runner_type == RunnerType::Vm);
            }
            for one in &decision.rejected {
                let told = one.reasons.iter().any(|reason| matches!(reason, Reason::TooLong { .. }));
                prop_assert_eq!(told, long && one.egg.runner_type == RunnerType::Serverless);
            }
            if let Some(chosen) = decision.chosen() {
                let wanted = if short { RunnerType::Serverless } else { RunnerType::Vm };
                // Of the eggs that name the job in the same way, one of the wanted type is chosen when there is one.
                let is_group = |one: &&Candidate<'_>| matches!(one.via, Via::Group(_));
                let same = |one: &&Candidate<'_>| is_group(one) == is_group(&chosen);
                let any = decision.candidates.iter().filter(same).any(|one| one.egg.runner_type == wanted);
                prop_assert!(!any || chosen.egg.runner_type == wanted);
            }
            Ok(())
        })?;
    }

    /// A job gets a runner with all of its tags whenever there is one, and a word about each egg otherwise.
    #[test]
    fn property_27_jobs_get_runners_with_all_their_tags(specs in nest(), job in job()) {
        let wanted: BTreeSet<&str> =
            specs.iter().filter(|spec| takes(&specs, spec, &job)).map(|spec| spec.name.as_str()).collect();
        routed(&specs, &job, |decision| {
            let found: BTreeSet<&str> = decision.candidates.iter().map(|one| one.egg.name.as_str()).collect();
            prop_assert_eq!(&found, &wanted);
            prop_assert_eq!(decision.chosen().is_some(), !wanted.is_empty());
            for one in &decision.candidates {
                prop_assert!(job.tags.iter().all(|tag| one.egg.runner.tags.contains(tag)));
            }
            prop_assert_eq!(decision.candidates.len() + decision.rejected.len(), specs.len());
            for one in &decision.rejected {
                prop_assert!(!one.reasons.is_empty());
                let spec = specs.iter().find(|spec| spec.name == one.egg.name).unwrap();
                let missing: Vec<&String> =
                    job.tags.iter().filter(|tag| !spec.tags.contains(tag.as_str())).collect();
                let told: Vec<&String> = one
                    .reasons
                    .iter()
                    .flat_map(|reason| match reason {
                        Reason::MissingTags(tags) => tags.iter().collect(),
                        _ => Vec::new(),
                    })
                    .collect();
                prop_assert_eq!(told, missing);
            }
            Ok(())
        })?;
    }

    /// An event of one repository of a bucket concerns that repository and no other.
    #[test]
    fn property_41_events_of_a_bucket_stay_in_their_repository(spec in spec(true), mut job in job()) {
        let mut specs = named(vec![spec]);
        // What is asked here is the repository alone.
        specs[0].run_untagged = true;
        specs[0].protected = false;
        specs[0].serverless = false;
        job.tags.clear();
        let wanted = repositories(&specs, &specs[0], &job);
        routed(&specs, &job, |decision| {
            match (wanted.first(), decision.chosen()) {
                (None, None) => {}
                (Some(at), Some(chosen)) => {
                    let name = format!("r{at}");
                    prop_assert_eq!(chosen.repository.name.as_deref(), Some(name.as_str()));
                    let repo = specs[0].repos[*at];
                    let id = chosen.repository.project_id.map(Names::Project);
                    prop_assert_eq!(id.or(chosen.repository.group_id.map(Names::Group)), Some(repo.names));
                    prop_assert_eq!(&chosen.repository.server, repo.server);
                }
                other => prop_assert!(false, "{other:?}"),
            }
            Ok(())
        })?;
    }

    /// Whichever repository of a bucket an event comes from, the runner is the same.
    #[test]
    fn property_42_repositories_of_a_bucket_share_their_runners(spec in spec(true)) {
        let mut specs = named(vec![spec]);
        specs[0].run_untagged = true;
        let spec = &specs[0];
        let mut seen = Vec::new();
        for repo in &spec.repos {
            let (project_id, groups) = match repo.names {
                Names::Project(id) => (id, Vec::new()),
                Names::Group(id) => (1000, vec![id]),
            };
            let server = Some(repo.server.to_owned());
            let job = Job { project_id, groups, server, ref_protected: true, ..Job::default() };
            seen.push(routed(&specs, &job, |decision| {
                let egg = decision.chosen().expect("the bucket serves its own repositories").egg;
                (egg.runner_type, egg.resources, egg.cloud.clone())
            }));
        }
        for (runner_type, resources, cloud) in &seen {
            prop_assert_eq!(*runner_type == RunnerType::Serverless, spec.serverless);
            prop_assert_eq!(resources.cpu, spec.cpu);
            prop_assert_eq!(cloud.provider == Provider::Aws, spec.aws);
        }
        prop_assert!(seen.windows(2).all(|two| two[0] == two[1]));
    }

    /// Whatever stands in a payload or a CI configuration, it is read or told, and every place lies in its text.
    #[test]
    fn property_no_panic_payloads_and_pipelines(text in any_yaml(), cut in any::<prop::sample::Index>()) {
        let hook = include_str!("../cli/events/pipeline.json");
        let (head, tail) = hook.split_at(cut.index(hook.len()));
        for text in [text.as_str(), head, &format!("{head}null{tail}"), &format!("{head}{text}{tail}")] {
            let _ = event::parse(text);
        }
        let read = pipeline::read(pipeline::MAIN, &Project(vec![(pipeline::MAIN.to_owned(), text.clone())]));
        let jobs = read.jobs.iter().flat_map(|job| {
            let tags = job.tags.iter().flatten().map(|tag| &tag.span);
            tags.chain(&job.tags_span).chain([&job.span])
        });
        for span in jobs.chain(read.diagnostics.iter().map(|found| &found.span)) {
            prop_assert!(text.get(std::ops::Range::<usize>::from(span.range)).is_some(), "{span:?}");
        }
    }

    /// The order of the eggs, of their tags' owners and of a bucket's repositories means nothing.
    #[test]
    fn property_routing_ignores_every_order(specs in nest(), job in job(), turn in 0..7_usize) {
        let told = |decision: &Decision<'_>| {
            let candidates = decision.candidates.iter().map(|one| {
                (one.egg.name.clone(), one.repository.project_id, one.repository.group_id, one.via)
            });
            let rejected =
                decision.rejected.iter().map(|one| (one.egg.name.clone(), one.reasons.clone())).collect::<Vec<_>>();
            (candidates.collect::<Vec<_>>(), rejected, decision.notes.clone())
        };
        let compiler = compiler(&specs);
        let mut configs = configs(&compiler, &specs);
        let before = told(&Fleet::new(&configs, None).decide(&job));
        let at = turn % configs.len();
        configs.rotate_left(at);
        configs.reverse();
        for config in &mut configs {
            config.repositories.reverse();
        }
        let after = told(&Fleet::new(&configs, None).decide(&job));
        prop_assert_eq!(before, after);
    }
}
