//! The extension for VS Code: its grammar and snippets are made from the tables of fly-std, and its tests compare what
//! the grammar sees with the tokens written here.
//!
//! What never lives here: how text is coloured; `editors/vscode/test` tries that with the editor's own engine.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use fly_lsp::ide;
use fly_std::{
    TYPE_NAMES, Type,
    formats::SecretBackend,
    functions::FUNCTIONS,
    policy::FIELDS,
    schema::{Attribute, Block, ROOTS, Root, Times},
};
use flyc::{
    compiler::Compiler,
    syntax::Kind,
    text::{TextRange, TextSize},
};
use serde_json::{Value, json};

const FOLDER: &str = "editors/vscode";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// Writes the file if asked to, and otherwise says that it is not what it should be.
fn is_current(path: &str, text: &str) {
    let full = root().join(FOLDER).join(path);
    if fs::read_to_string(&full).ok().as_deref() == Some(text) {
        return;
    }
    assert!(
        env::var_os("UPDATE_EXPECT").is_some(),
        "{FOLDER}/{path} is not current: run UPDATE_EXPECT=1 cargo test --test editors"
    );
    fs::create_dir_all(full.parent().unwrap()).unwrap();
    fs::write(&full, text).unwrap();
}

/// Every word of the tables that the grammar tells from other words, as alternatives of a pattern.
#[derive(Default)]
struct Words(BTreeMap<&'static str, BTreeSet<&'static str>>);

impl Words {
    fn of_the_language() -> Self {
        let mut words = Self::default();
        for root in ROOTS {
            words.add("root_blocks", root.block.name);
            words.block(root.block);
        }
        let vocabulary = FUNCTIONS
            .iter()
            .map(|function| ("functions", function.name))
            .chain(FIELDS.iter().map(|field| ("condition_fields", field.name)))
            .chain(TYPE_NAMES.iter().map(|(name, _)| ("type_names", *name)))
            .chain(SecretBackend::ALL.iter().map(|backend| ("secret_schemes", backend.scheme())));
        for (list, word) in vocabulary {
            words.add(list, word);
        }
        words
    }

    fn add(&mut self, list: &'static str, word: &'static str) {
        self.0.entry(list).or_default().insert(word);
    }

    fn block(&mut self, block: &'static Block) {
        block.attributes.iter().for_each(|attribute| self.attribute(attribute));
        for child in block.blocks {
            for name in std::iter::once(child.block.name).chain(child.aliases.iter().copied()) {
                self.add("inner_blocks", name);
            }
            self.block(child.block);
        }
        if let Some(free) = block.free_blocks {
            self.block(free);
        }
    }

    fn attribute(&mut self, attribute: &'static Attribute) {
        self.add("attributes", attribute.name);
        self.ty(&attribute.ty, attribute.name);
    }

    fn ty(&mut self, ty: &'static Type, attribute: &'static str) {
        match ty {
            Type::Script => self.add("script_attributes", attribute),
            Type::Condition => self.add("condition_attributes", attribute),
            Type::TypeName => self.add("type_attributes", attribute),
            Type::Keyword(variants) => {
                variants.iter().for_each(|variant| self.add("keywords", variant.name));
            }
            Type::Object(fields) => fields.iter().for_each(|field| self.attribute(field)),
            Type::List(item) | Type::Map(item) => self.ty(item, attribute),
            _ => {}
        }
    }

    /// The lists as alternatives, the longer word first where one begins another.
    fn patterns(&self) -> BTreeMap<String, String> {
        let pattern = |words: &BTreeSet<&str>| words.iter().rev().copied().collect::<Vec<_>>().join("|");
        self.0.iter().map(|(name, words)| ((*name).to_owned(), pattern(words))).collect()
    }
}

/// The text with every `{{name}}` in it filled in, and those in what is filled in.
fn filled(text: &str, lists: &BTreeMap<String, String>, used: &mut BTreeSet<String>) -> String {
    let mut found = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap();
        let list = lists.get(name).unwrap_or_else(|| panic!("no list is called {name}"));
        used.insert(name.to_owned());
        found += before;
        found += &filled(list, lists, used);
        rest = after;
    }
    found + rest
}

fn fill(value: &mut Value, lists: &BTreeMap<String, String>, used: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => *text = filled(text, lists, used),
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, lists, used)),
        Value::Object(fields) => fields.values_mut().for_each(|field| fill(field, lists, used)),
        _ => {}
    }
}

