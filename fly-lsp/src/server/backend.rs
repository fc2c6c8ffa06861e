//! The requests: each goes to the session with the number of changes that came before it.

use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::{sync::watch, task::spawn_blocking};
use tower_lsp_server::{
    Client, LanguageServer,
    jsonrpc::{Error, Result},
    ls_types::{
        CodeAction, CodeActionOrCommand, CodeActionParams, CodeActionResponse, CodeLens, CodeLensParams,
        CompletionItem, CompletionParams, CompletionResponse, DidCloseTextDocumentParams, DocumentChanges,
        DocumentDiagnosticParams, DocumentDiagnosticReportResult, DocumentFormattingParams,
        DocumentHighlight, DocumentHighlightParams, DocumentLink, DocumentLinkParams,
        DocumentOnTypeFormattingParams, DocumentRangeFormattingParams, DocumentSymbolParams,
        DocumentSymbolResponse, ExecuteCommandParams, FoldingRange, FoldingRangeParams, GotoDefinitionParams,
        GotoDefinitionResponse, Hover, HoverParams, InitializeParams, InitializeResult, InitializedParams,
        InlayHint, InlayHintParams, LSPAny, Location, MessageType, PrepareRenameResponse, ReferenceParams,
        RenameFilesParams, RenameParams, SelectionRange, SelectionRangeParams, SemanticTokens,
        SemanticTokensDeltaParams, SemanticTokensFullDeltaResult, SemanticTokensParams,
        SemanticTokensRangeParams, SemanticTokensRangeResult, SemanticTokensResult, ServerInfo,
        SignatureHelp, SignatureHelpParams, TextDocumentPositionParams, TextEdit, Uri,
        WorkspaceDiagnosticParams, WorkspaceDiagnosticReport, WorkspaceDiagnosticReportResult, WorkspaceEdit,
        WorkspaceSymbolParams, WorkspaceSymbolResponse,
    },
};

use super::{
    abilities::Abilities,
    capabilities::capabilities,
    convert::{Encoding, path_of},
    features::{
        actions,
        commands::{self, Command},
        completion, diagnostics, formatting, hints, lens, links, moves, names, outline, reading, tokens,
    },
    ordered::SEEN,
    outbox::Outbox,
    output::Output,
    publish::Publisher,
    session::{Hello, Inbox, View, modified},
};

/// What the editor said it can do.
#[derive(Debug, Clone, Copy, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is one thing an editor can or can't do")]
struct Editor {
    completion: completion::Wishes,
    moves_files: bool,
    /// It knows edits of documents with their versions.
    versions_edits: bool,
    /// It shows symbols within each other.
    nests_symbols: bool,
    /// It knows code actions that are no commands.
    knows_actions: bool,
    /// It asks for the edits of a code action when somebody wants it.
    resolves_actions: bool,
    commands: commands::Handled,
    tooltips_later: bool,
}

impl Editor {
    /// An edit in the form that it knows.
    fn edit(self, edit: WorkspaceEdit) -> WorkspaceEdit {
        if self.versions_edits { edit } else { names::without_versions(edit) }
    }
}

/// The server as the library knows it.
pub(crate) struct Backend {
    pub(crate) inbox: Inbox,
    /// Whether the editor has said `shutdown`.
    pub(crate) ended: Arc<AtomicBool>,
    client: Client,
    /// The editor's process.
    pub(crate) parent: watch::Receiver<Option<u32>>,
    parent_is: watch::Sender<Option<u32>>,
    publisher: Publisher,
    outbox: Outbox,
    editor: Mutex<Editor>,
    lists: completion::Lists,
    tokens: tokens::Sent,
}

impl Backend {
    pub(crate) fn new(client: Client, output: Output) -> Self {
        let (publisher, outbox) = (Publisher::new(output), Outbox::new(client.clone()));
        let (parent_is, parent) = watch::channel(None);
        Self {
            inbox: Inbox::start(publisher.clone(), outbox.clone()),
            ended: Arc::default(),
            client,
            parent,
            parent_is,
            publisher,
            outbox,
            editor: Mutex::default(),
            lists: completion::Lists::default(),
            tokens: tokens::Sent::default(),
        }
    }

