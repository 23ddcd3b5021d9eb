//! Results on disk: JSON, and the section of a document between two markers.

use std::fs;
use std::path::Path;

use super::report::Report;
use super::{plot, table};

const BEGIN: &str = "<!-- results: begin -->";
const END: &str = "<!-- results: end -->";

/// Writes the results as JSON.
pub fn json(file: &Path, report: &Report) -> Result<(), String> {
    let text = serde_json::to_string_pretty(report).map_err(|error| error.to_string())?;
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)
            .map_err(|error| format!("could not make {}: {error}", folder.display()))?;
    }
    put(file, &(text + "\n"))
}

/// Replaces what stands between the markers of `document`, and writes the plot (`.svg`) and
/// the numbers (`.json`) beside it, under the same name.
pub fn document(document: &Path, report: &Report) -> Result<(), String> {
    let text = fs::read_to_string(document)
        .map_err(|error| format!("could not read {}: {error}", document.display()))?;
    let name = document
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let drawing = plot::svg(&report.rows);
    let picture = drawing.as_ref().map_or_else(String::new, |_| {
        format!("\n![Time of an enumeration over the number of sessions]({name}.svg)\n")
    });
    let section = format!(
        "{}\n{}{picture}\nThe numbers of every round: [{name}.json]({name}.json).\n",
        table::circumstances(report),
        table::markdown(&report.rows),
    );
    put(document, &between(&text, &section)?)?;
    if let Some(drawing) = drawing {
        put(&document.with_extension("svg"), &drawing)?;
    }
    json(&document.with_extension("json"), report)
}

fn between(text: &str, section: &str) -> Result<String, String> {
    let missing = || format!("the document lacks the lines `{BEGIN}` and `{END}`");
    let (head, rest) = text.split_once(BEGIN).ok_or_else(missing)?;
    let (_, tail) = rest.split_once(END).ok_or_else(missing)?;
    Ok(format!("{head}{BEGIN}\n\n{section}\n{END}{tail}"))
}

fn put(file: &Path, text: &str) -> Result<(), String> {
    fs::write(file, text).map_err(|error| format!("could not write {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_section_changes() {
        let text = format!("# Head\n\n{BEGIN}\nold\n{END}\n\ntail\n");
        let once = between(&text, "new\n").unwrap();
        assert_eq!(once, format!("# Head\n\n{BEGIN}\n\nnew\n\n{END}\n\ntail\n"));
        assert_eq!(between(&once, "new\n").unwrap(), once);
        assert!(between("no markers", "new").is_err());
        assert!(between(&format!("{END} {BEGIN}"), "new").is_err());
    }
}
