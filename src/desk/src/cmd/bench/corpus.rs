//! A folder of pictures with the truth beside them.
//!
//! The layout of the black-box tests of barcode libraries: `NAME.png` with what its code says in `NAME.txt` (UTF-8; a
//! line's end at its end does not count) or, where that is no text, in `NAME.bin`. A picture without either shows no
//! code. Apart from the bench, because it only finds and compares.

use crate::outcome::{Failure, Result, at};
use menshen_lane::optics::{self, Payload};
use std::fs;
use std::path::{Path, PathBuf};

/// A picture and what its code says.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) file: PathBuf,
    /// `None` for a picture without a code.
    pub(super) truth: Option<Vec<u8>>,
}

/// A folder's pictures.
#[derive(Debug)]
pub(super) struct Folder {
    /// Its path from the corpus on; empty for the corpus itself.
    pub(super) name: String,
    pub(super) pictures: Vec<Picture>,
}

/// The folders of `corpus` that hold pictures, at any depth, by name.
pub(super) fn folders(corpus: &Path) -> Result<Vec<Folder>> {
    let mut found = Vec::new();
    let mut todo = vec![corpus.to_owned()];
    while let Some(dir) = todo.pop() {
        for entry in fs::read_dir(&dir).map_err(at(&dir, "name a folder of pictures that you may read"))? {
            let path = entry?.path();
            if path.is_dir() {
                todo.push(path);
            }
        }
        let pictures = optics::folder::pictures(&dir)?.into_iter().map(picture).collect::<Result<Vec<_>>>()?;
        if !pictures.is_empty() {
            let name = dir.strip_prefix(corpus).unwrap_or(&dir).display().to_string();
            found.push(Folder { name, pictures });
        }
    }
    if found.is_empty() {
        return Err(Failure::new(format!("{} holds no pictures: name a folder that does", corpus.display())));
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn picture(file: PathBuf) -> Result<Picture> {
    let beside = ["bin", "txt"].map(|ending| file.with_extension(ending));
    let truth = beside.iter().find(|path| path.is_file());
    let truth = truth.map(|path| fs::read(path).map_err(at(path, "make it readable"))).transpose()?;
    Ok(Picture { file, truth })
}

/// Whether `payload` is what the picture's code says.
pub(super) fn is_truth(payload: &Payload, truth: &[u8]) -> bool {
    without_line_ends(payload.as_bytes()) == without_line_ends(truth)
}

/// Texts pass through editors and version control, which change how lines end.
fn without_line_ends(bytes: &[u8]) -> Vec<u8> {
    let text: Vec<u8> = bytes.iter().copied().filter(|&byte| byte != b'\r').collect();
    let end = text.iter().rposition(|&byte| byte != b'\n').map_or(0, |last| last + 1);
    text[..end].to_vec()
}
