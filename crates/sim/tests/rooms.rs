//! The rooms of the simulator: what may know what. Each wall is a function over sources, so that it can be seen to fall.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// Sources by their paths below `src`.
type Sources = BTreeMap<String, String>;

/// The only files that name services: the rows, what runs between them, and their settings.
const REGISTRY: [&str; 3] = ["services/mod.rs", "services/wires.rs", "config.rs"];
/// A file has at most so many lines of code.
const LINES: usize = 400;

fn read(folder: &Path, below: &Path, found: &mut Sources) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read(&path, below, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(below).expect("below").to_string_lossy().into_owned();
            found.insert(name, fs::read_to_string(&path).expect("a source"));
        }
    }
}

fn sources(folder: &str) -> Sources {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Sources::new();
    read(&root, &root, &mut found);
    found
}

/// Code without comments and without what is in string literals.
fn code(text: &str) -> String {
    let mut found = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '/' if chars.peek() == Some(&'/') => {
                chars.by_ref().find(|c| *c == '\n');
                found.push('\n');
            }
            '"' => {
                while let Some(c) = chars.next().filter(|c| *c != '"') {
                    if c == '\\' {
                        chars.next();
                    }
                }
                found.push_str("\"\"");
            }
            // A character: 'x' or '\n'. What has no second quote is a lifetime.
            '\'' => {
                let ahead: Vec<char> = chars.clone().take(3).collect();
                let length = match ahead[..] {
                    ['\\', _, '\''] => 3,
                    [_, '\'', ..] => 2,
                    _ => 0,
                };
                chars.by_ref().take(length).for_each(drop);
                found.push('\'');
            }
            c => found.push(c),
        }
    }
    found
}

fn words(code: &str) -> BTreeSet<&str> {
    code.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect()
}

/// The folders of `services/`.
fn services(sources: &Sources) -> BTreeSet<String> {
    let folders = sources.keys().filter_map(|path| path.strip_prefix("services/")?.split_once('/'));
    folders.map(|(folder, _)| folder.to_owned()).collect()
}

/// Files that name a service they must not know: in a service's folder any other one, elsewhere any at all.
fn strangers(sources: &Sources) -> Vec<String> {
    let services = services(sources);
    let mut found = Vec::new();
    for (path, text) in sources.iter().filter(|(path, _)| !REGISTRY.contains(&path.as_str())) {
        let own = path.strip_prefix("services/").and_then(|rest| rest.split_once('/')).map(|(folder, _)| folder);
        let code = code(text);
        for word in words(&code).into_iter().filter(|word| services.contains(*word) && Some(*word) != own) {
            found.push(format!("{path} names {word}"));
        }
    }
    found
}

/// Modules by their paths in the crate, and what each of them calls by another name: `use`d names.
struct Modules {
    files: BTreeMap<Vec<String>, String>,
    names: BTreeMap<(Vec<String>, String), Vec<String>>,
}

fn module(path: &str) -> Vec<String> {
    let parts = path.trim_end_matches(".rs").split('/').map(str::to_owned);
    let mut parts: Vec<String> = parts.collect();
    parts.pop_if(|last| ["mod", "lib"].contains(&last.as_str()));
    parts
}

/// The paths of a use tree, each with the name that it gives.
fn flatten(prefix: &[String], tree: &str, found: &mut Vec<(Vec<String>, String)>) {
    let tree = tree.trim();
    if let Some((head, group)) = tree.split_once('{') {
        let mut prefix = prefix.to_vec();
        prefix.extend(head.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned));
        let (mut depth, mut start) = (0, 0);
        let group = group.trim_end().strip_suffix('}').unwrap_or(group);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    flatten(&prefix, &group[start..at], found);
                    start = at + 1;
                }
                _ => {}
            }
        }
        flatten(&prefix, &group[start..], found);
        return;
    }
    let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
    let mut whole = prefix.to_vec();
    whole.extend(path.split("::").map(str::trim).filter(|part| !part.is_empty() && *part != "self").map(str::to_owned));
    if let Some(last) = whole.last().cloned().filter(|_| !tree.is_empty()) {
        found.push((whole, alias.map_or(last, str::to_owned)));
    }
}

