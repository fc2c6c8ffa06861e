//! Programs that are fetched: `tofu`, and the `gosling` of new runners. Each version stands in a folder of its own,
//! `<root>/tofu_binary/<version>/tofu`; one is active, and a few earlier ones stay to go back to.
//!
//! A version is there as a whole or not at all: it is fetched and unpacked beside its place, and takes it by one rename,
//! when its SHA-256 is the one that was asked for.

mod fetch;
mod unpack;

use std::{
    fs, io,
    marker::PhantomData,
    path::{Path, PathBuf},
    sync::Arc,
};

use url::Url;

use super::places::{self, escaped};
use crate::{
    ports::{
        clock::Clock,
        secrets::Secret,
        store::{Store, StoreError, Table},
    },
    records::{self, Program, VersionRecord, Versioned},
};

/// `tofu`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TofuBinary;

/// `gosling`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoslingBinary;

impl Program for TofuBinary {
    const TABLE: Table = Table("tofu_versions");
}

impl Program for GoslingBinary {
    const TABLE: Table = Table("gosling_versions");
}

/// A program of which several versions are kept.
pub trait Managed: Program + 'static {
    /// Its name, without the ending that Windows wants.
    const NAME: &'static str;
    /// The folder of its versions.
    const FOLDER: &'static str;
}

impl Managed for TofuBinary {
    const NAME: &'static str = "tofu";
    const FOLDER: &'static str = "tofu_binary";
}

impl Managed for GoslingBinary {
    const NAME: &'static str = "gosling";
    const FOLDER: &'static str = "gosling_binary";
}

/// The file that names the active version.
const ACTIVE: &str = "active";

/// A kind of machine, as releases name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform {
    /// `linux`, `windows`
    pub os: &'static str,
    /// `amd64`, `arm64`
    pub arch: &'static str,
}

impl Platform {
    /// This machine; none when nothing is released for it.
    pub fn here() -> Option<Self> {
        Self::of(std::env::consts::OS, std::env::consts::ARCH)
    }

    /// The machine that Rust calls so.
    pub fn of(os: &str, arch: &str) -> Option<Self> {
        let os = ["linux", "windows"].into_iter().find(|known| *known == os)?;
        let arch = match arch {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            _ => return None,
        };
        Some(Self { os, arch })
    }

    /// The file of a program.
    pub fn file(self, name: &str) -> String {
        if self.os == "windows" { format!("{name}.exe") } else { name.to_owned() }
    }

    /// Where OpenTofu's own releases have a version for it.
    pub fn opentofu(self, version: &str) -> String {
        let Self { os, arch } = self;
        format!(
            "https://github.com/opentofu/opentofu/releases/download/v{version}/tofu_{version}_{os}_{arch}.zip"
        )
    }
}

/// How a download is asked for.
#[derive(Debug, Clone)]
pub enum Auth {
    /// As anybody.
    None,
    /// `Authorization: Bearer …`
    Bearer(Secret),
    /// `Authorization: token …`, as GitHub and Gitea have it.
    Token(Secret),
    /// A header of its own, such as `PRIVATE-TOKEN`.
    Header {
        /// Its name.
        name: String,
        /// Its value.
        value: Secret,
    },
}

/// A version that is to be fetched.
#[derive(Debug, Clone)]
pub struct Release {
    /// `1.12.6`
    pub version: String,
    /// Where: a `.zip`, a `.tar.gz`, or the program itself.
    pub url: Url,
    /// The SHA-256 of what comes from there, in hexadecimal.
    pub sha256: String,
    /// How it is asked for. It is told to the URL's own host alone.
    pub auth: Auth,
    /// The machine it is for.
    pub platform: Platform,
}

/// Why a version was not had.
#[derive(Debug, thiserror::Error)]
pub enum BinaryError {
    /// The place is away, or doesn't give it.
    #[error("{name} {version} can't be fetched from {host}: {reason}")]
    Fetch {
        /// The program.
        name: &'static str,
        /// The version.
        version: String,
        /// The host.
        host: String,
        /// What went wrong.
        reason: String,
        /// Whether the same may go well later.
        transient: bool,
    },
    /// It is another file than the one that was meant.
    #[error("{name} {version} has the SHA-256 {found}, and {wanted} is wanted; nothing of it is kept")]
    Digest {
        /// The program.
        name: &'static str,
        /// The version.
        version: String,
        /// What is wanted.
        wanted: String,
        /// What came.
        found: String,
    },
    /// The archive isn't one, or has no such program.
    #[error("{name} {version} can't be unpacked: {reason}")]
    Archive {
        /// The program.
        name: &'static str,
        /// The version.
        version: String,
        /// What is wrong.
        reason: String,
    },
    /// No such version is there.
    #[error("{name} {version} is not on this machine; fetch it first")]
    Missing {
        /// The program.
        name: &'static str,
        /// The version.
        version: String,
    },
    /// The machine's fault.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The database's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The versions of a program on this machine.
pub struct Binaries<P> {
    root: PathBuf,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// How many versions stay beside the active one, 1 to 3.
    earlier: usize,
    /// One change at a time.
    alone: tokio::sync::Mutex<()>,
    program: PhantomData<P>,
}

impl<P: Managed> std::fmt::Debug for Binaries<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Binaries")
            .field("program", &P::NAME)
            .field("earlier", &self.earlier)
            .finish_non_exhaustive()
    }
}

impl<P: Managed> Binaries<P> {
    /// Those below `root`, with so many earlier versions (1 to 3) beside the active one.
    pub fn new(root: &Path, store: Arc<dyn Store>, clock: Arc<dyn Clock>, earlier: usize) -> Self {
        let root = root.join(P::FOLDER);
        Self {
            root,
            store,
            clock,
            earlier: earlier.clamp(1, 3),
            alone: tokio::sync::Mutex::default(),
            program: PhantomData,
        }
    }

