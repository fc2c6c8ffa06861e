//! A workspace: a bundle's files where `tofu` runs, the variables beside them, and when `tofu init` is due.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use flyc::{
    artifact::{Artifact, Manifest},
    build::MANIFEST,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::places;
use crate::{
    domain::RunnerId,
    ports::{
        secrets::Secret,
        tofu::{PlanRequest, Unset},
    },
    seal,
};

/// The fleet and the other variables, which `tofu` reads by itself.
const VARIABLES: &str = "runners.auto.tfvars.json";

/// The digest of the bundle that a workspace holds.
const HELD: &str = "bundle";

/// What the last `tofu init` was made for.
const INITIALISED: &str = "initialised.json";

/// What `tofu` keeps between runs.
const LOCK_FILE: &str = ".terraform.lock.hcl";

/// What a bundle wants of the run.
#[derive(Debug)]
pub(super) struct Needs {
    /// `>= 1.11.0`, as it says.
    pub(super) version: Option<String>,
    /// Whether its state is a file.
    pub(super) local_state: bool,
    /// Whether it makes anything in a cloud.
    pub(super) cloud: bool,
}

/// What an owner's files want.
pub(super) fn needs(folder: &Path) -> io::Result<Needs> {
    let text = fs::read_to_string(folder.join("versions.tf"))?;
    let version = text.lines().find_map(|line| {
        let value = line.trim().strip_prefix("required_version")?.trim_start().strip_prefix('=')?;
        Some(value.trim().trim_matches('"').to_owned())
    });
    Ok(Needs {
        version,
        local_state: text.contains("backend \"local\""),
        cloud: text.contains("required_providers"),
    })
}

/// A workspace with the files of a bundle in it.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    workspace: PathBuf,
    folder: PathBuf,
    /// The digest of the providers that are wanted.
    constraints: String,
    /// The digest of the modules that are called.
    modules: String,
}

/// What `tofu init` was made for: while it is the same, it need not be made again.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marker {
    constraints: String,
    modules: String,
    tofu: String,
    state: PathBuf,
}

/// Puts a bundle's files into a workspace, if they are not there yet. What `tofu` keeps there stays.
pub(super) fn sync(bundle: &Path, workspace: &Path, folder: &str, digest: &str) -> io::Result<Prepared> {
    places::private(workspace)?;
    let held = workspace.join(HELD);
    let text = fs::read_to_string(bundle.join(MANIFEST))?;
    let manifest = Manifest::from_json(&text).map_err(io::Error::other)?;
    if fs::read_to_string(&held).ok().as_deref() != Some(digest) {
        places::remove_file(&held)?;
        let own = workspace.join(folder);
        for entry in fs::read_dir(&own).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_file() && entry.file_name() != LOCK_FILE {
                fs::remove_file(path)?;
            }
        }
        places::remove(&workspace.join("compute-module"))?;
        for path in manifest.entries.iter().flat_map(|entry| &entry.files) {
            let to = workspace.join(path);
            if let Some(above) = to.parent() {
                places::private(above)?;
            }
            places::replace(&to, &fs::read(bundle.join(path))?)?;
        }
        places::replace(&held, digest.as_bytes())?;
    }
    let mut constraints = Sha256::new();
    let mut modules = Sha256::new();
    for entry in &manifest.entries {
        let own = entry.folder == folder;
        for path in &entry.files {
            if path.ends_with("/versions.tf") {
                constraints.update(path);
                constraints.update(fs::read(bundle.join(path))?);
            } else if !own {
                modules.update(path);
                modules.update(fs::read(bundle.join(path))?);
            }
        }
    }
    Ok(Prepared {
        workspace: workspace.to_owned(),
        folder: workspace.join(folder),
        constraints: seal::hex(&constraints.finalize()),
        modules: seal::hex(&modules.finalize()),
    })
}

impl Prepared {
    /// What `tofu init` has to be made for.
    pub(super) fn marker(&self, tofu: &str, state: &Path) -> Marker {
        Marker {
            constraints: self.constraints.clone(),
            modules: self.modules.clone(),
            tofu: tofu.to_owned(),
            state: state.to_owned(),
        }
    }

    fn last(&self) -> Option<Marker> {
        serde_json::from_slice(&fs::read(self.workspace.join(INITIALISED)).ok()?).ok()
    }

    /// Whether it was made for that.
    pub(super) fn is_initialised(&self, marker: &Marker) -> bool {
        self.folder.join(".terraform").is_dir() && self.last().as_ref() == Some(marker)
    }

