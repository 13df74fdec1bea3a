//! The CRDs as files.

use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;

/// First line of every generated file.
const HEADER: &str = "# Generated from crates/api by `make crds`. Do not edit.\n";

/// Writes one file a kind into `dir`, or all to standard output.
///
/// # Errors
/// The folder or a file cannot be written.
pub fn write(dir: Option<&Path>) -> anyhow::Result<()> {
    for crd in playout_api::crds() {
        let yaml = serde_saphyr::to_string(&crd).context("a CRD cannot be written as YAML")?;
        match dir {
            None => write!(std::io::stdout(), "---\n{HEADER}{yaml}")?,
            Some(dir) => {
                std::fs::create_dir_all(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
                let file = dir.join(format!("{}.yaml", crd.spec.names.plural));
                std::fs::write(&file, format!("{HEADER}{yaml}"))
                    .with_context(|| format!("cannot write {}", file.display()))?;
            }
        }
    }
    Ok(())
}
