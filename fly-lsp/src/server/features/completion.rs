//! Completion as the protocol has it. Never here: what an answer says, which is `ide`'s.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use tower_lsp_server::ls_types::{self as lsp};

use super::markdown;
use crate::{
    ide::{self, CompletionKind, Doc},
    server::{convert::Lines, session::View},
};

/// How many lists are kept for questions about their items; an editor shows one at a time.
const KEPT: usize = 4;

/// How an editor wants its lists.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::server) struct Wishes {
    /// It fills in snippets.
    pub(in crate::server) snippets: bool,
    /// It asks for the documentation of an item once somebody looks at it.
    pub(in crate::server) docs_later: bool,
    /// And for its detail.
    pub(in crate::server) details_later: bool,
}

impl Wishes {
    pub(in crate::server) fn of(params: &lsp::InitializeParams) -> Self {
        let text = params.capabilities.text_document.as_ref();
        let item = text.and_then(|text| text.completion.as_ref()?.completion_item.as_ref());
        let later = item.and_then(|item| item.resolve_support.as_ref());
        let later = |name: &str| later.is_some_and(|later| later.properties.iter().any(|one| one == name));
        Self {
            snippets: item.and_then(|item| item.snippet_support).unwrap_or(false),
            docs_later: later("documentation"),
            details_later: later("detail"),
        }
    }
}

/// What is told of an item later.
type Told = (Doc, String);

/// The lists that were sent last. An item names its list and its place in it: the text may be another by the time somebody
/// looks at the item.
#[derive(Debug, Default)]
pub(in crate::server) struct Lists {
    next: AtomicU64,
    kept: Mutex<VecDeque<(u64, Vec<Told>)>>,
}

#[derive(Serialize, Deserialize)]
struct Later {
    list: u64,
    item: usize,
}

impl Lists {
    /// Sends a list, keeping back what the editor asks for later.
    pub(in crate::server) fn send(
        &self,
        mut found: Vec<ListItem>,
        is_incomplete: bool,
        wishes: Wishes,
    ) -> lsp::CompletionResponse {
        if wishes.docs_later || wishes.details_later {
            let list = self.next.fetch_add(1, Ordering::Relaxed);
            let told = found.iter().map(|one| (one.doc, one.detail.clone())).collect();
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push_back((list, told));
            if kept.len() > KEPT {
                kept.pop_front();
            }
            for (item, one) in found.iter_mut().enumerate() {
                one.item.data = serde_json::to_value(Later { list, item }).ok();
            }
        }
        let finished = |one: ListItem| {
            let mut item = one.item;
            if !wishes.docs_later {
                item.documentation = documentation(one.doc);
            }
            if !wishes.details_later {
                item.detail = Some(one.detail).filter(|detail| !detail.is_empty());
            }
            item
        };
        let items = found.into_iter().map(finished).collect();
        if is_incomplete {
            lsp::CompletionResponse::List(lsp::CompletionList { is_incomplete, items })
        } else {
            lsp::CompletionResponse::Array(items)
        }
    }

    /// The item with everything there is to say of it; one of a list that is long gone stays as it is.
    pub(in crate::server) fn whole(&self, mut item: lsp::CompletionItem) -> lsp::CompletionItem {
        let later = item.data.as_ref().and_then(|data| Later::deserialize(data).ok());
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let told = later.and_then(|later| {
            let (_, told) = kept.iter().find(|(list, _)| *list == later.list)?;
            told.get(later.item)
        });
        if let Some((doc, detail)) = told {
            item.documentation = documentation(*doc);
            item.detail = Some(detail.clone()).filter(|detail| !detail.is_empty());
        }
        item
    }
}

fn documentation(doc: Doc) -> Option<lsp::Documentation> {
    let text = doc.markdown();
    (!text.is_empty()).then(|| lsp::Documentation::MarkupContent(markdown(text)))
}

/// An item without what may be told later, and that.
pub(in crate::server) struct ListItem {
    item: lsp::CompletionItem,
    doc: Doc,
    detail: String,
}

/// What may stand at a position, and whether the list is another with the next letter.
pub(in crate::server) fn completion(
    view: &View,
    position: lsp::Position,
    snippets: bool,
) -> (Vec<ListItem>, bool) {
    let found = ide::complete(&view.compiler, &view.path, view.at(position));
    let text = view.compiler.text(&view.path).unwrap_or_default();
    let lines = Lines::new(&text, view.encoding);
    let is_incomplete = found.iter().any(|found| found.echoes);
    let item = |(at, found): (usize, ide::Completion)| {
        let new_text = if snippets { found.snippet.clone() } else { found.plain() };
        let item = lsp::CompletionItem {
            kind: Some(match found.kind {
                CompletionKind::Attribute => lsp::CompletionItemKind::PROPERTY,
                CompletionKind::Block => lsp::CompletionItemKind::MODULE,
                CompletionKind::Value => lsp::CompletionItemKind::VALUE,
                CompletionKind::Variant => lsp::CompletionItemKind::ENUM_MEMBER,
                CompletionKind::Function => lsp::CompletionItemKind::FUNCTION,
                CompletionKind::Reference => lsp::CompletionItemKind::VARIABLE,
                CompletionKind::Entity => lsp::CompletionItemKind::CLASS,
                CompletionKind::Field => lsp::CompletionItemKind::FIELD,
                CompletionKind::Punctuation => lsp::CompletionItemKind::OPERATOR,
            }),
            // Editors sort by text; ours is the order of the list.
            sort_text: Some(format!("{at:04}")),
            filter_text: found.filter.filter(|filter| !filter.is_empty()),
            insert_text_format: Some(if snippets {
                lsp::InsertTextFormat::SNIPPET
            } else {
                lsp::InsertTextFormat::PLAIN_TEXT
            }),
            insert_text_mode: Some(lsp::InsertTextMode::AS_IS),
            text_edit: Some(lsp::CompletionTextEdit::Edit(lsp::TextEdit::new(
                lines.range(found.range),
                new_text,
            ))),
            label: found.label,
            ..lsp::CompletionItem::default()
        };
        ListItem { item, doc: found.doc, detail: found.detail }
    };
    (found.into_iter().enumerate().map(item).collect(), is_incomplete)
}
