//! Numbers and their units: the right kind of literal where there is another, and the same amount in another way. Never
//! here: how an amount is read or printed.

use fly_std::{Type, formats};
use flyc::{
    diag::Diagnostic,
    model::{BAD_FORMAT, BAD_NUMBER, CONDITION_TYPE, TYPE_MISMATCH},
    syntax::Kind,
};

use super::{
    ActionKind, Candidate,
    draft::{Draft, replace},
    site::{Asked, Site},
};

/// A literal of the wrong kind, as one of the right kind.
pub(super) fn candidates_for(asked: &Asked<'_>, finding: &Diagnostic, found: &mut Vec<Candidate>) {
    if *finding.kind == CONDITION_TYPE {
        // Within a condition there is no other place for a number alone than beside a field with a unit.
        let text = &asked.text()[finding.span.range];
        for (unit, word) in [("s", "seconds"), ("m", "minutes"), ("h", "hours"), ("%", "per cent")] {
            if text.parse::<u32>().is_err() {
                break;
            }
            let edit = replace(finding.span.range, format!("{text}{unit}"));
            if let Some(draft) = Draft::of(asked.compiler, asked.path, &[edit]) {
                found.push(Candidate::fix(format!("write `{text}{unit}`: {text} {word}"), finding, draft));
            }
        }
        return;
    }
    if ![&TYPE_MISMATCH, &BAD_NUMBER, &BAD_FORMAT].contains(&finding.kind) {
        return;
    }
    let Some(site) = asked.site(finding.span.range).filter(|site| site.value.range() == finding.span.range)
    else {
        return;
    };
    let Some((literal, is_quoted)) = literal(site) else { return };
    let mut write = |text: String, why: &str| {
        if let Some(draft) = Draft::of(asked.compiler, asked.path, &[replace(finding.span.range, &text)]) {
            found.push(Candidate::fix(format!("write `{text}`{why}"), finding, draft));
        }
    };
    match site.ty {
        Type::Duration { .. } => {
            if let Ok(number) = literal.parse::<u64>() {
                for (unit, seconds, word) in [("s", 1, "seconds"), ("m", 60, "minutes"), ("h", 3600, "hours")]
                {
                    let Some(all) = number.checked_mul(seconds) else { continue };
                    let shortest = formats::duration::print(all);
                    let text = if seconds == 1 { shortest } else { format!("{number}{unit}") };
                    write(text, &format!(": {number} {word}"));
                }
            }
        }
        Type::Size { .. } => {
            if let Some(bytes) = size(&literal) {
                write(formats::size::print(bytes), "");
            } else if is_quoted && literal.parse::<u64>().is_ok() {
                write(literal, "");
            }
        }
        Type::Percent => {
            if let Ok(number) = literal.trim_end_matches('%').trim().parse::<f64>() {
                write(format!("{number}%"), "");
            }
        }
        Type::Int { .. } | Type::Float if is_quoted => write(literal.replace('_', ""), ""),
        Type::String | Type::EnvValue if !is_quoted => write(format!("\"{literal}\""), ""),
        _ => {}
    }
}

/// The text of a literal without quotes, and whether it has any.
fn literal(site: Site<'_>) -> Option<(String, bool)> {
    let token = site.value.literal()?;
    match token.kind() {
        Kind::Number => Some((token.text().replace('_', ""), false)),
        Kind::String => {
            let text = flyc::syntax::literal::simple_string(token.kind(), token.text())?;
            Some((text.trim().to_owned(), true))
        }
        _ => None,
    }
}

/// An amount of memory however its unit is written; `GB` is meant as clouds mean it.
fn size(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let number: u64 = text[..digits].parse().ok()?;
    let power = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        _ => return None,
    };
    number.checked_mul(1024_u64.checked_pow(power)?)
}

/// The same amount with and without a unit, in its shortest form, and without quotes.
pub(super) fn candidates(asked: &Asked<'_>, found: &mut Vec<Candidate>) {
    let Some(site) = asked.site(asked.range) else { return };
    let Some((literal, _)) = literal(site) else { return };
    let mut forms: Vec<String> = Vec::new();
    match site.ty {
        Type::Duration { bare, .. } => {
            let seconds = formats::duration::parse(&literal).ok().or_else(|| literal.parse().ok());
            if let Some(seconds) = seconds {
                forms.push(formats::duration::print(seconds));
                forms.extend(bare.then(|| seconds.to_string()));
            }
        }
        Type::Size { bare, .. } => {
            let number = || literal.parse::<u64>().ok()?.checked_mul(bare.bytes());
            let bytes = formats::size::parse(&literal).ok().or_else(number);
            if let Some(bytes) = bytes.or_else(|| size(&literal)) {
                forms.push(formats::size::print(bytes));
                forms.extend((bytes % bare.bytes() == 0).then(|| (bytes / bare.bytes()).to_string()));
            }
        }
        Type::Percent => {
            let number = literal.trim_end_matches('%').to_owned();
            forms.push(format!("{number}%"));
            forms.push(number);
        }
        _ => {}
    }
    for form in forms.into_iter().filter(|form| form != site.value.text()) {
        if let Some(draft) = Draft::of(asked.compiler, asked.path, &[replace(site.value.range(), &form)]) {
            found.push(Candidate::rewrite(ActionKind::Rewrite, format!("write it as `{form}`"), draft));
        }
    }
}
