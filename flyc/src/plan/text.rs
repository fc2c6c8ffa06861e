//! A plan for people at a terminal.

use std::fmt::Write as _;

use super::{Action, Against, Change, Plan, values::shown};
use crate::render::one_line;

/// The plan as lines of text.
pub fn text(plan: &Plan, against: &Against, colour: bool) -> String {
    let paint = |code: &str, text: &str| {
        if colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    };
    let mut out = String::new();
    for change in &plan.changes {
        let code = match change.action {
            Action::Added => "32",
            Action::Changed => "33",
            Action::Removed => "31",
        };
        let head = format!("{} {}", change.action.mark(), one_line(&change.title()));
        line(&mut out, &format!("{}  {}", paint(&format!("1;{code}"), &head), one_line(&change.file)));
        for attribute in &change.attributes {
            let (old, new) = shown(attribute.old.as_deref(), attribute.new.as_deref());
            let told = [&attribute.path, &old, &new].map(|text| one_line(text));
            let [path, old, new] = told;
            line(&mut out, &format!("    {path}: {old} -> {new}"));
            if !attribute.why.is_empty() && attribute.why != change.consequence {
                line(&mut out, &format!("        {}: {}", attribute.effect.short(), attribute.why));
            }
        }
        line(&mut out, &format!("    => {}", change.consequence));
        for note in &change.notes {
            line(&mut out, &format!("    note: {}", one_line(note)));
        }
        out.push('\n');
    }
    for unknown in &plan.not_compared {
        line(
            &mut out,
            &format!(
                "? {} was in a file with errors at {}, so it is not compared",
                one_line(&format!("\"{}\" ({})", unknown.name, unknown.source_file)),
                one_line(&against.revision)
            ),
        );
    }
    for note in &against.notes {
        line(&mut out, &format!("note: {}", one_line(note)));
    }
    line(&mut out, &format!("against {}: {}", one_line(&against.title()), summary(plan)));
    out
}

/// `1 added, 2 changed; runners of 1 egg are replaced`
pub(super) fn summary(plan: &Plan) -> String {
    let mut summary = plan.counts();
    let replaced = |change: &&Change| {
        change.kind.has_runners()
            && change.action == Action::Changed
            && change.effect == super::Effect::Replaced
    };
    let count = plan.changes.iter().filter(replaced).count();
    if count > 0 {
        let _ = write!(summary, "; the runners of {count} are replaced");
    }
    if !plan.not_compared.is_empty() {
        let _ = write!(summary, "; {} not compared", plan.not_compared.len());
    }
    summary
}

fn line(out: &mut String, line: &str) {
    out.push_str(line);
    out.push('\n');
}
