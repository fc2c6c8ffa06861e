//! The yardstick of docs/performance.md: finds and reads every `.fly` file of a folder with two threads, and does
//! nothing else. Then it reads them once more, their paths known.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a measuring program")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use rayon::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    rayon::ThreadPoolBuilder::new().num_threads(2).build_global()?;
    let start = Instant::now();
    let found = read_below(Path::new(&root));
    let both = start.elapsed();
    let start = Instant::now();
    let bytes: usize =
        found.par_iter().filter_map(|(path, _)| fs::read(path).ok()).map(|text| text.len()).sum();
    println!(
        "{} files, {bytes} bytes: found and read in {both:.1?}, read again in {:.1?}",
        found.len(),
        start.elapsed()
    );
    Ok(())
}

/// The files of the folder and those below it, with their texts.
fn read_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut folders, mut files) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => folders.push(path),
            _ if path.extension().is_some_and(|extension| extension == "fly") => files.push(path),
            _ => {}
        }
    }
    let mut read: Vec<_> =
        files.into_par_iter().filter_map(|path| fs::read(&path).ok().map(|text| (path, text))).collect();
    read.par_extend(folders.par_iter().flat_map_iter(|folder| read_below(folder)));
    read
}
