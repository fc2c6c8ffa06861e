//! The outside world: finding Nests, reading their files, writing what is built.
//!
//! This room and `cli` alone touch the file system. What never lives here: anything about the language.
#![allow(clippy::disallowed_methods, reason = "this is the room that may")]

mod assets;
mod build;
mod built;
mod discover;
mod folder;
mod history;
mod live;
mod project;
mod read;
mod search;
mod walk;
mod watch;
mod write;

pub use assets::supply;
pub use build::{BuildError, Built, build, build_nest};
pub use built::{BuiltFolder, NestFolder};
pub use discover::{Walk, find_root, walk};
pub use history::{HistoryError, Past, read_at};
pub use live::Live;
pub use project::ProjectFiles;
pub use read::{Loaded, load, read_file, read_text, replace_file};
pub use search::{find_nests, is_file, is_folder, real_path};
pub use watch::Watcher;
pub use write::{Written, recover, write};
