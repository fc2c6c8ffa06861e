//! Which names a file uses, and which locals it gives: from the tree alone and without positions, so that most edits
//! leave both as they are. What never lives here: what the names stand for.

use fly_std::{Type, schema};
use smol_str::SmolStr;

use crate::{
    db::{Db, SourceFile, parse},
    syntax::{
        Attribute, Block, Expr, Item, Kind, NodeKind,
        literal::{self, Part},
        parse_expression,
    },
    text::TextSize,
};

/// How deeply interpolations within interpolations are followed; evaluation goes no further.
const DEPTH: u32 = 32;

/// What a name is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Space {
    /// `local.x`
    Local,
    /// `var.x`
    Variable,
    /// `profile.x`
    Profile,
    /// `egg.x`
    Egg,
    /// `bucket.x`
    Bucket,
}

impl Space {
    fn of(word: &str) -> Option<Self> {
        match word {
            "local" => Some(Self::Local),
            "var" => Some(Self::Variable),
            "profile" => Some(Self::Profile),
            "egg" => Some(Self::Egg),
            "bucket" => Some(Self::Bucket),
            _ => None,
        }
    }
}

/// The names of a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Uses {
    /// The names it uses, sorted, each once.
    pub names: Box<[(Space, SmolStr)]>,
    /// The locals it gives, sorted, each once.
    pub locals: Box<[SmolStr]>,
    /// Whether the whole file was understood; in what was not, more names may be used.
    pub complete: bool,
}

impl Uses {
    /// Whether the name is used in the file.
    pub fn has(&self, space: Space, name: &str) -> bool {
        self.names.binary_search_by(|(of, known)| (*of, known.as_str()).cmp(&(space, name))).is_ok()
    }

    /// The names it uses that it does not give itself.
    pub fn foreign(&self) -> impl Iterator<Item = &(Space, SmolStr)> {
        self.names
            .iter()
            .filter(|(space, name)| *space != Space::Local || self.locals.binary_search(name).is_err())
    }
}

/// The names that a file uses.
#[salsa::tracked(returns(ref))]
pub fn uses_of(db: &dyn Db, file: SourceFile) -> Uses {
    let parse = parse(db, file);
    let (mut names, mut locals) = (Vec::new(), Vec::new());
    for item in parse.items() {
        let Item::Block(block) = item else { continue };
        let root = block.keyword().and_then(|keyword| schema::root(keyword.text())).map(|root| root.block);
        if root.is_some_and(|root| std::ptr::eq(root, &raw const schema::LOCALS)) {
            let given = block.items().filter_map(|item| match item {
                Item::Attribute(attribute) => attribute.name(),
                Item::Block(_) | Item::Junk(_) => None,
            });
            locals.extend(given.map(|name| SmolStr::new(name.text())));
        }
        in_block(block, root, &mut names);
    }
    names.sort_unstable();
    names.dedup();
    locals.sort_unstable();
    locals.dedup();
    Uses { names: names.into(), locals: locals.into(), complete: parse.errors().is_empty() }
}

fn in_block(block: Block<'_>, schema: Option<&'static schema::Block>, names: &mut Vec<(Space, SmolStr)>) {
    for item in block.items() {
        match item {
            Item::Attribute(attribute) => in_attribute(attribute, schema, names),
            Item::Block(inner) => {
                let keyword = inner.keyword().map(|keyword| keyword.text());
                let within = schema.zip(keyword).and_then(|(schema, name)| {
                    schema.child(name).map(|child| child.block).or(schema.free_blocks)
                });
                in_block(inner, within, names);
            }
            Item::Junk(_) => {}
        }
    }
}

fn in_attribute(
    attribute: Attribute<'_>,
    schema: Option<&'static schema::Block>,
    names: &mut Vec<(Space, SmolStr)>,
) {
    let Some(mut value) = attribute.value() else { return };
    let known = schema.zip(attribute.name()).and_then(|(schema, name)| schema.attribute(name.text()));
    if known.is_some_and(|known| known.ty == Type::Script) {
        while value.node().kind() == NodeKind::Paren
            && let Some(inner) = value.operands().next()
        {
            value = inner;
        }
        // Verbatim: what looks like an interpolation belongs to the shell.
        if value.literal().is_some() {
            return;
        }
    }
    in_expression(value, 0, names);
}

fn in_expression(expr: Expr<'_>, depth: u32, names: &mut Vec<(Space, SmolStr)>) {
    for expr in expr.node().descendants().filter_map(Expr::cast) {
        names.extend(name_of(expr));
        let Some(token) = expr.literal().filter(|token| token.text().contains("${")) else { continue };
        if token.kind() == Kind::Number || depth >= DEPTH {
            continue;
        }
        let content = literal::content(token.kind(), token.text(), TextSize::new(0), false);
        for part in content.parts {
            let Part::Interpolation(inside) = part else { continue };
            let inner = parse_expression(token.text()[inside].into());
            if let Some(expr) = Expr::of(&inner) {
                in_expression(expr, depth + 1, names);
            }
        }
    }
}

/// The name in `local.name`.
fn name_of(expr: Expr<'_>) -> Option<(Space, SmolStr)> {
    let mut operands = expr.operands();
    let base = operands.next().filter(|_| expr.node().kind() == NodeKind::Field)?;
    Some((Space::of(base.text())?, operands.next()?.text().into()))
}
