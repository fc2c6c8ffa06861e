//! `gosling man`: the manual pages, made from what the program knows of its arguments.

use std::{fs, path::PathBuf, process::ExitCode};

use clap::Args;
use clap_mangen::Man as Page;

use super::{Failure, print};

#[derive(Debug, Args)]
#[command(after_help = "Example: gosling man ~/.local/share/man/man1\n\n\
    Without a folder it prints its own page: gosling man | man -l -")]
pub(super) struct Man {
    /// Write gosling.1, gosling-status.1 and so on here
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

impl Man {
    pub(super) fn run(self, command: clap::Command) -> Result<ExitCode, Failure> {
        let io = |what: String| move |error| Failure::Io { what, error };
        let Some(folder) = &self.folder else {
            let mut page = Vec::new();
            Page::new(command).render(&mut page).map_err(io("the manual page".to_owned()))?;
            return print(&page);
        };
        let shown = folder.display().to_string();
        fs::create_dir_all(folder).map_err(io(shown.clone()))?;
        clap_mangen::generate_to(command, folder).map_err(io(shown))?;
        Ok(ExitCode::SUCCESS)
    }
}
