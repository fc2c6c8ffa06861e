//! What was asked for against what was found. What never lives here: reading markdown.

use super::{Asked, Found, Section};

/// What differs between what a section asks for and what was found, a line each with its place in the markdown file;
/// empty when all is as asked.
pub(crate) fn compare(markdown: &str, section: &Section, found: &[Found]) -> Vec<String> {
    let mut problems: Vec<(usize, String)> = Vec::new();
    let mut came = vec![false; found.len()];
    for file in &section.files {
        let mut asked: Vec<&Asked> = file.asked.iter().collect();
        // The most exact first, so that a loose one does not take what it needs.
        asked.sort_by_key(|asked| std::cmp::Reverse(asked.part.len()));
        for asked in asked {
            let fits = |found: &Found| {
                found.path == file.path
                    && found.line == asked.line
                    && found.severity == asked.severity
                    && found.id == asked.id
                    && found.message.contains(&asked.part)
            };
            match (0..found.len()).find(|index| !came[*index] && fits(&found[*index])) {
                Some(index) => came[index] = true,
                None => problems.push((
                    file.line + asked.written - 1,
                    format!("did not come: {}[{}] \"{}\"", asked.severity, asked.id, asked.part),
                )),
            }
        }
    }
    for (found, _) in found.iter().zip(came).filter(|(_, came)| !came) {
        let file = section.files.iter().find(|file| file.path == found.path);
        let line = file.map_or(section.line, |file| file.line + found.line - 1);
        let place = if file.is_some() { String::new() } else { format!(" in `{}`", found.path) };
        problems.push((
            line,
            format!("nobody asked for: {}[{}] {}{place}", found.severity, found.id, found.message),
        ));
    }
    problems.sort();
    problems.into_iter().map(|(line, problem)| format!("{markdown}:{line}: {problem}")).collect()
}

/// The markdown text with the `output` block of a section rewritten.
pub(crate) fn replace_output(markdown: &str, section: &Section, output: &str) -> String {
    let Some(block) = &section.output else { return markdown.to_owned() };
    let lines: Vec<&str> = markdown.lines().collect();
    let mut text = String::with_capacity(markdown.len() + output.len());
    let before = lines[..block.lines.start - 1].iter();
    let after = lines[block.lines.end - 1..].iter();
    for line in before.copied().chain(output.lines()).chain(after.copied()) {
        text.push_str(line);
        text.push('\n');
    }
    text
}
