//! The Nest's repository by the program `git`.
