//! The command line of `gosling`: one file a subcommand.
