//! What every command of `gosling` prints, in files that read like a terminal: `said/COMMAND.txt`. Which commands there are
//! says clap; one that has no file, or no answer for people and for programs in it, is a failure.
//!
//! `UPDATE_EXPECT=1 cargo test --test gosling_cli said` writes the files anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::LazyLock,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use orchestrator::adapters::store::sqlite::Sqlite;
use serde_json::Value;

use super::{command, terminal::Terminal};

#[path = "said/fleet.rs"]
mod fleet;
#[path = "said/lines.rs"]
mod lines;
#[path = "said/wrong.rs"]
mod wrong;

use fleet::{ALICE, BOB, Fleet};
use lines::{ALONE, NOT_BY_API, SERVED, WITHOUT_JSON};

/// A line that was said, and the answer.
struct Said {
    line: String,
    arguments: Vec<String>,
    out: String,
    err: String,
    code: i32,
}

/// A command of the program.
pub(crate) struct Known {
    /// Without the program: `list eggs`.
    pub(crate) path: String,
    /// Whether it does something without a subcommand.
    pub(crate) is_leaf: bool,
    pub(crate) clap: clap::Command,
}

/// Every command that is no secret.
pub(crate) static COMMANDS: LazyLock<Vec<Known>> = LazyLock::new(|| {
    fn look(command: &clap::Command, path: &str, all: &mut Vec<Known>) {
        let inner = || command.get_subcommands().filter(|inner| !inner.is_hide_set());
        let is_leaf = inner().next().is_none() || !command.is_subcommand_required_set();
        all.push(Known { path: path.to_owned(), is_leaf, clap: command.clone() });
        for inner in inner() {
            look(inner, format!("{path} {}", inner.get_name()).trim(), all);
        }
    }
    let mut all = Vec::new();
    look(&orchestrator::cli::program(), "", &mut all);
    all
});

fn folder_of_files() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("gosling_cli/said")
}

/// Words as a shell has them, as far as they stand here; what follows `<` is the file on standard input.
fn words(line: &str) -> (Vec<String>, Option<String>) {
    let (line, input) = match line.split_once(" < ") {
        Some((line, input)) => (line, Some(input.to_owned())),
        None => (line, None),
    };
    let mut words = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        if at % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    (words, input)
}

/// Files that lines speak of.
fn furnish(folder: &Path) {
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    for (name, token) in [("alice", ALICE), ("bob", BOB), ("stranger", "gosling-token-of-nobody")] {
        write(name, token);
    }
    write("empty", "\n");
    write("answer.json", "{\n  \"token\": \"gosling-token-of-nobody\"\n}\n");
    write("value", "s3cret\n");
    write(
        "wrong/Eggs/web/config.fly",
        "egg \"web\" {\n  type = \"vn\"\n\n  gitlab {\n    project_id = 1\n  }\n}\n",
    );
}

/// Says lines in a folder, one after another; `prepare` does what is to be done for each before.
fn say(
    folder: &Path,
    lines: &[(&str, &[&str])],
    prepare: impl Fn(&mut Command),
) -> BTreeMap<String, Vec<Said>> {
    let mut all: BTreeMap<String, Vec<Said>> = BTreeMap::new();
    for (path, lines) in lines {
        for line in *lines {
            let (arguments, input) = words(line);
            let mut command = command(folder, &[]);
            prepare(&mut command);
            let stdin =
                input.map_or_else(Stdio::null, |file| fs::File::open(folder.join(file)).unwrap().into());
            let output = command.args(&arguments).stdin(stdin).output().unwrap();
            let text = |bytes: &[u8]| plain(&String::from_utf8_lossy(bytes), folder);
            all.entry((*path).to_owned()).or_default().push(Said {
                line: (*line).to_owned(),
                arguments,
                out: text(&output.stdout),
                err: text(&output.stderr),
                code: output.status.code().unwrap(),
            });
        }
    }
    all
}

