//! Attributes and blocks of an egg become a profile that it extends. Never here: what a profile may hold, which the
//! schema says, and whether the egg still means the same, which [`super::proof`] sees.

use flyc::{
    model::definitions::NEST_FILE,
    syntax::{Block, Item, lines_of},
    text::{TextRange, TextSize},
};

use super::{
    ActionKind, Candidate,
    draft::{Draft, insert, replace},
    locals::free,
    site::{Asked, Place},
};

pub(super) fn candidates(asked: &Asked<'_>, found: &mut Vec<Candidate>) {
    if asked.path == NEST_FILE {
        return;
    }
    let (Some(egg), Some(nest)) = (egg(asked), asked.compiler.parse(NEST_FILE)) else { return };
    let Some(chosen) = Chosen::of(asked, egg.block) else { return };
    let profiles = nest.blocks().filter(|block| block.is("profile"));
    let taken = profiles.filter_map(|block| Some(block.labels().next()?.name.to_owned())).collect();
    let name = free(&chosen.name(egg.block), &taken);
    let extends = egg.attributes().find(|site| site.attribute.is("extends"));
    let parent = extends.map(|site| site.value.text());
    let profile = chosen.profile(asked, &name, parent);
    let gap = if nest.text().trim().is_empty() { "" } else { "\n" };
    let lead = if nest.text().is_empty() || nest.text().ends_with('\n') { "" } else { "\n" };
    let added = insert(TextSize::of(&**nest.text()), format!("{lead}{gap}{profile}"));
    let mut edits = vec![replace(chosen.removed, "")];
    match (extends, egg.inside()) {
        (Some(site), _) => edits.push(replace(site.value.range(), format!("profile.{name}"))),
        (None, Some(inside)) => {
            edits.push(insert(inside.start(), format!("\n{}  extends = profile.{name}", egg.indent())));
        }
        (None, None) => return,
    }
    let draft = Draft::of(asked.compiler, asked.path, &edits)
        .and_then(|draft| draft.with(asked.compiler, NEST_FILE, &[added]));
    let title = format!("turn it into `profile \"{name}\"`");
    found.extend(draft.map(|draft| Candidate::rewrite(ActionKind::Extract, title, draft)));
}

/// The egg or bucket around the range.
fn egg<'a>(asked: &Asked<'a>) -> Option<Place<'a>> {
    let roots: Vec<Block<'a>> = asked.parse.blocks().collect();
    asked.places().into_iter().find(|place| {
        roots.contains(&place.block)
            && matches!(place.schema.name, "egg" | "eggsbucket")
            && place.inside().is_some_and(|inside| inside.contains_range(asked.range))
    })
}

/// What becomes a profile.
struct Chosen<'a> {
    /// The blocks of the egg that it stands in, outermost first.
    around: Vec<Block<'a>>,
    items: Vec<Item<'a>>,
    /// The lines it stands on.
    lines: TextRange,
    /// The lines that go: those, or all of a block in which nothing is left.
    removed: TextRange,
}

impl<'a> Chosen<'a> {
    /// What is selected within an egg; a cursor alone means the block on whose first line it stands.
    fn of(asked: &Asked<'a>, egg: Block<'a>) -> Option<Self> {
        let mut around: Vec<Block<'a>> = Vec::new();
        let selected = asked.text()[asked.range].trim();
        let items: Vec<Item<'a>> = loop {
            let block = around.last().copied().unwrap_or(egg);
            if selected.is_empty() {
                let at = |child: &Block<'a>| child.header().contains_inclusive(asked.range.start());
                break block.blocks().filter(at).map(Item::Block).collect();
            }
            let inner = block.blocks().find(|child| {
                let inside = Place { block: *child, schema: &fly_std::schema::EGG }.inside();
                inside.is_some_and(|inside| inside.contains_range(asked.range))
            });
            match inner {
                Some(inner) => around.push(inner),
                None => {
                    let touches = |item: &Item<'a>| {
                        asked.range.intersect(item.node().range()).is_some_and(|common| !common.is_empty())
                    };
                    break block.items().filter(touches).collect();
                }
            }
        };
        let (first, last) = (items.first()?, items.last()?);
        let is_extends =
            |item: &Item<'_>| matches!(item, Item::Attribute(attribute) if attribute.is("extends"));
        if items.iter().any(|item| is_extends(item) || matches!(item, Item::Junk(_))) {
            return None;
        }
        let lines = lines_of(first.node()).cover(lines_of(last.node()));
        let mut removed = lines;
        for block in around.iter().rev() {
            let inside = Place { block: *block, schema: &fly_std::schema::EGG }.inside()?;
            let text = asked.text();
            let rest = [
                TextRange::new(inside.start(), removed.start()),
                TextRange::new(removed.end().min(inside.end()), inside.end()),
            ];
            if !rest.iter().all(|range| text[*range].trim().is_empty()) {
                break;
            }
            removed = lines_of(block.node());
        }
        Some(Self { around, items, lines, removed })
    }

    fn name(&self, egg: Block<'_>) -> String {
        let keyword = |block: &Block<'_>| block.keyword().map(|keyword| keyword.text().to_owned());
        let named = match self.items.as_slice() {
            [Item::Block(block)] => keyword(block),
            _ => self.around.last().and_then(keyword),
        };
        named.unwrap_or_else(|| {
            egg.labels().next().map_or_else(|| "shared".to_owned(), |label| label.name.to_owned())
        })
    }

    fn profile(&self, asked: &Asked<'_>, name: &str, parent: Option<&str>) -> String {
        let mut text = format!("profile \"{name}\" {{\n");
        if let Some(parent) = parent {
            text.extend(["  extends = ", parent, "\n\n"]);
        }
        for block in &self.around {
            text.push_str(&asked.text()[block.header()]);
            text.push_str(" {\n");
        }
        text.push_str(asked.text()[self.lines].trim_matches('\n'));
        text.push('\n');
        text.push_str(&"}\n".repeat(self.around.len() + 1));
        flyc::format::format(&flyc::syntax::parse(text.into()))
    }
}
