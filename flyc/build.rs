//! A digest of the compiler's own sources, so that a build knows whether the last one was made by the same compiler.
//!
//! It is a function of the texts alone: the same sources give the same digest on every machine. Never here: anything
//! else.
#![allow(clippy::disallowed_methods, reason = "a build script reads the sources it stands beside")]

use std::{
    fs, io,
    path::{Path, PathBuf},
};

fn main() -> io::Result<()> {
    let mut files = Vec::new();
    for folder in ["src", "../fly-std/src"] {
        println!("cargo::rerun-if-changed={folder}");
        collect(Path::new(folder), &mut files)?;
    }
    // What the templates are filled by has a version of its own.
    let lock = Path::new("../Cargo.lock");
    if lock.is_file() {
        println!("cargo::rerun-if-changed={}", lock.display());
        files.push(lock.to_owned());
    }
    files.sort();
    // FNV-1a in 128 bits: nobody is kept from making two compilers look alike, but none do by chance.
    let mut digest: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    let mut add = |bytes: &[u8]| {
        for byte in bytes.len().to_string().bytes().chain(bytes.iter().copied()) {
            digest = (digest ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b);
        }
    };
    for file in &files {
        add(file.to_string_lossy().replace('\\', "/").as_bytes());
        add(&fs::read(file)?);
    }
    println!("cargo::rustc-env=FLYC_SOURCES={digest:032x}");
    Ok(())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
