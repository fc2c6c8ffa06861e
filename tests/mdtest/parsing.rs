//! From markdown to sections. What never lives here: matching.

use super::{Asked, DEFAULT_PATH, File, Output, SEVERITIES, Section};

/// A fenced block while it is read.
struct Fence {
    marker: String,
    language: String,
    begin: usize,
    lines: Vec<String>,
    path: Option<String>,
}

/// The sections of a markdown text that hold a `fly` block, or what is wrong with the text.
pub(crate) fn parse(text: &str) -> Result<Vec<Section>, String> {
    let mut sections = Vec::new();
    let mut headings: Vec<(usize, String)> = Vec::new();
    let mut section = empty_section(String::new(), 1);
    let mut fence: Option<Fence> = None;
    let mut paragraph = String::new();
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(open) = &mut fence {
            if closes(line, &open.marker) {
                if let Some(done) = fence.take() {
                    take_block(&mut section, done, number)?;
                }
            } else {
                open.lines.push(line.to_owned());
            }
            continue;
        }
        if let Some((marker, language)) = opens(line) {
            let path = path_of(&paragraph);
            paragraph.clear();
            fence = Some(Fence { marker, language, begin: number + 1, lines: Vec::new(), path });
        } else if let Some((level, title)) = heading(line) {
            finish(&mut sections, section);
            headings.retain(|(other, _)| *other < level);
            headings.push((level, title));
            let name = headings.iter().map(|(_, title)| title.as_str()).collect::<Vec<_>>().join(" > ");
            section = empty_section(name, number);
            paragraph.clear();
        } else if !line.trim().is_empty() {
            line.trim().clone_into(&mut paragraph);
        }
    }
    if let Some(open) = fence {
        return Err(format!("line {}: the block is never closed", open.begin - 1));
    }
    finish(&mut sections, section);
    Ok(sections)
}

fn empty_section(name: String, line: usize) -> Section {
    Section { name, line, files: Vec::new(), assets: Vec::new(), output: None }
}

/// Keeps a section that has something to test.
fn finish(sections: &mut Vec<Section>, section: Section) {
    if !section.files.is_empty() {
        sections.push(section);
    }
}

/// The backticks and the language of a line that opens a block.
fn opens(line: &str) -> Option<(String, String)> {
    let ticks = line.chars().take_while(|c| *c == '`').count();
    let language = line[ticks..].trim();
    (ticks >= 3 && !language.contains('`')).then(|| ("`".repeat(ticks), language.to_owned()))
}

fn closes(line: &str, marker: &str) -> bool {
    let line = line.trim_end();
    line.starts_with(marker) && line.chars().all(|c| c == '`')
}

fn heading(line: &str) -> Option<(usize, String)> {
    let level = line.chars().take_while(|c| *c == '#').count();
    let title = line[level..].strip_prefix(' ')?;
    (1..=6).contains(&level).then(|| (level, title.trim().to_owned()))
}

/// The path that a paragraph "`Eggs/a/config.fly`:" names.
fn path_of(paragraph: &str) -> Option<String> {
    let path = paragraph.strip_prefix('`')?.strip_suffix("`:")?;
    (!path.is_empty() && !path.contains('`')).then(|| path.to_owned())
}

/// Puts a closed block into its section.
fn take_block(section: &mut Section, fence: Fence, end: usize) -> Result<(), String> {
    let mut text = fence.lines.join("\n");
    if !fence.lines.is_empty() {
        text.push('\n');
    }
    match fence.language.as_str() {
        "fly" => {
            let path = fence.path.unwrap_or_else(|| DEFAULT_PATH.to_owned());
            if section.files.iter().any(|file| file.path == path) {
                return Err(format!("line {}: `{path}` is in this section twice", fence.begin - 1));
            }
            let asked = asked(&fence.lines)
                .map_err(|(line, problem)| format!("line {}: {problem}", fence.begin + line))?;
            section.files.push(File { path, text, line: fence.begin, asked });
        }
        "yaml" => section.assets.extend(fence.path.map(|path| (path, text))),
        "output" => {
            if section.files.is_empty() || section.output.is_some() {
                return Err(format!(
                    "line {}: one `output` block may follow the `fly` blocks of a section",
                    fence.begin - 1
                ));
            }
            section.output = Some(Output { text, lines: fence.begin..end });
        }
        _ => {}
    }
    Ok(())
}

/// What the comments of a file ask for, or the index of the line that can't be read.
fn asked(lines: &[String]) -> Result<Vec<Asked>, (usize, String)> {
    let mut all = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(start) = comment(line) else { continue };
        let target = if line[..start].trim().is_empty() { next_code_line(lines, index) } else { index };
        let mut rest = &line[start..];
        loop {
            let (asked, behind) = one(rest, target, index).map_err(|problem| (index, problem))?;
            all.push(asked);
            match comment(behind) {
                Some(0) => rest = behind,
                None if behind.is_empty() => break,
                _ => return Err((index, format!("nothing may follow what a comment asks for: `{behind}`"))),
            }
        }
    }
    Ok(all)
}

/// Where the first comment that asks for something begins.
fn comment(line: &str) -> Option<usize> {
    line.char_indices().map(|(at, _)| at).find(|at| word(&line[*at..]).is_some())
}

/// The severity that a text beginning with a comment's sign asks with, and what follows its colon.
fn word(text: &str) -> Option<(&'static str, &str)> {
    let text = text.strip_prefix("//").or_else(|| text.strip_prefix('#'))?.trim_start();
    SEVERITIES
        .into_iter()
        .find_map(|severity| Some((severity, text.strip_prefix(severity)?.strip_prefix(':')?)))
}

/// One `# error: [id] "part"`, and what stands behind it.
fn one(text: &str, target: usize, index: usize) -> Result<(Asked, &str), String> {
    let problem = || format!("write `# error: [id] \"a part of the message\"`, not `{}`", text.trim());
    let (severity, rest) = word(text).ok_or_else(problem)?;
    let (id, rest) =
        rest.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or_else(problem)?;
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        return Err(problem());
    }
    let rest = rest.trim_start();
    let (part, rest) = match rest.strip_prefix('"') {
        Some(quoted) => unquote(quoted).ok_or_else(problem)?,
        None => (String::new(), rest),
    };
    let asked = Asked {
        line: target + 1,
        written: index + 1,
        severity: severity.to_owned(),
        id: id.to_owned(),
        part,
    };
    Ok((asked, rest.trim()))
}

/// A text up to its closing quote, `\"` and `\\` resolved, and what follows.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((part, &text[at + 1..])),
            '\\' => part.push(chars.next()?.1),
            c => part.push(c),
        }
    }
    None
}

/// The next line with code in it; the end of the file when there is none.
fn next_code_line(lines: &[String], index: usize) -> usize {
    (index + 1..lines.len())
        .find(|next| {
            let line = lines[*next].trim();
            !line.is_empty() && !line.starts_with('#') && !line.starts_with("//")
        })
        .unwrap_or(lines.len())
}
