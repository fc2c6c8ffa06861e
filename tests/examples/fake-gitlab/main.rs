//! `fake-gitlab`: the fake GitLab of the tests as a program, for the demo. It prints its address and serves until it is
//! ended. Jobs are queued and looked at under `/fake/`: `POST /fake/jobs {"project": 1, "name": "test", "tags": ["a"]}`.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a program for people to try")]

use std::io::Write;

use clap::Parser;
use polar_gosling_tests::doubles::gitlab::FakeGitLab;

/// A fake GitLab.
#[derive(Debug, Parser)]
#[command(name = "fake-gitlab")]
struct Arguments {
    /// Where to listen; with the port 0 any free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: String,
    /// An access token of an owner; any number of them.
    #[arg(long)]
    token: Vec<String>,
    /// A project, as `ID=PATH` or `ID=PATH@GROUP`; any number of them.
    #[arg(long, value_parser = project)]
    project: Vec<(u64, String, Option<u64>)>,
    /// A group, as `ID=PATH`; any number of them.
    #[arg(long, value_parser = group)]
    group: Vec<(u64, String)>,
}

fn group(text: &str) -> Result<(u64, String), String> {
    let (id, path) = text.split_once('=').ok_or("write it as ID=PATH")?;
    Ok((id.parse().map_err(|_| format!("`{id}` is no id"))?, path.to_owned()))
}

fn project(text: &str) -> Result<(u64, String, Option<u64>), String> {
    let (id, path) = group(text)?;
    match path.split_once('@') {
        Some((path, of)) => {
            let of = of.parse().map_err(|_| format!("`{of}` is no id of a group"))?;
            Ok((id, path.to_owned(), Some(of)))
        }
        None => Ok((id, path, None)),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let fake = FakeGitLab::start_at(&arguments.listen);
    fake.change(|world| {
        for (id, path) in &arguments.group {
            world.add_group(*id, path, None);
        }
        for (id, path, group) in &arguments.project {
            world.add_project(*id, path, *group);
        }
        for token in &arguments.token {
            world.add_token(token, &["api"], 50);
        }
    });
    println!("{}", fake.url());
    std::io::stdout().flush()?;
    let mut terminated = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        ended = tokio::signal::ctrl_c() => ended,
        _ = terminated.recv() => Ok(()),
    }
}