/// The text without what is another each time, and as wide as it was: folders, ports, ids, keys, parts of seconds.
fn plain(text: &str, folder: &Path) -> String {
    let real = folder.canonicalize().unwrap();
    let text =
        text.replace(&real.display().to_string(), "FOLDER").replace(&folder.display().to_string(), "FOLDER");
    let mut out = String::new();
    let mut ids: Vec<String> = Vec::new();
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let is_begin = !out.ends_with(|c: char| c.is_ascii_alphanumeric());
        if let Some(after) = rest.strip_prefix("127.0.0.1:") {
            out.push_str("ADDRESS");
            rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
        } else if let Some(after) = rest
            .strip_prefix("gosling-")
            .filter(|after| is_begin && is_of(after, 43, |c| c.is_ascii_alphanumeric() || "-_".contains(c)))
        {
            out.push_str("gosling-");
            out.extend(std::iter::repeat_n('x', 43));
            rest = &after[43..];
        } else if is_begin
            && is_of(rest, 36, |c| c.is_ascii_hexdigit() || c == '-')
            && rest[8..].starts_with('-')
            && !rest.starts_with("0199e7f2-")
        {
            let id = &rest[..36];
            let at = ids.iter().position(|known| known == id).unwrap_or(ids.len());
            if at == ids.len() {
                ids.push(id.to_owned());
            }
            let _ = write!(out, "00000000-0000-7000-8000-{:012}", at + 1);
            rest = &rest[36..];
        } else if let Some(after) = rest.strip_prefix("ssh-ed25519 AAAA") {
            let end =
                after.find(|c: char| !c.is_ascii_alphanumeric() && !"+/=".contains(c)).unwrap_or(after.len());
            out.push_str("ssh-ed25519 AAAA…");
            rest = &after[end..];
        } else if let Some(after) = rest.strip_prefix('.').filter(|after| {
            out.ends_with(|c: char| c.is_ascii_digit())
                && is_moment(&out)
                && after.starts_with(|c: char| c.is_ascii_digit())
        }) {
            rest = after.trim_start_matches(|c: char| c.is_ascii_digit());
        } else if let Some(after) =
            rest.strip_prefix(" in ").filter(|_| out.ends_with("files") || out.ends_with("file"))
        {
            let number = after.trim_start_matches(|c: char| c.is_ascii_digit());
            match number.strip_prefix(" ms") {
                Some(after) => {
                    out.push_str(" in N ms");
                    rest = after;
                }
                None => {
                    out.push(' ');
                    rest = &rest[1..];
                }
            }
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

fn is_of(text: &str, length: usize, fits: impl Fn(char) -> bool) -> bool {
    text.get(..length).is_some_and(|part| part.chars().all(&fits))
}

/// Whether what was written ends with `2026-11-21T10:00:00`.
fn is_moment(text: &str) -> bool {
    let form = |(c, form): (u8, u8)| if form == b'0' { c.is_ascii_digit() } else { c == form };
    let end = text.len().checked_sub(19).and_then(|at| text.as_bytes().get(at..));
    end.is_some_and(|end| end.iter().copied().zip(*b"0000-00-00T00:00:00").all(form))
}

/// Everything that is said, by command.
static ALL: LazyLock<BTreeMap<String, Vec<Said>>> = LazyLock::new(|| {
    let fleet = Fleet::start();
    let api = format!("http://{}", fleet.address);
    let here = tempfile::tempdir().unwrap();
    furnish(here.path());
    let mut all = say(here.path(), SERVED, |command| {
        command.env("GOSLING_API", &api).env("GOSLING_TOKEN_FILE", "alice");
    });
    let here = tempfile::tempdir().unwrap();
    furnish(here.path());
    // An installation that served once, and a folder with its key.
    let made = here.path().join("made");
    drop(orchestrator::app::secrets_of(&made, None).unwrap());
    let store = Sqlite::open(&made.join("gosling.sqlite"), flyc::compiler::tables()).unwrap();
    tokio::runtime::Runtime::new().unwrap().block_on(fleet::furnish(&store));
    drop(store);
    fs::create_dir(here.path().join("other")).unwrap();
    fs::copy(made.join("key"), here.path().join("other/key")).unwrap();
    for (command, said) in say(here.path(), ALONE, |command| {
        command.env("GOSLING_DATA", "data").env("GIT_CONFIG_GLOBAL", "/dev/null").env_remove("GIT_DIR");
    }) {
        all.entry(command).or_default().extend(said);
    }
    all
});

#[test]
fn every_command_says_what_its_file_has() {
    let update = std::env::var_os("UPDATE_EXPECT").is_some();
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    for (command, said) in &*ALL {
        let mut text = String::new();
        for Said { line, out, err, code, .. } in said {
            let _ = writeln!(text, "{}", format!("$ gosling {line}").trim_end());
            text.push_str(out);
            text.push_str(err);
            if *code != 0 {
                let _ = writeln!(text, "[exit {code}]");
            }
            text.push('\n');
        }
        let name = format!("{}.txt", command.replace(' ', "-"));
        let file = folder_of_files().join(&name);
        if update {
            fs::write(&file, &text).unwrap();
        }
        let known = fs::read_to_string(&file).unwrap_or_default();
        if known != text {
            let differs = known.lines().zip(text.lines()).position(|(one, other)| one != other);
            let at = differs.unwrap_or_else(|| known.lines().count().min(text.lines().count()));
            let show =
                |text: &str| text.lines().skip(at.saturating_sub(3)).take(8).collect::<Vec<_>>().join("\n");
            wrong.push(format!("{name}:{}\nit was\n{}\nand is\n{}\n", at + 1, show(&known), show(&text)));
        }
        names.insert(name);
    }
    for entry in fs::read_dir(folder_of_files()).unwrap().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().extension().is_some_and(|extension| extension == "txt") && !names.contains(&name) {
            wrong.push(format!("{name} belongs to no command"));
        }
    }
    assert!(wrong.is_empty(), "UPDATE_EXPECT=1 writes them anew:\n{}", wrong.join("\n"));
}

/// The README shows what `gosling status` prints.
#[test]
fn the_picture_in_the_readme_is_true() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let status = &ALL["status"][0];
    assert_eq!(status.line, "status");
    assert!(
        readme.contains(&format!("```text\n{}```\n", status.out)),
        "README.md has another picture than\n{}",
        status.out
    );
}

