//! A folder as a camera: each new picture comes into view once.
//!
//! For a bench, a demo and an outside test: whoever puts a picture into the folder shows it to the
//! gate. A picture is new when its name has not been seen or its file has changed since. New pictures
//! come in the order of their names, each for `show_ms` as if held in front of the lens (the lane
//! ignores a code that it has decided about), and then the view is empty.
//!
//! Invariants: a version of a file is shown at most once, also when the folder is opened again; a file
//! that is still being written is looked at again later; one that stays unreadable is told once and
//! does not stop the others.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use menshen_lane::optics::{Frame, folder};
use menshen_lane::ports::{Camera, Open, PortError};

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How often a picture in view is given again.
const AGAIN_EVERY: Duration = Duration::from_millis(100);
/// How long an unreadable picture is left alone before it is tried once more.
const RETRY_AFTER: Duration = Duration::from_millis(300);

/// Opens the folder at `path`.
pub(super) fn opener(path: PathBuf, show_ms: u32) -> Open<dyn Camera> {
    let seen = Arc::new(Mutex::new(Seen::default()));
    Box::new(move || {
        if !path.is_dir() {
            return Err(PortError::Absent(format!(
                "the camera folder {} is not there: make it or correct `camera.path` in the board file",
                path.display()
            )));
        }
        let show = Duration::from_millis(show_ms.into());
        Ok(Box::new(FolderCamera { folder: path.clone(), show, seen: Arc::clone(&seen), in_view: None }))
    })
}

struct FolderCamera {
    folder: PathBuf,
    show: Duration,
    seen: Arc<Mutex<Seen>>,
    in_view: Option<InView>,
}

struct InView {
    frame: Frame,
    given_at: Instant,
    until: Instant,
}

impl Camera for FolderCamera {
    fn frame(&mut self, timeout: Duration) -> Result<Option<Frame>, PortError> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(frame) = self.look()? {
                return Ok(Some(frame));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            std::thread::sleep(left.min(LOOK_EVERY));
        }
    }

    /// Nobody before a folder is no fault.
    fn is_live(&self) -> bool {
        false
    }
}

impl FolderCamera {
    fn look(&mut self) -> Result<Option<Frame>, PortError> {
        let now = Instant::now();
        if let Some(view) = self.in_view.as_mut().filter(|view| now < view.until) {
            if now.duration_since(view.given_at) < AGAIN_EVERY {
                return Ok(None);
            }
            view.given_at = now;
            return Ok(Some(view.frame.clone().at(now)));
        }
        self.in_view = None;
        let next = self.next_picture()?;
        if let Some(frame) = &next
            && !self.show.is_zero()
        {
            let given_at = Instant::now();
            self.in_view = Some(InView { frame: frame.clone(), given_at, until: given_at + self.show });
        }
        Ok(next)
    }

    fn next_picture(&self) -> Result<Option<Frame>, PortError> {
        let gone = |error| PortError::Failed(format!("the camera folder failed: {error}"));
        let pictures = folder::pictures(&self.folder).map_err(gone)?;
        let mut seen = self.seen();
        seen.0.retain(|path, _| pictures.binary_search(path).is_ok());
        Ok(pictures.iter().find_map(|path| seen.take(path)))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // What is seen stays true whoever panicked while holding it.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which version of which file has been dealt with, and how.
#[derive(Default)]
struct Seen(HashMap<PathBuf, (Version, Look)>);

/// What changes when a file is written, or another is put in its place.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    inode: u64,
    len: u64,
    modified_s: i64,
    modified_ns: i64,
}

enum Look {
    /// Shown, or given up.
    Done,
    /// Unreadable once; it may have been half written.
    Again { at: Instant },
}

impl Seen {
    /// The frame of a file if it is new and whole.
    fn take(&mut self, path: &Path) -> Option<Frame> {
        let version = Version::of(&path.metadata().ok()?);
        let last_try = match self.0.get(path) {
            Some((seen, Look::Done)) if *seen == version => return None,
            Some((_, Look::Again { at })) if Instant::now() < *at => return None,
            Some((seen, Look::Again { .. })) => *seen == version,
            _ => false,
        };
        let frame = Frame::from_picture(path);
        let settled = path.metadata().is_ok_and(|after| Version::of(&after) == version);
        let again = Look::Again { at: Instant::now() + RETRY_AFTER };
        let (look, frame) = match frame {
            Ok(frame) if settled => (Look::Done, Some(frame)),
            Err(error) if settled && last_try => {
                tracing::warn!("the camera folder has a file that is skipped: {error}");
                (Look::Done, None)
            }
            _ => (again, None),
        };
        self.0.insert(path.to_owned(), (version, look));
        frame
    }
}

impl Version {
    fn of(file: &Metadata) -> Version {
        Version { inode: file.ino(), len: file.len(), modified_s: file.mtime(), modified_ns: file.mtime_nsec() }
    }
}
