//! GitLab: the service's client and the stand-in of gitlab-runner against the fake, and the fake against a client of others.

#![allow(clippy::unwrap_used, clippy::panic, clippy::disallowed_methods, reason = "this is a test")]

#[path = "gitlab/client.rs"]
mod client;
#[path = "gitlab/hand_out.rs"]
mod hand_out;
#[path = "gitlab/hooks.rs"]
mod hooks;
#[path = "gitlab/program.rs"]
mod program;
#[path = "gitlab/python.rs"]
mod python;
#[path = "gitlab/stand_in.rs"]
mod stand_in;
#[path = "gitlab/trouble.rs"]
mod trouble;

use std::{collections::BTreeMap, time::Duration};

use orchestrator::{
    adapters::gitlab::{GitLabClient, Patience},
    ports::{
        gitlab::{Access, NewRunner, Place},
        secrets::Secret,
    },
};
use polar_gosling_tests::doubles::gitlab::FakeGitLab;

/// The server's name in the Nest.
const HOST: &str = "gitlab.example.com";

/// A client that reaches the fake under a name, and gives up soon.
fn client(fake: &FakeGitLab) -> GitLabClient {
    let servers = BTreeMap::from([(HOST.to_owned(), fake.url().parse().unwrap())]);
    let pause = Duration::from_millis(1);
    GitLabClient::new(servers, Patience { pause, ..Patience::default() }).unwrap()
}

fn access(token: &str) -> Access {
    Access { server: HOST.to_owned(), token: Secret::new(token) }
}

fn runner(place: Place, tags: &[&str]) -> NewRunner {
    NewRunner {
        place,
        description: "web".to_owned(),
        maintenance_note: "gosling: web".to_owned(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        run_untagged: false,
        protected: false,
        maximum_timeout: Some(Duration::from_hours(1)),
    }
}
