//! Cursor fixtures for what an editor asks: how they are read and shown; each kind of question has a file.

#![allow(
    clippy::needless_raw_string_hashes,
    clippy::needless_pass_by_value,
    reason = "expect-test writes its texts with hashes, and its macro makes values"
)]

mod actions;
mod commands;
mod completion;
mod formatting;
mod hints;
mod hover;
mod lens;
mod links;
mod names;
mod shape;
mod type_definition;

use std::fmt::Write as _;

use expect_test::{Expect, expect};
use flyc::text::{TextRange, TextSize};

use super::fixture::Fixture;
use super::*;

/// 2026-01-01 00:30 in UTC, a Thursday.
const NOW: Moment = Moment(1_767_227_400);

fn list(items: impl IntoIterator<Item = String>) -> String {
    items.into_iter().map(|item| item + "\n").collect()
}

fn check_complete(text: &str, expected: Expect) {
    let at = Fixture::new(text);
    let found = complete(&at.compiler, &at.path, at.offset);
    let shown = found.iter().take(6).map(|found| format!("{}  →  {:?}", found.label, found.plain()));
    expected.assert_eq(&list(shown));
}

fn check_hover(text: &str, expected: Expect) {
    let at = Fixture::new(text);
    let shown = hover(&at.compiler, &at.path, at.offset, NOW);
    let shown = shown.map(|hover| format!("about `{}`\n{}\n", &at.text()[hover.range], hover.text));
    expected.assert_eq(&shown.unwrap_or_else(|| "nothing\n".to_owned()));
}

fn applied(text: &str, edits: &[flyc::diag::Edit]) -> String {
    let mut text = text.to_owned();
    for edit in edits.iter().rev() {
        text.replace_range(std::ops::Range::<usize>::from(edit.range), &edit.text);
    }
    text
}

fn spans(at: &Fixture, spans: Vec<flyc::diag::Span>) -> String {
    list(spans.into_iter().map(|span| {
        let text = at.compiler.text(&span.file).unwrap();
        let before = &text[..span.range.start().into()];
        let line = before.matches('\n').count() + 1;
        format!("{}:{line}: {}", span.file, &text[span.range])
    }))
}

fn check_names(text: &str, expected: Expect) {
    let at = Fixture::new(text);
    let defined = spans(&at, definition(&at.compiler, &at.path, at.offset));
    let used = spans(&at, references(&at.compiler, &at.path, at.offset, false));
    expected.assert_eq(&format!("defined:\n{defined}used:\n{used}"));
}

fn check_rename(text: &str, name: &str, expected: Expect) {
    let at = Fixture::new(text);
    let shown = match rename(&at.compiler, &at.path, at.offset, name) {
        Err(error) => format!("error: {error}\n"),
        Ok(rename) => {
            let mut shown = String::new();
            for file in rename.files {
                let mut text = at.compiler.text(&file.path).unwrap().to_string();
                for edit in file.edits.iter().rev() {
                    text.replace_range(std::ops::Range::<usize>::from(edit.range), &edit.text);
                }
                let _ = write!(shown, "`{}`:\n{text}", file.path);
            }
            let moves = rename.moves.into_iter().map(|(from, to)| format!("{from} → {to}"));
            shown + &list(moves)
        }
    };
    expected.assert_eq(&shown);
}

const NEST: &str = r#"`nest.fly`:
nest {
  name = "n"

  variables {
    region = "ru-central1-a"
  }
}

locals {
  /// What all runners take.
  tags = ["docker"]
}

variable "region" {
  type    = string
  default = "ru-central1-b"
}

variable "token" {
  type      = secret
  sensitive = true
  default   = "vault://gitlab/token"
}

profile "small" {
  resources {
    cpu = 2
  }
}
`UF/config.fly`:
uglyfox {
  pruning {
    failed_threshold = 3
    max_age          = 24h
  }

  runners_condition "web" {
    eggs_entities = ["web", "other"]

    apex {
      max_count = 2
      min_count = 1
    }
  }

  policies {
    rule "old" {
      condition = "egg == 'web' AND age > 1h"
      action    = "terminate"
    }
  }
}
"#;

fn in_nest(egg: &str) -> String {
    format!("{NEST}`Eggs/web/config.fly`:\n{egg}")
}
