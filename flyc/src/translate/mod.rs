//! Translation: what `OpenTofu` complains of in generated code, as diagnostics at the `.fly` text that caused it.
//!
//! A place in a folder's own files is answered by its source map. One in a module that the folder calls is followed to
//! the inputs it names, and from there to what the call gives them. What nothing in a `.fly` file caused is shown at the
//! head of the egg. The text is `OpenTofu`'s own in any case.
//!
//! What never lives here: running `OpenTofu`, and reading files; the build comes through [`Generated`].

mod said;
mod trace;

use std::{borrow::Cow, collections::BTreeMap, fmt::Write as _, path::Path};

use crate::{
    artifact::{Artifact, ArtifactError, Entry, Manifest, Mapping, SourceMap},
    build::{MANIFEST, source_digest},
    diag::{Declaration, Diagnostic, Severity, Span, declare_diagnostic},
    render::Sources,
    text::{Source, TextRange, TextSize},
};

pub use said::{Complaint, Heard, KnownValue, NotSaid, Point, Reader, Snippet, Stretch, read};
use trace::Folder;

declare_diagnostic! { pub TOFU_ERROR = "tofu-error", Error, "an error that OpenTofu reports in what was built" }
declare_diagnostic! { pub TOFU_WARNING = "tofu-warning", Warning, "a warning that OpenTofu gives about what was built" }

/// The longest value or line of generated code that is shown.
const LONGEST: usize = 160;

/// How many other causes are shown beside the first.
const MOST_RELATED: usize = 3;

/// How many resources are named that have one complaint in common.
const MOST_NAMED: usize = 3;

/// The files of a build, wherever they are.
pub trait Generated {
    /// The text of a file, by its path relative to the build; nothing when it isn't there.
    fn text(&self, path: &str) -> Option<String>;
}

impl Generated for BTreeMap<String, String> {
    fn text(&self, path: &str) -> Option<String> {
        self.get(path).cloned()
    }
}

/// Why a complaint can't be traced to a `.fly` file.
#[derive(Debug, thiserror::Error)]
pub enum NotBuilt {
    /// There is no manifest.
    #[error("there is no build: it has no {MANIFEST}")]
    Nothing,
    /// The build does not have the folder.
    #[error("`{0}` is no folder of this build that came from a .fly file")]
    Folder(String),
    /// The manifest or the source map can't be read.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
}

/// What `OpenTofu` complained of when it ran in `folder` (relative to the build, `eggs/my-app`), as diagnostics about the
/// sources that the folder was built from.
pub fn translate(
    complaints: &[Complaint],
    folder: &str,
    build: &dyn Generated,
    sources: &dyn Sources,
) -> Result<Vec<Diagnostic>, NotBuilt> {
    let manifest = Manifest::from_json(&build.text(MANIFEST).ok_or(NotBuilt::Nothing)?)?;
    let entry = manifest
        .entries
        .iter()
        .find(|entry| entry.folder == folder && !entry.source_file.is_empty())
        .ok_or_else(|| NotBuilt::Folder(folder.to_owned()))?;
    let map = match build.text(&format!("{folder}/source-map.json")) {
        Some(text) => SourceMap::from_json(&text)?,
        None => SourceMap::new(),
    };
    let module = Module { folder, entry, manifest: &manifest, map: &map, build, sources };
    let mut found: Vec<(&Complaint, Vec<&str>, usize)> = Vec::new();
    for complaint in complaints {
        let address = complaint.address.as_deref();
        let same = |(other, ..): &&mut (&Complaint, Vec<&str>, usize)| {
            (other.severity, &other.summary, &other.detail, &other.range)
                == (complaint.severity, &complaint.summary, &complaint.detail, &complaint.range)
        };
        // Runners that are made alike have their troubles in common.
        match found.iter_mut().find(same) {
            Some((_, addresses, count)) => {
                addresses.extend(address);
                *count += 1;
            }
            None => found.push((complaint, address.into_iter().collect(), 1)),
        }
    }
    Ok(found
        .into_iter()
        .map(|(complaint, addresses, count)| module.tell(complaint, &addresses, count))
        .collect())
}

/// The folder that `OpenTofu` ran in.
struct Module<'a> {
    folder: &'a str,
    entry: &'a Entry,
    manifest: &'a Manifest,
    map: &'a SourceMap,
    build: &'a dyn Generated,
    sources: &'a dyn Sources,
}

/// What in the sources caused a complaint.
struct Cause<'a> {
    mapping: &'a Mapping,
    /// What was generated from it.
    gives: &'a str,
}

