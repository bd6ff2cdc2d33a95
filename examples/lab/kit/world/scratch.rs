//! A directory for what lives in the file system.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, io, process};

static MADE: AtomicU32 = AtomicU32::new(0);

/// An empty directory, which is removed with everything in it.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    files: u32,
}

impl Scratch {
    pub(crate) fn new() -> io::Result<Self> {
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("lab-{}-{number}", process::id()));
        fs::create_dir(&path)?;
        Ok(Self { path, files: 0 })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes one more file, an empty one.
    pub(crate) fn add_file(&mut self) -> io::Result<PathBuf> {
        self.files += 1;
        let path = self.path.join(format!("file-{}", self.files));
        fs::File::create_new(&path).map(|_| path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A directory that cannot be removed stays behind; there is nobody to tell.
        let _ = fs::remove_dir_all(&self.path);
    }
}
