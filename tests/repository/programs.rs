//! The programs of tests: `make test` runs every one of them, and no other room of the repository has tests that nobody runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use crate::root;

/// The programs that cargo makes of a folder `tests`: its files, and its folders that have a `main.rs`.
fn programs(folder: &Path, found: &mut BTreeSet<String>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "rs") || path.join("main.rs").is_file() {
            let name = path.file_stem().context("a name")?.to_string_lossy().into_owned();
            ensure!(found.insert(name.clone()), "two programs are called {name}: `make test T={name}` means one");
        }
    }
    Ok(())
}

#[test]
fn every_program_of_tests_is_run() -> Result<()> {
    let mut all = BTreeSet::new();
    programs(&root().join("tests"), &mut all)?;
    programs(&root().join("tests/stage/tests"), &mut all)?;
    for krate in fs::read_dir(root().join("crates"))? {
        let tests = krate?.path().join("tests");
        if tests.is_dir() {
            programs(&tests, &mut all)?;
        }
    }
    ensure!(all.len() > 10, "only {all:?}");
    let run = make(&["test"])?;
    let words: Vec<_> = run.split_whitespace().collect();
    let named: BTreeSet<_> =
        words.windows(2).filter(|pair| pair[0] == "--test").map(|pair| pair[1].to_owned()).collect();
    ensure!(named == all, "`make test` runs {named:?}; there are {all:?}");
    Ok(())
}

#[test]
fn one_program_one_file_or_a_part_of_a_name_can_be_run() -> Result<()> {
    for (what, picks) in [
        ("T=in_process", " --test in_process"),
        ("T=convergence", " --test convergence"),
        ("T=transcode", " --test e2e transcode::"),
        ("T=secrets", " --test e2e --test in_process --test behaviour secrets::"),
        ("T=a_stop", " a_stop"),
    ] {
        let run = make(&["test", what])?;
        ensure!(run.trim_end().ends_with(&format!("--no-fail-fast{picks}")), "{what}: {run}");
    }
    Ok(())
}

/// What `make` would run.
fn make(args: &[&str]) -> Result<String> {
    let mut make = Command::new("make");
    // `make` starts this test, too, and hands its own arguments down.
    for variable in ["MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "MAKELEVEL", "T"] {
        make.env_remove(variable);
    }
    let output = make.arg("-n").args(args).current_dir(root()).output().context("make")?;
    ensure!(output.status.success(), "make -n {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}
