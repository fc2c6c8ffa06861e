//! What the editor said it can do. Never here: what it wants, which is `settings`'s.

use tower_lsp_server::ls_types::ClientCapabilities;

use super::outbox::Shown;

/// What the editor can do, as far as the session asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is one thing an editor can or can't do")]
pub(crate) struct Abilities {
    /// It shows other places of a diagnostic.
    pub(crate) related_information: bool,
    /// It knows what to do with the version of a document a diagnostic is about.
    pub(crate) diagnostic_versions: bool,
    /// It links a diagnostic's code to its page.
    pub(crate) code_descriptions: bool,
    /// It fades and strikes through what is tagged so.
    pub(crate) diagnostic_tags: bool,
    /// It gives back a diagnostic's data with the question what can be done about it.
    pub(crate) diagnostic_data: bool,
    /// It asks for the diagnostics of the documents it shows.
    pub(crate) pulls: bool,
    /// It asks anew when it is told to.
    pub(crate) refreshes_diagnostics: bool,
    /// It asks anew for lenses when it is told to.
    pub(crate) refreshes_lenses: bool,
    /// It asks anew for hints when it is told to.
    pub(crate) refreshes_hints: bool,
    /// It shows how far long work is.
    pub(crate) progress: bool,
    /// It tells its configuration when it is asked.
    pub(crate) configuration: bool,
    /// It watches the files it is told to watch.
    pub(crate) watches_files: bool,
}

impl Abilities {
    pub(crate) fn of(editor: &ClientCapabilities) -> Self {
        let text = editor.text_document.as_ref();
        let workspace = editor.workspace.as_ref();
        let published = text.and_then(|text| text.publish_diagnostics.as_ref());
        let yes = |ability: Option<bool>| ability.unwrap_or(false);
        Self {
            related_information: yes(published.and_then(|it| it.related_information)),
            diagnostic_versions: yes(published.and_then(|it| it.version_support)),
            code_descriptions: yes(published.and_then(|it| it.code_description_support)),
            diagnostic_tags: published.is_some_and(|it| it.tag_support.is_some()),
            diagnostic_data: yes(published.and_then(|it| it.data_support)),
            pulls: text.is_some_and(|text| text.diagnostic.is_some()),
            refreshes_diagnostics: yes(workspace
                .and_then(|it| it.diagnostics.as_ref())
                .and_then(|it| it.refresh_support)),
            refreshes_lenses: yes(workspace
                .and_then(|it| it.code_lens.as_ref())
                .and_then(|it| it.refresh_support)),
            refreshes_hints: yes(workspace
                .and_then(|it| it.inlay_hint.as_ref())
                .and_then(|it| it.refresh_support)),
            progress: yes(editor.window.as_ref().and_then(|window| window.work_done_progress)),
            configuration: yes(workspace.and_then(|it| it.configuration)),
            watches_files: yes(workspace
                .and_then(|it| it.did_change_watched_files.as_ref())
                .and_then(|it| it.dynamic_registration)),
        }
    }

    /// What it asks anew for when other files than those it shows are others now.
    pub(crate) fn refreshes(self) -> impl Iterator<Item = Shown> {
        let all = [
            (Shown::Diagnostics, self.pulls && self.refreshes_diagnostics),
            (Shown::Lenses, self.refreshes_lenses),
            (Shown::Hints, self.refreshes_hints),
        ];
        all.into_iter().filter_map(|(shown, can)| can.then_some(shown))
    }
}
