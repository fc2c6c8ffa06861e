//! What the compiler itself offers. Never here: fixes that it does not know.

use flyc::diag::{Applicability, Diagnostic};

use super::{Candidate, draft::Draft, site::Asked};

pub(super) fn candidates(asked: &Asked<'_>, finding: &Diagnostic, found: &mut Vec<Candidate>) {
    // What is missing is written where it belongs, which takes more than one place to begin with.
    if super::missing::knows(finding) {
        return;
    }
    let Some(help) = finding.help.as_ref().filter(|help| !help.edits.is_empty()) else { return };
    let Some(draft) = Draft::of(asked.compiler, asked.path, &help.edits) else { return };
    let mut candidate = match first(&help.text) {
        "remove it" => Candidate::fix(format!("remove `{}`", named(asked, finding)), finding, draft),
        way => Candidate::fix(way, finding, draft),
    };
    candidate.is_preferred = help.applicability == Applicability::Safe;
    candidate.may_bring = true;
    candidate.is_general = true;
    found.push(candidate);
}

/// How many characters of a text a title shows.
const SHOWN: usize = 40;

/// What a finding is about, for a title.
fn named(asked: &Asked<'_>, finding: &Diagnostic) -> String {
    let text = asked.text()[finding.span.range].trim().trim_matches('"');
    let line = text.lines().next().unwrap_or_default();
    let shown: String = line.chars().take(SHOWN).collect();
    if shown == text { shown } else { format!("{} …", shown.trim_end()) }
}

/// The first of the ways that a help tells, which is the one its edits go.
fn first(help: &str) -> &str {
    let mut is_code = false;
    let ends = help.char_indices().find(|(at, c)| {
        is_code ^= *c == '`';
        !is_code && [", or ", " or ", "; "].iter().any(|end| help[*at..].starts_with(end))
    });
    &help[..ends.map_or(help.len(), |(at, _)| at)]
}
