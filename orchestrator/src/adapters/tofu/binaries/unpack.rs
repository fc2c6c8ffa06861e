//! A program out of what was fetched.

use std::{
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use flate2::read::GzDecoder;

/// The largest program that is taken.
const LARGEST: u64 = 1 << 30;

/// Takes the file `name` out of an archive, or the archive itself when it is none, to `to`. `told` tells by its ending what it
/// is.
pub(super) fn unpack(archive: &Path, told: &str, name: &str, to: &Path) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    let file = File::open(archive).map_err(text)?;
    let lower = told.to_lowercase();
    if lower.ends_with(".zip") {
        let mut archive = zip::ZipArchive::new(file).map_err(|error| error.to_string())?;
        let at = (0..archive.len()).find(|at| {
            archive
                .by_index(*at)
                .is_ok_and(|entry| entry.is_file() && entry.name().is_ok_and(|path| is_called(&path, name)))
        });
        let at = at.ok_or_else(|| format!("it has no file `{name}`"))?;
        let entry = archive.by_index(at).map_err(|error| error.to_string())?;
        write(entry, to).map_err(text)
    } else if lower.ends_with(".tar.gz") || lower.ends_with(".tgz") {
        let mut archive = tar::Archive::new(GzDecoder::new(file));
        for entry in archive.entries().map_err(text)? {
            let entry = entry.map_err(text)?;
            let called = is_called(&entry.path().map_err(text)?.to_string_lossy(), name);
            if called && entry.header().entry_type().is_file() {
                return write(entry, to).map_err(text);
            }
        }
        Err(format!("it has no file `{name}`"))
    } else {
        write(file, to).map_err(text)
    }
}

/// Whether the last part of a path is this name.
fn is_called(path: &str, name: &str) -> bool {
    path.rsplit(['/', '\\']).next() == Some(name)
}

fn write(from: impl Read, to: &Path) -> io::Result<()> {
    let mut file = File::create(to)?;
    let written = io::copy(&mut from.take(LARGEST + 1), &mut file)?;
    if written > LARGEST {
        return Err(io::Error::other(format!("`{}` is larger than {LARGEST} bytes", to.display())));
    }
    fs::set_permissions(to, fs::Permissions::from_mode(0o755))?;
    file.sync_all()
}
