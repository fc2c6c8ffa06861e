//! Completion in every example, cut anywhere, with the rest in place, and with a token or a value gone: there is always something
//! where the language has something to offer, and taking what is offered never makes a new mistake.

use fly_lsp::ide::{CompletionKind, complete};
use flyc::{
    syntax::{Attribute, Kind, parse},
    text::TextSize,
};
use proptest::prelude::*;
use rayon::prelude::*;

use crate::{
    cases, generate,
    nests::{Desk, Errors, Example, Nest, examples, most, new_errors},
};

/// A text with a cursor in it.
struct Asked {
    before: String,
    after: String,
}

impl Asked {
    fn text(&self) -> String {
        format!("{}{}", self.before, self.after)
    }

    fn is_in_locals(&self) -> bool {
        let open = self.before.rfind("\nlocals {");
        open.is_some() && open > self.before.rfind("\n}")
    }

    /// Whether the value names another part of the installation.
    fn names_a_part(&self) -> bool {
        let name = self.before.trim_end_matches([' ', '=', '"']);
        ["service_account", "dead_letter_queue", "target_function"].iter().any(|part| name.ends_with(part))
    }

    /// Where the cursor is, as one reads it in a failure.
    fn told(&self) -> String {
        let start =
            self.before.rfind('\n').map_or(0, |at| self.before[..at].rfind('\n').map_or(0, |at| at + 1));
        let end = self.after.find('\n').unwrap_or(self.after.len());
        format!("{}¦{}", self.before[start..].replace('\n', "⏎"), &self.after[..end])
    }
}

/// How much is looked at.
#[derive(Clone, Copy, PartialEq)]
enum Look {
    /// Whether there is anything.
    Any,
    /// And the first of it.
    First,
    /// And all of it.
    Every,
}

/// What is wrong with what is offered at a place.
fn wrong(desk: &mut Desk<'_>, asked: &Asked, own: Option<&str>, look: Look) -> Vec<String> {
    let text = asked.text();
    desk.compiler.set(desk.path, text.as_str());
    let mut found = complete(&desk.compiler, desk.path, TextSize::of(&asked.before));
    if found.is_empty() {
        // What isn't there can't be named.
        if asked.names_a_part() {
            return Vec::new();
        }
        let possible = own.and_then(|_| crate::offered::possible(desk, &asked.before));
        return possible
            .map(|it| format!("nothing at {}, where {it:?} may stand", asked.told()))
            .into_iter()
            .collect();
    }
    match look {
        Look::Any => return Vec::new(),
        Look::First => found.truncate(1),
        // A call is offered wherever its name is being typed; what it gives depends on what is written into it.
        Look::Every => found.retain(|one| one.kind != CompletionKind::Function),
    }
    let mut before = desk.errors(&text);
    let mut allowed = None;
    let mut mistakes = Vec::new();
    for one in found {
        let mut taken = text.clone();
        taken.replace_range(std::ops::Range::<usize>::from(one.range), &one.plain());
        let after = desk.errors(&taken);
        if new_errors(&before, &after).is_empty() {
            continue;
        }
        if allowed.is_none() {
            allowed = Some(());
            before = own.map_or_else(|| before.clone(), |own| further_on(desk, asked, own, before.clone()));
        }
        let mut new = new_errors(&before, &after);
        // What a local is depends on nothing but its author; who uses it may have wanted something else.
        let depends = |error: &&String| error.starts_with("bad-") || error.starts_with("type-mismatch");
        new.retain(|error| !(asked.is_in_locals() && depends(&error)));
        // And so does what others call a part by.
        let is_name = asked.before.trim_end_matches([' ', '=']).ends_with("name");
        new.retain(|error| !(is_name && error.starts_with("unknown-part")));
        if !new.is_empty() {
            mistakes.push(format!("at {}, {:?} gives {}", asked.told(), one.plain(), new.join("; ")));
        }
    }
    mistakes
}

/// The errors that the author's own text has a little further on: a comparison that is not whole, names that are given
/// only below.
fn further_on(desk: &mut Desk<'_>, asked: &Asked, own: &str, before: Errors) -> Errors {
    let mut next = asked.before.len();
    let rest = &own[next..];
    let token =
        ends(rest).into_iter().find(|(kind, _)| *kind != Kind::Whitespace).map_or(0, |(_, range)| range.end);
    let mut all = most(before, &desk.errors(&own[..next + token]));
    for _ in 0..3 {
        next = own[next..].find('\n').map_or(own.len(), |end| next + end + 1);
        all = most(all, &desk.errors(&own[..next]));
    }
    all
}

fn report(wrong: Vec<String>, asked: usize, least: usize) {
    let mut wrong = wrong;
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(asked > least, "{asked}");
}

/// The ends of the tokens of a text that are no comments, with each token's kind.
fn ends(text: &str) -> Vec<(Kind, std::ops::Range<usize>)> {
    let parsed = parse(text.into());
    let tokens = parsed.tree().tokens();
    let ends = tokens.iter().skip(1).map(|token| token.start as usize).chain([text.len()]);
    let all = tokens.iter().zip(ends).map(|(token, end)| (token.kind, token.start as usize..end));
    all.filter(|(kind, _)| !kind.is_comment()).collect()
}

