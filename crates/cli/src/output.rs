//! What goes to standard output: text in columns, JSON, comma- and tab-separated values.

pub mod columns;
pub mod document;
pub mod net;
pub mod smb_session;

use std::io::{ErrorKind, IsTerminal, Write, stdout};

use indicatif::ProgressBar;
use serde::Serialize;

use crate::failure::Failure;
use crate::row::Row;
use crate::text::{duration, printable};

pub use columns::Columns;

/// Of the JSON objects. Goes up when a field is removed or changes its meaning.
pub const SCHEMA_VERSION: u32 = 1;

/// What a table shows where nothing is known.
const ABSENT: &str = "-";

/// Written at once from this many bytes on; less waits for [`Output::flush`].
const BUFFER: usize = 64 * 1024;

/// Standard output, buffered. A reader who has gone (`| head`) is no failure, but what is
/// still to come can be left out.
#[derive(Default)]
pub struct Output {
    buffer: Vec<u8>,
    is_closed: bool,
    bar: Option<ProgressBar>,
}

impl Output {
    /// One that gets out of the way of a progress bar on the same terminal.
    pub fn beside(bar: Option<ProgressBar>) -> Self {
        Self {
            bar,
            ..Self::default()
        }
    }

    /// Adds text to what is to be written.
    pub fn put(&mut self, text: impl AsRef<[u8]>) -> Result<(), Failure> {
        self.buffer.extend_from_slice(text.as_ref());
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what is left.
    pub fn flush(&mut self) -> Result<(), Failure> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.buffer);
        if self.is_closed {
            return Ok(());
        }
        let write = || {
            let mut out = stdout().lock();
            out.write_all(&bytes).and_then(|()| out.flush())
        };
        let written = match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        };
        match written {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(())
            }
            Err(error) => Err(Failure::local("write to standard output", &error)),
        }
    }

    /// What has been put since the last time it was written.
    #[cfg(test)]
    pub fn pending(&self) -> &str {
        std::str::from_utf8(&self.buffer).expect("what is put is text")
    }

    /// Nobody reads any more.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }
}

/// Writes to standard output. A reader who has gone (`| head`) is no failure.
pub fn emit(bytes: &[u8]) -> Result<(), Failure> {
    let mut output = Output::default();
    output.put(bytes)?;
    output.flush()
}

/// Any value as a JSON object and a line end.
pub fn json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let mut text =
        serde_json::to_vec_pretty(value).map_err(|error| Failure::local("write JSON", &error))?;
    text.push(b'\n');
    Ok(text)
}

/// Any value as a JSON object on one line.
pub fn json_line(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    let mut text =
        serde_json::to_vec(value).map_err(|error| Failure::local("write JSON", &error))?;
    text.push(b'\n');
    Ok(text)
}

/// Fields behind tabs.
pub fn plain<S: AsRef<str>>(fields: &[S]) -> String {
    separated(fields, "\t", |field| field.to_owned())
}

/// Fields behind commas ([RFC4180] section 2).
pub fn csv<S: AsRef<str>>(fields: &[S]) -> String {
    separated(fields, ",", |field| {
        if field.contains(['"', ',', '\r', '\n']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field.to_owned()
        }
    })
}

fn separated<S: AsRef<str>>(
    fields: &[S],
    separator: &str,
    written: impl Fn(&str) -> String,
) -> String {
    let fields: Vec<String> = fields.iter().map(|field| written(field.as_ref())).collect();
    let mut line = fields.join(separator);
    line.push('\n');
    line
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

/// A table of sessions. `all_columns` adds type and transport.
pub fn table<'a>(rows: impl Iterator<Item = &'a Row>, all_columns: bool) -> String {
    let rows = rows.map(|row| cells(row, all_columns)).collect();
    columns::table(&headings(all_columns), &NUMBERS, rows)
}

/// The headings of a table of sessions.
pub fn headings(all_columns: bool) -> Vec<&'static str> {
    let mut headings = vec!["CLIENT", "USER", "OPENS", "CONNECTED", "IDLE", "FLAGS"];
    if all_columns {
        headings.extend(["TYPE", "TRANSPORT"]);
    }
    headings
}

/// The columns of it that are aligned to the right.
pub const NUMBERS: [usize; 3] = [2, 3, 4];

/// One line of it.
pub fn cells(row: &Row, all_columns: bool) -> Vec<String> {
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

/// The headings of `--csv`.
pub const FIELDS: [&str; 8] = [
    "client",
    "user",
    "opens",
    "connected_seconds",
    "idle_seconds",
    "flags",
    "client_type",
    "transport",
];

/// One line of `--csv` and `--plain`.
pub fn values(row: &Row) -> [String; 8] {
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