impl<'a> Module<'a> {
    fn tell(&self, complaint: &Complaint, addresses: &[&str], count: usize) -> Diagnostic {
        let kind: &'static Declaration = match complaint.severity {
            Severity::Error => &TOFU_ERROR,
            Severity::Warning | Severity::Info => &TOFU_WARNING,
        };
        let (message, rest) = headline(complaint);
        let path = complaint.range.as_ref().and_then(|range| trace::within(self.folder, &range.filename));
        let causes = self.causes(complaint, path.as_deref());
        let root = self.root();
        let is_head = |cause: &Cause<'_>| root.is_some_and(|root| same_place(root, cause.mapping));
        let mut told = match causes.first() {
            Some(first) if !is_head(first) => {
                let label = format!("`{}` comes from here", first.gives);
                let mut told = Diagnostic::new(kind, self.span(first.mapping), message, label);
                let mut shown = vec![first.mapping];
                for cause in causes.iter().skip(1).filter(|cause| !is_head(cause)).take(MOST_RELATED) {
                    if !shown.iter().any(|other| same_place(other, cause.mapping)) {
                        shown.push(cause.mapping);
                        let label = format!("`{}` comes from here", cause.gives);
                        told = told.related(self.span(cause.mapping), label);
                    }
                }
                told
            }
            _ => {
                let label = format!("in what is built from this {}", self.what());
                let told = Diagnostic::new(kind, self.head(root), message, label);
                match causes.first() {
                    Some(cause) => told.note(format!(
                        "no line of the {} gives `{}`: the installation does, or flyc itself",
                        self.what(),
                        cause.gives
                    )),
                    None => told,
                }
            }
        };
        for paragraph in rest {
            told = told.note(paragraph);
        }
        if let Some(note) = self.place(complaint, path.as_deref()) {
            told = told.note(note);
        }
        if let Some(note) = about(addresses, count) {
            told = told.note(note);
        }
        match self.sources.source(&self.entry.source_file) {
            Some(source) if source_digest(&source.text) == self.entry.source_digest => told,
            Some(_) => told.note(format!(
                "`{}` has changed since it was built, so this may be another line now; build again to be sure",
                self.entry.source_file
            )),
            None => told.note(format!("`{}` is no longer in the Nest", self.entry.source_file)),
        }
    }

    /// What caused a complaint, the likeliest first.
    fn causes(&self, complaint: &Complaint, path: Option<&str>) -> Vec<Cause<'a>> {
        let own = |mapping: &'a Mapping| Cause { mapping, gives: self.name(mapping) };
        let named = || trace::named(complaint).and_then(|address| self.map.at_address(address)).map(own);
        let (Some(path), Some(range)) = (path, &complaint.range) else {
            return named().into_iter().collect();
        };
        if let Some(file) = path.strip_prefix(self.folder).and_then(|rest| rest.strip_prefix('/')) {
            return self.map.at_line(file, range.start.line).map(own).into_iter().collect();
        }
        let Some((other, _)) = path.rsplit_once('/') else { return Vec::new() };
        let calling = Folder::read(self.folder, self.manifest, self.build);
        let called = Folder::read(other, self.manifest, self.build);
        let calls = calling.calls(self.folder, other);
        // Of several calls, the one that the complaint names.
        let is_named = |call: &&&str| {
            let is_in =
                |text: &str| ["[", "."].iter().any(|end| text.contains(&format!("module.{call}{end}")));
            complaint.address.as_deref().is_some_and(is_in) || is_in(&complaint.detail)
        };
        let Some(call) = calls.iter().find(is_named).or(calls.first()) else {
            return named().into_iter().collect();
        };
        let mut causes: Vec<Cause<'a>> = called
            .inputs(path, range)
            .iter()
            .filter_map(|input| {
                let address = format!("module.{call}.{input}");
                let mapping = self.map.at_address(&address).filter(|mapping| mapping.address == address)?;
                Some(Cause { mapping, gives: last_name(&mapping.address) })
            })
            .collect();
        let root = self.root();
        // What a line of the source gives comes before what everybody is given; the order is kept otherwise.
        causes.sort_by_key(|cause| root.is_some_and(|root| same_place(root, cause.mapping)));
        if causes.is_empty() { named().into_iter().collect() } else { causes }
    }

    /// What a person calls a part: an attribute of its own by its name, one that is there because of the block around it by
    /// that block.
    fn name(&self, mapping: &'a Mapping) -> &'a str {
        let siblings =
            || self.map.files.values().find(|parts| parts.iter().any(|part| std::ptr::eq(part, mapping)));
        let around = siblings().into_iter().flatten().find(|part| {
            let inside = mapping.address.strip_prefix(&part.address);
            inside.is_some_and(|rest| rest.starts_with('.')) && same_place(part, mapping)
        });
        let is_block = || {
            let inside = |part: &Mapping| {
                part.address.strip_prefix(&mapping.address).map(|rest| rest.starts_with('.'))
            };
            self.map.files.values().flatten().any(|part| inside(part) == Some(true))
        };
        match around {
            Some(block) => &block.address,
            None if is_block() => &mapping.address,
            None => last_name(&mapping.address),
        }
    }

    /// Where the block begins that the folder is built from.
    fn root(&self) -> Option<&'a Mapping> {
        // The settings of OpenTofu itself come from no attribute.
        self.map.at_address("terraform").or_else(|| {
            self.map.files.values().flatten().min_by_key(|mapping| (mapping.line, mapping.column))
        })
    }

    /// `egg`, `bucket` or what else the folder is built from.
    fn what(&self) -> &'static str {
        use crate::artifact::EntryKind as Kind;
        match self.entry.kind {
            Kind::Egg => "egg",
            Kind::Bucket => "bucket",
            Kind::Job => "job",
            Kind::Rift => "Rift server",
            Kind::Uglyfox | Kind::Mothergoose | Kind::ComputeModule => "block",
        }
    }

    fn head(&self, root: Option<&Mapping>) -> Span {
        match root {
            Some(root) => self.span(root),
            None => Span::new(self.entry.source_file.as_str().into(), TextRange::empty(TextSize::new(0))),
        }
    }

    /// The text of a mapping; nothing more than its beginning when the file is not as it was.
    fn span(&self, mapping: &Mapping) -> Span {
        let range = self.sources.source(&mapping.file).map_or_else(TextRange::default, |source| {
            let start = offset(&source, mapping.line, mapping.column);
            let end = offset(&source, mapping.end_line, mapping.end_column);
            TextRange::new(start, end.max(start))
        });
        Span::new(mapping.file.as_str().into(), range)
    }

    /// Where in the generated code, with the line itself and what is known of its values.
    fn place(&self, complaint: &Complaint, path: Option<&str>) -> Option<String> {
        let range = complaint.range.as_ref()?;
        let ours = path.filter(|path| {
            self.manifest.entries.iter().any(|entry| entry.files.iter().any(|file| file == path))
        });
        let Some(path) = ours else {
            // Such a file may hold tickets, so nothing of it is shown; and a path may tell of the machine.
            let name =
                Path::new(&range.filename).file_name().map_or(Cow::default(), |name| name.to_string_lossy());
            return (!name.is_empty()).then(|| {
                format!(
                    "OpenTofu stopped at {name}:{}:{}, which `flyc build` did not write",
                    range.start.line, range.start.column
                )
            });
        };
        let mut note = format!("OpenTofu stopped at {path}:{}:{}", range.start.line, range.start.column);
        let Some(snippet) = &complaint.snippet else { return Some(note) };
        if let Some(context) = &snippet.context {
            let _ = write!(note, ", in {context}");
        }
        let code = snippet.code.lines().next().unwrap_or_default().trim();
        if !code.is_empty() {
            let _ = write!(note, ":\n  {}", short(code));
        }
        for value in &snippet.values {
            let plain = value.statement.len() <= LONGEST && !value.statement.contains("sensitive");
            if plain && !value.statement.contains('\n') {
                let _ = write!(note, "\n  where {} {}", value.traversal, value.statement);
            }
        }
        Some(note)
    }
}