/// The form that was asked for on the line.
fn form(said: &Said) -> Option<&str> {
    let at = said.arguments.iter().position(|argument| argument == "--output")?;
    said.arguments.get(at + 1).map(String::as_str)
}

#[test]
fn every_command_has_answers_for_people_and_programs_and_says_no() {
    let mut lacking = Vec::new();
    let leaves: Vec<&str> =
        COMMANDS.iter().filter(|known| known.is_leaf).map(|known| known.path.as_str()).collect();
    assert!(leaves.len() > 30, "{leaves:?}");
    for path in &leaves {
        let Some(said) = ALL.get(*path) else {
            lacking.push(format!("nothing is said to `gosling {path}`: see lines.rs"));
            continue;
        };
        let own = |said: &&Said| said.line.starts_with(path);
        let good = || said.iter().filter(own).filter(|said| said.code == 0);
        let has_reason = WITHOUT_JSON.iter().any(|(name, _)| name == path);
        let is_told = |said: &Said| !said.out.is_empty() || !said.err.is_empty();
        if !has_reason && !good().any(|said| matches!(form(said), None | Some("table")) && is_told(said)) {
            lacking.push(format!("`gosling {path}` has no answer for people"));
        }
        let mut json = said.iter().filter(own).filter(|said| form(said) == Some("json") && said.code < 2);
        // `gosling logs` and `status --watch` give one in each line.
        let is_json = |said: &Said| {
            serde_json::from_str::<Value>(&said.out).is_ok()
                || (!said.out.is_empty()
                    && said.out.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()))
        };
        if !has_reason && !json.any(is_json) {
            lacking.push(format!("`gosling {path}` has no JSON"));
        }
        if !said.iter().filter(own).any(|said| said.code != 0) && *path != "queue list" {
            lacking.push(format!("`gosling {path}` never says no"));
        }
    }
    for (name, reason) in WITHOUT_JSON {
        if !leaves.contains(name) || reason.is_empty() {
            lacking.push(format!("WITHOUT_JSON names `{name}`, which is no command"));
        }
    }
    assert!(lacking.is_empty(), "{}", lacking.join("\n"));
}

