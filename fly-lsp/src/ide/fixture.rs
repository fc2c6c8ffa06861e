//! Cursor fixtures: a Nest as text, with `$0` where the cursor stands.
//!
//! A text that begins with a path in backticks and a colon holds several files, as the markdown tests do; without one it
//! is an egg's.

use flyc::{compiler::Compiler, text::TextSize};

/// A Nest and a place in it.
pub(crate) struct Fixture {
    pub(crate) compiler: Compiler,
    pub(crate) path: String,
    pub(crate) offset: TextSize,
}

impl Fixture {
    pub(crate) fn new(text: &str) -> Self {
        let mut files: Vec<(String, String)> = Vec::new();
        for line in text.split_inclusive('\n') {
            let heading = line.trim_end().strip_prefix('`').and_then(|rest| rest.strip_suffix("`:"));
            match (heading, files.last_mut()) {
                (Some(path), _) => files.push((path.to_owned(), String::new())),
                (None, Some((_, text))) => text.push_str(line),
                (None, None) => files.push(("Eggs/a/config.fly".to_owned(), line.to_owned())),
            }
        }
        let mut place = None;
        for (path, text) in &mut files {
            if let Some(at) = text.find("$0") {
                text.replace_range(at..at + 2, "");
                place = Some((path.clone(), TextSize::try_from(at).expect("a fixture is short")));
            }
        }
        let (path, offset) = place.expect("a fixture has a `$0`");
        Self { compiler: Compiler::new(files), path, offset }
    }

    /// The text of the file the cursor is in.
    pub(crate) fn text(&self) -> String {
        self.compiler.text(&self.path).expect("the file is there").to_string()
    }
}
