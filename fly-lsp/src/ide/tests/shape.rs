//! Outlines, folds, selections and tokens. Each test is a cursor in a text.

use std::fmt::Write as _;

use flyc::compiler::Compiler;

use super::*;
use crate::ide::{locate, tokens};

fn outline(symbols: &[Symbol], depth: usize, out: &mut String) {
    for symbol in symbols {
        let _ = writeln!(out, "{}{} {} {:?}", "  ".repeat(depth), symbol.detail, symbol.name, symbol.kind);
        outline(&symbol.children, depth + 1, out);
    }
}

#[test]
fn outlines_folds_and_selections() {
    let text = "# one\n# two\n\negg \"a\" {\n  type = \"v$0m\"\n\n  runner {\n    tags = [\n      \"x\",\n    ]\n  }\n}\n";
    let at = Fixture::new(text);
    let folds = folds(&at.compiler, &at.path).into_iter();
    let text = at.text();
    let shown = list(folds.map(|fold| format!("{:?} {:?}", fold.kind, &text[fold.range])));
    expect![[r#"
        Comment "\n# two"
        Region "\n  type = \"vm\"\n\n  runner {\n    tags = [\n      \"x\",\n    ]\n  }\n}"
        Region "\n    tags = [\n      \"x\",\n    ]\n  }"
        Region "\n      \"x\",\n    ]"
    "#]]
    .assert_eq(&shown);
    let mut shown = String::new();
    outline(&document_symbols(&at.compiler, &at.path), 0, &mut shown);
    expect![[r#"
        egg a Named
           type Attribute
           runner Block
             tags Attribute
    "#]]
    .assert_eq(&shown);
    let ranges = selections(&at.compiler, &at.path, at.offset).into_iter();
    let text = at.text();
    expect![[r##"
        "vm"
        "\"vm\""
        "type = \"vm\""
        "\n  type = \"vm\"\n\n  runner {\n    tags = [\n      \"x\",\n    ]\n  }\n"
        "egg \"a\" {\n  type = \"vm\"\n\n  runner {\n    tags = [\n      \"x\",\n    ]\n  }\n}"
        "# one\n# two\n\negg \"a\" {\n  type = \"vm\"\n\n  runner {\n    tags = [\n      \"x\",\n    ]\n  }\n}\n"
    "##]].assert_eq(&list(ranges.map(|range| format!("{:?}", &text[range]))));
}

#[test]
fn tokens_tile_without_overlap() {
    let at = Fixture::new(&in_nest(
        "egg \"web\" { # c\n  extends = profile.small\n  type = \"vm\"\n  runner {\n    tags = [upper(\"a\"), local.tags[0], \"x-${var.region}\"]$0\n  }\n}\n",
    ));
    let text = at.text();
    let tokens = semantic_tokens(&at.compiler, &at.path);
    assert!(tokens.windows(2).all(|pair| pair[0].range.end() <= pair[1].range.start()));
    let shown =
        tokens.iter().map(|token| format!("{} {:?}", TOKEN_TYPES[token.kind as usize], &text[token.range]));
    expect![[r##"
        keyword "egg"
        string "\""
        class "web"
        string "\""
        comment "# c"
        property "extends"
        keyword "profile"
        class "small"
        property "type"
        string "\"vm\""
        keyword "runner"
        property "tags"
        function "upper"
        string "\"a\""
        keyword "local"
        variable "tags"
        number "0"
        string "\"x-${var."
        variable "region"
        string "}\""
    "##]]
    .assert_eq(&list(shown));
}

#[test]
fn the_whole_nest_is_searched_for_names() {
    let at = Fixture::new(&in_nest(
        "eggsbucket \"web\" {\n  repo \"one\" {\n    t$0\n  }\n}\n\nlocals {\n  registry = 1\n}\n",
    ));
    let found = |query: &str| {
        let found = workspace_symbols(&at.compiler, query).into_iter();
        list(found.map(|(symbol, span)| format!("{} ({}) in {}", symbol.name, symbol.detail, span.file)))
    };
    expect![[r#"
        web (eggsbucket) in Eggs/web/config.fly
        one (repo of web) in Eggs/web/config.fly
        registry (local) in Eggs/web/config.fly
        web (runners_condition) in UF/config.fly
        old (rule) in UF/config.fly
        tags (local) in nest.fly
        region (variable) in nest.fly
        token (variable) in nest.fly
        small (profile) in nest.fly
    "#]]
    .assert_eq(&found(""));
    expect![[r#"
        old (rule) in UF/config.fly
    "#]]
    .assert_eq(&found("rule old"));
}

/// A name is looked at for the token that it stands in, and for no other: a large file would take minutes.
#[test]
fn names_within_tokens_are_not_looked_for_among_all() {
    let egg =
        |at: usize| format!("egg \"a{at}\" {{\n  environment {{\n    A = \"x${{egg.a{at}}}\"\n  }}\n}}\n");
    let text: String = (0..200).map(egg).collect();
    let compiler = Compiler::new([("Eggs/a/config.fly", text.as_str())]);
    let parse = compiler.parse("Eggs/a/config.fly").unwrap();
    let mut names = locate::occurrences(parse);
    names.sort_by_key(|name| name.range.start());
    let tokens = semantic_tokens(&compiler, "Eggs/a/config.fly");
    let met: usize = tokens.iter().map(|token| tokens::within(&names, token.range).count()).sum();
    assert_eq!((names.len(), met), (400, 400));
}
