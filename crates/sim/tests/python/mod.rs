//! A Python that has boto3, for tests that need a client which nobody here wrote.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python; `None` where there is none, which is said, and in CI wrong.
pub fn with_boto3(test: &str) -> Option<PathBuf> {
    match made() {
        Ok(python) => Some(python),
        Err(reason) if std::env::var("CI").is_ok_and(|ci| ci == "true") => panic!("no boto3: {reason}"),
        Err(reason) => {
            let _ = writeln!(std::io::stderr(), "\nSKIPPED {test}: {reason}\n");
            None
        }
    }
}

const BOTO3: &str = "1.44.5";

/// Made once. The reason if there is none.
fn made() -> Result<PathBuf, String> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().ok_or("no target directory")?;
    let home = target.join("tools/python").join(format!("boto3-{BOTO3}"));
    let python = home.join("bin/python");
    let complete = home.join("complete");
    if complete.exists() {
        return Ok(python);
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home))?;
    let packages = [format!("boto3=={BOTO3}"), format!("botocore=={BOTO3}")];
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]).args(packages))?;
    std::fs::write(complete, "").map_err(|error| error.to_string())?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr))),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}
