//! Whether the language has anything to offer at a place, found out by trying: without asking what completes.
//!
//! Everything the tables know is put at the cursor. Something particular may stand there when one of these makes no
//! error and a made-up word in its place makes one. What never lives here: completion.

use std::sync::OnceLock;

use fly_std::{
    Type,
    clouds::Cloud,
    policy::{FIELDS, FieldType},
    schema::{Attribute, Block, ROOTS},
};

use flyc::syntax::{Kind, parse};

use crate::nests::{Desk, new_errors};

/// Every text the tables know that could begin or go on with something.
fn everything() -> &'static [String] {
    static ALL: OnceLock<Vec<String>> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut all: Vec<String> = ["= 1", "{", "]", ")", ", ", "\"x\" {"].map(str::to_owned).to_vec();
        let mut blocks: Vec<&Block> = ROOTS.iter().map(|root| root.block).collect();
        let mut seen = Vec::new();
        while let Some(block) = blocks.pop() {
            if seen.contains(&std::ptr::from_ref(block)) {
                continue;
            }
            seen.push(block);
            all.push(block.example.to_owned());
            all.push(format!("\n{}", block.example));
            blocks.extend(block.blocks.iter().map(|child| child.block).chain(block.free_blocks));
            block.attributes.iter().chain(&block.free_attributes).for_each(|one| attribute(one, &mut all));
        }
        for cloud in Cloud::ALL {
            all.extend(cloud.regions().map(str::to_owned).chain(cloud.zones()));
        }
        for field in FIELDS {
            all.push(field.name.to_owned());
            all.push(field.example.to_owned());
            if let FieldType::Enum(variants) = field.ty {
                all.extend(variants.iter().map(|variant| format!("'{}'", variant.name)));
            }
        }
        all.extend(["== ", "> ", "AND ", "true", "false"].map(str::to_owned));
        all.sort();
        all.dedup();
        all
    })
}

fn attribute(attribute: &Attribute, all: &mut Vec<String>) {
    for text in [format!("{} = {}", attribute.name, attribute.example), attribute.example.to_owned()] {
        all.push(format!("\n{text}"));
        all.push(text);
    }
    all.push(format!("= {}", attribute.example));
    match attribute.ty {
        Type::Enum(variants) | Type::Keyword(variants) | Type::List(&Type::Enum(variants)) => {
            all.extend(variants.iter().map(|variant| variant.name.to_owned()));
        }
        Type::Object(fields) => fields.iter().for_each(|field| self::attribute(field, all)),
        _ => {}
    }
}

/// Something of the tables that may stand where a text ends, where not just anything may.
pub(crate) fn possible(desk: &mut Desk<'_>, cut: &str) -> Option<String> {
    let word = cut.len() - cut.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
    let typed = &cut[cut.len() - word..];
    let mut with = |more: &str| desk.errors(&format!("{cut}{more}"));
    let before = with("");
    let anything = with("zzqq");
    if new_errors(&before, &anything).is_empty() {
        return None;
    }
    let is_number = typed.starts_with(|c: char| c.is_ascii_digit());
    let rests =
        everything().iter().filter_map(|text| text.strip_prefix(typed).filter(|rest| !rest.is_empty()));
    // A number that goes on is another number.
    let rests =
        rests.filter(|rest| !(is_number && rest.starts_with(|c: char| c.is_ascii_digit() || c == '.')));
    // A text ends with its line.
    let in_text =
        parse(cut.into()).tree().tokens().last().is_some_and(|last| last.kind == Kind::UnclosedString);
    let rests = rests.filter(|rest| !(in_text && rest.contains(['\n', '"'])));
    let mut rests = rests.into_iter();
    rests.find(|rest| new_errors(&before, &with(rest)).is_empty()).map(str::to_owned)
}
