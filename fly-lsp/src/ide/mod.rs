//! What an editor asks, answered in offsets and plain structs: one file a question.
//!
//! Every function takes a [`Compiler`](flyc::compiler::Compiler) and a file's path relative to the Nest's root; a file that is not there gives an
//! empty answer. Never here: the protocol, files, threads, and parsing or typing anything — that is asked of the compiler.

mod completion;
mod cursor;
mod facts;
mod folding;
mod hover;
mod locate;
mod moves;
mod names;
mod selection;
mod signature;
mod snippet;
mod symbols;
mod tokens;

pub use completion::{Completion, CompletionKind, complete};
pub use folding::{Fold, FoldKind, folds};
pub use hover::{Hover, hover};
pub use moves::moved;
pub use names::{FileEdit, Rename, RenameError, definition, highlights, prepare_rename, references, rename};
pub use selection::selections;
pub use signature::{Signature, signature};
pub use symbols::{Symbol, SymbolKind, document_symbols, workspace_symbols};
pub use tokens::{TOKEN_MODIFIERS, TOKEN_TYPES, Token, semantic_tokens};

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
