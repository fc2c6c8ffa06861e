//! `flyc man`: the manual pages, made from what the program knows of its arguments.

use std::{fs, path::PathBuf};

use clap::Args;
use clap_mangen::Man as Page;

use super::{Failure, Outcome, print};

/// Print flyc's manual page, or write the page of every command to a folder.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  flyc man | man -l -\n  flyc man --out ~/.local/share/man/man1")]
pub(super) struct Man {
    /// Write flyc.1, flyc-check.1 and so on here
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(&self, command: clap::Command) -> Result<Outcome, Failure> {
        let Some(out) = &self.out else {
            let mut page = Vec::new();
            Page::new(command)
                .render(&mut page)
                .map_err(|error| Failure::io("can't write the manual page", error))?;
            return print(&page);
        };
        let shown = out.display();
        fs::create_dir_all(out).map_err(|error| Failure::io(format!("can't make {shown}"), error))?;
        clap_mangen::generate_to(command, out)
            .map_err(|error| Failure::io(format!("can't write to {shown}"), error))?;
        Ok(Outcome::Clean)
    }
}
