//! Where a repository's files come from: a folder, a stick, a hub.
//!
//! A source only carries bytes. It is never believed, so it may be anything that can name files; but it is bounded,
//! so that a broken or hostile one can not fill a gate's memory.

use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// Carries the files of a repository.
pub trait Source: Send + Sync {
    /// A whole metadata file such as `timestamp.json` or `3.330000.json`; `None` where there is none.
    ///
    /// # Errors
    /// [`SourceError`], also where the file has more than `max_bytes`.
    fn metadata(&self, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, SourceError>;

    /// The bytes of a target by its path in the repository (with the hash before its name where the repository has
    /// that); `None` where there is none.
    ///
    /// # Errors
    /// [`SourceError`] where it is there and can not be opened.
    fn target(&self, path: &str) -> Result<Option<Box<dyn Read + Send>>, SourceError>;
}

/// Why a source does not give a file.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Longer than it may be.
    #[error("{name} is longer than the {max_bytes} bytes it may have")]
    TooLong {
        /// Which file.
        name: String,
        /// The limit.
        max_bytes: u64,
    },
    /// It begins well and ends too early: a copy that was cut off.
    #[error("{name} ends too early: it was not copied to its end")]
    CutOff {
        /// Which file.
        name: String,
    },
    /// Something else lies in its place, such as the page of a captive portal.
    #[error("{name} is no file of a repository but something else")]
    SomethingElse {
        /// Which file.
        name: String,
    },
    /// It can not be read.
    #[error("{name} can not be read: {source}")]
    Io {
        /// Which file.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The other end does not answer, or answers with something else.
    #[error("{name} can not be fetched: {why}")]
    Unreachable {
        /// Which address.
        name: String,
        /// What went wrong.
        why: String,
    },
    /// A name that would lead out of the repository.
    #[error("{name:?} is no name of a file in a repository")]
    Name {
        /// The name.
        name: String,
    },
}

/// A repository in a folder: `metadata/` and `targets/` within it.
///
/// It may be reached through a link, and its `targets` may be one, since a publication is tried beside the targets that
/// are there already. No other link is followed: a stick may have one to anywhere.
#[derive(Clone, Debug)]
pub struct Folder {
    dir: PathBuf,
}

impl Folder {
    /// The folder of metadata in a repository.
    pub const METADATA: &str = "metadata";
    /// The folder of targets in a repository.
    pub const TARGETS: &str = "targets";

    /// The repository in `dir`; nothing is read yet.
    pub fn new(dir: impl Into<PathBuf>) -> Folder {
        Folder { dir: dir.into() }
    }

    fn open(&self, part: &str, name: &str) -> Result<Option<File>, SourceError> {
        if !is_inside(name) {
            return Err(SourceError::Name { name: name.into() });
        }
        match part {
            Folder::TARGETS => open_below(&self.dir.join(part), Path::new(name), name),
            _ => open_below(&self.dir, &Path::new(part).join(name), name),
        }
    }
}

/// Whether a name can be that of a file in a repository: it does not lead out of it.
pub(crate) fn is_inside(name: &str) -> bool {
    !name.is_empty() && Path::new(name).components().all(|component| matches!(component, Component::Normal(_)))
}

/// Opens an ordinary file below a folder and nothing else; a pipe is not waited for, and no link below the folder is
/// followed, neither in the place of the file nor of a folder on the way to it. `None` where there is none.
pub(crate) fn open_below(dir: &Path, path: &Path, name: &str) -> Result<Option<File>, SourceError> {
    let something_else = || SourceError::SomethingElse { name: name.into() };
    match walk_below(dir, path) {
        Ok(file) if file.metadata().is_ok_and(|about| about.is_file()) => Ok(Some(file)),
        Ok(_) => Err(something_else()),
        Err(Errno::NOENT) => Ok(None),
        // A link, or a file where a folder must be.
        Err(Errno::LOOP | Errno::NOTDIR) => Err(something_else()),
        Err(errno) => Err(SourceError::Io { name: dir.join(path).display().to_string(), source: errno.into() }),
    }
}

/// Opens one component after another: what is exchanged for a link meanwhile is not followed either.
fn walk_below(dir: &Path, path: &Path) -> Result<File, Errno> {
    // A folder that may be passed need not be one that may be listed.
    let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let file = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut at = open(dir, folder, Mode::empty())?;
    let mut components = path.components().peekable();
    while let Some(Component::Normal(name)) = components.next() {
        let is_last = components.peek().is_none();
        let flags = OFlags::NOFOLLOW | if is_last { file } else { folder };
        let opened = openat(&at, name, flags, Mode::empty())?;
        if is_last {
            return Ok(File::from(opened));
        }
        at = opened;
    }
    Err(Errno::INVAL)
}

impl Source for Folder {
    fn metadata(&self, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, SourceError> {
        let file = self.open(Folder::METADATA, name)?;
        file.map(|file| read_bounded(file, name, max_bytes)).transpose()
    }

    fn target(&self, path: &str) -> Result<Option<Box<dyn Read + Send>>, SourceError> {
        Ok(self.open(Folder::TARGETS, path)?.map(|file| Box::new(file) as Box<dyn Read + Send>))
    }
}

/// Reads to the end; one byte more than allowed is enough to refuse.
pub(super) fn read_bounded(reader: impl Read, name: &str, max_bytes: u64) -> Result<Vec<u8>, SourceError> {
    let mut bytes = Vec::new();
    reader
        .take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|source| SourceError::Io { name: name.into(), source })?;
    if bytes.len() as u64 > max_bytes {
        return Err(SourceError::TooLong { name: name.into(), max_bytes });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_not_lead_out_of_the_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::write(dir.path().join("secret"), "x").expect("writes");
        let folder = Folder::new(dir.path());
        for name in ["../secret", "/etc/passwd", "a/../../secret", "", "."] {
            assert!(matches!(folder.metadata(name, 10), Err(SourceError::Name { .. })), "{name}");
            assert!(matches!(folder.target(name), Err(SourceError::Name { .. })), "{name}");
        }
    }

