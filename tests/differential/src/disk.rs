//! What is left on disk.

use std::fs;
use std::path::Path;

use crate::answer::bytes;

/// The names below `folder`, each with its kind, size and bytes.
pub fn tree(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    walk(folder, "", &mut lines);
    lines.sort();
    lines
}

fn walk(folder: &Path, above: &str, lines: &mut Vec<String>) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            lines.push(format!("disk: \"{above}\" {error}"));
            return;
        }
    };
    for entry in entries.flatten() {
        let name = format!("{above}{}", entry.file_name().to_string_lossy());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            lines.push(format!("disk: \"{name}\" directory"));
            walk(&entry.path(), &format!("{name}\\"), lines);
        } else {
            let content = fs::read(entry.path()).unwrap_or_default();
            let length = content.len();
            lines.push(format!("disk: \"{name}\" {length}: {}", bytes(&content)));
        }
    }
}
