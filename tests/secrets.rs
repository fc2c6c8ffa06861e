//! Passwords, tokens and keys: where they are kept, who may see them, and that nobody else does.
