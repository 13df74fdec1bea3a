//! What must be true of the repository as it stands: the walls between its parts, its documents and what it ships. Nothing runs here.

mod architecture;
mod deploy;
mod programs;
mod readme;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(playout_stage::root);
    &ROOT
}
