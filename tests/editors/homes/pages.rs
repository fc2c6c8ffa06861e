//! The pages about the editors.