/// The paths that code names: of `use` items with the name that they give, and those that begin with crate or super.
fn paths(code: &str) -> Vec<(Vec<String>, Option<String>)> {
    let mut found = Vec::new();
    let mut rest = String::new();
    for item in code.split(';') {
        let start = item.rfind("\nuse ").or_else(|| item.rfind(" use ").filter(|_| item.contains("pub")));
        match start.map(|start| &item[start + 5..]) {
            Some(tree) => {
                let mut flat = Vec::new();
                flatten(&[], tree, &mut flat);
                found.extend(flat.into_iter().map(|(path, name)| (path, Some(name))));
            }
            None => rest.push_str(item),
        }
    }
    for piece in rest.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
        if piece.starts_with("crate::") || piece.starts_with("super::") {
            found.push((piece.split("::").map(str::to_owned).collect(), None));
        }
    }
    found
}

impl Modules {
    fn of(sources: &Sources) -> Self {
        let files: BTreeMap<_, _> = sources.keys().map(|path| (module(path), path.clone())).collect();
        let mut modules = Self { files, names: BTreeMap::new() };
        for (path, text) in sources {
            let at = module(path);
            for (path, name) in paths(&code(text)) {
                if let (Some(name), Some(absolute)) = (name, modules.absolute(&at, &path)) {
                    modules.names.insert((at.clone(), name), absolute);
                }
            }
        }
        modules
    }

    /// A path from the root of the crate; none, if it leads out of it.
    fn absolute(&self, at: &[String], path: &[String]) -> Option<Vec<String>> {
        let first = path.first()?;
        let mut here = at.to_vec();
        let rest = match first.as_str() {
            "crate" => {
                here.clear();
                &path[1..]
            }
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                here.truncate(at.len().checked_sub(ups)?);
                &path[ups..]
            }
            _ => {
                let child = [at, std::slice::from_ref(first)].concat();
                self.files.get(&child)?;
                path
            }
        };
        here.extend(rest.iter().cloned());
        Some(here)
    }

    /// The file in which a path ends, through whatever names it is known by.
    fn file(&self, path: &[String]) -> Option<&String> {
        let mut here: Vec<String> = Vec::new();
        for (index, part) in path.iter().enumerate() {
            let child = [here.as_slice(), std::slice::from_ref(part)].concat();
            if self.files.contains_key(&child) {
                here = child;
                continue;
            }
            if let Some(target) = self.names.get(&(here.clone(), part.clone())) {
                return self.file(&[target, &path[index + 1..]].concat());
            }
            break;
        }
        self.files.get(&here)
    }

    /// What each file needs. What stands in the modules around a file is not counted: a room may know its house.
    fn needs(&self, sources: &Sources) -> BTreeMap<String, BTreeSet<String>> {
        let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (path, text) in sources {
            let at = module(path);
            for (named, _) in paths(&code(text)) {
                let file = self.absolute(&at, &named).and_then(|absolute| self.file(&absolute));
                if let Some(file) = file.filter(|file| !at.starts_with(&module(file))) {
                    needs.entry(path.clone()).or_default().insert(file.clone());
                }
            }
        }
        needs
    }
}

/// Circles of files that need each other: one for each file that is in one.
fn circles(sources: &Sources) -> Vec<String> {
    let needs = Modules::of(sources).needs(sources);
    let mut found = Vec::new();
    for start in needs.keys() {
        let mut came: BTreeMap<&String, &String> = BTreeMap::new();
        let mut next = vec![start];
        while let Some(file) = next.pop() {
            for need in needs.get(file).into_iter().flatten() {
                if !came.contains_key(need) {
                    came.insert(need, file);
                    next.push(need);
                }
            }
        }
        if came.contains_key(start) {
            let mut way = vec![start.as_str()];
            let mut file = came[start];
            while file != start {
                way.push(file);
                file = came[file];
            }
            way.push(start);
            way.reverse();
            found.push(way.join(" → "));
        }
    }
    found
}

/// Files with too many lines of code.
fn long(sources: &Sources) -> Vec<String> {
    let lines = |text: &str| {
        let code = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
        code.count()
    };
    let counted = sources.iter().map(|(path, text)| (path, lines(text)));
    counted.filter(|(_, lines)| *lines > LINES).map(|(path, lines)| format!("{path}: {lines}")).collect()
}

