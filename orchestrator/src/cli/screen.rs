//! A screen that is drawn anew again and again, on a terminal: the other one that terminals have, so that what was on the first
//! is there again when it ends.

use std::io::Write as _;

use console::Term;

use super::{Failure, print};

/// To the other screen, without a cursor.
const ENTER: &str = "\u{1b}[?1049h\u{1b}[?25l\u{1b}[H";

/// Back to the first.
const LEAVE: &str = "\u{1b}[?25h\u{1b}[?1049l";

/// It is left when this is dropped.
#[derive(Debug)]
pub(super) struct Screen(Term);

impl Screen {
    pub(super) fn enter() -> Result<Self, Failure> {
        let screen = Self(Term::stdout());
        print(ENTER.as_bytes())?;
        Ok(screen)
    }

    /// Draws over what was there, so that nothing flickers. What has no room is left out, and that is said.
    pub(super) fn draw(&self, text: &str) -> Result<(), Failure> {
        let size = self.0.size_checked().unwrap_or((u16::MAX, u16::MAX));
        print(fitted(text, size).as_bytes()).map(drop)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that is gone needs no care.
        let mut stdout = std::io::stdout().lock();
        let _ = stdout.write_all(LEAVE.as_bytes()).and_then(|()| stdout.flush());
    }
}

/// What draws a text on a screen of so many rows and columns: a line a row, and nothing that would make it scroll.
fn fitted(text: &str, (rows, columns): (u16, u16)) -> String {
    let (rows, columns) = (usize::from(rows.max(1)), usize::from(columns.max(1)));
    let lines: Vec<&str> = text.lines().collect();
    let shown = if lines.len() <= rows { lines.len() } else { rows - 1 };
    let more = lines.len() - shown;
    let more = (more > 0).then(|| format!("… {more} more lines; --egg NAME shows less"));
    let mut drawn: Vec<_> = lines.into_iter().take(shown).collect();
    drawn.extend(more.as_deref());
    let drawn = drawn.into_iter().map(|line| console::truncate_str(line, columns, "…") + "\u{1b}[K");
    format!("\u{1b}[H{}\u{1b}[J", drawn.collect::<Vec<_>>().join("\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_left_out_and_that_is_said() {
        let drawn = |rows, columns| fitted("one\n\u{1b}[31mtwo and more\u{1b}[0m\nthree\n", (rows, columns));
        assert_eq!(
            drawn(3, 20),
            "\u{1b}[Hone\u{1b}[K\r\n\u{1b}[31mtwo and more\u{1b}[0m\u{1b}[K\r\nthree\u{1b}[K\u{1b}[J"
        );
        assert_eq!(drawn(2, 20), "\u{1b}[Hone\u{1b}[K\r\n… 2 more lines; --e…\u{1b}[K\u{1b}[J");
        assert_eq!(
            drawn(9, 4),
            "\u{1b}[Hone\u{1b}[K\r\n\u{1b}[31mtwo…\u{1b}[0m\u{1b}[K\r\nthr…\u{1b}[K\u{1b}[J"
        );
        assert_eq!(drawn(0, 0), "\u{1b}[H…\u{1b}[K\u{1b}[J");
    }
}
