//! Formatting as edits of the space between words: of a whole file, of a part of it, and of what has just been typed.
//!
//! Never here: what the one form of Fly is, which is `flyc::format`'s.

use std::sync::Arc;

use flyc::{
    compiler::Compiler,
    diag::Edit,
    format,
    syntax::{Item, Kind, Parse, parse, whole},
    text::{TextRange, TextSize},
};

use super::cursor::{Cursor, Slot};

/// The characters of one level of indentation.
const LEVEL: usize = 2;

/// The edits that bring a whole file into the one form of Fly. A block with a mistake in it stays as it is.
pub fn format_file(compiler: &Compiler, path: &str) -> Vec<Edit> {
    let Some(parsed) = compiler.parse(path) else { return Vec::new() };
    differences(parsed.text(), &format::format(parsed))
}

/// The edits of [`format_file`] in the attributes and blocks that a range touches. Where the file has mistakes, those
/// that have none are formatted all the same.
pub fn format_range(compiler: &Compiler, path: &str, range: TextRange) -> Vec<Edit> {
    compiler.parse(path).map(|parsed| in_range(parsed, range)).unwrap_or_default()
}

/// The edits that follow from a character that was typed right before an offset: `}` sets its block, a line's end the
/// indentation of the new line.
pub fn format_typed(compiler: &Compiler, path: &str, offset: TextSize, typed: char) -> Vec<Edit> {
    let Some(parsed) = compiler.parse(path) else { return Vec::new() };
    let offset = offset.min(TextSize::of(&**parsed.text()));
    match typed {
        '}' => closed_at(parsed, offset).map(|range| in_range(parsed, range)).unwrap_or_default(),
        '\n' => new_line(parsed, offset).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The smallest edits between two texts that differ in their space, marks of byte order and commas alone: each is within one stretch of
/// them, so that no word moves under a cursor. Texts that differ otherwise are one edit.
fn differences(before: &str, after: &str) -> Vec<Edit> {
    let mut edits = Vec::new();
    let (mut old, mut new) = (before, after);
    let mut at = 0;
    loop {
        let is_gap = |c: char| c.is_whitespace() || matches!(c, ',' | '\u{feff}');
        let old_gap = &old[..old.find(|c| !is_gap(c)).unwrap_or(old.len())];
        let new_gap = &new[..new.find(|c| !is_gap(c)).unwrap_or(new.len())];
        if old_gap != new_gap {
            edits.push(smallest(old_gap, new_gap, at));
        }
        at += old_gap.len();
        (old, new) = (&old[old_gap.len()..], &new[new_gap.len()..]);
        let word = old.find(is_gap).unwrap_or(old.len());
        // A bracket that got space around it ends the word earlier in one of the two.
        let alike = old.bytes().zip(new.bytes()).take(word).take_while(|(a, b)| a == b).count();
        let alike = (0..=alike).rev().find(|at| old.is_char_boundary(*at)).unwrap_or(0);
        if alike == 0 {
            break;
        }
        at += alike;
        (old, new) = (&old[alike..], &new[alike..]);
    }
    if old.is_empty() && new.is_empty() {
        return edits;
    }
    vec![smallest(before, after, 0)]
}

/// The edit between two texts without what is alike at their ends; the first stands at an offset.
pub(super) fn smallest(before: &str, after: &str, at: usize) -> Edit {
    let head = before.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
    // An editor has no place between `\r` and `\n`, nor within a letter.
    let splits = |text: &str, at: usize| {
        !text.is_char_boundary(at) || text[..at].ends_with('\r') && text[at..].starts_with('\n')
    };
    let head = (0..=head).rev().find(|at| !splits(before, *at) && !splits(after, *at)).unwrap_or(0);
    let room = before.len().min(after.len()) - head;
    let tail = before.bytes().rev().zip(after.bytes().rev()).take(room).take_while(|(a, b)| a == b).count();
    let tail = (0..=tail)
        .rev()
        .find(|tail| !splits(before, before.len() - tail) && !splits(after, after.len() - tail))
        .unwrap_or(0);
    let range = TextRange::new(size(at + head), size(at + before.len() - tail));
    Edit { range, text: after[head..after.len() - tail].to_owned() }
}

fn size(at: usize) -> TextSize {
    TextSize::try_from(at).unwrap_or_default()
}

fn in_range(parsed: &Parse, range: TextRange) -> Vec<Edit> {
    let text = parsed.text();
    let range = selected(text, range);
    let trimmed = TextRange::new(
        size(text.len() - text.trim_start().len()),
        size(text.trim_end().len()).max(size(text.len() - text.trim_start().len())),
    );
    let touched =
        if range.contains_range(trimmed) { whole(text) } else { touched(parsed, parsed.items(), range) };
    let mut edits = if parsed.errors().is_empty() {
        differences(text, &with_ends_of(text, &format::format(parsed)))
    } else {
        let mut edits = Vec::new();
        in_broken(parsed, &parsed.items().collect::<Vec<_>>(), 0, touched, &mut edits);
        edits
    };
    edits.retain(|edit| touched.contains_range(edit.range));
    // With mistakes in it, moving things may change how the rest is understood. Then they stay where they are.
    let keeps = |edits: &[Edit]| {
        let mut after = text.to_string();
        for edit in edits.iter().rev() {
            after.replace_range(std::ops::Range::<usize>::from(edit.range), &edit.text);
        }
        parse(Arc::from(after)).errors().len() == parsed.errors().len()
    };
    if parsed.errors().is_empty() || keeps(&edits) { edits } else { Vec::new() }
}

/// The lines of the attributes and blocks that a range touches, as deep as it lies in one of them.
fn touched<'p>(parsed: &'p Parse, items: impl Iterator<Item = Item<'p>>, range: TextRange) -> TextRange {
    let text = parsed.text();
    let mut found: Option<TextRange> = None;
    for item in items {
        let own = item.node().range();
        if own.intersect(range).is_none() {
            continue;
        }
        if let Item::Block(block) = item
            && let Some(open) = block.open()
            && open.range().end() <= range.start()
            && range.end() < own.end()
        {
            return touched(parsed, block.items(), range);
        }
        found = Some(found.map_or(own, |found| found.cover(own)));
    }
    lines(text, found.unwrap_or(range))
}

/// The lines of a selection. One that ends where a line begins does not mean that line.
fn selected(text: &str, range: TextRange) -> TextRange {
    let whole = whole(text);
    let (start, end) = (range.start().min(whole.end()), range.end().min(whole.end()));
    let inner = &text[TextRange::new(start, end)];
    let kept = inner.strip_suffix('\n').map_or(inner, |kept| kept.strip_suffix('\r').unwrap_or(kept));
    lines(text, TextRange::at(start, TextSize::of(kept)))
}

/// A range with the rest of its lines, without the end of the last.
fn lines(text: &str, range: TextRange) -> TextRange {
    let start = text[..usize::from(range.start())].rfind('\n').map_or(0, |end| end + 1);
    let rest = &text[usize::from(range.end())..];
    let end = usize::from(range.end()) + rest.find(['\n', '\r']).unwrap_or(rest.len());
    TextRange::new(size(start), size(end))
}

/// The edits of attributes and blocks without mistakes in a file with some. Those that stand next to each other are set
/// together, since they are aligned together.
fn in_broken(parsed: &Parse, items: &[Item<'_>], level: usize, touched: TextRange, edits: &mut Vec<Edit>) {
    let text = parsed.text();
    let is_whole = |item: &Item<'_>| {
        let own = item.node().range();
        !matches!(item, Item::Junk(_)) && !parsed.errors().iter().any(|error| own.contains_range(error.range))
    };
    let mut rest = items;
    while let Some(first) = rest.first() {
        let count = rest.iter().take_while(|item| is_whole(item)).count();
        let (group, after) = rest.split_at(count.max(1));
        rest = after;
        let Some(last) = group.last() else { break };
        let range = first.node().range().cover(last.node().range());
        if lines(text, range).intersect(touched).is_none() {
            continue;
        }
        // What moves a thing is not known here: it stays in its column, and what is in it follows.
        let before = &text[..usize::from(range.start())];
        let column = before.len() - before.trim_end_matches(' ').len();
        let starts_line = matches!(before.trim_end_matches(' ').chars().next_back(), None | Some('\n'));
        let level = if starts_line { column / LEVEL } else { level };
        if count > 0
            && let Some(found) = alone(&text[range], level, line_end(text))
        {
            edits.extend(found.into_iter().map(|edit| Edit { range: edit.range + range.start(), ..edit }));
            continue;
        }
        for block in group.iter().filter_map(|item| item.block()) {
            in_broken(parsed, &block.items().collect::<Vec<_>>(), level + 1, touched, edits);
        }
    }
}

/// How the lines of a text end: as its first does.
fn line_end(text: &str) -> &'static str {
    if text.split_once('\n').is_some_and(|(first, _)| first.ends_with('\r')) { "\r\n" } else { "\n" }
}

