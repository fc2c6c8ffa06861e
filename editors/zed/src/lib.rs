//! Fly in Zed: how the language server is found, started and told its settings.
//!
//! Colours, brackets and the like are files in `languages/fly`. What never lives here: anything that the server knows.

use zed_extension_api::{
    self as zed, Command, LanguageServerId, Result, Worktree, serde_json::Value, settings::LspSettings,
};

/// The server's name: the program's, and what its settings stand under in Zed's `lsp`.
const SERVER: &str = "fly-lsp";

struct Fly;

impl zed::Extension for Fly {
    fn new() -> Self {
        Self
    }

    /// The program of the settings; else `fly-lsp` on the `PATH`; else `flyc lsp`.
    fn language_server_command(&mut self, _: &LanguageServerId, worktree: &Worktree) -> Result<Command> {
        let binary = LspSettings::for_worktree(SERVER, worktree)?.binary;
        let (path, arguments, environment) =
            binary.map_or((None, None, None), |binary| (binary.path, binary.arguments, binary.env));
        let found = path.map(|path| (path, Vec::new()));
        let found = found.or_else(|| worktree.which(SERVER).map(|path| (path, Vec::new())));
        let found = found.or_else(|| worktree.which("flyc").map(|path| (path, vec!["lsp".to_owned()])));
        let (command, own) = found.ok_or_else(|| {
            format!(
                "there is no `{SERVER}` on the PATH; install it, or name it in the settings as \
                 `lsp.{SERVER}.binary.path`"
            )
        })?;
        let mut env = worktree.shell_env();
        env.extend(environment.into_iter().flatten());
        Ok(Command { command, args: arguments.unwrap_or(own), env })
    }

    fn language_server_initialization_options(
        &mut self,
        _: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Option<Value>> {
        Ok(LspSettings::for_worktree(SERVER, worktree)?.initialization_options)
    }

    /// What the server asks for as the section `fly`.
    fn language_server_workspace_configuration(
        &mut self,
        _: &LanguageServerId,
        worktree: &Worktree,
    ) -> Result<Option<Value>> {
        let settings = LspSettings::for_worktree(SERVER, worktree)?.settings;
        Ok(settings.map(|settings| [("fly".to_owned(), settings)].into_iter().collect()))
    }
}

zed::register_extension!(Fly);
