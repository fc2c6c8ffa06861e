//! A runner's settings, and what is refused.

use flyc::artifact::{Executor, Runner};

use super::*;
use crate::wire::runner::Registration;

fn runner(executor: Executor) -> Runner {
    Runner {
        tags: vec!["docs".into()],
        concurrent: 5,
        idle_timeout_s: 600,
        timeout_s: 3600,
        run_untagged: false,
        protected: false,
        executor,
        image: "debian:12-slim".into(),
        privileged: true,
        ephemeral: false,
    }
}

fn answer() -> TicketAnswer {
    let registration = |runner, name: Option<&str>| Registration {
        url: "https://gitlab.example.com".into(),
        runner,
        token: format!("glrt-{runner}"),
        name: name.map(str::to_owned),
    };
    TicketAnswer {
        credential: "c".into(),
        registrations: vec![registration(7, None), registration(8, Some("api"))],
        environment: BTreeMap::from([("A".into(), "quo\"te = [x]\nline".into())]),
        revision: 1,
    }
}

#[test]
fn one_section_a_registration() {
    let text = render("docs-1", &runner(Executor::Docker), &answer()).unwrap();
    let read: toml::Table = text.parse().unwrap();
    assert_eq!(read["concurrent"].as_integer(), Some(1));
    let sections = read["runners"].as_array().unwrap();
    assert_eq!(sections.len(), 2);
    assert_eq!(sections[0]["name"].as_str(), Some("docs-1"));
    assert_eq!(sections[1]["name"].as_str(), Some("docs-1 api"));
    assert_eq!(sections[1]["token"].as_str(), Some("glrt-8"));
    assert_eq!(sections[0]["environment"][0].as_str(), Some("A=quo\"te = [x]\nline"));
    assert_eq!(sections[0]["docker"]["image"].as_str(), Some("debian:12-slim"));
    assert_eq!(sections[0]["docker"]["privileged"].as_bool(), Some(true));
}

#[test]
fn a_shell_has_no_docker() {
    let text = render("docs-1", &runner(Executor::Shell), &answer()).unwrap();
    assert!(text.contains("executor = \"shell\"") && !text.contains("docker"), "{text}");
}
