//! Laying a board file over the files it inherits.
//!
//! `inherits = ["a.toml", "b.toml"]` names files relative to the one that inherits. They are laid over
//! each other in that order and the file itself comes last: tables are joined key by key, anything else
//! is replaced whole. A file that inherits itself is an error, not a loop.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::BoardError;
use super::file::BoardFile;
use crate::file;

/// The file at `path` over all that it inherits: the first lane, and each further one laid over that.
pub(super) fn load(path: &Path) -> Result<(BoardFile, Vec<BoardFile>), BoardError> {
    let mut first = merged(path, &mut Vec::new())?;
    let further = match first.remove("lanes") {
        Some(Value::Array(lanes)) => lanes,
        // Every part has been read as a list before.
        Some(_) | None => Vec::new(),
    };
    // Every part has been read as this type before, so the whole can be too.
    let typed = |whole: Table| {
        whole.try_into().map_err(|error: toml::de::Error| {
            let message = error.message().to_owned();
            BoardError::File(file::FileError::Line { path: path.to_owned(), line: 1, message })
        })
    };
    let laid_over = |lane: Value| {
        let mut whole = first.clone();
        if let Value::Table(lane) = lane {
            lay_over(&mut whole, lane);
        }
        typed(whole)
    };
    let further = further.into_iter().map(laid_over).collect::<Result<_, _>>()?;
    Ok((typed(first)?, further))
}

fn merged(path: &Path, chain: &mut Vec<PathBuf>) -> Result<Table, BoardError> {
    let text = file::read(path)?;
    let typed: BoardFile = file::parse(path, &text)?;
    let mut own: Table = file::parse(path, &text)?;
    own.remove("inherits");
    chain.push(identity(path));
    let mut whole = Table::new();
    for parent in &typed.inherits {
        lay_over(&mut whole, inherited(path, parent, chain)?);
    }
    chain.pop();
    lay_over(&mut whole, own);
    Ok(whole)
}

fn inherited(path: &Path, parent: &Path, chain: &mut Vec<PathBuf>) -> Result<Table, BoardError> {
    let parent = path.parent().unwrap_or(Path::new("")).join(parent);
    if chain.contains(&identity(&parent)) {
        return Err(BoardError::Cycle { path: parent, through: path.to_owned() });
    }
    merged(&parent, chain).map_err(|error| match error {
        BoardError::File(file::FileError::Read { path: unread, source }) if unread == parent => {
            BoardError::Inherits { path: path.to_owned(), parent: unread, source }
        }
        other => other,
    })
}

/// The same for every spelling of a path; a file that is not there has only its spelling.
fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn lay_over(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(Value::Table(under)), Value::Table(over)) => lay_over(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}
