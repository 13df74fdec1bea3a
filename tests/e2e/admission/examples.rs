//! `examples/` are taken.

use super::*;

/// All valid examples in one stream, in the given namespace instead of `default`.
fn all_examples(namespace: &str) -> Result<String> {
    let examples = manifests("examples")?;
    ensure!(examples.contains_key("quickstart") && examples.len() > 15, "examples are missing");
    let all: Vec<_> = examples.into_values().collect();
    Ok(all.join("\n---\n").replace("namespace: default", &format!("namespace: {namespace}")))
}

#[test]
fn valid_examples_are_taken_and_make_no_endless_difference() -> Result<()> {
    let Some(cluster) = Cluster::shared() else { return Ok(()) };
    for way in ["apply --validate=strict", "apply --validate=strict --server-side"] {
        let namespace = namespace(cluster, if way.ends_with("side") { "server-side" } else { "client-side" })?;
        let all = all_examples(&namespace)?;
        let run = |args: &str| in_namespace(cluster, &namespace, &format!("{args} -f -"), &all);
        run(&format!("{way} --dry-run=server"))?.ok().context(way)?;
        run(way)?.ok().context(way)?;
        let diff = run(if way.ends_with("side") { "diff --server-side" } else { "diff" })?;
        ensure!(diff.success && diff.stdout.is_empty(), "{way}: a difference right after: {}", diff.stdout);
        let generations = |kind: &str| {
            in_namespace(cluster, &namespace, &format!("get {kind} -o jsonpath={{.items[*].metadata.generation}}"), "")
        };
        let before = generations("src,dest,preset")?.ok()?.stdout;
        let again = run(way)?.ok()?.stdout;
        ensure!(
            generations("src,dest,preset")?.ok()?.stdout == before,
            "{way}: the same manifest once more was a change"
        );
        // The word is what a client works out without knowing the defaults, as Argo CD does.
        let restless: Vec<_> =
            again.lines().filter(|line| line.contains("playout.dev/") && line.ends_with(" configured")).collect();
        ensure!(restless.is_empty(), "{way}: seen as changed though nothing did: {restless:?}");
    }
    Ok(())
}

#[test]
fn quickstart_is_self_contained() -> Result<()> {
    let text = manifests("examples")?.remove("quickstart").context("there is a quickstart")?;
    for part in ["kind: Source\n", "state: Auto", "updatePolicy: Restart", "protocol: SrtListener", "port: 5000"] {
        ensure!(text.contains(part), "no {part:?}");
    }
    ensure!(text.matches("\nkind: Destination\n").count() == 4 && text.matches("  state: Running\n").count() == 4);
    ensure!(
        text.matches("  namespace: default\n").count() == text.matches("\nkind: ").count(),
        "a namespace is missing"
    );
    Ok(())
}
