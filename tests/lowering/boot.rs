//! A machine that starts with its user data, as cloud-init and systemd go about it, in a folder that stands for its
//! disk.
//!
//! The scripts really run; what changes the machine or reaches the network is a stand-in that writes down what it was
//! asked. Never here: what the run must be.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value;

use crate::json;

/// The gosling that is downloaded: it writes down how it was started.
pub(crate) const PROGRAM: &str =
    "#!/bin/sh\n{\n  printf '%s\\n' \"$@\"\n  env | grep '^GOSLING' | sort\n} >\"$ROOT/started\"\n";

/// Stands in for curl: writes down the addresses, and gives gosling.
const CURL: &str = r#"#!/bin/sh
to=
while [ $# -gt 0 ]; do
  case $1 in
    --output) to=$2; shift ;;
    *://*) echo "$1" >>"$ROOT/reached" ;;
  esac
  shift
done
[ -z "$to" ] || cat "$ROOT/program" >"$to"
"#;

/// What a runner did when it started, as far as it shows; equal runs are equal here.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Run {
    pub(crate) serverless: bool,
    /// The keys of the user data besides what is run and written, and their values.
    others: Vec<(String, String)>,
    /// The files it wrote.
    files: BTreeMap<String, Written>,
    /// The commands that were asked of the machine.
    asked: Vec<String>,
    /// The addresses it reached.
    pub(crate) reached: Vec<String>,
    /// The arguments and the environment that gosling was started with.
    started: String,
    /// What gosling finds in the files it is started with: the egg, the runner, its ticket.
    pub(crate) egg: Value,
    pub(crate) runner: Value,
    pub(crate) ticket: String,
}

/// A file of the user data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    permissions: String,
    pub(crate) text: String,
}

fn text(yaml: &Yaml<'_>) -> Result<String, String> {
    yaml.as_str().map(str::to_owned).ok_or_else(|| format!("{yaml:?} is no text"))
}

fn document(user_data: &str) -> Result<Yaml<'_>, String> {
    let mut documents = Yaml::load_from_str(user_data).map_err(|error| format!("{error}:\n{user_data}"))?;
    match (documents.pop(), documents.is_empty()) {
        (Some(document), true) => Ok(document),
        _ => Err(format!("not one document:\n{user_data}")),
    }
}

fn list<'a>(document: &'a Yaml<'a>, key: &str) -> Result<&'a [Yaml<'a>], String> {
    let found = document.as_mapping_get(key).and_then(Yaml::as_vec);
    found.map(Vec::as_slice).ok_or_else(|| format!("no {key} in {document:?}"))
}

/// The files of a user data, by path.
pub(crate) fn written(user_data: &str) -> Result<BTreeMap<String, Written>, String> {
    let document = document(user_data)?;
    let mut files = BTreeMap::new();
    for file in list(&document, "write_files")? {
        let get = |key: &str| {
            file.as_mapping_get(key).ok_or_else(|| format!("no {key} in {file:?}")).and_then(text)
        };
        files.insert(get("path")?, Written { permissions: get("permissions")?, text: get("content")? });
    }
    Ok(files)
}

/// A place of the machine within the folder.
fn at(root: &Path, path: &str) -> std::path::PathBuf {
    root.join(path.trim_start_matches('/'))
}

fn put(path: &Path, text: &str, permissions: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(permissions)).unwrap();
}

/// A container starts: it is told in its environment, and gosling is in its image.
pub(crate) fn container(egg: &str, runner: &str, ticket: &str) -> Result<Run, String> {
    let (egg, runner, ticket) = (json(egg)?, json(runner)?, ticket.to_owned());
    Ok(Run { serverless: true, egg, runner, ticket, ..Run::default() })
}

/// A machine starts.
pub(crate) fn machine(user_data: &str) -> Result<Run, String> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    put(&root.join("program"), PROGRAM, 0o644);
    put(&root.join("stand-ins/curl"), CURL, 0o755);
    for program in ["wget", "nc", "openssl", "docker"] {
        let stand_in = format!("#!/bin/sh\necho \"{program} $*\" >>\"$ROOT/reached\"\n");
        put(&root.join("stand-ins").join(program), &stand_in, 0o755);
    }
    put(&root.join("stand-ins/systemctl"), "#!/bin/sh\necho \"systemctl $*\" >>\"$ROOT/asked\"\n", 0o755);
    fs::create_dir_all(root.join("usr/local/bin")).unwrap();
    let places = root.display().to_string();
    // The disk's places within the folder, in what is run.
    let moved = |text: &str| {
        text.replace("/etc/gosling", &format!("{places}/etc/gosling"))
            .replace("/usr/local", &format!("{places}/usr/local"))
    };

    let files = written(user_data)?;
    for (path, file) in &files {
        let permissions = u32::from_str_radix(&file.permissions, 8).map_err(|error| error.to_string())?;
        // A program is moved; what is read is as it was written.
        let text = if permissions & 0o111 == 0 { file.text.clone() } else { moved(&file.text) };
        put(&at(root, path), &text, permissions);
    }
    let document = document(user_data)?;
    for command in list(&document, "runcmd")? {
        let words = command.as_vec().ok_or_else(|| format!("{command:?} is no list"))?;
        let words = words.iter().map(|word| Ok(moved(&text(word)?))).collect::<Result<Vec<_>, String>>()?;
        run(root, &words, &[])?;
    }
    let read = |path: &str| fs::read_to_string(at(root, path)).unwrap_or_default();
    let asked: Vec<String> = read("asked").lines().map(str::to_owned).collect();
    for unit in asked.iter().filter_map(|line| line.strip_prefix("systemctl enable --now ")) {
        start(root, &read(&format!("etc/systemd/system/{unit}")), &moved)?;
    }
    let started = read("started");
    let config = started.lines().nth(2).ok_or("gosling was not started")?.replace(&places, "");
    let runner = json(&read(&config))?;
    let named = |key: &str| read(runner[key].as_str().unwrap_or_default());
    let mapping = document.as_mapping().ok_or("no mapping")?;
    let others = mapping.iter().map(|(key, value)| Ok((text(key)?, format!("{value:?}"))));
    let mut others = others.collect::<Result<Vec<_>, String>>()?;
    others.retain(|(key, _)| key != "write_files");
    Ok(Run {
        serverless: false,
        others,
        files,
        asked,
        reached: read("reached").lines().map(str::to_owned).collect(),
        started: started.replace(&places, ""),
        egg: json(&named("egg_file"))?,
        ticket: named("ticket_file"),
        runner,
    })
}

/// Starts a unit as systemd does: its command, with its environment and no other.
fn start(root: &Path, unit: &str, moved: &dyn Fn(&str) -> String) -> Result<(), String> {
    let line = |key: &str| unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    let command = line("ExecStart").ok_or("the unit starts nothing")?;
    let words: Vec<String> = command.split_whitespace().map(moved).collect();
    let environment = line("Environment").unwrap_or_default().trim_matches('"');
    run(root, &words, environment.split_once('=').as_slice())
}

fn run(root: &Path, words: &[String], environment: &[(&str, &str)]) -> Result<(), String> {
    let (program, arguments) = words.split_first().ok_or("an empty command")?;
    let path = format!("{}:{}", root.join("stand-ins").display(), std::env::var("PATH").unwrap());
    let program = if program.contains('/') { program.into() } else { root.join("stand-ins").join(program) };
    let output = Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .env("PATH", path)
        .env("ROOT", root)
        .output()
        .map_err(|error| format!("{words:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{words:?}: {}", String::from_utf8_lossy(&output.stderr)))
}
