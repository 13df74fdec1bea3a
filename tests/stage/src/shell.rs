//! Lines for a POSIX shell.

use std::path::Path;

use anyhow::{Context, Result};

/// `export NAME='value'`, whatever the value holds.
pub(crate) fn export(name: &str, value: &str) -> String {
    format!("export {name}='{}'", value.replace('\'', r"'\''"))
}

/// The search path with `folder` in front, and only there.
pub(crate) fn path_with(folder: &Path, path: &str) -> String {
    let folder = folder.display().to_string();
    let rest = path.split(':').filter(|entry| !entry.is_empty() && *entry != folder);
    std::iter::once(folder.as_str()).chain(rest).collect::<Vec<_>>().join(":")
}

/// The words of `OPERATOR_ARGS`, as a shell would split them.
pub(crate) fn words(text: &str) -> Result<Vec<String>> {
    shlex::split(text).with_context(|| format!("OPERATOR_ARGS has an open quote or ends in a backslash: {text}"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_exported() {
        for value in ["plain", "it's", "a b;c $HOME `id` \"x\" \\", "line\nbreak", ""] {
            let script = format!("{}\nprintf %s \"$NAME\"", export("NAME", value));
            let output = Command::new("sh").args(["-c", &script]).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), value);
        }
    }

    #[test]
    fn our_tools_come_first_and_once() {
        assert_eq!(path_with(Path::new("/p/tools"), "/bin:/p/tools::/usr/bin"), "/p/tools:/bin:/usr/bin");
        assert_eq!(path_with(Path::new("/p/tools"), ""), "/p/tools");
    }

    #[test]
    fn arguments_are_split_as_a_shell_does() {
        assert_eq!(words(r#"--a=1 --b "two words" 'it'\''s'"#).unwrap(), ["--a=1", "--b", "two words", "it's"]);
        assert_eq!(words("  ").unwrap(), Vec::<String>::new());
        assert!(words("--a 'open").unwrap_err().to_string().contains("OPERATOR_ARGS"));
    }
}
