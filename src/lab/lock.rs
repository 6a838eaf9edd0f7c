//! One command at a time works on a lab.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;

use anyhow::Context as _;

use super::layout::{LabName, Layout};
use crate::error::CommandError;
use crate::render::ui::Ui;

/// Holds off other commands that change this lab, for as long as the file is open.
///
/// # Errors
/// When the file that is locked cannot be made.
pub fn lock(ui: &Ui, layout: &Layout, name: &LabName) -> Result<File, CommandError> {
    let path = layout.lock(name);
    fs::create_dir_all(layout.labs()).with_context(|| format!("create {}", layout.labs().display()))?;
    loop {
        let file = File::create(&path).with_context(|| format!("open {}", path.display()))?;
        if file.try_lock().is_err() {
            ui.say(format_args!("waiting for another command that works on lab {name}"));
            file.lock().with_context(|| format!("lock {}", path.display()))?;
        }
        // Who takes a lab down removes the file: a lock on one that is gone holds nobody off.
        let locked = file.metadata().with_context(|| format!("look at {}", path.display()))?;
        if fs::metadata(&path).is_ok_and(|now| (now.dev(), now.ino()) == (locked.dev(), locked.ino())) {
            return Ok(file);
        }
    }
}