    /// Before `tofu init`: the choice of providers is a new one where others are wanted.
    pub(super) fn forget_init(&self) -> io::Result<()> {
        if self.last().is_none_or(|last| last.constraints != self.constraints) {
            places::remove_file(&self.folder.join(LOCK_FILE))?;
        }
        places::remove_file(&self.workspace.join(INITIALISED))
    }

    /// After `tofu init`.
    pub(super) fn initialised(&self, marker: &Marker) -> io::Result<()> {
        places::replace(&self.workspace.join(INITIALISED), &serde_json::to_vec(marker)?)
    }
}

/// A variable that a module has.
struct Declared {
    name: String,
    description: String,
    has_default: bool,
}

/// The variables that a module has, as `flyc` writes them: a block each, its attributes on lines of their own.
fn declared(folder: &Path) -> io::Result<Vec<Declared>> {
    let mut found: Vec<Declared> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "tf") {
            continue;
        }
        let mut within = false;
        for line in fs::read_to_string(path)?.lines() {
            if let Some(rest) = line.strip_prefix("variable \"") {
                let name = rest.split('"').next().unwrap_or_default().to_owned();
                found.push(Declared { name, description: String::new(), has_default: false });
                within = true;
            } else if line.starts_with('}') {
                within = false;
            }
            let Some(last) = found.last_mut().filter(|_| within) else { continue };
            // Deeper ones are of a block within.
            let Some((name, value)) = line.strip_prefix("  ").and_then(|line| line.split_once('=')) else {
                continue;
            };
            match name.trim_end() {
                "default" => last.has_default = true,
                "description" => value.trim().trim_matches('"').clone_into(&mut last.description),
                _ => {}
            }
        }
    }
    Ok(found)
}

/// The variables of a module that have neither a default nor a value in this request.
pub(super) fn unset(folder: &Path, request: &PlanRequest) -> io::Result<Vec<Unset>> {
    let declared = match declared(folder) {
        Ok(declared) => declared,
        // That there is no such bundle is told by whoever looks for it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let is_given = |name: &str| {
        ["runners", "runners_folder"].contains(&name)
            || request.variables.get(name).is_some_and(|value| !value.is_null())
    };
    let mut unset: Vec<Unset> = declared
        .into_iter()
        .filter(|one| !one.has_default && !is_given(&one.name))
        .map(|one| Unset { name: one.name, description: one.description })
        .collect();
    unset.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(unset)
}

/// Writes the fleet and the other variables, of which a module gets those that it has. Nothing of it is secret.
pub(super) fn write_variables(folder: &Path, request: &PlanRequest, runners_folder: &Path) -> io::Result<()> {
    let declared: BTreeSet<String> = declared(folder)?.into_iter().map(|one| one.name).collect();
    let runners: serde_json::Map<String, serde_json::Value> = request
        .runners
        .iter()
        .map(|(id, runner)| {
            let mut told = serde_json::json!({ "pool": runner.pool });
            if let Some(commit) = &runner.commit {
                told["commit"] = commit.as_str().into();
            }
            (id.to_string(), told)
        })
        .collect();
    let mut variables: BTreeMap<&str, serde_json::Value> = BTreeMap::new();
    if let Some(folder) = runners_folder.to_str() {
        variables.insert("runners_folder", folder.into());
    }
    variables.extend(request.variables.iter().map(|(name, value)| (name.as_str(), value.clone())));
    variables.insert("runners", runners.into());
    variables.retain(|name, _| declared.contains(*name) && *name != "tickets");
    let mut text = serde_json::to_vec_pretty(&variables)?;
    text.push(b'\n');
    places::replace(&folder.join(VARIABLES), &text)
}

/// Removes them.
pub(super) fn remove_variables(folder: &Path) -> io::Result<()> {
    places::remove_file(&folder.join(VARIABLES))
}

/// The tickets as a file of variables that is never on a disk.
pub(super) fn tickets(tickets: &BTreeMap<RunnerId, Secret>) -> String {
    // A JSON object is one of HCL too, but for what begins a template.
    let word =
        |text: &str| serde_json::Value::from(text).to_string().replace("${", "$${").replace("%{", "%%{");
    let pairs: Vec<String> = tickets
        .iter()
        .map(|(id, ticket)| format!("{}:{}", word(id.as_str()), word(ticket.expose())))
        .collect();
    format!("tickets = {{{}}}\n", pairs.join(","))
}
