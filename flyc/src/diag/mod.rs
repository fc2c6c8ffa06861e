//! Diagnostics: what is said, about which text, and where it is explained.
//!
//! A diagnostic's kind is one static [`Declaration`], declared with [`declare_diagnostic!`] beside the rule that
//! emits it; its page stands in `docs/<id>.md` of this room. Rendering lives in `crate::render`, never here.

/// Declares a kind of diagnostic: `declare_diagnostic! { pub(crate) BAD_CRON = "bad-cron", Error, "summary" }`.
///
/// `, hides_text: true` at its end keeps the text it is about out of excerpts. The page `diag/docs/<id>.md` must exist,
/// or this does not compile.
macro_rules! declare_diagnostic {
    ($(#[$meta:meta])* $vis:vis $name:ident = $id:literal, $severity:ident, $summary:literal) => {
        $crate::diag::declare_diagnostic! { $(#[$meta])* $vis $name = $id, $severity, $summary, hides_text: false }
    };
    ($(#[$meta:meta])* $vis:vis $name:ident = $id:literal, $severity:ident, $summary:literal, hides_text: $hides:literal) => {
        $(#[$meta])*
        #[doc = concat!("`", $id, "`: ", $summary)]
        $vis static $name: $crate::diag::Declaration = $crate::diag::Declaration {
            id: $id,
            severity: $crate::diag::Severity::$severity,
            summary: $summary,
            hides_text: $hides,
            page: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/diag/docs/", $id, ".md")),
        };
    };
}
pub(crate) use declare_diagnostic;

pub mod files;

use std::sync::Arc;

use crate::text::TextRange;

/// Where the pages of the diagnostics are published; `<id>.html` follows.
pub const DOCS_URL: &str = "https://polar-gosling.gitlab.io/reference/diagnostics/";

/// How grave a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Something worth knowing.
    Info,
    /// Probably a mistake; the build goes on.
    Warning,
    /// The Nest can't be built.
    Error,
}

impl Severity {
    /// `error`, `warning` or `info`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One kind of diagnostic.
#[derive(Debug)]
pub struct Declaration {
    /// The stable name, in kebab-case.
    pub id: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// One sentence for lists.
    pub summary: &'static str,
    /// Whether the text it is about may be a secret somebody pasted, so that not even an excerpt shows it.
    pub hides_text: bool,
    /// The page that `flyc explain` prints, in Markdown.
    pub page: &'static str,
}

impl PartialEq for Declaration {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Declaration {}

impl Declaration {
    /// The address of the page.
    pub fn url(&self) -> String {
        format!("{DOCS_URL}{}.html", self.id)
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Its kind.
    pub kind: &'static Declaration,
    /// The headline: one plain sentence with the thing in backticks, no full stop.
    pub message: String,
    /// Where.
    pub span: Span,
    /// What is wrong with this text, in a few words; empty when the headline says it all.
    pub label: String,
    /// Why it is asked, and where the expectation comes from.
    pub notes: Vec<String>,
    /// What to do.
    pub help: Option<Help>,
    /// Other places that belong to it.
    pub related: Vec<Related>,
    /// Ranges of its file that hold what is secret, so that not even an excerpt shows them.
    pub hides: Vec<TextRange>,
}

/// A range of a file of the Nest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Span {
    /// The path relative to the Nest's root, with `/` between folders.
    pub file: Arc<str>,
    /// The range in bytes.
    pub range: TextRange,
}

impl Span {
    /// A range of a file.
    pub const fn new(file: Arc<str>, range: TextRange) -> Self {
        Self { file, range }
    }

    /// The key diagnostics are sorted by.
    pub fn key(&self) -> (&str, u32, u32) {
        (&self.file, self.range.start().into(), self.range.end().into())
    }
}

/// An action one can take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Help {
    /// The action, with the text to write.
    pub text: String,
    /// The edits that carry it out, all in the diagnostic's own file; empty when it takes a person.
    pub edits: Vec<Edit>,
    /// Whether the edits may be made without asking.
    pub applicability: Applicability,
}

/// How sure it is that an edit is what the author means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Applicability {
    /// Probably, and an author should look: a nearest name, an example's value, a brace that could stand elsewhere.
    Suggested,
    /// Nothing else can be meant: the same text in the form that is asked for.
    Safe,
}

impl Applicability {
    /// `safe` or `suggested`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Suggested => "suggested",
            Self::Safe => "safe",
        }
    }
}

/// A replacement of a range by a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced.
    pub range: TextRange,
    /// By what.
    pub text: String,
}

/// Another place that belongs to a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// What is there.
    pub message: String,
    /// Where.
    pub span: Span,
}

impl Diagnostic {
    /// A finding with its headline and label.
    pub fn new(
        kind: &'static Declaration,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        let range = span.range;
        Self {
            kind,
            message: message.into(),
            span,
            label: label.into(),
            notes: Vec::new(),
            help: None,
            related: Vec::new(),
            hides: if kind.hides_text { vec![range] } else { Vec::new() },
        }
    }

    /// The same with a note.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same with an action that takes a person.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help =
            Some(Help { text: text.into(), edits: Vec::new(), applicability: Applicability::Suggested });
        self
    }

    /// The same with an action that editors offer, and `--fix` carries out when it is told to be bold.
    #[must_use]
    pub fn fix(self, text: impl Into<String>, range: TextRange, replacement: impl Into<String>) -> Self {
        self.offer(Applicability::Suggested, text, range, replacement)
    }

    /// The same with an action that `--fix` carries out: nothing else can be meant.
    #[must_use]
    pub fn safe_fix(self, text: impl Into<String>, range: TextRange, replacement: impl Into<String>) -> Self {
        self.offer(Applicability::Safe, text, range, replacement)
    }

    /// The same with an action that can be carried out by an edit.
    #[must_use]
    pub fn offer(
        mut self,
        applicability: Applicability,
        text: impl Into<String>,
        range: TextRange,
        replacement: impl Into<String>,
    ) -> Self {
        let edits = vec![Edit { range, text: replacement.into() }];
        self.help = Some(Help { text: text.into(), edits, applicability });
        self
    }

    /// The same with another place that belongs to it.
    #[must_use]
    pub fn related(mut self, span: Span, message: impl Into<String>) -> Self {
        self.related.push(Related { message: message.into(), span });
        self
    }

    /// How grave it is.
    pub const fn severity(&self) -> Severity {
        self.kind.severity
    }
}
