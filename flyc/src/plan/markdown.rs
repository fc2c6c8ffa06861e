//! A plan as a comment for a merge request: a line, a table, and the details folded away.

use std::fmt::Write as _;

use super::{Against, Change, Plan, text::summary, values::shown};
use crate::render::one_line;

/// The plan as Markdown, as GitLab and GitHub show it.
pub fn markdown(plan: &Plan, against: &Against) -> String {
    let mut out = format!("**Fly plan** against {}: {}.\n", code(&against.title()), summary(plan));
    for note in &against.notes {
        let _ = write!(out, "\n> {}\n", plain(note));
    }
    if !plan.changes.is_empty() {
        out.push_str("\n| | what | runners | file |\n|---|---|---|---|\n");
        for change in &plan.changes {
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} |",
                change.action.word(),
                code(&change.title()),
                effect(change),
                code(&change.file)
            );
        }
        let _ = write!(out, "\n<details>\n<summary>Details</summary>\n");
        for change in &plan.changes {
            details(change, &mut out);
        }
        out.push_str("\n</details>\n");
    }
    if !plan.not_compared.is_empty() {
        out.push_str("\nNot compared, because the file had errors before:\n\n");
        for unknown in &plan.not_compared {
            let _ = writeln!(out, "- {} in {}", code(&unknown.name), code(&unknown.source_file));
        }
    }
    out
}

fn effect(change: &Change) -> &'static str {
    use super::Action::{Added, Changed, Removed};
    match (change.action, change.kind.has_runners()) {
        (Changed, _) => change.effect.short(),
        (Added, true) => "made on demand",
        (Removed, true) => "drained and destroyed",
        (Added | Removed, false) => change.effect.short(),
    }
}

fn details(change: &Change, out: &mut String) {
    let _ = write!(
        out,
        "\n#### {} {}\n\n{}.\n",
        change.action.word(),
        code(&change.title()),
        sentence(&change.consequence)
    );
    if !change.attributes.is_empty() {
        out.push_str("\n| attribute | before | after | runners |\n|---|---|---|---|\n");
        for attribute in &change.attributes {
            let (old, new) = shown(attribute.old.as_deref(), attribute.new.as_deref());
            let why = if attribute.why.is_empty() || attribute.why == change.consequence {
                attribute.effect.short().to_owned()
            } else {
                format!("{}: {}", attribute.effect.short(), attribute.why)
            };
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} |",
                code(&attribute.path),
                code(&old),
                code(&new),
                plain(&why)
            );
        }
    }
    for note in &change.notes {
        let _ = write!(out, "\n{}.\n", plain(&sentence(note)));
    }
}

fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Text as code in a cell of a table: nothing in it can end the code, the cell or the row, or call anybody.
fn code(text: &str) -> String {
    let text = one_line(text).replace('|', "\\|");
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Text as text: what means something in Markdown or HTML is spelled out.
fn plain(text: &str) -> String {
    let text = one_line(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '@' | '#' | '~' | '!' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
