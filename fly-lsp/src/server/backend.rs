//! The requests: each goes to the session with the number of changes that came before it.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::sync::watch;
use tower_lsp_server::{
    Client, LanguageServer,
    jsonrpc::{Error, Result},
    ls_types::{
        CodeActionKind, CodeActionOptions, CodeActionOrCommand, CodeActionParams,
        CodeActionProviderCapability, CodeActionResponse, CompletionOptions, CompletionParams,
        CompletionResponse, DiagnosticOptions, DiagnosticServerCapabilities, DocumentChanges,
        DocumentDiagnosticParams, DocumentDiagnosticReportResult, DocumentFormattingParams,
        DocumentHighlight, DocumentHighlightParams, DocumentSymbolParams, DocumentSymbolResponse,
        FileOperationFilter, FileOperationPattern, FileOperationPatternKind,
        FileOperationRegistrationOptions, FoldingRange, FoldingRangeParams, FoldingRangeProviderCapability,
        GotoDefinitionParams, GotoDefinitionResponse, Hover, HoverParams, HoverProviderCapability,
        InitializeParams, InitializeResult, InitializedParams, Location, OneOf, PrepareRenameResponse,
        ReferenceOptions, ReferenceParams, RenameFilesParams, RenameOptions, RenameParams, SelectionRange,
        SelectionRangeParams, SelectionRangeProviderCapability, SemanticTokenModifier, SemanticTokenType,
        SemanticTokens, SemanticTokensFullOptions, SemanticTokensLegend, SemanticTokensOptions,
        SemanticTokensParams, SemanticTokensRangeParams, SemanticTokensRangeResult, SemanticTokensResult,
        SemanticTokensServerCapabilities, ServerCapabilities, ServerInfo, SignatureHelp,
        SignatureHelpOptions, SignatureHelpParams, TextDocumentPositionParams, TextDocumentSyncCapability,
        TextDocumentSyncKind, TextDocumentSyncOptions, TextDocumentSyncSaveOptions, TextEdit, Uri,
        WorkDoneProgressOptions, WorkspaceDiagnosticParams, WorkspaceDiagnosticReport,
        WorkspaceDiagnosticReportResult, WorkspaceEdit, WorkspaceFileOperationsServerCapabilities,
        WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities, WorkspaceSymbolParams,
        WorkspaceSymbolResponse,
    },
};

use super::{
    abilities::Abilities,
    convert::{Encoding, path_of},
    features::{actions, completion, diagnostics, formatting, moves, names, outline, reading, tokens},
    ordered::SEEN,
    outbox::Outbox,
    output::Output,
    publish::Publisher,
    session::{Hello, Inbox, View},
};
use crate::ide;

/// What the editor said it can do.
#[derive(Debug, Clone, Copy, Default)]
struct Editor {
    snippets: bool,
    moves_files: bool,
}

/// The server as the library knows it.
pub(crate) struct Backend {
    pub(crate) inbox: Inbox,
    /// Whether the editor has said `shutdown`.
    pub(crate) ended: Arc<AtomicBool>,
    /// The editor's process.
    pub(crate) parent: watch::Receiver<Option<u32>>,
    parent_is: watch::Sender<Option<u32>>,
    publisher: Publisher,
    outbox: Outbox,
    editor: Mutex<Editor>,
}

impl Backend {
    pub(crate) fn new(client: Client, output: Output) -> Self {
        let (publisher, outbox) = (Publisher::new(output), Outbox::new(client));
        let (parent_is, parent) = watch::channel(None);
        Self {
            inbox: Inbox::start(publisher.clone(), outbox.clone()),
            ended: Arc::default(),
            parent,
            parent_is,
            publisher,
            outbox,
            editor: Mutex::default(),
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

fn capabilities(encoding: Encoding) -> ServerCapabilities {
    let no_progress = WorkDoneProgressOptions { work_done_progress: None };
    let progress = WorkDoneProgressOptions { work_done_progress: Some(true) };
    ServerCapabilities {
        position_encoding: Some(encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::INCREMENTAL),
            save: Some(TextDocumentSyncSaveOptions::Supported(true)),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(["\"", ".", "=", "{", "'", "/"].map(str::to_owned).to_vec()),
            ..CompletionOptions::default()
        }),
        signature_help_provider: Some(SignatureHelpOptions {
            trigger_characters: Some(["(", ","].map(str::to_owned).to_vec()),
            ..SignatureHelpOptions::default()
        }),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Right(ReferenceOptions { work_done_progress_options: progress })),
        document_highlight_provider: Some(OneOf::Left(true)),
        document_symbol_provider: Some(OneOf::Left(true)),
        workspace_symbol_provider: Some(OneOf::Left(true)),
        folding_range_provider: Some(FoldingRangeProviderCapability::Simple(true)),
        selection_range_provider: Some(SelectionRangeProviderCapability::Simple(true)),
        document_formatting_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: progress,
        })),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
            ..CodeActionOptions::default()
        })),
        semantic_tokens_provider: Some(SemanticTokensServerCapabilities::SemanticTokensOptions(
            SemanticTokensOptions {
                legend: SemanticTokensLegend {
                    token_types: ide::TOKEN_TYPES.iter().copied().map(SemanticTokenType::new).collect(),
                    token_modifiers: ide::TOKEN_MODIFIERS
                        .iter()
                        .copied()
                        .map(SemanticTokenModifier::new)
                        .collect(),
                },
                range: Some(true),
                full: Some(SemanticTokensFullOptions::Bool(true)),
                work_done_progress_options: no_progress,
            },
        )),
        diagnostic_provider: Some(DiagnosticServerCapabilities::Options(DiagnosticOptions {
            identifier: Some("fly".to_owned()),
            inter_file_dependencies: true,
            workspace_diagnostics: true,
            work_done_progress_options: progress,
        })),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            file_operations: Some(WorkspaceFileOperationsServerCapabilities {
                will_rename: Some(names_of_files()),
                ..WorkspaceFileOperationsServerCapabilities::default()
            }),
        }),
        ..ServerCapabilities::default()
    }
}

