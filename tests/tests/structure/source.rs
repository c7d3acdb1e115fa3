//! As much of Rust's grammar as the rules of the house need: code without its comments and strings, the length of
//! functions, and the files that a file declares.
//!
//! A parser would know more and be a dependency for three questions. Invariant of [`Source::code`]: every line of
//! the file is a line of it, so that numbers are those a person sees.

use std::path::{Path, PathBuf};

/// One `.rs` file.
pub(crate) struct Source {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// As it is.
    pub(crate) text: String,
    /// The same with blanks where comments and literals were.
    pub(crate) code: String,
}

impl Source {
    pub(crate) fn read(path: &Path) -> Source {
        let text = std::fs::read_to_string(path).expect("a source file is UTF-8");
        Source { path: path.into(), code: code_of(&text), text }
    }

    /// Every function with the line where it begins and how many lines it has, signature and braces included.
    pub(crate) fn functions(&self) -> Vec<(String, usize, usize)> {
        let mut found = Vec::new();
        for (at, _) in self.words().filter(|(_, word)| *word == "fn") {
            let name: String = self.code[at + 2..].trim_start().chars().take_while(|c| is_word(*c)).collect();
            // A pointer type has no name, a trait's method may have no body.
            let (Some(end), false) = (end_of_item(&self.code[at..]), name.is_empty()) else { continue };
            let line = self.code[..at].matches('\n').count() + 1;
            found.push((name, line, self.code[at..at + end].matches('\n').count() + 1));
        }
        found
    }

    /// The files that `mod name;` declares, `is_root` where this file is a crate's first.
    pub(crate) fn declares(&self, is_root: bool) -> Vec<PathBuf> {
        assert!(!self.code.contains("#[path"), "{}: a module lies where its name says", self.path.display());
        let folder = self.path.parent().expect("a file has a folder");
        let stem = self.path.file_stem().expect("a file has a name");
        let folder = if is_root || stem == "mod" { folder.into() } else { folder.join(stem) };
        let mut found = Vec::new();
        for (at, _) in self.words().filter(|(_, word)| *word == "mod") {
            let rest = self.code[at + 3..].trim_start();
            let name: String = rest.chars().take_while(|c| is_word(*c)).collect();
            if rest[name.len()..].trim_start().starts_with(';') {
                let beside = folder.join(format!("{name}.rs"));
                found.push(if beside.exists() { beside } else { folder.join(name).join("mod.rs") });
            }
        }
        found
    }

    /// Every word of the code with its place.
    pub(crate) fn words(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut rest = 0;
        std::iter::from_fn(move || {
            let begin = rest + self.code[rest..].find(is_word)?;
            let length = self.code[begin..].find(|c| !is_word(c)).unwrap_or(self.code.len() - begin);
            rest = begin + length;
            Some((begin, &self.code[begin..rest]))
        })
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where the body of the item at the begin of `code` ends; `None` where it has none.
fn end_of_item(code: &str) -> Option<usize> {
    let (mut braces, mut others) = (0_usize, 0_usize);
    for (at, c) in code.char_indices() {
        match c {
            '(' | '[' => others += 1,
            ')' | ']' => others = others.checked_sub(1)?,
            ';' if braces == 0 && others == 0 => return None,
            '{' => braces += 1,
            '}' => {
                braces = braces.checked_sub(1)?;
                if braces == 0 && others == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Blanks for comments and literals, lines kept.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let blank = blank_length(rest, code.chars().next_back());
        let (taken, is_code) = if blank > 0 { (blank, false) } else { (first.len_utf8(), true) };
        let (head, tail) = rest.split_at(taken);
        code.extend(head.chars().map(|c| if is_code || c == '\n' { c } else { ' ' }));
        rest = tail;
    }
    code
}

/// How many bytes of comment or literal `rest` begins with.
fn blank_length(rest: &str, before: Option<char>) -> usize {
    let begins_word = !before.is_some_and(is_word);
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return block_comment(rest);
    }
    if rest.starts_with('"') {
        return quoted(rest, '"');
    }
    if begins_word && let Some(length) = raw_string(rest) {
        return length;
    }
    if rest.starts_with('\'') && is_char_literal(rest) {
        return quoted(rest, '\'');
    }
    0
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                break;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at.min(rest.len())
}

/// `r"…"`, `br#"…"#` and their kin.
fn raw_string(rest: &str) -> Option<usize> {
    let marked = ["br", "cr", "r"].into_iter().find_map(|mark| rest.strip_prefix(mark))?;
    let open = marked.trim_start_matches('#');
    let hashes = &marked[..marked.len() - open.len()];
    let inside = open.strip_prefix('"')?;
    let close = inside.find(&format!("\"{hashes}"))?;
    Some(rest.len() - inside.len() + close + 1 + hashes.len())
}

/// A lifetime has no closing quote after one character.
fn is_char_literal(rest: &str) -> bool {
    let mut chars = rest.chars().skip(1);
    match chars.next() {
        Some('\\') => true,
        Some(_) => chars.next() == Some('\''),
        None => false,
    }
}

fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source { path: "src/lib.rs".into(), code: code_of(text), text: text.into() }
    }

    #[test]
    fn comments_and_literals_are_no_code_and_lines_stay() {
        let text =
            "a // unsafe {\nb /* { /* x */ { */ c\n\"{ \\\" unsafe\" d '{' '\\'' 'e: r#\"} \"#\n br\"{\" for \u{9580}";
        let source = source(text);
        assert_eq!(
            source.words().map(|(_, word)| word).collect::<Vec<_>>(),
            ["a", "b", "c", "d", "e", "for", "\u{9580}"]
        );
        assert_eq!(source.code.lines().count(), text.lines().count());
        assert!(!source.code.contains('{') && !source.code.contains('}'), "{}", source.code);
    }

    #[test]
    fn the_length_of_a_function_counts_its_signature_and_braces() {
        let text = "trait T { fn none(&self) -> [u8; 2]; }\n\nfn one() {}\nfn three(\n) {\n}\nconst F: fn(u8) = g;\n";
        let found = source(text).functions();
        assert_eq!(found, [("one".into(), 3, 1), ("three".into(), 4, 3)]);
    }

    #[test]
    fn a_module_with_a_body_is_no_file() {
        let source = source("mod inner { fn f() {} }\npub(crate) mod other;\n// mod absent;\n");
        assert_eq!(source.declares(true), [PathBuf::from("src/other/mod.rs")]);
        let nested = Source { path: "src/a.rs".into(), ..source };
        assert_eq!(nested.declares(false), [PathBuf::from("src/a/other/mod.rs")]);
    }
}
