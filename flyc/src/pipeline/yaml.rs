//! YAML as a tree whose nodes know where they stand. Anchors share their nodes, merge keys are merged, `!reference` is
//! kept. What never lives here: what GitLab makes of it.

use std::{collections::HashMap, rc::Rc, sync::Arc};

use saphyr_parser::{Event, Parser, ScalarStyle, Span as Marks, Tag};

use crate::{
    diag::Span,
    text::{TextRange, TextSize},
};

/// How deeply collections may nest.
const DEPTH_LIMIT: usize = 100;

/// A node and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) data: Data,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Data {
    /// Nothing: `key:`.
    Null,
    Scalar(String),
    List(Vec<Rc<Node>>),
    Map(Map),
    /// `!reference [job, key]`
    Reference(Vec<String>),
}

/// The entries of a map in their order.
pub(super) type Map = Vec<Entry>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// Where the key stands.
    pub(super) key_span: Span,
    pub(super) value: Rc<Node>,
}

impl Node {
    pub(super) fn map(&self) -> Option<&Map> {
        match &self.data {
            Data::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Rc<Node>> {
        find(self.map()?, key).map(|entry| &entry.value)
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar(text) => Some(text),
            _ => None,
        }
    }
}

pub(super) fn find<'a>(map: &'a Map, key: &str) -> Option<&'a Entry> {
    map.iter().find(|entry| entry.key == key)
}

/// Why a text is no YAML.
#[derive(Debug)]
pub(super) struct YamlError {
    pub(super) span: Span,
    pub(super) message: String,
}

/// A collection that is being read.
struct Open {
    anchor: usize,
    start: usize,
    reference: bool,
    kind: Kind,
}

enum Kind {
    List(Vec<Rc<Node>>),
    /// The entries, and the key whose value comes next.
    Map(Map, Option<(String, Span)>),
}

struct Loader<'a> {
    file: &'a Arc<str>,
    /// The byte offset of each character, and of the end.
    offsets: Vec<u32>,
    open: Vec<Open>,
    anchors: HashMap<usize, Rc<Node>>,
    /// The document that is being read.
    document: Option<Rc<Node>>,
}

/// The last document of a text; a header document (`spec:`) comes before it.
pub(super) fn load(file: &Arc<str>, text: &str) -> Result<Option<Rc<Node>>, YamlError> {
    let at = |offset: usize| u32::try_from(offset).unwrap_or(u32::MAX);
    let mut loader = Loader {
        file,
        offsets: text.char_indices().map(|(offset, _)| at(offset)).chain([at(text.len())]).collect(),
        open: Vec::new(),
        anchors: HashMap::new(),
        document: None,
    };
    for event in Parser::new_from_str(text) {
        let (event, marks) = event.map_err(|error| {
            let at = error.marker().index();
            YamlError { span: loader.span(at, at), message: error.info().to_owned() }
        })?;
        loader.take(event, marks)?;
    }
    Ok(loader.document)
}

impl Loader<'_> {
    fn span(&self, start: usize, end: usize) -> Span {
        let last = self.offsets.last().copied().unwrap_or(0);
        let at = |index: usize| TextSize::new(self.offsets.get(index).copied().unwrap_or(last));
        Span::new(Arc::clone(self.file), TextRange::new(at(start), at(end).max(at(start))))
    }

    fn take(&mut self, event: Event<'_>, marks: Marks) -> Result<(), YamlError> {
        let (start, end) = (marks.start.index(), marks.end.index());
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            Event::DocumentStart(_) => {
                self.document = None;
                self.anchors.clear();
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor) else {
                    let message = "an anchor can't hold itself".to_owned();
                    return Err(YamlError { span: self.span(start, end), message });
                };
                self.node(Rc::clone(node), 0);
            }
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                let data = match &*text {
                    "" | "~" | "null" if plain => Data::Null,
                    text => Data::Scalar(text.to_owned()),
                };
                let node = Node { span: self.span(start, end), data };
                self.node(Rc::new(node), anchor);
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(anchor, start, tag.as_deref(), Kind::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                self.begin(anchor, start, tag.as_deref(), Kind::Map(Vec::new(), None))?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let span = self.span(open.start, end);
                let data = match open.kind {
                    Kind::List(items) if open.reference => Data::Reference(
                        items.iter().filter_map(|item| item.text()).map(str::to_owned).collect(),
                    ),
                    Kind::List(items) => Data::List(items),
                    Kind::Map(entries, _) => Data::Map(merged(entries)),
                };
                self.node(Rc::new(Node { span, data }), open.anchor);
            }
        }
        Ok(())
    }

    fn begin(&mut self, anchor: usize, start: usize, tag: Option<&Tag>, kind: Kind) -> Result<(), YamlError> {
        if self.open.len() >= DEPTH_LIMIT {
            let message = format!("this nests deeper than {DEPTH_LIMIT} levels");
            return Err(YamlError { span: self.span(start, start), message });
        }
        let reference = tag.is_some_and(|tag| tag.handle == "!" && tag.suffix == "reference");
        self.open.push(Open { anchor, start, reference, kind });
        Ok(())
    }

    /// A whole node, in the collection that is open.
    fn node(&mut self, node: Rc<Node>, anchor: usize) {
        if anchor > 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => self.document = Some(node),
            Some(Kind::List(items)) => items.push(node),
            Some(Kind::Map(entries, next)) => match next.take() {
                None => *next = Some((node.text().unwrap_or_default().to_owned(), node.span.clone())),
                Some((key, key_span)) => entries.push(Entry { key, key_span, value: node }),
            },
        }
    }
}

/// The entries with their merge keys carried out: what stands in the map itself wins, then the first that is merged. Of
/// a key that stands twice, the last counts.
fn merged(entries: Map) -> Map {
    let (merges, own): (Map, Map) = entries.into_iter().partition(|entry| entry.key == "<<");
    let mut map = Map::with_capacity(own.len());
    let mut known: HashMap<String, usize> = HashMap::new();
    for entry in own {
        match known.get(&entry.key) {
            Some(&at) => map[at] = entry,
            None => {
                known.insert(entry.key.clone(), map.len());
                map.push(entry);
            }
        }
    }
    for merge in merges {
        let sources = match &merge.value.data {
            Data::List(items) => items.clone(),
            _ => vec![merge.value],
        };
        for entry in sources.iter().filter_map(|source| source.map()).flatten() {
            if !known.contains_key(&entry.key) {
                known.insert(entry.key.clone(), map.len());
                map.push(entry.clone());
            }
        }
    }
    map
}