/// What was formatted, with the line ends of the text that it is a part of: no part of a file may end its lines otherwise
/// than the rest.
fn with_ends_of(text: &str, formatted: &str) -> String {
    formatted.replace("\r\n", "\n").replace('\n', line_end(text))
}

/// The edits of a text that stands at a level in a file with these line ends; none when it has a mistake.
fn alone(text: &str, level: usize, end: &str) -> Option<Vec<Edit>> {
    let (open, close) = (format!("x {{{end}").repeat(level), format!("}}{end}").repeat(level));
    let lead = format!("{open}{}", " ".repeat(level * LEVEL));
    let wrapped = parse(Arc::from(format!("{lead}{text}{end}{close}")));
    if !wrapped.errors().is_empty() {
        return None;
    }
    let inside = TextRange::at(size(lead.len()), TextSize::of(text));
    let mut edits =
        differences(wrapped.text(), &format::format(&wrapped).replace("\r\n", "\n").replace('\n', end));
    edits.retain(|edit| inside.contains_range(edit.range));
    for edit in &mut edits {
        edit.range -= inside.start();
    }
    Some(edits)
}

/// The attribute or block whose last `}` ends at an offset.
fn closed_at(parsed: &Parse, offset: TextSize) -> Option<TextRange> {
    let closes = |item: &Item<'_>| {
        let range = item.node().token_range();
        let last = range.end.checked_sub(1).and_then(|last| parsed.tree().tokens().get(last));
        item.node().range().end() == offset && last.is_some_and(|token| token.kind == Kind::CloseBrace)
    };
    let mut items: Vec<Item<'_>> = parsed.items().collect();
    loop {
        let around = items.into_iter().find(|item| item.node().range().contains_inclusive(offset))?;
        if closes(&around) {
            return Some(around.node().range());
        }
        items = around.block()?.items().collect();
    }
}

/// The indentation of the line that begins before an offset.
fn new_line(parsed: &Parse, offset: TextSize) -> Option<Edit> {
    let text = parsed.text();
    let cursor = Cursor::at(parsed, offset);
    if matches!(cursor.slot, Slot::Text { .. } | Slot::Comment | Slot::Label { .. }) {
        return None;
    }
    let before = &text[..usize::from(offset)];
    let start = before.rfind('\n')? + 1;
    let line = &text[start..];
    let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
    if start + indent < usize::from(offset) {
        return None;
    }
    let closes = line[indent..].starts_with(['}', ']', ')']);
    let level = cursor.frames.len().saturating_sub(usize::from(closes));
    let wanted = " ".repeat(level * LEVEL);
    (line[..indent] != wanted)
        .then(|| Edit { range: TextRange::new(size(start), size(start + indent)), text: wanted })
}
