//! The commands in the fenced blocks of a Markdown text, word by word, as far as a reader's shell would see them.
//!
//! Invariant: comments, prompts, output and redirections are not part of a command, so a translated text with
//! translated comments has equal commands.

/// One command: its program and its words.
pub(crate) type Command = Vec<String>;

const LANGUAGES: [&str; 4] = ["console", "sh", "bash", "shell"];

/// Every command of every block that is marked as a shell's, in order.
pub(crate) fn commands(markdown: &str) -> Vec<Command> {
    blocks(markdown).iter().flat_map(|block| command_lines(block)).flat_map(|line| of_line(&line)).collect()
}

/// The lines of each block in a shell's language.
fn blocks(markdown: &str) -> Vec<Vec<&str>> {
    let mut found: Vec<Vec<&str>> = Vec::new();
    let (mut inside, mut wanted) = (false, false);
    for line in markdown.lines().map(str::trim) {
        if let Some(language) = line.strip_prefix("```") {
            inside = !inside;
            wanted = inside && language.split([' ', ',']).next().is_some_and(|name| LANGUAGES.contains(&name));
            found.extend(wanted.then(Vec::new));
        } else if let (true, Some(block)) = (wanted, found.last_mut()) {
            block.push(line);
        }
    }
    found
}

/// In a block with prompts only what follows a prompt; a backslash joins a line with the next.
fn command_lines(block: &[&str]) -> Vec<String> {
    let has_prompts = block.iter().any(|line| line.starts_with("$ "));
    let mut found: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in block {
        let typed = if has_prompts { line.strip_prefix("$ ") } else { Some(*line) };
        let (text, joined) = match (goes_on, typed) {
            (true, _) => (line.strip_prefix("> ").unwrap_or(line), true),
            (false, Some(text)) => (text, false),
            (false, None) => continue,
        };
        goes_on = text.ends_with('\\');
        let text = text.trim_end_matches('\\').trim_end();
        match found.last_mut() {
            Some(last) if joined => last.extend([" ", text]),
            _ => found.push(text.to_owned()),
        }
    }
    found
}

/// The commands of a line, those inside `$(…)` after the one that they are part of.
fn of_line(line: &str) -> Vec<Command> {
    let mut found = vec![Command::new()];
    for token in tokens(line) {
        match token {
            Token::Word(word) => found.last_mut().expect("never empty").push(word),
            Token::Next => found.push(Command::new()),
        }
    }
    let inner: Vec<Command> = substitutions(line).flat_map(of_line).collect();
    found.into_iter().map(bare).chain(inner).filter(|command| !command.is_empty()).collect()
}

/// Without what stands before a command and is not of it: `NAME=value`, `time`, `sudo`.
fn bare(command: Command) -> Command {
    let is_before = |word: &String| {
        let is_set =
            word.split_once('=').is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'));
        is_set || ["sudo", "time"].contains(&word.as_str())
    };
    command.into_iter().skip_while(is_before).collect()
}

fn substitutions(line: &str) -> impl Iterator<Item = &str> {
    line.split("$(").skip(1).filter_map(|rest| rest.split_once(')').map(|(inner, _)| inner))
}

enum Token {
    Word(String),
    Next,
}

fn tokens(line: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut chars = line.chars().peekable();
    let mut is_target = false;
    while let Some(&c) = chars.peek() {
        match c {
            c if c.is_whitespace() => drop(chars.next()),
            '#' => break,
            '|' | '&' | ';' => {
                chars.next();
                found.push(Token::Next);
            }
            '>' | '<' => {
                chars.next();
                chars.next_if(|c| ['>', '&'].contains(c));
                is_target = true;
            }
            _ => {
                let word = word(&mut chars);
                // The number before a redirection (`2>`) is of it, as its target is.
                let is_number = word.chars().all(|c| c.is_ascii_digit()) && matches!(chars.peek(), Some('>' | '<'));
                if !std::mem::take(&mut is_target) && !is_number {
                    found.push(Token::Word(word));
                }
            }
        }
    }
    found
}

/// One word, its quotes taken off.
fn word(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let (mut word, mut quote, mut depth) = (String::new(), None, 0_usize);
    while let Some(&c) = chars.peek() {
        let ends = c.is_whitespace() || ['|', '&', ';', '>', '<'].contains(&c);
        if quote.is_none() && depth == 0 && ends {
            break;
        }
        chars.next();
        match c {
            '"' | '\'' if quote == Some(c) => quote = None,
            '"' | '\'' if quote.is_none() => quote = Some(c),
            '(' if word.ends_with('$') => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if !['"', '\''].contains(&c) || quote.is_some_and(|quote| quote != c) {
            word.push(c);
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(markdown: &str) -> Vec<String> {
        commands(markdown).iter().map(|command| command.join("_")).collect()
    }

    #[test]
    fn only_blocks_of_a_shell_hold_commands() {
        let text = "a\n```toml\nx = 1\n```\n```console\n$ b c\noutput $ d\n```\ne\n  ```sh\n  f\n  ```\n```\ng\n```\n";
        assert_eq!(joined(text), ["b_c", "f"]);
    }

    #[test]
    fn a_line_is_split_as_a_shell_splits_it() {
        for (line, expected) in [
            ("a --b 'c d' \"e|f\" # g --h", vec!["a_--b_c d_e|f"]),
            ("a | b && c; d &", vec!["a", "b", "c", "d"]),
            ("A=1 B_C=2 time a b=c", vec!["a_b=c"]),
            ("a > out.txt 2>&1 < in b", vec!["a_b"]),
            ("a \"$(b --c 'd')\" e", vec!["a_$(b --c 'd')_e", "b_--c_d"]),
        ] {
            assert_eq!(joined(&format!("```sh\n{line}\n```")), expected, "{line}");
        }
    }

    #[test]
    fn a_backslash_joins_lines_and_output_is_none() {
        assert_eq!(joined("```console\n$ a \\\n    --b \\\n> c\nd\n$ e\n```"), ["a_--b_c", "e"]);
    }
}
