//! The files that `file("…")` reads.

use std::{fs::File, io, io::Read, path::Path, sync::Arc};

use smol_str::SmolStr;

use crate::compiler::{AssetError, Compiler};

/// The largest file, in bytes.
const LIMIT: usize = 1 << 20;

/// Gives a compiler the texts that its Nest, which stands at `root`, reads; whether any has changed.
pub fn supply(root: &Path, compiler: &mut Compiler) -> bool {
    let reads = compiler.reads();
    let assets: Vec<(SmolStr, _)> = reads.into_iter().map(|path| (path.clone(), read(root, &path))).collect();
    compiler.set_assets(assets)
}

fn read(root: &Path, path: &str) -> Result<Arc<str>, AssetError> {
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => AssetError::Missing,
        _ => AssetError::Unreadable,
    };
    // A link may lead out of the Nest, and the build must not depend on what is there.
    let real = root.join(path).canonicalize().map_err(failed)?;
    let inside = root.canonicalize().is_ok_and(|root| real.starts_with(root));
    if !inside {
        return Err(AssetError::Outside);
    }
    if !real.is_file() {
        return Err(AssetError::Unreadable);
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(LIMIT).unwrap_or(u64::MAX);
    File::open(&real).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes)).map_err(failed)?;
    text(bytes)
}

/// The text that bytes are.
pub(super) fn text(bytes: Vec<u8>) -> Result<Arc<str>, AssetError> {
    if bytes.len() > LIMIT {
        return Err(AssetError::TooLarge);
    }
    String::from_utf8(bytes).map(Into::into).map_err(|_| AssetError::NotText)
}
