//! `file("…")`: texts of the Nest that are not Fly.

use fly_std::{Value, schema::Place};
use smol_str::SmolStr;

use std::sync::Arc;

use super::{blocks::Checker, calls::BAD_CALL};
use crate::{
    db::{AssetError, Db, Nest, SourceFile, parse},
    diag::Diagnostic,
    syntax::{
        Attribute, Expr, Kind, NodeKind, NodeRef, Parse,
        literal::{self, Part},
        parse_expression,
    },
    text::{TextRange, TextSize},
};

/// The paths that a file reads with `file("…")`, relative to the Nest's root.
#[salsa::tracked(returns(ref))]
pub fn reads(db: &dyn Db, file: SourceFile) -> Vec<SmolStr> {
    let mut paths: Vec<SmolStr> = read_places(parse(db, file)).into_iter().map(|(_, path)| path).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// Where a file names a text that it reads, without the quotes, and that text's path relative to the Nest's root.
pub fn read_places(parse: &Parse) -> Vec<(TextRange, SmolStr)> {
    let mut paths = Vec::new();
    let root = parse.root();
    collect(root, TextSize::new(0), 0, &mut paths);
    for attribute in root.descendants().filter_map(Attribute::cast) {
        if attribute.is(OPENAPI_SPEC) {
            let path = attribute.value().and_then(literal_place);
            paths.extend(path.and_then(|(range, path)| Some((range, beside_installation(&path)?))));
        }
    }
    paths
}

/// Whether a text may read another, told by a look at it.
pub fn may_read(text: &str) -> bool {
    text.contains("file(") || text.contains(OPENAPI_SPEC)
}

/// The attribute whose value is the path of a text within `MG/`.
const OPENAPI_SPEC: &str = "openapi_spec";

/// The path, from the Nest's root, of what a configuration of the installation names; none when it leads out of the Nest.
fn beside_installation(path: &str) -> Option<SmolStr> {
    let (folder, _) = Place::MotherGoose.pattern().rsplit_once('/')?;
    inside(path).map(|path| format!("{folder}/{path}").into())
}

/// The text of a file within `MG/`; none when there is no such text.
pub fn installation_asset(db: &dyn Db, path: &str) -> Option<Arc<str>> {
    let asset = *Nest::try_get(db)?.assets(db).get(&*beside_installation(path)?)?;
    asset.content(db).clone().ok()
}

/// `base` is where the text of the tree begins in the file.
fn collect(node: NodeRef<'_>, base: TextSize, depth: u32, paths: &mut Vec<(TextRange, SmolStr)>) {
    for expr in node.descendants().filter_map(Expr::cast) {
        if expr.node().kind() == NodeKind::Call && expr.name().is_some_and(|name| name.text() == "file") {
            let argument = expr.operands().next().and_then(literal_place);
            paths.extend(argument.and_then(|(range, text)| Some((range + base, inside(&text)?))));
        }
        let Some(token) = expr.literal().filter(|token| token.text().contains("${") && depth < 8) else {
            continue;
        };
        let start = token.range().start();
        let content = literal::content(token.kind(), token.text(), start, false);
        for part in content.parts {
            let Part::Interpolation(range) = part else { continue };
            let inner = parse_expression(token.text()[range - start].into());
            collect(inner.root(), base + range.start(), depth + 1, paths);
        }
    }
}

/// The text of a string without `${…}`.
fn literal_text(expr: Expr<'_>) -> Option<SmolStr> {
    literal_place(expr).map(|(_, text)| text)
}

/// The same with where it stands, without the quotes.
fn literal_place(expr: Expr<'_>) -> Option<(TextRange, SmolStr)> {
    let token = expr.literal().filter(|token| token.kind() != Kind::Number)?;
    let range = token.range();
    let content = literal::content(token.kind(), token.text(), range.start(), false);
    let text = content.plain()?;
    let one = TextSize::from(u32::from(token.kind() == Kind::String));
    let inside = TextRange::new(range.start() + one, (range.end() - one).max(range.start() + one));
    Some((inside, text.text.as_str().into()))
}

/// The path in its plain form; `None` when it leads out of the Nest.
fn inside(path: &str) -> Option<SmolStr> {
    if path.starts_with('/') || path.contains(['\\', '\0']) || path.contains(':') {
        return None;
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    (!parts.is_empty()).then(|| parts.join("/").into())
}

impl Checker<'_> {
    /// `file("scripts/setup.sh")`
    pub(super) fn file_call(&mut self, expr: Expr<'_>, arguments: &[Expr<'_>]) -> Option<Value> {
        let [argument] = arguments else {
            self.file_problem(expr.range(), "`file` wants one path");
            return None;
        };
        let Some(path) = literal_text(*argument) else {
            self.file_problem(argument.range(), "`file` wants a path written out as a string");
            return None;
        };
        let Some(path) = inside(&path) else {
            self.file_problem(argument.range(), &format!("`{path}` is not a path inside the Nest"));
            return None;
        };
        let nest = Nest::try_get(self.db)?;
        let Some(asset) = nest.assets(self.db).get(&*path) else {
            self.file_problem(argument.range(), &format!("there is no file `{path}` in the Nest"));
            return None;
        };
        match asset.content(self.db) {
            Ok(text) => Some(Value::String((&**text).into())),
            Err(error) => {
                let message = match error {
                    AssetError::Missing => format!("there is no file `{path}` in the Nest"),
                    AssetError::Outside => format!("`{path}` leads out of the Nest"),
                    AssetError::NotText => format!("`{path}` is not UTF-8 text"),
                    AssetError::TooLarge => format!("`{path}` is larger than 1 MiB"),
                    AssetError::Unreadable => format!("`{path}` can't be read"),
                };
                self.file_problem(argument.range(), &message);
                None
            }
        }
    }

    fn file_problem(&mut self, range: TextRange, message: &str) {
        self.diagnostics.push(
            Diagnostic::new(&BAD_CALL, self.span(range), message, "not a file of this Nest")
                .note("`file(path)` is the text of a file, whose path counts from the Nest's root")
                .help("write a call such as `file(\"scripts/setup.sh\")`"),
        );
    }
}
