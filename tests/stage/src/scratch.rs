//! Folders for state that belongs to one process: locked while it lives, removed with it or, where it was killed, by
//! the next one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};

use crate::programs;

/// A folder that is removed on drop.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
    _lock: File,
}

impl Scratch {
    /// A new folder `target/PURPOSE/PID-N`. Those that killed processes have left behind go.
    pub fn new(purpose: &str) -> Result<Self> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let parent = programs::root().join("target").join(purpose);
        fs::create_dir_all(&parent).with_context(|| format!("cannot make the folder {}", parent.display()))?;
        sweep(&parent)?;
        let name = format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = parent.join(&name);
        // The lock stands beside the folder and is taken first: a sweep never sees the folder without it.
        let lock = File::create(parent.join(format!("{name}.lock")))?;
        lock.lock()?;
        fs::create_dir_all(&path)?;
        Ok(Self { path, _lock: lock })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

fn sweep(parent: &Path) -> Result<()> {
    for entry in fs::read_dir(parent)? {
        let lock = entry?.path();
        let abandoned = lock.extension().is_some_and(|ending| ending == "lock")
            && File::open(&lock).is_ok_and(|file| file.try_lock().is_ok());
        if abandoned {
            remove(&lock.with_extension(""));
        }
    }
    Ok(())
}

fn remove(folder: &Path) {
    // A program that is being killed may still write: what stays is swept by the next one.
    if fs::remove_dir_all(folder).is_ok() || !folder.exists() {
        let _ = fs::remove_file(folder.with_extension("lock"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lives_as_long_as_its_owner_and_an_abandoned_one_is_swept() {
        let first = Scratch::new("scratch-test").unwrap();
        let abandoned = first.path().with_file_name("1-1");
        fs::create_dir_all(&abandoned).unwrap();
        fs::write(abandoned.with_extension("lock"), "").unwrap();
        let second = Scratch::new("scratch-test").unwrap();
        assert!(!abandoned.exists(), "nobody holds its lock");
        assert!(first.path().exists() && second.path().exists());
        let path = first.path().to_path_buf();
        drop(first);
        assert!(!path.exists());
    }
}
