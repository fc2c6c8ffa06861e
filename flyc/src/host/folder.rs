//! A folder as the walk needs it: what it holds, and its files. On Linux everything is asked relative to a handle, so
//! that the kernel looks up one name and not a whole path; elsewhere by path, as the standard library does.
//!
//! What never lives here: what is left out, and what is done with what is found.

use std::{
    fs::{File, Metadata},
    io,
};

/// What stands in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Link,
    /// A pipe, a socket, a device.
    Other,
}

impl Kind {
    /// What a link leads to.
    pub(super) fn of(target: &Metadata) -> Self {
        if target.is_file() {
            Self::File
        } else if target.is_dir() {
            Self::Folder
        } else {
            Self::Other
        }
    }
}

#[cfg(target_os = "linux")]
mod imp {
    use std::{
        fs::File,
        io,
        mem::MaybeUninit,
        os::fd::{AsFd, OwnedFd},
        path::Path,
    };

    use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, openat, statat};

    use super::Kind;

    /// An open folder.
    #[derive(Debug)]
    pub(in super::super) struct Folder(OwnedFd);

    /// What the kernel writes listings to.
    pub(in super::super) type Buffer = Box<[MaybeUninit<u8>]>;

    pub(in super::super) fn buffer() -> Buffer {
        vec![MaybeUninit::uninit(); 32 << 10].into_boxed_slice()
    }

    impl Folder {
        pub(in super::super) fn root(path: &Path) -> io::Result<Self> {
            open(CWD, path)
        }

        /// A folder below it, given its path from here with `/` between folders.
        pub(in super::super) fn below(&self, path: &str) -> io::Result<Self> {
            open(&self.0, Path::new(if path.is_empty() { "." } else { path }))
        }

        /// What it holds. Names that are no Unicode are passed over.
        pub(in super::super) fn list(
            &self,
            buffer: &mut Buffer,
            mut each: impl FnMut(&str, io::Result<Kind>),
        ) -> io::Result<()> {
            let mut entries = RawDir::new(&self.0, buffer);
            while let Some(entry) = entries.next() {
                let entry = entry?;
                let Ok(name) = entry.file_name().to_str() else { continue };
                if matches!(name, "." | "..") {
                    continue;
                }
                let mut kind = Ok(entry.file_type());
                if kind == Ok(FileType::Unknown) {
                    // Not every file system tells it in the listing.
                    kind = statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)
                        .map(|stat| FileType::from_raw_mode(stat.st_mode));
                }
                let kind = kind.map(|kind| match kind {
                    FileType::RegularFile => Kind::File,
                    FileType::Directory => Kind::Folder,
                    FileType::Symlink => Kind::Link,
                    _ => Kind::Other,
                });
                each(name, kind.map_err(io::Error::from));
            }
            Ok(())
        }

        /// Opens a file of it.
        pub(in super::super) fn open(&self, name: &str) -> io::Result<File> {
            Ok(openat(&self.0, name, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?.into())
        }
    }

    fn open(at: impl AsFd, path: &Path) -> io::Result<Folder> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Folder(openat(at, path, flags, Mode::empty())?))
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::{
        fs::{self, File},
        io,
        path::{Path, PathBuf},
    };

    use super::Kind;

    /// A folder.
    #[derive(Debug)]
    pub(in super::super) struct Folder(PathBuf);

    /// The standard library has its own.
    pub(in super::super) type Buffer = ();

    pub(in super::super) fn buffer() -> Buffer {}

    impl Folder {
        pub(in super::super) fn root(path: &Path) -> io::Result<Self> {
            Ok(Self(path.to_path_buf()))
        }

        /// A folder below it, given its path from here with `/` between folders.
        pub(in super::super) fn below(&self, path: &str) -> io::Result<Self> {
            Ok(Self(if path.is_empty() { self.0.clone() } else { self.0.join(path) }))
        }

        /// What it holds. Names that are no Unicode are passed over.
        pub(in super::super) fn list(
            &self,
            _: &mut Buffer,
            mut each: impl FnMut(&str, io::Result<Kind>),
        ) -> io::Result<()> {
            for entry in fs::read_dir(&self.0)? {
                let entry = entry?;
                let name = entry.file_name();
                let Some(name) = name.to_str() else { continue };
                let kind = entry.file_type().map(|kind| match kind {
                    kind if kind.is_file() => Kind::File,
                    kind if kind.is_dir() => Kind::Folder,
                    kind if kind.is_symlink() => Kind::Link,
                    _ => Kind::Other,
                });
                each(name, kind);
            }
            Ok(())
        }

        /// Opens a file of it.
        pub(in super::super) fn open(&self, name: &str) -> io::Result<File> {
            File::open(self.0.join(name))
        }
    }
}

pub(super) use imp::{Buffer, Folder, buffer};

/// A file that was found and can be opened.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) folder: &'a Folder,
    pub(super) name: &'a str,
}

impl Found<'_> {
    pub(super) fn open(&self) -> io::Result<File> {
        self.folder.open(self.name)
    }
}
