//! Cameras of a board, behind [`menshen_lane::ports::Camera`].
//!
//! Each kind has its own idea of "newest": a live camera or stream keeps one picture and drops what nobody looked at in
//! time, a recording and a folder of pictures are shown in full, in order.

mod exposure;
mod folder;
mod luma;
mod mjpeg;
mod negotiate;
mod pipe;
mod rpicam;
mod slot;
mod v4l2;
mod y4m;

use std::path::Path;

use menshen_lane::ports::{self, Open};

use crate::board;

/// Opens the camera of a board; relative paths are within `state_dir`.
pub fn opener(camera: &board::Camera, state_dir: &Path) -> Open<dyn ports::Camera> {
    match camera {
        board::Camera::Folder { path, show_ms } => folder::opener(state_dir.join(path), *show_ms),
        board::Camera::Y4m { path } if path.as_os_str() == "-" => y4m::stdin_opener(),
        board::Camera::Y4m { path } => y4m::opener(state_dir.join(path)),
        board::Camera::V4l2(camera) => v4l2::opener(camera.clone()),
        board::Camera::Rpicam(camera) => rpicam::opener(camera.clone()),
    }
}