#[test]
fn the_grammar_has_the_words_of_the_tables() {
    let template = root().join(FOLDER).join("syntaxes/fly.tmLanguage.template.json");
    let mut grammar: Value = serde_json::from_str(&fs::read_to_string(template).unwrap()).unwrap();
    let fields = grammar.as_object_mut().unwrap();
    let mut lists = Words::of_the_language().patterns();
    for (name, pattern) in fields.remove("variables").unwrap().as_object().unwrap() {
        lists.insert(name.clone(), pattern.as_str().unwrap().to_owned());
    }
    fields.insert(
        "//".to_owned(),
        "Generated from fly.tmLanguage.template.json and the tables of fly-std. Do not edit.".into(),
    );
    let mut used = BTreeSet::new();
    fill(&mut grammar, &lists, &mut used);
    let unused: Vec<_> = lists.keys().filter(|name| !used.contains(*name)).collect();
    assert_eq!(unused, Vec::<&String>::new(), "lists that the grammar does not use");
    is_current("syntaxes/fly.tmLanguage.json", &format!("{grammar:#}\n"));
}

/// What a snippet leaves when nothing is filled in: its places hold their examples.
fn plain(snippet: &str) -> String {
    let mut text = String::new();
    let mut chars = snippet.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next()),
            '$' => {
                let braced = chars.next_if_eq(&'{').is_some();
                while chars.next_if(char::is_ascii_digit).is_some() {}
                if !braced {
                    continue;
                }
                let chosen = chars.next() == Some('|');
                let mut first = true;
                while let Some(c) = chars.next() {
                    match c {
                        '}' => break,
                        '\\' => text.extend(chars.next().filter(|_| first)),
                        ',' | '|' if chosen => first = false,
                        c if first => text.push(c),
                        _ => {}
                    }
                }
            }
            c => text.push(c),
        }
    }
    text
}

/// The whole example of a block as a snippet: its label and its values are places to fill in.
fn snippet(example: &str) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace('$', "\\$").replace('}', "\\}");
    let mut places = 0;
    let mut place = |text: &str| {
        places += 1;
        format!("${{{places}:{}}}", escaped(text))
    };
    let mut lines = Vec::new();
    let mut heredoc: Option<String> = None;
    for line in example.trim_end().lines() {
        if let Some(marker) = &heredoc {
            lines.push(escaped(line));
            if line.trim() == marker {
                heredoc = None;
            }
            continue;
        }
        let (before, value) = match line.split_once(" = ") {
            Some((name, value)) => (format!("{name} = "), value),
            None => match line.split_once(" \"") {
                Some((keyword, _)) if line.ends_with('{') => {
                    (format!("{keyword} "), line[keyword.len() + 1..].trim_end_matches(" {"))
                }
                _ => (String::new(), ""),
            },
        };
        if let Some(marker) = value.strip_prefix("<<") {
            heredoc = Some(marker.trim_start_matches('-').to_owned());
        }
        let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let value = match inner {
            Some(inner) if !inner.contains('"') => format!("\"{}\"", place(inner)),
            _ if value.is_empty() || heredoc.is_some() || value.ends_with(['[', '{', '(']) => escaped(value),
            _ => place(value),
        };
        let after =
            if line.ends_with(" {") && !before.contains('=') && !before.is_empty() { " {" } else { "" };
        if before.is_empty() {
            lines.push(escaped(line));
        } else {
            lines.push(format!("{}{value}{after}", escaped(&before)));
        }
    }
    lines.join("\n") + "\n$0"
}

/// A file in which a block of this kind may stand.
fn place(root: &Root) -> String {
    root.places[0].pattern().replace("<name>", "my-name").replace("*.test", "eggs.test")
}

#[test]
fn the_snippets_are_the_examples_of_the_tables() {
    let mut snippets = serde_json::Map::new();
    for root in ROOTS {
        let block = root.block;
        let body = snippet(block.example);
        assert_eq!(plain(&body).trim_end(), block.example.trim_end(), "the snippet of {}", block.name);
        let compiler = Compiler::new([(place(root), plain(&body))]);
        // An example may name what stands elsewhere in a Nest, and be all that names what it makes.
        let mut found: Vec<_> = compiler.check().iter().map(|found| found.kind.id).collect();
        found.retain(|id| !id.starts_with("unused-") && *id != "unknown-entity");
        assert_eq!(found, Vec::<&str>::new(), "the snippet of {}", block.name);
        let several = matches!(root.times, Times::Many);
        let (prefix, body): (_, Vec<_>) = (block.name, body.lines().collect());
        let places: Vec<_> = root.places.iter().map(|place| place.pattern()).collect();
        let description = format!(
            "{} ({}{})",
            block.doc.trim_end_matches('.'),
            if several { "in " } else { "once in " },
            places.join(", ")
        );
        snippets.insert(
            block.name.to_owned(),
            json!({ "prefix": prefix, "body": body, "description": description }),
        );
    }
    is_current("snippets/fly.json", &format!("{:#}\n", Value::Object(snippets)));
}

