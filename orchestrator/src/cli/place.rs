//! New files: whole or not at all, and never in the place of another.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    path::Path,
};

/// Writes a file unless something is there, with the folders that lead to it; whether it did. A process that is ended on the
/// way leaves no part of it under its name.
pub(super) fn put_new(path: &Path, text: &str) -> io::Result<bool> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = folder.join(format!(".{name}.gosling-new"));
    // What an ended process left.
    match fs::remove_file(&beside) {
        Err(error) if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Err(error);
        }
        _ => {}
    }
    if fs::symlink_metadata(path).is_ok() {
        return Ok(false);
    }
    fs::create_dir_all(folder)?;
    let write = || {
        let mut file = File::create_new(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        match fs::hard_link(&beside, path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            // Some file systems have no links; nobody else is at work here but by accident.
            Err(_) => fs::rename(&beside, path).map(|()| true),
        }
    };
    let written = write();
    // After a rename it is gone.
    let _ = fs::remove_file(&beside);
    if let Ok(folder) = File::open(folder) {
        // Where the system can't, the name is on the disk by and by.
        let _ = folder.sync_all();
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_once_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.fly");
        fs::create_dir(folder.path().join("a")).unwrap();
        fs::write(folder.path().join("a/.b.fly.gosling-new"), "half").unwrap();
        assert!(put_new(&path, "one").unwrap());
        assert!(!put_new(&path, "two").unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "one");
        let names: Vec<_> =
            fs::read_dir(folder.path().join("a")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["b.fly"]);
    }
}
