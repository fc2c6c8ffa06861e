//! The yardstick of docs/performance.md: reads every `.fly` file of a folder with two threads and does nothing else.
#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a measuring program")]

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

fn main() {
    let root = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let start = Instant::now();
    let mut paths = Vec::new();
    list(Path::new(&root), &mut paths);
    let listed = start.elapsed();
    let start = Instant::now();
    let half = paths.len().div_ceil(2).max(1);
    let bytes: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = paths
            .chunks(half)
            .map(|paths| {
                scope.spawn(|| {
                    paths.iter().filter_map(|p| std::fs::read(p).ok()).map(|b| b.len()).sum::<usize>()
                })
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).sum()
    });
    println!(
        "{} files, {bytes} bytes: listed in {listed:.1?}, read by two threads in {:.1?}",
        paths.len(),
        start.elapsed()
    );
}

fn list(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => list(&path, paths),
            _ if path.extension().is_some_and(|extension| extension == "fly") => paths.push(path),
            _ => {}
        }
    }
}
