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