/// The files and folders by whose names something is called.
fn names_of_files() -> FileOperationRegistrationOptions {
    let filter = |glob: &str, matches| FileOperationFilter {
        scheme: Some("file".to_owned()),
        pattern: FileOperationPattern { glob: glob.to_owned(), matches: Some(matches), options: None },
    };
    FileOperationRegistrationOptions {
        filters: vec![
            filter("**/Eggs/*", FileOperationPatternKind::Folder),
            filter("**/Eggs/*/config.fly", FileOperationPatternKind::File),
            filter("**/Jobs/*.fly", FileOperationPatternKind::File),
        ],
    }
}

impl LanguageServer for Backend {
    async fn initialize(&self, params: InitializeParams) -> Result<InitializeResult> {
        let offered = params.capabilities.general.as_ref();
        let offered = offered.and_then(|general| general.position_encodings.as_deref());
        let encoding = Encoding::negotiate(offered);
        let completion = params.capabilities.text_document.as_ref();
        let completion = completion.and_then(|text| text.completion.as_ref()?.completion_item.as_ref());
        let edits = params.capabilities.workspace.as_ref();
        let edits = edits.and_then(|workspace| workspace.workspace_edit.as_ref());
        *self.editor.lock().unwrap_or_else(PoisonError::into_inner) = Editor {
            snippets: completion.and_then(|item| item.snippet_support).unwrap_or(false),
            moves_files: edits.is_some_and(|edits| edits.resource_operations.is_some()),
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
        let snippets = self.editor().snippets;
        let answer = move |view: &View, at| completion::completion(view, at, snippets);
        let found = self.ask_at(params.text_document_position, answer).await?;
        Ok(found.map(CompletionResponse::Array))
    }

    async fn signature_help(&self, params: SignatureHelpParams) -> Result<Option<SignatureHelp>> {
        let at = params.text_document_position_params;
        Ok(self.ask_at(at, reading::signature).await?.flatten())
    }

    async fn goto_definition(&self, params: GotoDefinitionParams) -> Result<Option<GotoDefinitionResponse>> {
        let at = params.text_document_position_params;
        Ok(self.ask_at(at, names::definition).await?.map(GotoDefinitionResponse::Array))
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
        Ok(found.map(DocumentSymbolResponse::Nested))
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
        let data = self.ask_text(&params.text_document.uri, |view| tokens::tokens(view, None)).await?;
        Ok(data.map(|data| SemanticTokensResult::Tokens(SemanticTokens { result_id: None, data })))
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
        Ok(self.ask_text(&params.text_document.uri, formatting::formatting).await?.flatten())
    }

    async fn code_action(&self, params: CodeActionParams) -> Result<Option<CodeActionResponse>> {
        let range = params.range;
        let found = self.ask(&params.text_document.uri, move |view| actions::actions(view, range)).await?;
        Ok(found.map(|found| found.into_iter().map(CodeActionOrCommand::CodeAction).collect()))
    }

    async fn prepare_rename(
        &self,
        params: TextDocumentPositionParams,
    ) -> Result<Option<PrepareRenameResponse>> {
        Ok(self.ask_at(params, names::prepare_rename).await?.flatten())
    }

    async fn rename(&self, params: RenameParams) -> Result<Option<WorkspaceEdit>> {
        let (name, moves_files) = (params.new_name, self.editor().moves_files);
        let token = params.work_done_progress_params.work_done_token;
        let _progress = self.outbox.progress_of(token, "Renaming");
        let answer = move |view: &View, at| names::rename(view, at, &name, moves_files);
        match self.ask_at(params.text_document_position, answer).await? {
            Some(Ok(edit)) => Ok(Some(edit)),
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
        let edits = self.inbox.ask_all(move |view| moves::renamed(view, &params.files)).await?;
        let edits: Vec<_> = edits.into_iter().flatten().collect();
        Ok((!edits.is_empty()).then(|| WorkspaceEdit {
            document_changes: Some(DocumentChanges::Edits(edits)),
            ..WorkspaceEdit::default()
        }))
    }
}