    #[test]
    fn a_pipe_or_a_link_in_the_place_of_a_file_is_refused_at_once() {
        let dir = tempfile::tempdir().expect("a folder");
        let metadata = dir.path().join("metadata");
        std::fs::create_dir(&metadata).expect("makes a folder");
        std::fs::write(dir.path().join("secret"), "x").expect("writes");
        let mode = rustix::fs::Mode::from_raw_mode(0o600);
        let (cwd, pipe) = (rustix::fs::CWD, metadata.join("pipe.json"));
        rustix::fs::mknodat(cwd, pipe, rustix::fs::FileType::Fifo, mode, 0).expect("makes a pipe");
        std::os::unix::fs::symlink("../secret", metadata.join("link.json")).expect("makes a link");
        std::fs::create_dir(metadata.join("folder.json")).expect("makes a folder");
        let folder = Folder::new(dir.path());
        for name in ["pipe.json", "link.json", "folder.json"] {
            let refused = folder.metadata(name, 10);
            assert!(matches!(refused, Err(SourceError::SomethingElse { .. })), "{name}");
        }
    }

    #[test]
    fn a_link_on_the_way_to_a_file_is_not_followed() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().expect("a folder");
        let (real, stick) = (dir.path().join("real"), dir.path().join("stick"));
        for folder in ["real/metadata", "real/targets/status", "stick/targets", "apart"] {
            std::fs::create_dir_all(dir.path().join(folder)).expect("makes a folder");
        }
        for file in ["metadata/a.json", "targets/status/1"] {
            std::fs::write(real.join(file), "1").expect("writes");
        }
        symlink(real.join("metadata"), stick.join("metadata")).expect("links");
        symlink(real.join("targets/status"), stick.join("targets/status")).expect("links");
        let folder = Folder::new(&stick);
        assert!(matches!(folder.metadata("a.json", 9), Err(SourceError::SomethingElse { .. })));
        assert!(matches!(folder.target("status/1"), Err(SourceError::SomethingElse { .. })));
        // The way to the repository, and to the targets of another one, is its reader's own.
        symlink(&real, dir.path().join("link")).expect("links");
        let linked = Folder::new(dir.path().join("link"));
        assert!(linked.metadata("a.json", 9).expect("opens").is_some());
        assert!(linked.target("status/1").expect("opens").is_some());
        symlink(real.join("targets"), dir.path().join("apart/targets")).expect("links");
        assert!(Folder::new(dir.path().join("apart")).target("status/1").expect("opens").is_some());
    }

    #[test]
    fn a_file_may_have_as_many_bytes_as_allowed_and_not_one_more() {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("metadata")).expect("makes a folder");
        std::fs::write(dir.path().join("metadata/a.json"), "12345").expect("writes");
        let folder = Folder::new(dir.path());
        assert_eq!(folder.metadata("a.json", 5).expect("fits").as_deref(), Some(&b"12345"[..]));
        assert!(matches!(folder.metadata("a.json", 4), Err(SourceError::TooLong { max_bytes: 4, .. })));
        assert!(folder.metadata("b.json", 4).expect("is not there").is_none());
    }
}
