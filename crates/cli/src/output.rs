//! What goes to standard output: tables for people, JSON, CSV and tab-separated values.

use std::io::{ErrorKind, IsTerminal, Write, stdout};

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use crate::arguments::Format;
use crate::failure::Failure;
use crate::row::Row;
use crate::text::{duration, printable};

/// Of the JSON objects. Goes up when a field is removed or changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// What a table shows where nothing is known.
const ABSENT: &str = "-";

/// A listing of sessions.
#[derive(Debug, Serialize)]
pub struct Listing<'a> {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The server asked.
    pub server: String,
    /// The level that answered.
    pub level: u32,
    /// The sessions in the order of the server.
    pub sessions: &'a [Row],
}

/// Writes to standard output. A reader who has gone (`| head`) is no failure.
pub fn emit(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::local("write to standard output", &error))
        }
        _ => Ok(()),
    }
}

/// The listing as asked for. `all_columns` adds type and transport to the table.
pub fn listing(
    format: Format,
    listing: &Listing<'_>,
    all_columns: bool,
) -> Result<Vec<u8>, Failure> {
    if format.json {
        return json(listing);
    }
    if format.csv {
        return separated(listing.sessions);
    }
    if format.plain {
        return Ok(plain(listing.sessions.iter().map(values)));
    }
    let mut headings = vec!["CLIENT", "USER", "OPENS", "CONNECTED", "IDLE", "FLAGS"];
    if all_columns {
        headings.extend(["TYPE", "TRANSPORT"]);
    }
    let rows = listing.sessions.iter().map(|row| cells(row, all_columns));
    Ok(table(&headings, &[2, 3, 4], rows).into_bytes())
}

/// Any value as a JSON object and a line end.
pub fn json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let mut text =
        serde_json::to_vec_pretty(value).map_err(|error| Failure::local("write JSON", &error))?;
    text.push(b'\n');
    Ok(text)
}

/// Rows of text behind tabs, without a heading.
pub fn plain<const N: usize>(rows: impl Iterator<Item = [String; N]>) -> Vec<u8> {
    let mut text = String::new();
    for row in rows {
        text.push_str(&row.join("\t"));
        text.push('\n');
    }
    text.into_bytes()
}

/// Rows of text as CSV ([RFC4180]) with a heading.
pub fn csv<const N: usize>(
    headings: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Result<Vec<u8>, Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: &dyn std::fmt::Display| Failure::local("write CSV", error);
    writer
        .write_record(headings)
        .map_err(|error| failed(&error))?;
    for row in rows {
        writer.write_record(row).map_err(|error| failed(&error))?;
    }
    writer.into_inner().map_err(|error| failed(&error))
}

/// A table without lines; `right` names the columns of numbers.
pub fn table(
    headings: &[&str],
    right: &[usize],
    rows: impl Iterator<Item = Vec<String>>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(headings);
    for row in rows {
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if right.contains(&index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = String::new();
    for (number, line) in table.lines().enumerate() {
        let line = line.trim_end();
        if number == 0 {
            text.push_str(&bold(line));
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    text
}

/// Bold on a terminal that wants colours ([NO_COLOR](https://no-color.org)), else as it is.
pub fn bold(text: &str) -> String {
    let wanted = stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|value| value != "dumb");
    if wanted {
        format!("\u{1b}[1m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}

/// The fields of one session, one a line.
pub fn details(row: &Row) -> String {
    let mut text = String::new();
    let seconds = |value: Option<u32>| {
        value.map_or(ABSENT.to_owned(), |value| {
            format!("{} ({value} seconds)", duration(value))
        })
    };
    let name = |value: &Option<String>| {
        value.as_deref().map_or(ABSENT.to_owned(), |value| {
            if value.is_empty() {
                "(empty)".to_owned()
            } else {
                printable(value)
            }
        })
    };
    let flags = match (row.user_flags, &row.flags) {
        (Some(0), _) => "none (0x0)".to_owned(),
        (Some(number), Some(words)) => format!("{} (0x{number:x})", words.join(", ")),
        _ => ABSENT.to_owned(),
    };
    for (label, value) in [
        ("Client", printable(&row.client)),
        ("User", name(&row.user)),
        (
            "Opens",
            row.opens
                .map_or(ABSENT.to_owned(), |opens| opens.to_string()),
        ),
        ("Connected", seconds(row.connected_seconds)),
        ("Idle", seconds(row.idle_seconds)),
        ("Flags", flags),
        ("Type", name(&row.client_type)),
        ("Transport", name(&row.transport)),
    ] {
        text.push_str(&format!("{label:<11}{value}\n"));
    }
    text
}

fn cells(row: &Row, all_columns: bool) -> Vec<String> {
    let absent = || ABSENT.to_owned();
    let mut cells = vec![
        printable(&row.client),
        row.user.as_deref().map_or_else(absent, printable),
        row.opens.map_or_else(absent, |opens| opens.to_string()),
        row.connected_seconds.map_or_else(absent, duration),
        row.idle_seconds.map_or_else(absent, duration),
        row.flags
            .as_ref()
            .map_or_else(absent, |words| words.join(",")),
    ];
    if all_columns {
        cells.push(row.client_type.as_deref().map_or_else(absent, printable));
        cells.push(row.transport.as_deref().map_or_else(absent, printable));
    }
    cells
}

const FIELDS: [&str; 8] = [
    "client",
    "user",
    "opens",
    "connected_seconds",
    "idle_seconds",
    "flags",
    "client_type",
    "transport",
];

fn separated(rows: &[Row]) -> Result<Vec<u8>, Failure> {
    csv(FIELDS, rows.iter().map(values))
}

fn values(row: &Row) -> [String; 8] {
    let number = |value: Option<u32>| value.map_or(String::new(), |value| value.to_string());
    let name = |value: &Option<String>| value.as_deref().map_or(String::new(), printable);
    [
        printable(&row.client),
        name(&row.user),
        number(row.opens),
        number(row.connected_seconds),
        number(row.idle_seconds),
        row.flags
            .as_ref()
            .map_or(String::new(), |words| words.join(" ")),
        name(&row.client_type),
        name(&row.transport),
    ]
}

#[cfg(test)]
mod tests;