fn given(files: &[(&str, &str)]) -> Sources {
    files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn services_do_not_know_each_other() {
    let sources = sources("src");
    assert!(services(&sources).len() > 6, "{:?}", services(&sources));
    assert_eq!(strangers(&sources), [""; 0], "only {REGISTRY:?} may name services");
}

#[test]
fn a_service_that_knows_another_is_found() {
    let house = |text: &str| given(&[("services/a/mod.rs", text), ("services/b/mod.rs", "pub struct State;")]);
    for text in [
        "use super::b::State;",
        "use super::{Call, b};",
        "fn f(region: &mut Region) { region.b.clear() }",
        "use crate::services::{Call, b as other};",
        "const QUOTE: char = '\"'; fn f() { super::b::f() }",
    ] {
        assert_eq!(strangers(&house(text)), ["services/a/mod.rs names b"], "{text}");
    }
    let fine =
        "// as b does\nfn f<'a>(text: &'a str) -> &'a str { \"b \\\" b\" } fn abc(region: &Region) { region.a.x }";
    assert_eq!(strangers(&house(fine)), [""; 0]);
    let elsewhere = given(&[("services/a/mod.rs", ""), ("control/world.rs", "use crate::services::a;")]);
    assert_eq!(strangers(&elsewhere), ["control/world.rs names a"]);
    let wires =
        given(&[("services/a/mod.rs", ""), ("services/b/mod.rs", ""), ("services/wires.rs", "use super::{a, b};")]);
    assert_eq!(strangers(&wires), [""; 0]);
}

#[test]
fn no_file_needs_itself() {
    let sources = sources("src");
    let needs = Modules::of(&sources).needs(&sources);
    // That the paths are understood at all.
    for (file, need) in [
        ("services/mediaconnect/life.rs", "services/mediaconnect/flow.rs"),
        ("services/mediaconnect/sources.rs", "services/mediaconnect/flow.rs"),
        ("services/medialive/channel.rs", "services/medialive/air/mod.rs"),
        ("services/medialive/mod.rs", "services/medialive/air/supply.rs"),
        ("services/wires.rs", "services/mediaconnect/mod.rs"),
        ("pipeline.rs", "services/mod.rs"),
        ("config.rs", "services/ssm/config.rs"),
    ] {
        assert!(needs[file].contains(need), "{file} needs {need}, and not only {:?}", needs[file]);
    }
    assert_eq!(circles(&sources), [""; 0]);
}

#[test]
fn a_circle_is_found() {
    let air = "use super::Channel;\nuse super::channel::Status;";
    let two = given(&[
        ("m/mod.rs", "mod air;\nmod channel;\npub(crate) use channel::Channel;"),
        ("m/air.rs", air),
        ("m/channel.rs", "\nuse super::air::OnAir;"),
    ]);
    assert_eq!(circles(&two).len(), 2);
    let renamed = given(&[
        ("lib.rs", "mod a;\nmod b;\nmod c;"),
        ("a.rs", "\nuse crate::{\n    b::{self as other, Thing},\n};"),
        ("b.rs", "fn f() { crate::c::f() }"),
        ("c.rs", "\npub(crate) use crate::a::X as Y;"),
    ]);
    assert_eq!(circles(&renamed).len(), 3, "{:?}", circles(&renamed));
    let by_name = given(&[
        ("m/mod.rs", "mod flow;\nmod signals;\n\npub(crate) use flow::Flow;"),
        ("m/flow.rs", "\nuse super::signals::Signals;"),
        ("m/signals.rs", "\nuse std::time::Duration;\n\nuse super::Flow;"),
    ]);
    assert_eq!(circles(&by_name).len(), 2, "through the name that the house gives it");
    let house = given(&[
        ("m/mod.rs", "mod a;\nmod b;\n\nuse a::A;\npub(crate) fn bad() {}"),
        ("m/a.rs", "\nuse super::{bad, b::B};"),
        ("m/b.rs", "\nuse super::bad;"),
    ]);
    assert_eq!(circles(&house), [""; 0]);
}

#[test]
fn no_file_is_long() {
    assert_eq!(long(&sources("src")), [""; 0]);
    assert_eq!(long(&sources("tests")), [""; 0]);
    let lines = "let x = 1;\n".repeat(LINES);
    assert_eq!(
        long(&given(&[("a.rs", &format!("// one\n\n{lines}")), ("b.rs", &format!("{lines}more();"))])),
        ["b.rs: 401"]
    );
}
