//! The CEL rules without an API server: kube-cel takes `examples/` and refuses those of `tests/invalid/` that break a rule.
//! The judge is the API server, in the root package's `tests/e2e/admission.rs`; this is what one sees after two seconds.

use std::error::Error;
use std::fs;
use std::path::Path;

use kube::core::cel::Validator;
use serde_json::Value;

struct Manifest {
    file: String,
    text: String,
    objects: Vec<Value>,
}

fn manifests(folder: &str) -> Result<Vec<Manifest>, Box<dyn Error>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(folder))? {
        let file = entry?.path();
        if file.extension().is_some_and(|ending| ending == "yaml") {
            let text = fs::read_to_string(&file)?;
            let objects = text.split("\n---\n").map(serde_saphyr::from_str).collect::<Result<_, _>>()?;
            found.push(Manifest { file: file.display().to_string(), text, objects });
        }
    }
    Ok(found)
}

/// What the rules of its CRD say of this object, which replaces the old one.
fn judge(object: &Value, old: Option<&Value>) -> Result<Vec<String>, Box<dyn Error>> {
    let mut said = Vec::new();
    for crd in playout_api::crds().iter().filter(|crd| object["kind"] == crd.spec.names.kind.as_str()) {
        let schema = serde_json::to_value(&crd.spec.versions[0].schema)?["openAPIV3Schema"].take();
        if let Err(errors) = Validator::new().validate(&schema, object, old) {
            said.extend(errors.into_vec().iter().map(ToString::to_string));
        }
    }
    Ok(said)
}

#[test]
fn valid_examples_are_taken() -> Result<(), Box<dyn Error>> {
    for Manifest { file, objects, .. } in manifests("examples")? {
        for object in objects {
            assert_eq!(judge(&object, None)?, Vec::<String>::new(), "{file}");
        }
    }
    Ok(())
}

#[test]
fn examples_that_break_a_rule_are_refused_with_its_message() -> Result<(), Box<dyn Error>> {
    let crds = serde_json::to_string(&playout_api::crds())?;
    let mut judged = 0;
    let mut wrong = Vec::new();
    let folders = ["source", "destination", "encoding-preset"].map(|kind| manifests(&format!("tests/invalid/{kind}")));
    for Manifest { file, text, objects } in folders.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten() {
        let refused = text.lines().next().and_then(|line| line.strip_prefix("# refused: ")).ok_or("no first line")?;
        // The others break a bound of the schema, which kube-cel does not look at.
        if crds.contains(refused) {
            judged += 1;
            let old = (objects.len() > 1).then(|| &objects[0]);
            let said = judge(objects.last().ok_or("empty")?, old)?;
            if said.len() != 1 || !said[0].contains(refused) {
                wrong.push(format!("{file}: {said:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(judged > 80, "only {judged} of the examples break a rule");
    Ok(())
}