/// The headline, and the paragraphs that don't fit in it.
fn headline(complaint: &Complaint) -> (String, Vec<String>) {
    let mut paragraphs =
        complaint.detail.split("\n\n").map(str::trim).filter(|text| !text.is_empty()).peekable();
    let mut message = complaint.summary.trim().trim_end_matches(['.', ':']).to_owned();
    if message.is_empty() {
        "OpenTofu does not say what is wrong".clone_into(&mut message);
    }
    if let Some(first) = paragraphs.next_if(|first| first.len() <= LONGEST && !first.contains('\n')) {
        message.push_str(": ");
        message.push_str(first.strip_suffix('.').unwrap_or(first));
    }
    (message, paragraphs.map(str::to_owned).collect())
}

/// Which resources it is about.
fn about(addresses: &[&str], count: usize) -> Option<String> {
    let named: Vec<String> =
        addresses.iter().take(MOST_NAMED).map(|address| format!("`{address}`")).collect();
    match (named.is_empty(), addresses.len().saturating_sub(MOST_NAMED)) {
        (true, _) if count > 1 => {
            Some(format!("OpenTofu says so {count} times, once for each runner it is true of"))
        }
        (true, _) => None,
        (false, 0) => Some(format!("it is about {}", named.join(", "))),
        (false, more) => Some(format!("it is about {} and {more} more", named.join(", "))),
    }
}

fn same_place(one: &Mapping, other: &Mapping) -> bool {
    (&one.file, one.line, one.column) == (&other.file, other.line, other.column)
}

/// The name that an address ends with.
fn last_name(address: &str) -> &str {
    address.rsplit('.').next().unwrap_or(address)
}

fn short(line: &str) -> String {
    if line.len() <= LONGEST {
        return line.to_owned();
    }
    format!("{}…", &line[..line.floor_char_boundary(LONGEST)])
}

/// The offset of a line and column; the end of the line, or of the text, when there are not so many.
fn offset(source: &Source, line: u32, column: u32) -> TextSize {
    let Some(range) = source.lines.line(line.saturating_sub(1)) else { return TextSize::of(&*source.text) };
    let text = source.text.get(std::ops::Range::<usize>::from(range)).unwrap_or_default();
    let text = text.trim_end_matches(['\r', '\n']);
    let wanted = usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    let bytes = text.char_indices().nth(wanted).map_or(text.len(), |(at, _)| at);
    range.start() + TextSize::try_from(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests;
