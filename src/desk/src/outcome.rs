//! How a command ends: what others script against.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::ExitCode;

/// The exit code of a command (design section 11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It worked; for `check`, everybody is admitted.
    Done = 0,
    /// It worked and the answer is no: a picture without a code, a journal that does not verify.
    No = 1,
    /// `check`: somebody is referred and nobody is refused.
    Refer = 10,
    /// `check`: somebody is refused.
    Refuse = 20,
    /// The command could not be carried out: its words, a file, a device.
    Failed = 2,
    /// The reader of the output left: what a shell reports of a filter that SIGPIPE ended.
    Unread = 141,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> ExitCode {
        ExitCode::from(outcome as u8)
    }
}

/// What a command gives: an outcome, or one sentence with a remedy for stderr and exit code 2.
pub type Result<T = Outcome> = std::result::Result<T, Failure>;

/// Why a command could not be carried out.
#[derive(Debug)]
pub enum Failure {
    /// One sentence that names the thing and the remedy.
    Told(String),
    /// The reader of the output left; there is nobody to tell.
    Unread,
}

impl Failure {
    /// A sentence.
    pub fn new(sentence: impl Into<String>) -> Failure {
        Failure::Told(sentence.into())
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Told(error.to_string())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Told(sentence) => f.write_str(sentence),
            Failure::Unread => f.write_str("the reader of the output left"),
        }
    }
}

/// Names the file in what the system says of it.
pub fn at<'a, E: std::fmt::Display>(path: &'a Path, remedy: &'a str) -> impl FnOnce(E) -> Failure + 'a {
    move |error| Failure::Told(format!("{}: {error}; {remedy}", path.display()))
}

/// Writes a file that a person named: whole or not at all where it is an ordinary file, straight through where it is
/// a link, a pipe or a device.
pub fn write_output(path: &Path, bytes: &[u8]) -> Result<()> {
    let remedy = "choose a file that you may write, on a disk with room";
    let ordinary = fs::symlink_metadata(path).map_or(true, |meta| meta.is_file());
    if !ordinary {
        return fs::write(path, bytes).map_err(at(path, remedy));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(bytes)?;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
        file.persist(path).map_err(|error| error.error)
    });
    written.map(drop).map_err(at(path, remedy))
}
