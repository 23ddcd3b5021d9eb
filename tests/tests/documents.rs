//! The documents say what is so.

use std::fs;
use std::process::Command;

use netsession_tests::program::root;
use serde_json::Value;

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Every library that a crate of ours names stands in docs/dependencies.md, and no other.
#[test]
fn dependencies_are_described() {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .expect("cargo");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata");
    let mut used: Vec<&str> = metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .flat_map(|package| package["dependencies"].as_array().expect("dependencies"))
        .filter(|dependency| dependency["source"].is_string())
        .map(|dependency| dependency["name"].as_str().expect("a name"))
        .collect();
    used.sort_unstable();
    used.dedup();
    let text = read("docs/dependencies.md");
    let described: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert_eq!(described, used);
}

/// Links between documents lead somewhere.
#[test]
fn links_lead_to_files() {
    for (document, folder) in [
        ("README.md", ""),
        ("ARCHITECTURE.md", ""),
        ("CONTRIBUTING.md", ""),
        ("CHANGELOG.md", ""),
        ("SECURITY.md", ""),
        ("docs/c.md", "docs"),
        ("docs/json.md", "docs"),
        ("docs/dependencies.md", "docs"),
        ("docs/performance.md", "docs"),
        ("docs/python.md", "docs"),
        ("docs/rights.md", "docs"),
    ] {
        let text = read(document);
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#']).next().unwrap_or_default();
            if target.is_empty() || target.starts_with("http") {
                continue;
            }
            assert!(
                root().join(folder).join(target).exists(),
                "{document}: {target}"
            );
        }
    }
}

/// What docs/json.md shows is what the table beneath it describes.
#[test]
fn json_is_described() {
    let text = read("docs/json.md");
    let example = text
        .split("```json")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let example: Value = serde_json::from_str(example.expect("an example")).expect("JSON");
    let session = example["sessions"][0].as_object().expect("a session");
    for field in example
        .as_object()
        .expect("an object")
        .keys()
        .chain(session.keys())
    {
        assert!(
            text.contains(&format!("| `{field}` |")),
            "{field} is not described"
        );
    }
}

/// The schemas say the same of the same things, and docs/json.md names every schema and
/// every field of a line.
#[test]
fn schemas_agree_and_are_described() {
    let text = read("docs/json.md");
    let mut shared: Vec<(String, Value)> = Vec::new();
    let mut names: Vec<String> = fs::read_dir(root().join("docs/schema"))
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "accounts.json",
            "doctor.json",
            "list-line.json",
            "list.json",
            "show.json"
        ]
    );
    for name in &names {
        assert!(
            text.contains(&format!("](schema/{name})")),
            "{name} is not linked"
        );
        let schema: Value =
            serde_json::from_str(&read(&format!("docs/schema/{name}"))).expect("JSON");
        let definitions = schema["$defs"].as_object().into_iter().flatten();
        for (definition, meaning) in definitions {
            match shared.iter().find(|(known, _)| known == definition) {
                Some((_, known)) => assert_eq!(known, meaning, "{name}: {definition}"),
                None => shared.push((definition.clone(), meaning.clone())),
            }
        }
    }
    let lines: Value = serde_json::from_str(&read("docs/schema/list-line.json")).expect("JSON");
    for line in lines["oneOf"].as_array().expect("lines") {
        for field in line["properties"].as_object().expect("fields").keys() {
            assert!(
                text.contains(&format!("`{field}`")),
                "{field} is not described"
            );
        }
    }
}
