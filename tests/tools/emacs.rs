//! Emacs as Debian has it, with Debian's packages of the clients of language servers.
//!
//! What never lives here: what is done in it.

use std::path::PathBuf;

use super::{debian_file, debian_program, or_skip};

/// Emacs, without a window.
pub fn emacs() -> Option<PathBuf> {
    or_skip("Emacs", debian_program("emacs", "emacs-nox"))
}

/// Emacs with eglot and lsp-mode, which `package-initialize` finds.
pub fn emacs_with_clients() -> Option<PathBuf> {
    let packages = "/usr/share/emacs/site-lisp/elpa-src";
    let found = debian_program("emacs", "emacs-nox").and_then(|emacs| {
        debian_file(&format!("{packages}/eglot-*"), "elpa-eglot")?;
        debian_file(&format!("{packages}/lsp-mode-*"), "elpa-lsp-mode")?;
        Ok(emacs)
    });
    or_skip("Emacs with eglot and lsp-mode", found)
}
