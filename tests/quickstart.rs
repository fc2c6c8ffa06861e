//! The quickstart, as it stands in `docs/quickstart.md`: its commands are run by a shell one after the other, from an empty
//! folder, against the fake GitLab.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests drive real programs and files"
)]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::{fs::symlink, process::CommandExt},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::Duration,
};

use polar_gosling_tests::{
    doubles::gitlab::{FakeGitLab, NewJob, Project, Status, User},
    need, tools,
};

const TOKEN: &str = "glpat-quickstart-5e0b7a913c";

/// What a command may take at most.
const PATIENCE: Duration = Duration::from_mins(3);

/// The commands of the page: a block of `sh` each, with the heading it stands under.
fn blocks() -> Vec<(String, String)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/quickstart.md");
    let text = fs::read_to_string(page).unwrap();
    let (mut heading, mut block, mut found) = (String::new(), None::<String>, Vec::new());
    for line in text.lines() {
        match (&mut block, line) {
            (None, "```sh") => block = Some(String::new()),
            (Some(_), "```") => found.push((heading.clone(), block.take().unwrap())),
            (Some(commands), line) => {
                commands.push_str(line);
                commands.push('\n');
            }
            (None, line) => {
                if let Some(title) = line.strip_prefix("## ") {
                    title.clone_into(&mut heading);
                }
            }
        }
    }
    assert!(found.len() >= 5, "{found:?}");
    found
}

/// A shell that a user types into.
struct Shell {
    process: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    said: String,
    errors: PathBuf,
}

impl Shell {
    fn open(command: &mut Command, errors: PathBuf) -> Self {
        command.stderr(fs::File::create(&errors).unwrap());
        // What it starts in the background ends with it.
        let mut process =
            command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = process.stdin.take().unwrap();
        let (say, lines) = channel();
        let stdout = process.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                if line.is_ok_and(|line| say.send(line).is_err()) {
                    return;
                }
            }
        });
        Self { process, stdin, lines, said: String::new(), errors }
    }

    /// What was said on standard error.
    fn errors(&self) -> String {
        fs::read_to_string(&self.errors).unwrap_or_default()
    }

    /// Runs commands and says what they said. One that fails is the page's mistake.
    fn run(&mut self, commands: &str) -> String {
        const END: &str = "-- that was it --";
        writeln!(self.stdin, "{commands}echo '{END}'").unwrap();
        self.stdin.flush().unwrap();
        let mut said = String::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line == END => break,
                Ok(line) => {
                    said.push_str(&line);
                    said.push('\n');
                }
                Err(RecvTimeoutError::Timeout) => {
                    panic!("not done in {PATIENCE:?}:\n{commands}\n{said}{}", self.errors())
                }
                Err(RecvTimeoutError::Disconnected) => panic!("failed:\n{commands}\n{said}{}", self.errors()),
            }
        }
        self.said.push_str(&said);
        said
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.process.wait();
    }
}

#[test]
fn the_quickstart_leads_from_an_empty_folder_to_a_job_that_runs() {
    let tofu = need!(tools::tofu());
    let place = tempfile::tempdir().unwrap();
    let (home, bin, here) = (place.path().join("home"), place.path().join("bin"), place.path().join("here"));
    for folder in [&home, &bin, &here] {
        fs::create_dir_all(folder).unwrap();
    }
    symlink(tools::gosling(), bin.join("gosling")).unwrap();
    symlink(tools::gitlab_runner(), bin.join("gitlab-runner")).unwrap();
    symlink(tofu, bin.join("tofu")).unwrap();
    fs::write(home.join("gitlab-token"), format!("{TOKEN}\n")).unwrap();
    let gitlab = FakeGitLab::start();
    gitlab.change(|world| {
        let scopes = ["api", "create_runner", "manage_runner"].map(str::to_owned).into();
        world.users.insert(TOKEN.to_owned(), User { scopes, role: 50 });
        world.projects.insert(1, Project { path: "web".to_owned(), ..Project::default() });
    });
    // Nothing but what the page says and where the stand-in for GitLab is.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&path))).unwrap();
    let mut shell = Command::new("bash");
    shell.args(["--noprofile", "--norc", "-e", "-u", "-o", "pipefail", "-m"]).current_dir(&here).env_clear();
    shell.env("HOME", &home).env("PATH", path).env("USER", "me").env("LANG", "C.UTF-8");
    shell.env("GIT_AUTHOR_NAME", "Me").env("GIT_AUTHOR_EMAIL", "me@example.com");
    shell.env("GIT_COMMITTER_NAME", "Me").env("GIT_COMMITTER_EMAIL", "me@example.com");
    shell.env("GOSLING_GITLAB", format!("gitlab.example.com={}", gitlab.url()));
    // It listens where nobody else does, which the operator's commands have from a profile.
    shell.env("GOSLING_LISTEN", address.to_string());
    let profiles = home.join(".config/gosling");
    fs::create_dir_all(&profiles).unwrap();
    let profile = format!(
        "default = \"here\"\n\n[profiles.here]\napi = \"http://{address}\"\ndata = {:?}\n",
        here.join("gosling-data")
    );
    fs::write(profiles.join("config.toml"), profile).unwrap();
    let mut shell = Shell::open(&mut shell, place.path().join("errors"));
    let mut served = false;
    for (heading, commands) in blocks() {
        if heading == "A job" && !served {
            let (_, jobs) =
                gitlab.change(|world| world.queue(1, vec![NewJob::new("hello", &["web"], &["echo hello"])]));
            gitlab.wait("the job's success", |world| {
                (world.jobs[&jobs[0]].status == Status::Success).then_some(())
            });
            served = true;
        }
        let said = shell.run(&commands);
        match heading.as_str() {
            "GitLab's side" => {
                gitlab.look(|world| assert_eq!((world.hooks.len(), world.runners.len()), (1, 1), "{said}"));
            }
            "A job" if commands.contains("get egg") => {
                assert!(said.lines().any(|line| line == "1"), "{said}");
            }
            _ => {}
        }
    }
    assert!(served, "{}", shell.errors());
    // Nothing that was secret was said or left in clear.
    let secret = [TOKEN.as_bytes()];
    for text in [shell.said.clone(), shell.errors()] {
        assert!(!text.contains(TOKEN), "{text}");
    }
    drop(shell);
    for file in files(&here) {
        let bytes = fs::read(&file).unwrap();
        for secret in secret {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret), "{}", file.display());
        }
    }
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => found.extend(files(&entry.path())),
            kind if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found
}