    fn folder(&self, version: &str) -> PathBuf {
        self.root.join(escaped(version))
    }

    /// The program of a version, if it is there.
    pub fn program(&self, version: &str) -> Option<PathBuf> {
        program::<P>(&self.folder(version))
    }

    /// What is known of each version, the newest first.
    pub async fn versions(&self) -> Result<Vec<VersionRecord<P>>, BinaryError> {
        Ok(self.rows().await?.into_iter().map(|row| row.record).collect())
    }

    async fn rows(&self) -> Result<Vec<Versioned<VersionRecord<P>>>, BinaryError> {
        let mut rows = records::all::<VersionRecord<P>>(&*self.store, None, None).await?;
        rows.sort_by(|a, b| {
            (b.record.fetched, &b.record.version).cmp(&(a.record.fetched, &a.record.version))
        });
        Ok(rows)
    }

    /// Fetches a version, unless it is there, and says where it is.
    pub async fn fetch(&self, release: &Release) -> Result<PathBuf, BinaryError> {
        let _alone = self.alone.lock().await;
        let wanted = release.sha256.trim().to_lowercase();
        let known = self.rows().await?.into_iter().find(|row| row.record.version == release.version);
        if let (Some(row), Some(program)) = (&known, self.program(&release.version))
            && row.record.sha256 == wanted
        {
            return Ok(program);
        }
        let unfinished = self.root.join(format!(".{}", uuid::Uuid::now_v7()));
        let _clean = Clean(unfinished.clone());
        tokio::fs::create_dir_all(&unfinished).await?;
        let archive = unfinished.join("archive");
        let found = fetch::fetch(release, P::NAME, &archive).await?;
        if found != wanted {
            return Err(BinaryError::Digest {
                name: P::NAME,
                version: release.version.clone(),
                wanted,
                found,
            });
        }
        let (folder, of) = (self.folder(&release.version), release.clone());
        blocking(move || {
            let new = unfinished.join("new");
            fs::create_dir(&new)?;
            let file = of.platform.file(P::NAME);
            unpack::unpack(&archive, of.url.path(), &file, &new.join(&file)).map_err(|reason| {
                BinaryError::Archive { name: P::NAME, version: of.version.clone(), reason }
            })?;
            // What stands there is another file of the same version, or has no row: it gives way.
            if folder.exists() {
                fs::rename(&folder, unfinished.join("old"))?;
            }
            fs::rename(&new, &folder)?;
            Ok(())
        })
        .await?;
        let mut source = release.url.clone();
        let _ = source.set_username("");
        let _ = source.set_password(None);
        source.set_query(None);
        let record = VersionRecord::<P> {
            version: release.version.clone(),
            source: source.into(),
            fetched: self.clock.now(),
            sha256: wanted,
            active: known.is_some_and(|row| row.record.active),
            program: PhantomData,
        };
        self.store.commit(vec![records::put(&record)]).await?;
        self.program(&release.version)
            .ok_or_else(|| BinaryError::Missing { name: P::NAME, version: release.version.clone() })
    }

    /// Makes a version the one that is used, and removes those that are more than are kept.
    pub async fn activate(&self, version: &str) -> Result<PathBuf, BinaryError> {
        let _alone = self.alone.lock().await;
        let missing = || BinaryError::Missing { name: P::NAME, version: version.to_owned() };
        let program = self.program(version).ok_or_else(missing)?;
        let mut rows = self.rows().await?;
        if !rows.iter().any(|row| row.record.version == version) {
            return Err(missing());
        }
        let mut writes = Vec::new();
        let mut others = 0;
        let mut gone = Vec::new();
        // The one that was active until now stays in any case.
        rows.sort_by_key(|row| !row.record.active);
        for mut row in rows {
            let wanted = row.record.version == version;
            if !wanted {
                others += 1;
                if others > self.earlier {
                    gone.push(self.folder(&row.record.version));
                    writes.push(row.delete());
                    continue;
                }
            }
            if row.record.active != wanted {
                row.record.active = wanted;
                writes.push(row.update());
            }
        }
        if !writes.is_empty() {
            self.store.commit(writes).await?;
        }
        let (root, version) = (self.root.clone(), version.to_owned());
        blocking(move || {
            places::replace(&root.join(ACTIVE), version.as_bytes())?;
            for folder in gone {
                places::remove(&folder)?;
            }
            // What a download that was cut off has left.
            for entry in fs::read_dir(&root)?.flatten() {
                if entry.file_name().to_string_lossy().starts_with('.') {
                    places::remove(&entry.path())?;
                }
            }
            Ok(())
        })
        .await?;
        Ok(program)
    }
}

/// The program in a version's folder.
fn program<P: Managed>(folder: &Path) -> Option<PathBuf> {
    [folder.join(P::NAME), folder.join(format!("{}.exe", P::NAME))].into_iter().find(|path| path.is_file())
}

/// The active version below `root`, if there is one.
pub fn active<P: Managed>(root: &Path) -> Option<PathBuf> {
    let folder = root.join(P::FOLDER);
    let version = fs::read_to_string(folder.join(ACTIVE)).ok()?;
    program::<P>(&folder.join(escaped(version.trim())))
}

/// A folder that goes when nobody needs it any more.
struct Clean(PathBuf);

impl Drop for Clean {
    fn drop(&mut self) {
        let _ = places::remove(&self.0);
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BinaryError> + Send + 'static,
) -> Result<T, BinaryError> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests;