/// How many places are asked about one after the other.
const PART: usize = 40;

/// Asks at all places of all examples. `cut` says that the texts are cut off, so that what the author wrote next is known.
/// There are more places than `least`.
fn ask_all(
    places: impl Fn(&str) -> Vec<Asked> + Sync,
    cut: bool,
    look: impl Fn(usize) -> Look + Sync,
    least: usize,
) {
    let examples = examples();
    let asked: Vec<(&Example, Vec<Asked>)> =
        examples.iter().map(|example| (example, places(example.text()))).collect();
    let parts: Vec<(&Example, &[Asked])> =
        asked.iter().flat_map(|(example, asked)| asked.chunks(PART).map(|part| (*example, part))).collect();
    let wrong: Vec<String> = parts
        .par_iter()
        .flat_map_iter(|(example, part)| {
            let mut desk = Desk::new(&example.nest, &example.path);
            let mut found = Vec::new();
            for (at, asked) in part.iter().enumerate() {
                let own = cut.then(|| example.text());
                let wrong = wrong(&mut desk, asked, own, look(at));
                found.extend(wrong.into_iter().map(|what| format!("{}: {what}", example.path)));
            }
            found
        })
        .collect();
    report(wrong, asked.iter().map(|(_, asked)| asked.len()).sum(), least);
}

fn cut(text: &str, at: usize) -> Asked {
    Asked { before: text[..at].to_owned(), after: String::new() }
}

fn whole(text: &str, at: usize) -> Asked {
    Asked { before: text[..at].to_owned(), after: text[at..].to_owned() }
}

/// Each place within a word or a text.
fn inside(text: &str) -> Vec<usize> {
    let words =
        ends(text).into_iter().filter(|(kind, _)| matches!(kind, Kind::Ident | Kind::String | Kind::Heredoc));
    words
        .flat_map(|(_, range)| (range.start + 1..range.end).filter(|at| text.is_char_boundary(*at)))
        .collect()
}

#[test]
fn cut_after_each_token() {
    let places = |text: &str| ends(text).into_iter().map(|(_, range)| cut(text, range.end)).collect();
    ask_all(places, true, |_| Look::First, 3500);
}

#[test]
fn cut_after_some_tokens_with_all_that_is_offered() {
    let places =
        |text: &str| ends(text).into_iter().step_by(23).map(|(_, range)| cut(text, range.end)).collect();
    ask_all(places, true, |_| Look::Every, 150);
}

#[test]
fn cut_within_words_and_texts() {
    let places = |text: &str| inside(text).into_iter().map(|at| cut(text, at)).collect();
    ask_all(places, true, |at| if at % 8 == 0 { Look::First } else { Look::Any }, 8000);
}

#[test]
fn with_the_rest_in_place() {
    let places = |text: &str| {
        let after = ends(text).into_iter().map(|(_, range)| range.end);
        after.step_by(2).chain(inside(text).into_iter().step_by(17)).map(|at| whole(text, at)).collect()
    };
    ask_all(places, false, |_| Look::First, 1200);
}

#[test]
fn with_a_token_gone() {
    let places = |text: &str| {
        // Without its dot a name is another name.
        let tokens = ends(text).into_iter().filter(|(kind, _)| !matches!(kind, Kind::Whitespace | Kind::Dot));
        let without = |(_, range): (Kind, std::ops::Range<usize>)| Asked {
            before: text[..range.start].to_owned(),
            after: text[range.end..].to_owned(),
        };
        tokens.map(without).collect()
    };
    ask_all(places, false, |_| Look::First, 1500);
}

#[test]
fn with_a_value_gone() {
    let places = |text: &str| {
        let parsed = parse(text.into());
        let values = parsed.root().descendants().filter_map(Attribute::cast).filter_map(Attribute::value);
        let without = |range: std::ops::Range<usize>| Asked {
            before: text[..range.start].to_owned(),
            after: text[range.end..].to_owned(),
        };
        values.map(|value| without(value.range().into())).collect()
    };
    ask_all(places, true, |_| Look::First, 300);
}

proptest! {
    #![proptest_config(cases(24))]

    /// The same in files of any shape, with whatever the tables know.
    #[test]
    fn cut_in_generated_files(mut config in generate::config(), from in 0..PART) {
        // Half a comparison is no condition, which is told as soon as it is known what it is over.
        prop_assume!(config.root.name != "assert");
        // Of what is not closed its indentation tells where it ends: it is as one writes it.
        config.noise = vec![0];
        let text = config.print().text;
        let nest = Nest { files: config.nest(&text) };
        let ends = ends(&text);
        // Of a long file so many places, spread over it.
        let step = ends.len() / PART + 1;
        let mut desk = Desk::new(&nest, config.path);
        let mut found = Vec::new();
        for (_, range) in ends.into_iter().skip(from % step).step_by(step) {
            found.extend(wrong(&mut desk, &cut(&text, range.end), Some(&text), Look::First));
        }
        // What a made-up value beside it makes of one is its author's affair.
        found.retain(|wrong| wrong.contains("unknown-attribute") || wrong.contains("type-mismatch"));
        prop_assert!(found.is_empty(), "{}\n--\n{text}", found.join("\n"));
    }
}
