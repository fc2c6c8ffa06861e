//! Who takes a job, as the orchestrator asks: generated Nests and jobs, against a second telling of what must come out.

use std::collections::BTreeSet;

use flyc::{
    artifact::{EggConfig, JobConfig, RunnerType},
    compiler::Compiler,
    routing::Job,
};
use orchestrator::{
    domain::Time,
    nest::Routes,
    records::{EggRecord, Served},
};
use proptest::prelude::*;

use super::{cases::cases, world::settings};

const OWN: u64 = 3;

/// An egg of a project, or a job of the Nest's own.
#[allow(clippy::struct_excessive_bools, reason = "each is drawn by itself")]
#[derive(Debug, Clone)]
struct Spec {
    name: String,
    project: u64,
    serverless: bool,
    tagged: bool,
    removed: bool,
    job: bool,
}

fn specs() -> impl Strategy<Value = Vec<Spec>> {
    prop::collection::vec((1..5_u64, any::<[bool; 3]>(), 0..4_u8), 1..7).prop_map(|all| {
        let spec = |(at, (project, [serverless, tagged, removed], kind)): (usize, (u64, [bool; 3], u8))| {
            let job = kind == 0;
            let project = if job { OWN } else { project };
            let name = if job { format!("jobs/job-{at}") } else { format!("egg-{at}") };
            Spec { name, project, serverless, tagged, removed, job }
        };
        all.into_iter().enumerate().map(spec).collect()
    })
}

/// The records as a sync leaves them.
fn records(specs: &[Spec]) -> Vec<EggRecord> {
    let files = specs.iter().map(|spec| {
        let kind = if spec.serverless { "serverless" } else { "vm" };
        let tags = if spec.tagged { "tags = [\"x\"]" } else { "tags = []" };
        match spec.name.strip_prefix("jobs/") {
            Some(name) => (
                format!("Jobs/{name}.fly"),
                format!("job \"{name}\" {{\n schedule = \"0 2 * * *\"\n script = \"make\"\n runner {{\n type = \"{kind}\"\n {tags}\n }}\n}}\n"),
            ),
            None => (
                format!("Eggs/{}/config.fly", spec.name),
                format!(
                    "egg \"{}\" {{\n type = \"{kind}\"\n cloud {{\n provider = \"yandex\"\n }}\n runner {{\n {tags}\n run_untagged = {}\n }}\n gitlab {{\n server = \"gitlab.com\"\n project_id = {}\n }}\n}}\n",
                    spec.name, !spec.tagged, spec.project
                ),
            ),
        }
    });
    let compiler = Compiler::new(files.collect::<Vec<_>>());
    let build = compiler.build(&flyc::build::Options::default());
    let build =
        build.map_err(|found| found.iter().map(|one| one.message.clone()).collect::<Vec<_>>()).unwrap();
    specs
        .iter()
        .map(|spec| {
            let folder = if spec.job { spec.name.clone() } else { format!("eggs/{}", spec.name) };
            let text = &build.files[&format!("{folder}/config.json")];
            let served = if spec.job {
                Served::Job(Box::new(serde_json::from_str::<JobConfig>(text).unwrap()))
            } else {
                Served::Egg(Box::new(serde_json::from_str::<EggConfig>(text).unwrap()))
            };
            let now = Time::from_millis(1);
            EggRecord { removed: spec.removed, ..EggRecord::new(&spec.name, served, "d", "c", now) }
        })
        .collect()
}

fn routes(specs: &[Spec]) -> Routes {
    let mut nest = settings(std::path::Path::new("/"), "/nest".to_owned()).nest;
    nest.project = Some(OWN);
    Routes::of(&records(specs), &nest)
}

fn job(project_id: u64, tagged: bool, protected: bool, timeout_s: Option<u64>) -> Job {
    let tags = if tagged { vec!["x".to_owned()] } else { Vec::new() };
    Job { project_id, tags, ref_protected: protected, timeout_s, ..Job::default() }
}

proptest! {
    #![proptest_config(cases(128))]

    /// Every egg of the job's project is asked, and none of another project takes it; nothing that left the Nest does. Each of
    /// those that are asked is spoken of.
    #[test]
    fn property_9_all_eggs_of_a_project_are_candidates(specs in specs(), project in 1..5_u64, tagged: bool, protected: bool) {
        let choice = routes(&specs).choose(&job(project, tagged, protected, Some(600)));
        let here: Vec<&Spec> = specs.iter().filter(|spec| !spec.removed && spec.project == project).collect();
        let takes = |spec: &&&Spec| spec.tagged == tagged && (!spec.job || protected);
        let can: BTreeSet<&str> = here.iter().filter(takes).map(|spec| spec.name.as_str()).collect();
        prop_assert_eq!(choice.owner.is_some(), !can.is_empty(), "{:?}", choice);
        if let Some(owner) = &choice.owner {
            prop_assert!(can.contains(owner.as_str()), "{:?}", choice);
        }
        let asked: Vec<&str> = if can.is_empty() {
            here.iter().map(|spec| spec.name.as_str()).collect()
        } else {
            can.into_iter().collect()
        };
        for name in asked {
            let begin = format!("`{name}` ");
            prop_assert!(choice.reasons.iter().any(|reason| reason.starts_with(&begin)), "{}: {:?}", name, choice);
        }
        prop_assert!(!choice.reasons.is_empty());
    }

    /// A job known to need 60 minutes or more goes to a vm, or nowhere; a shorter one to something serverless where there is.
    #[test]
    fn property_10_long_jobs_go_to_vms(specs in specs(), project in 1..5_u64, minutes in 1..180_u64) {
        let choice = routes(&specs).choose(&job(project, true, true, Some(minutes * 60)));
        let takes: Vec<&Spec> =
            specs.iter().filter(|spec| !spec.removed && spec.project == project && spec.tagged).collect();
        let chosen = choice.owner.as_ref().map(|owner| specs.iter().find(|spec| spec.name == *owner).unwrap());
        if minutes >= 60 {
            prop_assert!(chosen.is_none_or(|spec| !spec.serverless), "{:?}", choice);
            prop_assert_eq!(chosen.is_some(), takes.iter().any(|spec| !spec.serverless));
        } else {
            prop_assert_eq!(chosen.is_some(), !takes.is_empty());
            prop_assert!(chosen.is_none_or(|spec| spec.serverless) || takes.iter().all(|spec| !spec.serverless));
        }
        let config = orchestrator::nest::config(&records(&specs), None, orchestrator::domain::Deadlines::default());
        for (name, egg) in &config.eggs {
            let bound = egg.runner_type == RunnerType::Serverless;
            prop_assert!(!bound || egg.lifetime.is_some_and(|most| most <= orchestrator::domain::Config::SERVERLESS), "{}", name);
        }
    }
}
