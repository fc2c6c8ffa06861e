//! Queries for editors: made of the grammar's own, with other names where an editor has others than Neovim.
//!
//! What never lives here: a node of the grammar, or a word of the language.

use std::{fmt::Write as _, path::Path, process::Command};

use polar_gosling_tests::{need, tools};

use super::{current, editors, read};

/// What an editor calls a capture; empty: it has nothing of the kind.
type Names = &'static [(&'static str, &'static str)];

/// An editor's folder of queries, the query of the grammar, and its names.
const MADE: &[(&str, &str, Names)] = &[
    ("helix/queries", "highlights.scm", HELIX_COLOURS),
    ("helix/queries", "indents.scm", HELIX_INDENTS),
    ("helix/queries", "injections.scm", INJECTIONS),
    ("helix/queries", "textobjects.scm", TEXT_OBJECTS),
    ("zed/languages/fly", "highlights.scm", ZED_COLOURS),
    ("zed/languages/fly", "injections.scm", INJECTIONS),
    ("zed/languages/fly", "textobjects.scm", ZED_TEXT_OBJECTS),
];

/// The queries of the grammar that Neovim and its plugins read; they are as they are there. `tags` nothing reads.
const NEOVIM: [&str; 6] =
    ["folds.scm", "highlights.scm", "indents.scm", "injections.scm", "locals.scm", "textobjects.scm"];

/// Queries that an editor has and the grammar has not: they are checked, not made.
const OWN: &[&str] = &[
    "zed/languages/fly/brackets.scm",
    "zed/languages/fly/indents.scm",
    "zed/languages/fly/outline.scm",
    "zed/languages/fly/overrides.scm",
];

const HELIX_COLOURS: Names = &[
    ("boolean", "constant.builtin.boolean"),
    ("comment", "comment"),
    ("comment.documentation", "comment.line.documentation"),
    ("constant.builtin", "constant.builtin"),
    ("embedded", "embedded"),
    ("error", "error"),
    ("function", "function"),
    ("function.builtin", "function.builtin"),
    ("keyword", "keyword"),
    ("keyword.conditional.ternary", "keyword.control.conditional"),
    ("label", "label"),
    ("module", "namespace"),
    ("number", "constant.numeric"),
    ("operator", "operator"),
    ("property", "variable.other.member"),
    ("property.builtin", "attribute"),
    ("punctuation.bracket", "punctuation.bracket"),
    ("punctuation.delimiter", "punctuation.delimiter"),
    ("punctuation.special", "punctuation.special"),
    ("string", "string"),
    ("string.escape", "constant.character.escape"),
    ("type", "type"),
    ("type.builtin", "type.builtin"),
    ("variable", "variable"),
    ("variable.builtin", "variable.builtin"),
    ("variable.member", "variable.other.member"),
];

const HELIX_INDENTS: Names = &[
    ("indent.auto", ""),
    ("indent.begin", "indent"),
    ("indent.branch", "outdent"),
    ("indent.end", ""),
    ("indent.ignore", ""),
];

const INJECTIONS: Names = &[("injection.content", "injection.content")];

const TEXT_OBJECTS: Names = &[
    ("assignment.inner", "entry.inside"),
    ("assignment.lhs", ""),
    ("assignment.outer", "entry.around"),
    ("assignment.rhs", ""),
    ("block.inner", ""),
    ("block.outer", ""),
    ("call.inner", ""),
    ("call.outer", ""),
    ("class.inner", "class.inside"),
    ("class.outer", "class.around"),
    ("comment.outer", "comment.around"),
    ("conditional.inner", ""),
    ("conditional.outer", ""),
    ("number.inner", ""),
    ("parameter.inner", "parameter.inside"),
    ("parameter.outer", "parameter.around"),
];

const ZED_TEXT_OBJECTS: Names = &[
    ("assignment.inner", ""),
    ("assignment.lhs", ""),
    ("assignment.outer", ""),
    ("assignment.rhs", ""),
    ("block.inner", ""),
    ("block.outer", ""),
    ("call.inner", ""),
    ("call.outer", ""),
    ("class.inner", "class.inside"),
    ("class.outer", "class.around"),
    ("comment.outer", "comment.around"),
    ("conditional.inner", ""),
    ("conditional.outer", ""),
    ("number.inner", ""),
    ("parameter.inner", ""),
    ("parameter.outer", ""),
];

