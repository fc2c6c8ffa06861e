//! What an editor asks, answered in offsets and plain structs: one file a question.
//!
//! Every function takes a [`Compiler`](flyc::compiler::Compiler) and a file's path relative to the Nest's root; a file that is not there gives an
//! empty answer. Never here: the protocol, files, threads, and parsing or typing anything — that is asked of the compiler.

mod actions;
mod commands;
mod completion;
mod cursor;
mod facts;
mod folding;
mod follow;
mod formatting;
mod hints;
mod hover;
mod inherited;
mod lens;
mod links;
mod locate;
mod moves;
mod names;
mod schedule;
mod selection;
mod signature;
mod sizing;
mod snippet;
mod symbols;
mod tokens;
mod type_definition;

pub use actions::{Action, ActionKind, Deferred, Edits, actions, carry_out};
pub use commands::{CommandError, GeneratedFile, explain, generated, plan, simulate};
pub use completion::{Completion, CompletionKind, Doc, complete};
pub use folding::{Fold, FoldKind, folds};
pub use formatting::{format_file, format_range, format_typed};
pub use hints::{Hint, HintKind, HintOptions, hints};
pub use hover::{Hover, hover};
pub use lens::{Lens, LensKind, LensText, lens_text, lenses};
pub use links::{Link, LinkTarget, links};
pub use moves::moved;
pub use names::{FileEdit, Rename, RenameError, definition, highlights, prepare_rename, references, rename};
pub use schedule::Moment;
pub use selection::selections;
pub use signature::{Signature, signature};
pub use symbols::{Symbol, SymbolKind, document_symbols, workspace_symbols};
pub use tokens::{TOKEN_MODIFIERS, TOKEN_TYPES, Token, semantic_tokens};
pub use type_definition::type_definition;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