    fn editor(&self) -> Editor {
        *self.editor.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks about a file as it was when the request came.
    async fn ask<T: Send + 'static>(
        &self,
        uri: &Uri,
        question: impl FnOnce(&View) -> T + Send + 'static,
    ) -> Result<Option<T>> {
        let seen = SEEN.try_with(|seen| *seen).unwrap_or(u64::MAX);
        self.inbox.ask(seen, uri, question).await
    }

    /// Asks the Nest that a file is of, whether an editor shows it or not. Of Nests within each other it is the inner one.
    async fn about<T: Send + 'static>(
        &self,
        file: PathBuf,
        question: impl Fn(&View, &Path) -> Option<T> + Send + 'static,
    ) -> Result<T> {
        let asked = file.clone();
        let depth = |view: &View| view.root.as_os_str().len();
        let found = self.inbox.ask_all(move |view| Some((depth(view), question(view, &asked)?))).await?;
        let inner = found.into_iter().flatten().max_by_key(|(depth, _)| *depth);
        inner.map(|(_, answer)| answer).ok_or_else(|| commands::elsewhere(&file))
    }

    /// Asks about the form of a file, which needs no Nest around it.
    async fn ask_text<T: Send + 'static>(
        &self,
        uri: &Uri,
        question: impl FnOnce(&View) -> T + Send + 'static,
    ) -> Result<Option<T>> {
        let seen = SEEN.try_with(|seen| *seen).unwrap_or(u64::MAX);
        self.inbox.ask_text(seen, uri, question).await
    }

    async fn ask_at<T: Send + 'static>(
        &self,
        at: TextDocumentPositionParams,
        question: impl FnOnce(&View, tower_lsp_server::ls_types::Position) -> T + Send + 'static,
    ) -> Result<Option<T>> {
        self.ask(&at.text_document.uri, move |view| question(view, at.position)).await
    }
}

impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let offered = params.capabilities.general.as_ref();
        let offered = offered.and_then(|general| general.position_encodings.as_deref());
        let encoding = Encoding::negotiate(offered);
        let actions = params.capabilities.text_document.as_ref();
        let actions = actions.and_then(|text| text.code_action.as_ref()).filter(|actions| {
            let lazily = actions.resolve_support.as_ref();
            actions.data_support == Some(true)
                && lazily.is_some_and(|lazily| lazily.properties.iter().any(|property| property == "edit"))
        });
        let text = params.capabilities.text_document.as_ref();
        let symbols = text.and_then(|text| text.document_symbol.as_ref());
        let literal = text.and_then(|text| text.code_action.as_ref()?.code_action_literal_support.as_ref());
        let hints = params.capabilities.text_document.as_ref().and_then(|text| text.inlay_hint.as_ref());
        let later = hints.and_then(|hints| hints.resolve_support.as_ref());
        let edits = params.capabilities.workspace.as_ref();
        let edits = edits.and_then(|workspace| workspace.workspace_edit.as_ref());
        *self.editor.lock().unwrap_or_else(PoisonError::into_inner) = Editor {
            completion: completion::Wishes::of(&params),
            moves_files: edits.is_some_and(|edits| edits.resource_operations.is_some()),
            versions_edits: edits.is_some_and(|edits| edits.document_changes == Some(true)),
            nests_symbols: symbols
                .is_some_and(|symbols| symbols.hierarchical_document_symbol_support == Some(true)),
            knows_actions: literal.is_some(),
            resolves_actions: actions.is_some(),
            commands: commands::Handled::of(&params),
            tooltips_later: later.is_some_and(|later| later.properties.iter().any(|one| one == "tooltip")),
        };
        let mut folders: Vec<_> = params
            .workspace_folders
            .unwrap_or_default()
            .iter()
            .filter_map(|folder| path_of(&folder.uri))
            .collect();
        #[allow(deprecated, reason = "older editors name one folder this way")]
        if folders.is_empty() {
            folders.extend(params.root_uri.as_ref().and_then(path_of));
        }
        // An editor that died before it could say `exit` is not waited for.
        self.parent_is.send_replace(params.process_id);
        let abilities = Abilities::of(&params.capabilities);
        let settings = params.initialization_options.unwrap_or_default();
        self.inbox.begin(Hello { folders, encoding, abilities, settings });
        Ok(InitializeResult {
            capabilities: capabilities(encoding),
            server_info: Some(ServerInfo {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            offset_encoding: None,
        })
    }

    async fn initialized(&self, _: InitializedParams) {}

    async fn shutdown(&self) -> Result<()> {
        self.ended.store(true, Ordering::SeqCst);
        Ok(())
    }

    async fn hover(&self, params: HoverParams) -> Result<Option<Hover>> {
        let at = params.text_document_position_params;
        Ok(self.ask_at(at, reading::hover).await?.flatten())
    }

    async fn completion(&self, params: CompletionParams) -> Result<Option<CompletionResponse>> {
        let wishes = self.editor().completion;
        let answer = move |view: &View, at| completion::completion(view, at, wishes.snippets);
        let found = self.ask_at(params.text_document_position, answer).await?;
        Ok(found.map(|(found, is_incomplete)| self.lists.send(found, is_incomplete, wishes)))
    }

    async fn completion_resolve(&self, item: CompletionItem) -> Result<CompletionItem> {
        Ok(self.lists.whole(item))
    }

    async fn code_lens(&self, params: CodeLensParams) -> Result<Option<Vec<CodeLens>>> {
        let has = self.editor().commands;
        self.ask(&params.text_document.uri, move |view| lens::lenses(view, has)).await
    }

    async fn code_lens_resolve(&self, mut lens: CodeLens) -> Result<CodeLens> {
        let Some(later) = lens::later(&lens) else { return Ok(lens) };
        let (uri, range) = (later.uri.clone(), lens.range);
        let command = self.ask(&uri, move |view| lens::command(view, range, &later)).await?.flatten();
        lens.command = Some(command.ok_or_else(modified)?);
        Ok(lens)
    }

    async fn inlay_hint(&self, params: InlayHintParams) -> Result<Option<Vec<InlayHint>>> {
        let (range, later) = (params.range, self.editor().tooltips_later);
        let answer = move |view: &View| hints::hints(view, range, later);
        self.ask(&params.text_document.uri, answer).await
    }

    async fn inlay_hint_resolve(&self, mut hint: InlayHint) -> Result<InlayHint> {
        let Some(later) = hints::later(&hint) else { return Ok(hint) };
        let (uri, asked) = (later.uri.clone(), hint.clone());
        let tooltip = self.ask(&uri, move |view| hints::tooltip(view, &asked, &later)).await?.flatten();
        hint.tooltip = Some(tooltip.ok_or_else(modified)?);
        Ok(hint)
    }

    async fn document_link(&self, params: DocumentLinkParams) -> Result<Option<Vec<DocumentLink>>> {
        self.ask(&params.text_document.uri, links::links).await
    }

    async fn execute_command(&self, params: ExecuteCommandParams) -> Result<Option<LSPAny>> {
        let command = Command::of(&params)?;
        let answer = match command {
            Command::Explain(id) => commands::explain(&id)?,
            Command::Generated(file) => self.about(file, commands::generated).await??,
            Command::Simulate(file, event) => {
                let event = move |view: &View, file: &Path| commands::simulate(view, file, event.as_deref());
                self.about(file, event).await??
            }
            Command::Plan(file, revision) => {
                let root = self.about(file.clone(), commands::root).await?;
                // No snapshot is held meanwhile: whoever types must not wait for git.
                let read = spawn_blocking(move || commands::Earlier::read(root, &revision)).await;
                let earlier = read.map_err(|_| Error::internal_error())??;
                self.about(file, move |view, _| earlier.plan(view)).await??
            }
        };
        if let Some(message) = answer.message(&params.command, self.editor().commands) {
            self.client.show_message(MessageType::INFO, message).await;
        }
        Ok(Some(answer.json()))
    }

    async fn did_close(&self, params: DidCloseTextDocumentParams) {
        self.tokens.forget(&params.text_document.uri);
    }

    async fn signature_help(&self, params: SignatureHelpParams) -> Result<Option<SignatureHelp>> {
        let at = params.text_document_position_params;
        Ok(self.ask_at(at, reading::signature).await?.flatten())
    }

    async fn goto_definition(&self, params: GotoDefinitionParams) -> Result<Option<GotoDefinitionResponse>> {
        let at = params.text_document_position_params;
        Ok(self.ask_at(at, names::definition).await?.map(GotoDefinitionResponse::Array))
    }

    async fn goto_type_definition(
        &self,
        params: GotoDefinitionParams,
    ) -> Result<Option<GotoDefinitionResponse>> {
        let at = params.text_document_position_params;
        Ok(self.ask_at(at, names::type_definition).await?.map(GotoDefinitionResponse::Array))
    }

    async fn references(&self, params: ReferenceParams) -> Result<Option<Vec<Location>>> {
        let definitions = params.context.include_declaration;
        let token = params.work_done_progress_params.work_done_token;
        let _progress = self.outbox.progress_of(token, "Finding references");
        let answer = move |view: &View, at| names::references(view, at, definitions);
        self.ask_at(params.text_document_position, answer).await
    }

    async fn document_highlight(
        &self,
        params: DocumentHighlightParams,
    ) -> Result<Option<Vec<DocumentHighlight>>> {
        self.ask_at(params.text_document_position_params, names::highlights).await
    }

    async fn document_symbol(&self, params: DocumentSymbolParams) -> Result<Option<DocumentSymbolResponse>> {
        let found = self.ask_text(&params.text_document.uri, outline::symbols).await?;
        let uri = &params.text_document.uri;
        let answer = |found| {
            if self.editor().nests_symbols {
                DocumentSymbolResponse::Nested(found)
            } else {
                DocumentSymbolResponse::Flat(outline::flat(uri, found))
            }
        };
        Ok(found.map(answer))
    }

    async fn symbol(&self, params: WorkspaceSymbolParams) -> Result<Option<WorkspaceSymbolResponse>> {
        let found = self.inbox.ask_all(move |view| outline::workspace_symbols(view, &params.query)).await?;
        Ok(Some(WorkspaceSymbolResponse::Flat(found.into_iter().flatten().collect())))
    }

    async fn folding_range(&self, params: FoldingRangeParams) -> Result<Option<Vec<FoldingRange>>> {
        self.ask_text(&params.text_document.uri, outline::folds).await
    }

    async fn selection_range(&self, params: SelectionRangeParams) -> Result<Option<Vec<SelectionRange>>> {
        let positions = params.positions;
        self.ask_text(&params.text_document.uri, move |view| outline::selections(view, &positions)).await
    }

    async fn semantic_tokens_full(
        &self,
        params: SemanticTokensParams,
    ) -> Result<Option<SemanticTokensResult>> {
        let uri = params.text_document.uri;
        let data = self.ask_text(&uri, |view| tokens::tokens(view, None)).await?;
        Ok(data.map(|data| SemanticTokensResult::Tokens(self.tokens.whole(&uri, data))))
    }

    async fn semantic_tokens_full_delta(
        &self,
        params: SemanticTokensDeltaParams,
    ) -> Result<Option<SemanticTokensFullDeltaResult>> {
        let uri = params.text_document.uri;
        let data = self.ask_text(&uri, |view| tokens::tokens(view, None)).await?;
        Ok(data.map(|data| self.tokens.delta(&uri, &params.previous_result_id, data)))
    }

    async fn semantic_tokens_range(
        &self,
        params: SemanticTokensRangeParams,
    ) -> Result<Option<SemanticTokensRangeResult>> {
        let range = params.range;
        let data =
            self.ask_text(&params.text_document.uri, move |view| tokens::tokens(view, Some(range))).await?;
        Ok(data.map(|data| SemanticTokensRangeResult::Tokens(SemanticTokens { result_id: None, data })))
    }

    async fn formatting(&self, params: DocumentFormattingParams) -> Result<Option<Vec<TextEdit>>> {
        self.ask_text(&params.text_document.uri, formatting::formatting).await
    }

    async fn range_formatting(&self, params: DocumentRangeFormattingParams) -> Result<Option<Vec<TextEdit>>> {
        let range = params.range;
        self.ask_text(&params.text_document.uri, move |view| formatting::range_formatting(view, range)).await
    }

    async fn on_type_formatting(
        &self,
        params: DocumentOnTypeFormattingParams,
    ) -> Result<Option<Vec<TextEdit>>> {
        let typed = params.ch;
        let at = params.text_document_position.position;
        let answer = move |view: &View| formatting::on_type_formatting(view, at, &typed);
        self.ask_text(&params.text_document_position.text_document.uri, answer).await
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let editor = self.editor();
        if !editor.knows_actions {
            return Ok(Some(Vec::new()));
        }
        let (range, context, resolves) = (params.range, params.context, editor.resolves_actions);
        let answer = move |view: &View| actions::actions(view, range, &context, resolves);
        let found = self.ask(&params.text_document.uri, answer).await?;
        let whole = |mut action: CodeAction| {
            action.edit = action.edit.map(|edit| editor.edit(edit));
            CodeActionOrCommand::CodeAction(action)
        };
        Ok(found.map(|found| found.into_iter().map(whole).collect()))
    }

    async fn code_action_resolve(&self, mut action: CodeAction) -> Result<CodeAction> {
        if let Some((uri, deferred)) = actions::deferred(&action) {
            let edit = self.ask(&uri, move |view| actions::resolved(view, &deferred)).await?;
            action.edit = edit.map(|edit| self.editor().edit(edit));
        }
        Ok(action)
    }

    async fn prepare_rename(
        &self,
        params: TextDocumentPositionParams,
    ) -> Result<Option<PrepareRenameResponse>> {
        match self.ask_at(params, names::prepare_rename).await? {
            Some(Ok(found)) => Ok(found),
            Some(Err(why)) => Err(Error::invalid_params(why.to_string())),
            None => Ok(None),
        }
    }

    async fn rename(&self, params: RenameParams) -> Result<Option<WorkspaceEdit>> {
        let (name, moves_files) = (params.new_name, self.editor().moves_files);
        let token = params.work_done_progress_params.work_done_token;
        let _progress = self.outbox.progress_of(token, "Renaming");
        let answer = move |view: &View, at| names::rename(view, at, &name, moves_files);
        match self.ask_at(params.text_document_position, answer).await? {
            Some(Ok(edit)) => Ok(Some(self.editor().edit(edit))),
            Some(Err(error)) => Err(Error::invalid_params(error.to_string())),
            None => Ok(None),
        }
    }

    async fn diagnostic(&self, params: DocumentDiagnosticParams) -> Result<DocumentDiagnosticReportResult> {
        let known = params.previous_result_id;
        let report = move |view: &View| diagnostics::report(view, known.as_deref());
        let report = self.ask_text(&params.text_document.uri, report).await?;
        let report = report.unwrap_or_else(|| diagnostics::empty_or(None, Vec::new()));
        Ok(DocumentDiagnosticReportResult::Report(report))
    }

    async fn workspace_diagnostic(
        &self,
        params: WorkspaceDiagnosticParams,
    ) -> Result<WorkspaceDiagnosticReportResult> {
        let token = params.work_done_progress_params.work_done_token;
        let _progress = self.outbox.progress_of(token, "Checking");
        let known: HashMap<Uri, String> =
            params.previous_result_ids.into_iter().map(|known| (known.uri, known.value)).collect();
        self.publisher.workspace_is_pulled();
        let known = Arc::new(known);
        let before = Arc::clone(&known);
        let reports = self.inbox.ask_every(move |view| diagnostics::workspace(view, &before)).await?;
        let mut items: Vec<_> = reports.into_iter().flatten().collect();
        items.extend(diagnostics::right(&known, &items));
        if let Some(token) = params.partial_result_params.partial_result_token {
            for part in diagnostics::parts(&std::mem::take(&mut items)) {
                let part = serde_json::to_value(part).map_err(|_| Error::internal_error())?;
                self.outbox.partial(token.clone(), part).await;
            }
        }
        Ok(WorkspaceDiagnosticReportResult::Report(WorkspaceDiagnosticReport { items }))
    }

    async fn will_rename_files(&self, params: RenameFilesParams) -> Result<Option<WorkspaceEdit>> {
        let found = self.inbox.ask_all(move |view| moves::renamed(view, &params.files)).await?;
        let (edits, refused): (Vec<_>, Vec<_>) = found.into_iter().unzip();
        // Each reason is told once, however many files are moved.
        let refused: BTreeSet<String> = refused.into_iter().flatten().collect();
        for why in refused {
            self.client.show_message(MessageType::WARNING, why).await;
        }
        let edits: Vec<_> = edits.into_iter().flatten().collect();
        Ok((!edits.is_empty()).then(|| {
            let document_changes = Some(DocumentChanges::Edits(edits));
            self.editor().edit(WorkspaceEdit { document_changes, ..WorkspaceEdit::default() })
        }))
    }
}