const ZED_COLOURS: Names = &[
    ("boolean", "boolean"),
    ("comment", "comment"),
    ("comment.documentation", "comment.doc"),
    ("constant.builtin", "constant"),
    ("embedded", "embedded"),
    ("error", ""),
    ("function", "function"),
    ("function.builtin", "function"),
    ("keyword", "keyword"),
    ("keyword.conditional.ternary", "operator"),
    ("label", "label"),
    ("module", "variable.special"),
    ("number", "number"),
    ("operator", "operator"),
    ("property", "property"),
    ("property.builtin", "attribute"),
    ("punctuation.bracket", "punctuation.bracket"),
    ("punctuation.delimiter", "punctuation.delimiter"),
    ("punctuation.special", "punctuation.special"),
    ("string", "string"),
    ("string.escape", "string.escape"),
    ("type", "type"),
    ("type.builtin", "type"),
    ("variable", "variable"),
    ("variable.builtin", "variable.special"),
    ("variable.member", "property"),
];

/// A piece of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Space(&'a str),
    Comment(&'a str),
    /// The name behind `@`.
    Capture(&'a str),
    /// `(` or `[`, with the name of a predicate when it begins one.
    Open(&'a str),
    Close(&'a str),
    /// A string, a name, a field, a sign.
    Other(&'a str),
}

fn pieces<'a>(query: &'a str) -> Vec<Piece<'a>> {
    let mut found = Vec::new();
    let mut rest = query;
    let word = |c: char| !c.is_whitespace() && !"()[]\";@".contains(c);
    while let Some(first) = rest.chars().next() {
        let length = |end: Option<usize>| end.unwrap_or(rest.len());
        let (end, make): (usize, fn(&'a str) -> Piece<'a>) = match first {
            c if c.is_whitespace() => (length(rest.find(|c: char| !c.is_whitespace())), Piece::Space),
            ';' => (length(rest.find('\n')), Piece::Comment),
            '@' => {
                (1 + length(rest[1..].find(|c| !word(c))).min(rest.len() - 1), |it| Piece::Capture(&it[1..]))
            }
            '(' | '[' => (1, Piece::Open),
            ')' | ']' => (1, Piece::Close),
            '"' => {
                let mut escaped = false;
                let closes = |c: char| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                };
                (
                    2 + rest[1..].find(closes).unwrap_or_else(|| panic!("a string is not closed: {rest}")),
                    Piece::Other,
                )
            }
            _ => (length(rest.find(|c| !word(c))), Piece::Other),
        };
        let (piece, behind) = rest.split_at(end);
        found.push(make(piece));
        rest = behind;
    }
    found
}

/// The query with an editor's names, without what it has nothing for.
fn translate(query: &str, names: Names) -> String {
    let called = |capture: &str| -> Option<&'static str> {
        let found = names.iter().find(|(own, _)| *own == capture);
        let (_, other) =
            found.unwrap_or_else(|| panic!("the editor has no name for `@{capture}`: add one to the table"));
        Some(*other).filter(|other| !other.is_empty())
    };
    let mut made = String::new();
    // Comments that belong to what comes next.
    let mut above = String::new();
    let mut depth = 0_usize;
    let mut pattern: Vec<Piece<'_>> = Vec::new();
    let pieces = pieces(query);
    for (at, piece) in pieces.iter().copied().enumerate() {
        if depth == 0 && pattern.is_empty() {
            match piece {
                Piece::Comment(text) => {
                    above += text;
                    above.push('\n');
                    continue;
                }
                Piece::Space(text) => {
                    // A heading stands by itself.
                    if text.matches('\n').count() > 1 && !above.is_empty() {
                        writeln!(made, "{above}").unwrap();
                        above.clear();
                    }
                    continue;
                }
                _ => {}
            }
        }
        pattern.push(piece);
        depth = match piece {
            Piece::Open(_) => depth + 1,
            Piece::Close(_) => depth - 1,
            _ => depth,
        };
        // Captures and repetitions belong to what they stand behind.
        let mut next = pieces[at + 1..].iter().filter(|piece| !matches!(piece, Piece::Space(_)));
        let goes_on = matches!(next.next(), Some(Piece::Capture(_) | Piece::Other("+" | "*" | "?")));
        if depth == 0 && !goes_on {
            let comments = std::mem::take(&mut above);
            if let Some(text) = translated(&std::mem::take(&mut pattern), called) {
                write!(made, "{comments}{text}\n\n").unwrap();
            }
        }
    }
    made.trim_end().to_owned() + "\n"
}

/// A pattern with other names; none when nothing of it is captured any more.
fn translated(pattern: &[Piece<'_>], name: impl Fn(&str) -> Option<&'static str>) -> Option<String> {
    let mut text = String::new();
    let mut captures = 0;
    let mut parents: Vec<bool> = Vec::new();
    for (at, piece) in pattern.iter().copied().enumerate() {
        match piece {
            Piece::Capture(own) if own.starts_with('_') => write!(text, "@{own}").unwrap(),
            Piece::Capture(own) => match name(own) {
                Some(named) => {
                    captures += usize::from(!parents.contains(&true));
                    write!(text, "@{named}").unwrap();
                }
                None => text.truncate(text.trim_end().len()),
            },
            // Where the words come from is told by the original.
            Piece::Comment(comment) if comment.starts_with("; words: ") || comment == "; end" => {
                text.truncate(text.trim_end().len());
            }
            Piece::Open(bracket) => {
                let predicate =
                    matches!(pattern.get(at + 1), Some(Piece::Other(name)) if name.starts_with('#'));
                parents.push(predicate);
                text += bracket;
            }
            Piece::Close(bracket) => {
                parents.pop();
                text += bracket;
            }
            Piece::Space(it) | Piece::Comment(it) | Piece::Other(it) => text += it,
        }
    }
    (captures > 0).then_some(text)
}

fn original(query: &str) -> String {
    let text = read(&editors().join("tree-sitter-fly/queries").join(query));
    // What is said at the top about making the file is of the original.
    let (top, rest) = text.split_once("\n\n").unwrap();
    if top.contains("UPDATE_EXPECT") { rest.to_owned() } else { text }
}

#[test]
fn queries_of_other_editors_are_made_of_the_grammars() {
    for (folder, query, names) in MADE {
        let head = format!(
            "; Made of editors/tree-sitter-fly/queries/{query}: UPDATE_EXPECT=1 cargo test --test editors homes\n\
             ; Where two patterns fit, the later one counts.\n\n"
        );
        current(&editors().join(folder).join(query), &(head + &translate(&original(query), names)));
    }
}

#[test]
fn neovims_queries_are_the_grammars() {
    let folder = editors().join("neovim/queries/fly");
    for query in NEOVIM {
        current(&folder.join(query), &read(&editors().join("tree-sitter-fly/queries").join(query)));
    }
    let there = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(there, NEOVIM.len(), "a file in {} is of no query of the grammar", folder.display());
}

/// What a query captures in the example of the grammar: `name, start, end`.
fn captured(tree_sitter: &tools::TreeSitter, place: &Path, query: &Path) -> Vec<(String, String)> {
    let grammar = editors().join("tree-sitter-fly");
    let mut command: Command = tree_sitter.command();
    command.args(["query", "--captures"]).arg(query).arg("test/queries/example.fly").current_dir(grammar);
    // A cache of its own: what other checkouts have built must not pass for this one's.
    let output = command.env("TREE_SITTER_LIBDIR", place).env("NO_COLOR", "1").output().unwrap();
    assert!(
        output.status.success(),
        "{} is no query of the grammar: {}",
        query.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let captures = text.lines().filter_map(|line| {
        let (_, rest) = line.split_once("capture: ")?;
        let (name, place) = rest.split_once(", start: ")?;
        let name = name.split_once(" - ").map_or(name, |(_, name)| name);
        Some((name.to_owned(), place.to_owned()))
    });
    captures.filter(|(name, _)| !name.starts_with('_')).collect()
}

#[test]
fn queries_of_other_editors_capture_what_the_grammars_do() {
    let tree_sitter = need!(tools::tree_sitter());
    let place = tempfile::tempdir().unwrap();
    for (folder, query, names) in MADE {
        let own =
            captured(&tree_sitter, place.path(), &editors().join("tree-sitter-fly/queries").join(query));
        let wanted: Vec<_> = own
            .into_iter()
            .filter_map(|(capture, place)| {
                let (_, named) = names.iter().find(|(own, _)| *own == capture)?;
                Some(((*named).to_owned(), place)).filter(|(named, _)| !named.is_empty())
            })
            .collect();
        let found = captured(&tree_sitter, place.path(), &editors().join(folder).join(query));
        assert!(wanted.len() > 3, "{folder}/{query}: {wanted:?}");
        assert_eq!(found, wanted, "{folder}/{query}");
    }
    for query in OWN {
        let path = editors().join(query);
        let found = captured(&tree_sitter, place.path(), &path);
        let wanted = read(&path);
        for piece in pieces(&wanted) {
            if let Piece::Capture(capture) = piece {
                let seen = found.iter().any(|(name, _)| name == capture);
                assert!(
                    capture.starts_with('_') || seen,
                    "{query}: `@{capture}` finds nothing in the example"
                );
            }
        }
    }
}

/// Zed's indentation names its nodes by hand, because it wants their closing brackets: they are the grammar's.
#[test]
fn zed_indents_what_the_grammar_says() {
    let nodes = |query: &str| {
        let mut nodes: Vec<String> = query
            .split(|c: char| !(c.is_alphanumeric() || "_@.".contains(c)))
            .filter(|word| !word.is_empty() && !word.contains(['@', '.']))
            .map(str::to_owned)
            .collect();
        nodes.sort();
        nodes
    };
    let own = original("indents.scm");
    let (own, _) = own.split_once("@indent.begin").unwrap();
    let zed = read(&editors().join("zed/languages/fly/indents.scm"));
    let patterns: Vec<&str> = zed.lines().filter(|line| line.starts_with('(')).collect();
    assert_eq!(nodes(&patterns.join("\n")), nodes(own));
}
