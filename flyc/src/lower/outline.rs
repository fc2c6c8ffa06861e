//! The blocks and attributes of generated files, by their lines.
//!
//! What is read is what flyc wrote itself: formatted text in which a block or an attribute begins its own line. This is
//! no parser of HCL or YAML, and must never be asked about a text of other people.

/// A block or attribute of a generated file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its address, as `OpenTofu` names it: `module.runner.cores`, `var.subnet_id`, `aws_instance.runner.ami`.
    pub address: String,
    /// The line it begins on, from 1.
    pub first: u32,
    /// The line it ends on, from 1.
    pub last: u32,
    /// The block around it, by its index.
    pub parent: Option<usize>,
    /// Whether it has parts of its own, or could have.
    pub is_block: bool,
}

/// The blocks and attributes of formatted HCL, in the order of the text.
pub fn hcl(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut around: Vec<usize> = Vec::new();
    // How many brackets of an attribute's value are open: its lines hold no blocks or attributes of their own.
    let mut open: usize = 0;
    // The word that ends the heredoc the lines are in.
    let mut heredoc: Option<&str> = None;
    let mut number: u32 = 0;
    for line in text.lines() {
        number += 1;
        let content = line.trim();
        if let Some(end) = heredoc {
            if content == end {
                heredoc = None;
            }
            extend(&mut parts, number);
            continue;
        }
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        if open > 0 {
            open = open.saturating_add_signed(depth(content));
            heredoc = opens_heredoc(content);
            extend(&mut parts, number);
            continue;
        }
        if content == "}" {
            if let Some(block) = around.pop().and_then(|block| parts.get_mut(block)) {
                block.last = number;
            }
            continue;
        }
        let parent = around.last().copied();
        let within = parent.and_then(|parent| parts.get(parent)).map(|part| part.address.as_str());
        let (name, rest) = content.split_at(content.find([' ', '=']).unwrap_or(content.len()));
        let part = |address, is_block| Part { address, first: number, last: number, parent, is_block };
        if rest.trim_start().starts_with('=') {
            let address = within.map_or_else(|| name.to_owned(), |within| [within, ".", name].concat());
            parts.push(part(address, false));
            open = open.saturating_add_signed(depth(content));
            heredoc = opens_heredoc(content);
        } else if let Some(header) = content.strip_suffix("{}") {
            let address = block_address(within, header);
            parts.push(part(address, true));
        } else if let Some(header) = content.strip_suffix('{') {
            let address = block_address(within, header);
            around.push(parts.len());
            parts.push(part(address, true));
        }
    }
    parts
}

/// The last part goes on to a line.
fn extend(parts: &mut [Part], line: u32) {
    if let Some(part) = parts.last_mut() {
        part.last = line;
    }
}

/// A block's address, as `OpenTofu` names it.
fn block_address(within: Option<&str>, header: &str) -> String {
    let mut words = header.split_whitespace().map(|word| word.trim_matches('"'));
    let kind = words.next().unwrap_or_default();
    let mut address = within.unwrap_or_default().to_owned();
    let own = match (within, kind) {
        (None, "resource") => None,
        (None, "variable") => Some("var"),
        (None, "locals") => Some("local"),
        _ => Some(kind),
    };
    for word in own.into_iter().chain(words) {
        if !address.is_empty() {
            address.push('.');
        }
        address.push_str(word);
    }
    address
}

/// How many brackets a line opens more than it closes, strings and comments aside.
fn depth(line: &str) -> isize {
    let mut depth = 0;
    let (mut quoted, mut escaped) = (false, false);
    for byte in line.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'#' => break,
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth -= 1,
            _ => {}
        }
    }
    depth
}

/// The word that ends the heredoc which begins at the end of a line.
fn opens_heredoc(line: &str) -> Option<&str> {
    let (before, word) = line.rsplit_once("<<")?;
    let word = word.strip_prefix('-').unwrap_or(word);
    let is_word = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    // A quote before it that is not closed makes it part of a string.
    (is_word && before.matches('"').count() % 2 == 0).then_some(word)
}

/// The keys of a cloud-config and the files it writes.
pub(super) fn cloud_config(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut around = None;
    let mut number: u32 = 0;
    for content in text.lines() {
        number += 1;
        if let Some(path) = content.strip_prefix("  - path: ") {
            let within =
                around.and_then(|around: usize| parts.get(around)).map_or("", |part| part.address.as_str());
            let address = [within, ".", path].concat();
            if let Some(block) = around.and_then(|around| parts.get_mut(around)) {
                block.last = number;
            }
            parts.push(Part { address, first: number, last: number, parent: around, is_block: true });
        } else if !content.starts_with([' ', '#', '-'])
            && let Some((key, _)) = content.split_once(':')
        {
            around = Some(parts.len());
            let address = key.to_owned();
            parts.push(Part { address, first: number, last: number, parent: None, is_block: true });
        } else if content.starts_with(' ') {
            extend(&mut parts, number);
            if let Some(block) = around.and_then(|around| parts.get_mut(around)) {
                block.last = number;
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_begin_and_end_where_they_do() {
        let text = "# a\nmodule \"runner\" {\n  cores = 2\n  labels = {\n    a = \"}\"\n  }\n\n  text = <<-EOT\n    }\n    x = {\n  EOT\n\n  \
                    list = [\n    <<EOT\n]\nEOT\n    ,\n  ]\n  empty {}\n}\n\nlocals {\n  a = \"<<b\"\n  c = 1\n}\n\nbackend \"local\" {}\n";
        let parts: Vec<_> =
            hcl(text).into_iter().map(|part| (part.address, part.first, part.last, part.parent)).collect();
        let part = |address: &str, first, last, parent| (address.to_owned(), first, last, parent);
        assert_eq!(
            parts,
            [
                part("module.runner", 2, 20, None),
                part("module.runner.cores", 3, 3, Some(0)),
                part("module.runner.labels", 4, 6, Some(0)),
                part("module.runner.text", 8, 11, Some(0)),
                part("module.runner.list", 13, 18, Some(0)),
                part("module.runner.empty", 19, 19, Some(0)),
                part("local", 22, 25, None),
                part("local.a", 23, 23, Some(6)),
                part("local.c", 24, 24, Some(6)),
                part("backend.local", 27, 27, None),
            ]
        );
    }

    #[test]
    fn the_files_of_a_cloud_config_are_parts_of_their_key() {
        let text = "#cloud-config\n\npackages:\n  - curl\n\nwrite_files:\n  # x\n  - path: /a\n    content: |\n      b: c\n\n      d\n  - path: /e\nruncmd:\n  - [x]\n";
        let parts: Vec<_> =
            cloud_config(text).into_iter().map(|part| (part.address, part.first, part.last)).collect();
        let part = |address: &str, first, last| (address.to_owned(), first, last);
        assert_eq!(
            parts,
            [
                part("packages", 3, 4),
                part("write_files", 6, 13),
                part("write_files./a", 8, 12),
                part("write_files./e", 13, 13),
                part("runcmd", 14, 15),
            ]
        );
    }
}