/// A file that the grammar is tried on.
struct Example {
    name: String,
    text: String,
}

/// The examples of the seeds, the example Nest, and files of every syntax there is.
fn examples() -> Vec<Example> {
    let seeds = include_str!("../../fly-std/src/schema/tests/seeds.fly");
    let mut found: Vec<_> = seeds
        .split("# --- ")
        .skip(1)
        .map(|part| {
            let (name, text) = part.split_once('\n').unwrap();
            Example { name: format!("seeds/{}", name.trim()), text: format!("{}\n", text.trim_end()) }
        })
        .collect();
    assert!(found.len() >= 19, "{}", found.len());
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    for folder in ["nests/example", "properties/corpus", "editors/textmate"] {
        collect(&tests.join(folder), &mut paths);
    }
    paths.sort();
    found.extend(paths.iter().map(|path| Example {
        name: path.strip_prefix(tests).unwrap().to_string_lossy().replace('\\', "/"),
        text: fs::read_to_string(path).unwrap(),
    }));
    found
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|kind| kind == "fly") {
            paths.push(path);
        }
    }
}

/// What the lexer says of a token, where it says something that is seen.
const fn lexical(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Comment | Kind::BlockComment | Kind::UnclosedComment => Some("comment"),
        Kind::DocComment => Some("documentation"),
        Kind::String | Kind::UnclosedString => Some("string"),
        Kind::Heredoc | Kind::UnclosedHeredoc => Some("heredoc"),
        Kind::Number => Some("number"),
        _ => None,
    }
}

/// The tokens of a text, line by line: `from-to kind`, in UTF-16 units, as editors count.
fn by_line(text: &str, tokens: &[(TextRange, &str)]) -> Vec<String> {
    let mut lines = vec![String::new(); text.split_inclusive('\n').count()];
    for (range, kind) in tokens {
        let (from, to) = (usize::from(range.start()), usize::from(range.end()));
        let mut start = text[..from].rfind('\n').map_or(0, |at| at + 1);
        let first = text[..start].matches('\n').count();
        for (at, line) in text[start..to].split_inclusive('\n').enumerate() {
            let units = |offset: usize| text[start..offset].encode_utf16().count();
            let end = start + line.trim_end_matches(['\n', '\r']).len();
            let begin = from.max(start);
            if begin < end {
                let told = &mut lines[first + at];
                if !told.is_empty() {
                    told.push_str(", ");
                }
                write!(told, "{}-{} {kind}", units(begin), units(end)).unwrap();
            }
            start += line.len();
        }
    }
    lines
}

/// What flyc sees in every example, for the extension's tests: `{ name, lines: [[text, lexer, meaning]] }`.
#[test]
fn the_tokens_that_the_grammar_is_compared_with() {
    let mut written = String::from("[\n");
    let all = examples();
    for (at, example) in all.iter().enumerate() {
        let compiler = Compiler::new([("nest.fly", example.text.as_str())]);
        let parse = compiler.parse("nest.fly").unwrap();
        let tokens = parse.tree().tokens();
        let end = TextSize::of(example.text.as_str());
        let lexer: Vec<_> = tokens
            .iter()
            .enumerate()
            .filter_map(|(at, token)| {
                let next = tokens.get(at + 1).map_or(end, |next| next.start.into());
                Some((TextRange::new(token.start.into(), next), lexical(token.kind)?))
            })
            .collect();
        let meaning: Vec<_> = ide::semantic_tokens(&compiler, "nest.fly")
            .iter()
            .map(|token| (token.range, ide::TOKEN_TYPES[usize::try_from(token.kind).unwrap()]))
            .collect();
        let (lexer, meaning) = (by_line(&example.text, &lexer), by_line(&example.text, &meaning));
        let lines: Vec<_> = example
            .text
            .lines()
            .zip(lexer.iter().zip(&meaning))
            .map(|(line, (lexer, meaning))| format!("    {}", json!([line, lexer, meaning])))
            .collect();
        let comma = if at + 1 < all.len() { "," } else { "" };
        writeln!(
            written,
            "  {{ \"name\": {}, \"lines\": [\n{}\n  ] }}{comma}",
            json!(example.name),
            lines.join(",\n")
        )
        .unwrap();
    }
    written.push_str("]\n");
    is_current("test/fixtures/tokens.json", &written);
}
