//! A text as it is, and as it would be without the escapes of JSON, of `Debug` and of URLs that are in it. What is found in a
//! view is told by its place in the text.

use std::{borrow::Cow, ops::Range};

/// How often a text is quoted within a quoted one, at most: a document in a field that is shown by `Debug` in a line of JSON.
const DEEP: usize = 3;

/// A text, or what it says.
pub(super) struct View<'t> {
    bytes: Cow<'t, [u8]>,
    /// Where in the text each byte comes from, and the text's end; none when that is the same place.
    from: Option<Vec<usize>>,
}

impl<'t> View<'t> {
    /// Every view that is worth a look.
    pub(super) fn all(text: &'t str) -> Vec<Self> {
        let mut views = vec![Self { bytes: Cow::Borrowed(text.as_bytes()), from: None }];
        while views.len() <= DEEP
            && let Some(next) = views.last().and_then(|last| last.without(b'\\', escape))
        {
            views.push(next);
        }
        let decoded: Vec<Self> = views.iter().filter_map(|view| view.without(b'%', percent)).collect();
        views.extend(decoded);
        views
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A range of this as one of the text.
    pub(super) fn source(&self, range: Range<usize>) -> Range<usize> {
        let place = |at: usize| match &self.from {
            None => at,
            Some(from) => from.get(at).or(from.last()).copied().unwrap_or(at),
        };
        place(range.start)..place(range.end)
    }

    /// This without one kind of escapes: `read` says what one stands for, and how long it is.
    fn without(&self, sign: u8, read: fn(&[u8]) -> Option<(char, usize)>) -> Option<View<'static>> {
        if !self.bytes.contains(&sign) {
            return None;
        }
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut from = Vec::with_capacity(self.bytes.len() + 1);
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at) {
            let start = self.source(at..at).start;
            let escaped = if *byte == sign { read(&self.bytes[at..]) } else { None };
            let length = match escaped {
                None => {
                    bytes.push(*byte);
                    1
                }
                // A byte of a URL is a byte; any other escape is a character.
                Some((c, length)) if sign == b'%' => {
                    bytes.push(u8::try_from(u32::from(c)).unwrap_or(b'?'));
                    length
                }
                Some((c, length)) => {
                    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                    length
                }
            };
            from.resize(bytes.len(), start);
            at += length;
        }
        from.push(self.source(at..at).start);
        Some(View { bytes: Cow::Owned(bytes), from: Some(from) })
    }
}

/// A number of hexadecimal digits, all of them.
fn hex(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
    u32::from_str_radix(digits, 16).ok()
}

fn percent(text: &[u8]) -> Option<(char, usize)> {
    Some((char::from_u32(hex(text.get(1..3)?)?)?, 3))
}

fn escape(text: &[u8]) -> Option<(char, usize)> {
    let c = match text.get(1)? {
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'0' => '\0',
        byte @ (b'"' | b'\'' | b'\\' | b'/') => char::from(*byte),
        b'x' => return Some((char::from_u32(hex(text.get(2..4)?)?)?, 4)),
        b'u' if text.get(2) == Some(&b'{') => {
            let end = text.iter().take(10).position(|byte| *byte == b'}')?;
            return Some((char::from_u32(hex(text.get(3..end)?)?)?, end + 1));
        }
        b'u' => {
            let first = hex(text.get(2..6)?)?;
            if let Some(c) = char::from_u32(first) {
                return Some((c, 6));
            }
            // Two halves of a character.
            let second = hex(text.get(6..12)?.strip_prefix(b"\\u")?)?;
            let mut both = char::decode_utf16([u16::try_from(first).ok()?, u16::try_from(second).ok()?]);
            return Some((both.next()?.ok()?, 12));
        }
        _ => return None,
    };
    Some((c, 2))
}
