//! A built egg whose runners can be set and seen, wherever they are: in the fake cloud, or as processes of this machine.
//!
//! Never here: what must hold of a fleet; that is `fleet.rs`'s.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, iter,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use flyc::{artifact::Provider, host, lower::Backend};
use polar_gosling_tests::tools;
use serde_json::{Value, json};

use crate::bench::{Bench, script};

/// How the runners of an egg are made: the one thing that is its runner's, and how it tells of itself.
pub(crate) struct Shape {
    /// The egg, of the example Nest.
    pub(crate) egg: &'static str,
    pub(crate) provider: Provider,
    /// The resource that is the runner.
    pub(crate) runner: &'static str,
    /// Where it bears its owner: `labels` or `tags`.
    pub(crate) owner: &'static str,
    /// Where it tells whether it is awake, and the word for it.
    pub(crate) awake: (&'static str, &'static str),
    /// What is done to put one to sleep or wake it: operation and type.
    pub(crate) power: (&'static str, &'static str),
    /// What is made and deleted with it.
    pub(crate) parts: &'static [&'static str],
}

/// A virtual machine of Yandex Cloud.
pub(crate) const YANDEX_VM: Shape = Shape {
    egg: "my-app",
    provider: Provider::Yandex,
    runner: "yandex_compute_instance",
    owner: "labels",
    awake: ("status", "running"),
    power: ("power", "yandex_compute_instance"),
    parts: &[],
};

/// An instance of EC2.
pub(crate) const AWS_VM: Shape = Shape {
    egg: "web",
    provider: Provider::Aws,
    runner: "aws_instance",
    owner: "tags",
    awake: ("instance_state", "running"),
    power: ("update", "aws_ec2_instance_state"),
    parts: &["aws_ec2_instance_state"],
};

/// A process of this machine.
pub(crate) const LOCAL: Shape = Shape {
    egg: "docs",
    provider: Provider::Local,
    runner: "",
    owner: "",
    awake: ("", ""),
    power: ("power", ""),
    parts: &[],
};

/// What the orchestrator wants of one runner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wanted {
    pub(crate) awake: bool,
    pub(crate) image: Option<String>,
    pub(crate) commit: &'static str,
}

/// Runners by id.
pub(crate) type Fleet = BTreeMap<String, Wanted>;

/// What is there of one runner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    /// What it is in the cloud; another one is another runner.
    pub(crate) identity: String,
    pub(crate) awake: bool,
    /// The commit in its owner's marks; a process of this machine keeps the one it was started with.
    pub(crate) commit: Option<String>,
    /// The process, on this machine.
    pub(crate) process: Option<String>,
}

/// Where an egg stands between two applies.
#[derive(Default)]
pub(crate) struct Here {
    /// So long is the cloud's log.
    mark: usize,
    pub(crate) seen: BTreeMap<String, Seen>,
    owners: BTreeMap<String, String>,
}

/// What was done to one runner: operation and type.
pub(crate) type Done = BTreeSet<(String, String)>;

/// An egg on disk, with its cloud.
pub(crate) struct Egg {
    pub(crate) bench: Bench,
    shape: Shape,
    gosling: PathBuf,
}

/// A runner that ends by its signal, and when its folder is gone, so that no failed test leaves one behind.
const RUNNER: &str =
    "trap 'exit 0' TERM\nwhile [ -d \"$GOSLING_FOLDER\" ]; do\n  sleep 0.05 &\n  wait $!\ndone";

