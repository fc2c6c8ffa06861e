//! The machines of the fake cloud, as far as runners go: whatever is up there has a `gosling runner` here, which knows nothing
//! but what the machine's user data told it. A machine that is stopped or deleted ends its runner as systemd would.
//!
//! Never here: what is expected of them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use polar_gosling_tests::tools::{self, FakeCloud};
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value;

/// How often it is looked what is up.
const LOOK: Duration = Duration::from_millis(50);

/// The machines, until it is dropped.
pub(crate) struct Machines {
    over: Arc<AtomicBool>,
    slow: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Machines {
    /// Those of a cloud; their disks are in `folder`, and `bin` is on their `PATH`.
    pub(crate) fn of(cloud: &Path, folder: PathBuf, bin: &Path) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let slow = Arc::new(AtomicBool::new(false));
        let (told, held, cloud) = (Arc::clone(&over), Arc::clone(&slow), FakeCloud::new(cloud));
        let path = std::env::join_paths(
            std::iter::once(bin.to_owned())
                .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())),
        )
        .unwrap();
        let thread = thread::spawn(move || {
            let mut up: BTreeMap<String, Child> = BTreeMap::new();
            while !told.load(Ordering::SeqCst) {
                let wanted = awake(&cloud);
                for (id, user_data) in &wanted {
                    if !up.contains_key(id) && !held.load(Ordering::SeqCst) {
                        up.insert(id.clone(), boot(&folder.join(id), user_data, &path));
                    }
                }
                up.retain(|id, runner| {
                    if wanted.contains_key(id) {
                        return true;
                    }
                    let _ = Command::new("kill").args(["-TERM", &runner.id().to_string()]).status();
                    runner.wait().unwrap();
                    false
                });
                thread::sleep(LOOK);
            }
            for (_, mut runner) in up {
                let _ = runner.kill();
                let _ = runner.wait();
            }
        });
        Self { over, slow, thread: Some(thread) }
    }

    /// Whether those that are new take their time: none comes up as long as this is so.
    pub(crate) fn slow(&self, slow: bool) {
        self.slow.store(slow, Ordering::SeqCst);
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(thread::panicking() || ended.is_ok(), "the machines came to grief");
        }
    }
}

/// The user data of every machine that is up, by its id.
fn awake(cloud: &FakeCloud) -> BTreeMap<String, String> {
    let things = cloud.things().into_iter();
    let found = things.filter_map(|((kind, id), thing)| {
        let (state, user_data) = match kind.as_str() {
            "aws_instance" => (&thing["instance_state"], &thing["user_data"]),
            "yandex_compute_instance" => (&thing["status"], &thing["metadata"]["user-data"]),
            _ => return None,
        };
        (state == "running").then(|| (id, user_data.as_str().unwrap().to_owned()))
    });
    found.collect()
}

/// The files that a user data writes, by path.
pub(crate) fn files(user_data: &str) -> BTreeMap<String, String> {
    let documents = Yaml::load_from_str(user_data).unwrap();
    let files = documents[0].as_mapping_get("write_files").and_then(Yaml::as_vec).unwrap();
    let text = |file: &Yaml<'_>, key: &str| file.as_mapping_get(key).unwrap().as_str().unwrap().to_owned();
    files.iter().map(|file| (text(file, "path"), text(file, "content"))).collect()
}

/// A machine comes up: at the first time cloud-init writes its files, and each time systemd starts the runner.
fn boot(disk: &Path, user_data: &str, path: &std::ffi::OsStr) -> Child {
    let config = disk.join("etc/gosling/runner.json");
    if !config.exists() {
        for (place, text) in files(user_data) {
            let to = disk.join(place.trim_start_matches('/'));
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(to, text).unwrap();
        }
        // The disk's root is a folder here.
        let mut told: Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
        for name in ["egg_file", "ticket_file"] {
            let place = disk.join(told[name].as_str().unwrap().trim_start_matches('/'));
            told[name] = place.to_str().unwrap().into();
        }
        fs::write(&config, told.to_string()).unwrap();
    }
    let log = fs::File::options().create(true).append(true).open(disk.join("log")).unwrap();
    Command::new(tools::gosling())
        .args(["runner", "--heartbeat", "1", "--config"])
        .arg(&config)
        .env_clear()
        .env("PATH", path)
        .env("HOME", disk)
        .env("STATE_DIRECTORY", disk.join("var/lib/gosling"))
        .current_dir(disk)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap()
}