/// What went wrong is told with what to do next, in words of whoever types commands; and nothing tells a secret.
#[test]
fn what_fails_says_so_and_what_to_do() {
    let mut wrong = Vec::new();
    for said in ALL.values().flatten() {
        let place = format!("gosling {}", said.line);
        for line in said.out.lines().chain(said.err.lines()) {
            if line.ends_with(' ') {
                wrong.push(format!("{place}: a space at the end of `{line}`"));
            }
        }
        if said.out.contains("s3cret") || said.err.contains("s3cret") {
            wrong.push(format!("{place}: a secret is shown"));
        }
        let says_error = said.err.lines().any(|line| line.starts_with("error"));
        if said.code > 1 && !says_error && !said.err.contains("Usage: ") {
            wrong.push(format!("{place}: ended with {} and no error", said.code));
        }
        let has_help = said.err.lines().any(|line| {
            line.starts_with("help: ")
                || line.trim_start().starts_with("tip: ")
                || line.starts_with("Usage: ")
        });
        if says_error
            && said.code != 0
            && !has_help
            && !said.err.contains("possible values")
            && !said.err.contains("try '--help'")
        {
            wrong.push(format!("{place}: nothing says what to do next"));
        }
        // What a program of HTTP is told is of no use to whoever types commands.
        if ["GET /", "POST /", "DELETE /"]
            .iter()
            .any(|part| said.out.contains(part) || said.err.contains(part))
        {
            wrong.push(format!("{place}: it speaks of HTTP"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A server that is away, one that doesn't know the token, and one of another version: each command that asks it says so.
#[test]
fn every_command_that_asks_says_why_nobody_answers() {
    let fleet = Fleet::start();
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path());
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let other = super::mother(Vec::new());
    let mut wrong = Vec::new();
    let asks = |known: &&Known| known.clap.get_arguments().any(|argument| argument.get_id() == "api");
    let asking: Vec<&Known> = COMMANDS
        .iter()
        .filter(|known| known.is_leaf && !NOT_BY_API.contains(&known.path.as_str()))
        .filter(asks)
        .collect();
    assert!(asking.len() > 20, "{}", asking.len());
    for known in asking {
        let lines = SERVED.iter().find(|(path, _)| *path == known.path).map(|(_, lines)| *lines);
        let Some(line) = lines.and_then(|lines| lines.iter().find(|line| !line.contains("--token-file")))
        else {
            wrong.push(format!("nothing is said to `gosling {}`", known.path));
            continue;
        };
        let (arguments, input) = words(line);
        let run = |api: String, token: &str| {
            let mut command = command(folder.path(), &[]);
            let stdin = input.as_ref();
            let stdin = stdin
                .map_or_else(Stdio::null, |file| fs::File::open(folder.path().join(file)).unwrap().into());
            let output = command
                .args(&arguments)
                .args(["--api", &api, "--token-file", token])
                .stdin(stdin)
                .output()
                .unwrap();
            (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
        };
        let mut expect = |api: String, token: &str, code: i32, words: &str| {
            let (ended, said) = run(api, token);
            if ended != code || !said.contains(words) {
                wrong.push(format!("gosling {line}: wanted {code} and `{words}`, not {ended} and {said}"));
            }
        };
        expect(format!("http://{free}"), "alice", 4, "doesn't answer");
        expect(format!("http://{}", fleet.address), "stranger", 5, "doesn't know the token");
        // One that speaks HTTP and is no MotherGoose of ours.
        expect(format!("http://{other}"), "stranger", 5, "doesn't know the token");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// On a terminal, what would be taken away is shown, and then it is asked; a no does nothing.
#[test]
fn what_would_be_taken_away_is_shown_before_it_is_asked() {
    let fleet = Fleet::start();
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path());
    let api = format!("http://{}", fleet.address);
    let access = ["--api", &api, "--token-file", "alice"];
    let run = |arguments: &[&str]| command(folder.path(), &[arguments, &access].concat()).output().unwrap();
    assert!(run(&["link", "jobs/nightly"]).status.success());
    for (answer, code) in [("n", Some(1)), ("y", Some(0))] {
        let arguments = [&["unlink", "jobs/nightly"], &access[..]].concat();
        let mut terminal = Terminal::gosling(folder.path(), &folder.path().join("data"), &arguments);
        terminal.wait("- runner");
        terminal.wait("to take away.");
        terminal.wait("Take away what jobs/nightly has in GitLab? (y/N)");
        terminal.send(&format!("{answer}\r"));
        let ended = terminal.end();
        assert!(ended.code == code && ended.restored, "{}", ended.text);
        assert!(!ended.text.contains("dry run"), "{}", ended.text);
        assert_eq!(ended.text.contains("nothing was done"), answer == "n", "{}", ended.text);
    }
    let again = run(&["unlink", "jobs/nightly", "--yes"]);
    assert!(String::from_utf8_lossy(&again.stdout).ends_with("Nothing to do.\n"), "{again:?}");
}

/// It prints what there is at once, and Ctrl-C ends it.
#[test]
fn the_first_frame_of_watching_is_the_status() {
    let fleet = Fleet::start();
    let folder = tempfile::tempdir().unwrap();
    furnish(folder.path());
    let api = format!("http://{}", fleet.address);
    let status = |more: &[&str]| {
        command(folder.path(), &[&["status", "--api", &api, "--token-file", "alice"], more].concat())
    };
    let once = status(&[]).output().unwrap();
    let mut watching = status(&["--watch"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = String::from_utf8(once.stdout).unwrap();
    let mut reader = BufReader::new(watching.stdout.take().unwrap());
    let mut frame = String::new();
    for _ in lines.lines() {
        reader.read_line(&mut frame).unwrap();
    }
    kill(Pid::from_raw(i32::try_from(watching.id()).unwrap()), Signal::SIGINT).unwrap();
    assert_eq!(watching.wait().unwrap().code(), Some(130));
    assert_eq!(frame, lines);
}
