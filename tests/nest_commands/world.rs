//! A folder with a Nest and the secrets of an installation, and gosling run on them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use fly_std::formats::secret_uri;
use flyc::diag::{Diagnostic, Severity};
use orchestrator::app;
use polar_gosling_tests::tools;
use tempfile::TempDir;

/// Variables of the user's that would change what is done.
pub(crate) const VARIABLES: &[&str] = &[
    "GOSLING_DATA",
    "GOSLING_KEY_FILE",
    "GOSLING_URL",
    "GOSLING_NEST_URL",
    "GOSLING_SECRET_BACKEND",
    "GOSLING_OUTPUT",
    "GOSLING_PROFILE",
    "GOSLING_API",
    "GOSLING_LOG",
];

/// The names and the contents of a folder's files, without git's.
pub(crate) type Tree = BTreeMap<String, String>;

pub(crate) struct World {
    pub(crate) folder: TempDir,
}

impl World {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(world.nest()).unwrap();
        world
    }

    /// A Nest on this machine, as `gosling init` makes it.
    pub(crate) fn begun() -> Self {
        static BEGUN: OnceLock<Tree> = OnceLock::new();
        let files = BEGUN.get_or_init(|| {
            let world = Self::empty();
            let output = world.gosling(&["init", "--cloud", "local", "--name", "birds"]);
            assert!(output.status.success(), "{}", text(&output.stderr));
            world.tree()
        });
        let world = Self::empty();
        for (path, content) in files {
            let place = world.nest().join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, content).unwrap();
        }
        world
    }

    pub(crate) fn nest(&self) -> PathBuf {
        self.folder.path().join("nest")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(tools::gosling());
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        command.args(arguments).current_dir(self.nest()).env("GOSLING_DATA", self.data());
        command.stdin(Stdio::null());
        command
    }

    /// Runs gosling in the Nest, with nobody to ask.
    pub(crate) fn gosling(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub(crate) fn tree(&self) -> Tree {
        let mut tree = Tree::new();
        collect(&self.nest(), &self.nest(), &mut tree);
        tree
    }

    /// The errors of the Nest.
    pub(crate) fn errors(&self) -> Vec<Diagnostic> {
        let loaded = flyc::host::load(&self.nest());
        let found = loaded.compiler.check().into_iter().chain(loaded.diagnostics);
        found.filter(|found| found.severity() == Severity::Error).collect()
    }

    /// The value of a secret and how many versions it has.
    pub(crate) fn secret(&self, uri: &str) -> Option<(String, usize)> {
        let uri = secret_uri::parse(uri).unwrap();
        let secrets = app::secrets_of(&self.data(), None).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let value = secrets.get(&uri).await.ok()?;
            Some((value.expose().to_owned(), secrets.versions(&uri).await.unwrap().len()))
        })
    }

    pub(crate) fn remove_secret(&self, uri: &str) {
        let uri = secret_uri::parse(uri).unwrap();
        let secrets = app::secrets_of(&self.data(), None).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(secrets.remove(&uri)).unwrap();
    }

    /// How large the sealed file is: another secret in it, or a longer one, would show.
    pub(crate) fn sealed(&self) -> u64 {
        fs::metadata(self.data().join("secrets.sealed")).map_or(0, |file| file.len())
    }
}

fn collect(root: &Path, folder: &Path, tree: &mut Tree) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != ".git") {
                collect(root, &path, tree);
            }
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            tree.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Both streams.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", text(&output.stdout), text(&output.stderr))
}
