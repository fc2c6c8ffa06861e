//! Source maps: from the marks that templates leave to addresses in the finished text.
//!
//! A template writes `{{ at("resources.cpu") }}` at the end of a line whose block or attribute a `.fly` attribute
//! caused. [`strip`] takes the marks out of the rendered text and gives every block and attribute its origin: its own
//! mark's, else that of the block around it. The marks are private-use characters, which escaping never lets through
//! from a value, so no value can forge one.
//!
//! Never here: any general HCL or YAML parser; what is scanned is the templates' own regular text.

use minijinja::Value;

use crate::artifact::{Mapping, Origins};

const OPEN: char = '\u{E000}';
const CLOSE: char = '\u{E001}';

/// The mark of a configuration path, for templates.
pub(super) fn at(path: &str) -> Value {
    // The name of an author's block may be in it; nothing of that may end the mark or its line.
    let path = path.replace(|c: char| c.is_control() || matches!(c, OPEN | CLOSE), "");
    Value::from_safe_string(format!("{OPEN}{path}{CLOSE}"))
}

/// The text without its marks, and what its blocks and attributes come from. Files of other kinds than HCL and YAML
/// have neither.
pub(super) fn strip(file: &str, text: &str, origins: &Origins) -> (String, Vec<Mapping>) {
    let places_of: fn(&str) -> Vec<Place> = match file.rsplit_once('.') {
        Some((_, "tf")) => hcl_places,
        Some((_, "yaml")) => yaml_places,
        _ => return (text.to_owned(), Vec::new()),
    };
    let mut plain = String::with_capacity(text.len());
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        let mut path = None;
        let mut rest = line;
        while let Some((before, (mark, after))) =
            rest.split_once(OPEN).and_then(|(before, marked)| Some((before, marked.split_once(CLOSE)?)))
        {
            // The space that sets a mark apart from its line goes with it.
            plain.push_str(before.strip_suffix(' ').unwrap_or(before));
            path = Some(mark);
            rest = after;
        }
        plain.push_str(rest);
        lines.push(path);
    }
    let places = places_of(&plain);
    let mut mappings: Vec<(Option<&str>, Mapping)> = Vec::with_capacity(places.len());
    for place in places {
        let own = lines.get(place.line).copied().flatten();
        let path =
            own.or_else(|| place.parent.and_then(|parent| mappings.get(parent)).and_then(|(path, _)| *path));
        let origin = origins.get(path.unwrap_or_default());
        let mapping = Mapping {
            address: place.address,
            generated_line: u32::try_from(place.line + 1).unwrap_or(u32::MAX),
            file: origin.file.clone(),
            line: origin.line,
            column: origin.column,
        };
        mappings.push((path, mapping));
    }
    (plain, mappings.into_iter().map(|(_, mapping)| mapping).collect())
}

/// A block or attribute in the finished text.
struct Place {
    address: String,
    /// From 0.
    line: usize,
    /// The block around it, by its index.
    parent: Option<usize>,
}

/// The blocks and attributes of formatted HCL, in the order of the text.
fn hcl_places(text: &str) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    let mut around: Vec<usize> = Vec::new();
    // How many brackets of an attribute's value are open: its lines hold no blocks or attributes of their own.
    let mut open: usize = 0;
    for (line, content) in text.lines().enumerate() {
        let content = content.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if open > 0 {
            open = open.saturating_add_signed(depth(content));
            continue;
        }
        if content == "}" {
            around.pop();
            continue;
        }
        let parent = around.last().copied();
        let within = parent.and_then(|parent| places.get(parent)).map(|place| place.address.as_str());
        let (name, rest) = content.split_at(content.find([' ', '=']).unwrap_or(content.len()));
        if rest.trim_start().starts_with('=') {
            let address = within.map_or_else(|| name.to_owned(), |within| format!("{within}.{name}"));
            places.push(Place { address, line, parent });
            open = open.saturating_add_signed(depth(content));
        } else if let Some(header) = content.strip_suffix("{}") {
            places.push(Place { address: block_address(within, header), line, parent });
        } else if let Some(header) = content.strip_suffix('{') {
            let address = block_address(within, header);
            around.push(places.len());
            places.push(Place { address, line, parent });
        }
    }
    places
}

/// A block's address, as `OpenTofu` names it.
fn block_address(within: Option<&str>, header: &str) -> String {
    let mut words = header.split_whitespace().map(|word| word.trim_matches('"'));
    let kind = words.next().unwrap_or_default();
    let mut parts: Vec<&str> = within.into_iter().collect();
    match (within, kind) {
        (None, "resource") => {}
        (None, "variable") => parts.push("var"),
        (None, "locals") => parts.push("local"),
        _ => parts.push(kind),
    }
    parts.extend(words);
    parts.join(".")
}

/// How many brackets a line opens more than it closes, strings and comments aside.
fn depth(line: &str) -> isize {
    let mut depth = 0;
    let (mut quoted, mut escaped) = (false, false);
    for c in line.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '#' => break,
            '{' | '[' | '(' => depth += 1,
            '}' | ']' | ')' => depth -= 1,
            _ => {}
        }
    }
    depth
}

/// The keys of a cloud-config and the files it writes.
fn yaml_places(text: &str) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    let mut around = None;
    for (line, content) in text.lines().enumerate() {
        if let Some(path) = content.strip_prefix("  - path: ") {
            let within = around
                .and_then(|around: usize| places.get(around))
                .map_or("", |place| place.address.as_str());
            places.push(Place { address: format!("{within}.{path}"), line, parent: around });
        } else if !content.starts_with([' ', '#', '-'])
            && let Some((key, _)) = content.split_once(':')
        {
            around = Some(places.len());
            places.push(Place { address: key.to_owned(), line, parent: None });
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::Origin;

    #[test]
    fn marks_vanish_and_give_their_block_and_what_is_in_it_an_origin() {
        let origin = |line| Origin { file: "f.fly".into(), line, column: 3 };
        let mut origins = Origins::new(origin(1));
        origins.insert("resources", origin(10));
        origins.insert("resources.cpu", origin(11));
        let text = format!(
            "# a\nmodule \"runner\" {{{}\n  for_each = var.runners\n  cores = 2{}\n  labels = {{\n    a = \"}}\"\n  }}\n}}\n\nresource \"a\" \"b\" {{\n  c = [\n    1,\n  ]\n  nested {{\n    d = 1\n  }}\n}}\n",
            at("resources"),
            at("resources.cpu"),
        );
        let (plain, mappings) = strip("resources.tf", &text, &origins);
        assert!(!plain.contains([OPEN, CLOSE]));
        let seen: Vec<_> = mappings.iter().map(|m| (m.address.as_str(), m.generated_line, m.line)).collect();
        assert_eq!(
            seen,
            [
                ("module.runner", 2, 10),
                ("module.runner.for_each", 3, 10),
                ("module.runner.cores", 4, 11),
                ("module.runner.labels", 5, 10),
                ("a.b", 10, 1),
                ("a.b.c", 11, 1),
                ("a.b.nested", 14, 1),
                ("a.b.nested.d", 15, 1),
            ]
        );
    }
}