impl Egg {
    /// Builds the egg and makes it ready; none when what it needs can't be had here.
    pub(crate) fn new(shape: Shape) -> Option<Self> {
        let tofu = tools::tofu()?;
        let fake_cloud = tools::fake_cloud()?;
        let folder = tempfile::tempdir().unwrap();
        let nest = Path::new(env!("CARGO_MANIFEST_DIR")).join("nests/example");
        let (_, built) = host::build_nest(&nest, &folder.path().join("build"), Some(Backend::Local));
        built.unwrap();
        // The bench wants the build at the top of its folder.
        for entry in fs::read_dir(folder.path().join("build")).unwrap() {
            let path = entry.unwrap().path();
            fs::rename(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
        let bench = Bench::over(&tofu, folder, shape.egg).with_provider(&fake_cloud, shape.provider);
        let gosling = match shape.provider {
            Provider::Local => script(bench.folder.path(), RUNNER),
            Provider::Yandex | Provider::Aws => fake_cloud,
        };
        bench.tofu(&["init", "-input=false"]);
        Some(Self { bench, shape, gosling })
    }

    pub(crate) fn is_local(&self) -> bool {
        self.shape.provider == Provider::Local
    }

    /// What one apply has to do to a runner, and nothing besides.
    pub(crate) fn needs(&self, was: Option<&Wanted>, is: Option<&Wanted>) -> Done {
        let Shape { runner, power, parts, .. } = self.shape;
        let mut done = BTreeSet::new();
        let all =
            |operation| iter::once(runner).chain(parts.iter().copied()).map(move |kind| (operation, kind));
        match (was, is) {
            (None, Some(_)) => {
                done.extend(all("create"));
                // What is told what to be, and not made so, is told at first too; a process just starts.
                if power.0 == "power" && !self.is_local() {
                    done.insert(power);
                }
            }
            (Some(_), None) => done.extend(all("delete")),
            (Some(was), Some(is)) => {
                if was.awake != is.awake {
                    done.insert(power);
                }
                if was.commit != is.commit && !self.is_local() {
                    done.insert(("update", runner));
                }
            }
            (None, None) => {}
        }
        done.into_iter().map(|(operation, kind)| (operation.to_owned(), kind.to_owned())).collect()
    }

    /// The type of resource that is the runner.
    pub(crate) fn runner(&self) -> &'static str {
        self.shape.runner
    }

    fn homes(&self) -> PathBuf {
        self.bench.folder.path().join("homes")
    }

    /// What the orchestrator writes for a fleet; only who is new has a ticket.
    pub(crate) fn set(&self, fleet: &Fleet) {
        let known = self.seen();
        let pool = |awake| if awake { "apex" } else { "nadir" };
        let runners: serde_json::Map<String, Value> = fleet
            .iter()
            .map(|(id, wanted)| {
                let mut runner = json!({ "pool": pool(wanted.awake), "commit": wanted.commit });
                if let Some(image) = wanted.image.as_ref().filter(|_| !self.is_local()) {
                    runner["image"] = json!(image);
                }
                (id.clone(), runner)
            })
            .collect();
        let tickets: BTreeMap<&String, &str> =
            fleet.keys().filter(|id| !known.contains_key(*id)).map(|id| (id, "ticket")).collect();
        let mut variables = json!({
            "runners": runners,
            "tickets": tickets,
            "orchestrator_url": "https://gosling.example.com",
        });
        let own = match self.shape.provider {
            Provider::Local => json!({ "runners_folder": self.homes(), "gosling": self.gosling }),
            Provider::Yandex => json!({ "subnet_id": "subnet-given", "gosling": self.gosling }),
            Provider::Aws => json!({ "subnet_id": "subnet-given" }),
        };
        variables.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        if !self.is_local() {
            variables["gosling_download"] =
                json!({ "url": "https://gosling.example.com/gosling", "sha256": "0".repeat(64) });
        }
        self.bench.set(&variables);
    }

    /// Makes the cloud as the variables say.
    pub(crate) fn apply(&self) {
        self.bench.apply();
    }

    /// What bears the marks of a runner, whether anyone knows of it or not.
    pub(crate) fn marked(&self, runner: &str) -> Vec<String> {
        let things = self.bench.cloud.of(self.shape.runner).into_iter();
        things
            .filter(|(_, thing)| thing[self.shape.owner]["gosling-runner"] == runner)
            .map(|(key, _)| key)
            .collect()
    }

    /// The runners that are there, by id.
    pub(crate) fn seen(&self) -> BTreeMap<String, Seen> {
        if self.is_local() {
            return self.processes();
        }
        let things = self.bench.cloud.of(self.shape.runner).into_iter();
        let seen = things.map(|(key, thing)| {
            let mark = |name: &str| thing[self.shape.owner][name].as_str().unwrap().to_owned();
            let (attribute, word) = self.shape.awake;
            let seen = Seen {
                identity: key,
                awake: thing[attribute] == word,
                commit: Some(mark("gosling-commit")),
                process: None,
            };
            (mark("gosling-runner"), seen)
        });
        let mut runners = BTreeMap::new();
        for (id, seen) in seen {
            assert!(runners.insert(id.clone(), seen).is_none(), "two runners say they are {id}");
        }
        runners
    }

    fn processes(&self) -> BTreeMap<String, Seen> {
        let homes = fs::read_dir(self.homes()).into_iter().flatten();
        homes
            .map(|home| {
                let home = home.unwrap().path();
                let file = fs::read_to_string(home.join("gosling.pid")).unwrap_or_default();
                let process = file.lines().next().filter(|pid| alive(pid)).map(str::to_owned);
                let seen = Seen {
                    identity: home.metadata().unwrap().ino().to_string(),
                    awake: process.is_some(),
                    commit: None,
                    process,
                };
                (home.file_name().unwrap().to_string_lossy().into_owned(), seen)
            })
            .collect()
    }

    /// Whose each thing in the cloud is: it bears the runner's marks, or refers to a thing that does.
    pub(crate) fn owners(&self) -> BTreeMap<String, String> {
        let things = self.bench.cloud.things();
        let id = |thing: &Value| thing["id"].as_str().unwrap_or_default().to_owned();
        let mark = |thing: &Value| thing[self.shape.owner]["gosling-runner"].as_str().map(str::to_owned);
        let mut owners: BTreeMap<String, String> =
            things.values().filter_map(|thing| Some((id(thing), mark(thing)?))).collect();
        let unmarked = things.values().filter(|thing| mark(thing).is_none());
        let referring: Vec<_> = unmarked
            .filter_map(|thing| {
                let mut texts = thing.as_object()?.values().filter_map(Value::as_str);
                Some((id(thing), texts.find_map(|text| owners.get(text))?.clone()))
            })
            .collect();
        owners.extend(referring);
        owners
    }

    /// What was done to each runner since `before`, by id.
    pub(crate) fn done(&self, before: &Here, after: &Here) -> BTreeMap<String, Done> {
        let mut done: BTreeMap<String, Done> = BTreeMap::new();
        let mut add = |id: &str, operation: &str, kind: &str| {
            done.entry(id.to_owned()).or_default().insert((operation.to_owned(), kind.to_owned()));
        };
        if self.is_local() {
            let ids: BTreeSet<&String> = before.seen.keys().chain(after.seen.keys()).collect();
            for id in ids {
                match (before.seen.get(id), after.seen.get(id)) {
                    (None, Some(_)) => add(id, "create", ""),
                    (Some(_), None) => add(id, "delete", ""),
                    (Some(was), Some(is)) if was.identity != is.identity => {
                        add(id, "delete", "");
                        add(id, "create", "");
                    }
                    (Some(was), Some(is)) if was.process != is.process => add(id, "power", ""),
                    _ => {}
                }
            }
            return done;
        }
        for one in self.bench.cloud.changed_since(before.mark) {
            let owner = before.owners.get(&one.id).or_else(|| after.owners.get(&one.id));
            let id = owner.unwrap_or_else(|| panic!("{one:?} is of no runner"));
            add(id, &one.operation, &one.kind);
        }
        done
    }

    /// Where everything stands.
    pub(crate) fn here(&self) -> Here {
        Here { mark: self.bench.cloud.log().len(), seen: self.seen(), owners: self.owners() }
    }

    /// Nothing is left of any runner.
    pub(crate) fn destroy(&self) {
        self.bench.destroy();
        assert!(self.seen().is_empty(), "{:#?}", self.seen());
    }

    /// As if nothing had ever been: a failed case leaves nothing to the next.
    pub(crate) fn forget(&self) {
        for left in ["terraform.tfstate", "terraform.tfstate.backup", ".terraform.tfstate.lock.info"] {
            let _ = fs::remove_file(self.bench.egg.join(left));
        }
        let _ = fs::remove_dir_all(self.bench.cloud.folder());
        let _ = fs::remove_dir_all(self.homes());
    }
}

/// Whether the process is there; one that only waits to be reaped is not.
fn alive(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}
