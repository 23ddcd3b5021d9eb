//! [`Report`]: what `list` has learnt, printed in every format as soon as the format allows.

mod failures;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::arguments::{Format, Level, ListArguments};
use crate::failure::Failure;
use crate::output::document::{Answer, Line, Listing, Reason, Summary, Survey, seconds};
use crate::output::{self, Columns, Output, SCHEMA_VERSION, bold, net, smb_session};
use crate::row::Row;
use crate::text::{count, printable};

pub use failures::Failures;

/// Servers named in a line before only their number is said.
const NAMED: usize = 8;

/// Client and user column of a table that is printed before all is known: most names fit.
const USUAL_CLIENT: usize = 15;
const USUAL_USER: usize = 12;

/// Prints sessions of one or of several servers.
pub struct Report<'a> {
    format: Format,
    several: bool,
    all_columns: bool,
    /// ` of user alice from client pc`.
    which: String,
    names: &'a [String],
    out: Output,
    columns: Columns,
    has_heading: bool,
    /// What the format prints together, by server.
    held: BTreeMap<usize, (u32, Vec<Row>)>,
    answers: BTreeMap<usize, Answer<'a>>,
    levels: BTreeMap<u32, Vec<usize>>,
    summary: Summary,
}

impl<'a> Report<'a> {
    /// Of the servers with these names; in the form for `several` or for one.
    pub fn new(
        arguments: &ListArguments,
        several: bool,
        names: &'a [String],
        out: Output,
    ) -> Result<Self, Failure> {
        let all_columns = matches!(arguments.level, Some(Level::Info2 | Level::Info502));
        let mut headings = output::headings(all_columns);
        let mut numbers = output::NUMBERS.to_vec();
        if several {
            headings.insert(0, "SERVER");
            numbers.iter_mut().for_each(|column| *column += 1);
        }
        let mut report = Self {
            format: arguments.format.chosen(),
            several,
            all_columns,
            which: which(arguments),
            names,
            out,
            columns: Columns::new(&headings, &numbers),
            has_heading: false,
            held: BTreeMap::new(),
            answers: BTreeMap::new(),
            levels: BTreeMap::new(),
            summary: Summary {
                servers: names.len(),
                ..Summary::default()
            },
        };
        report.begin()?;
        Ok(report)
    }

    fn begin(&mut self) -> Result<(), Failure> {
        match self.format {
            Format::Jsonl => self.line(&Line::Start {
                schema_version: SCHEMA_VERSION,
                servers: self.names.len(),
            }),
            // Written with the first row or at the end, so that a failure leaves nothing.
            _ => Ok(()),
        }
    }

    /// A session of a server.
    pub fn session(&mut self, server: usize, level: u32, row: Row) -> Result<(), Failure> {
        self.summary.sessions += 1;
        let name = &self.names[server];
        match self.format {
            Format::Jsonl => self.line(&Line::Session {
                server: name,
                level,
                row: &row,
            }),
            Format::Csv => {
                self.csv_heading()?;
                let fields = self.fields(server, &row);
                self.out.put(output::csv(&fields))
            }
            Format::Plain => {
                let fields = self.fields(server, &row);
                self.out.put(output::plain(&fields))
            }
            Format::Smbsession => {
                let gap = if self.has_heading { "\n" } else { "" };
                self.has_heading = true;
                let record = smb_session::record(smb_session::host(name), &row);
                self.out.put(format!("{gap}{record}"))
            }
            Format::Table | Format::Json | Format::Net => {
                self.held
                    .entry(server)
                    .or_insert((level, Vec::new()))
                    .1
                    .push(row);
                Ok(())
            }
        }
    }

    /// A server has told everything, at this level.
    pub fn done(
        &mut self,
        server: usize,
        level: u32,
        sessions: usize,
        elapsed: Duration,
    ) -> Result<(), Failure> {
        self.summary.answered += 1;
        self.levels.entry(level).or_default().push(server);
        if self.format == Format::Jsonl {
            return self.line(&Line::Server {
                server: &self.names[server],
                level,
                sessions,
                elapsed_seconds: seconds(elapsed),
            });
        }
        self.settle(server, Some(level), None)
    }

    /// A server has failed, after this many sessions.
    pub fn failed(
        &mut self,
        server: usize,
        reason: Reason,
        sessions: usize,
        elapsed: Duration,
    ) -> Result<(), Failure> {
        self.summary.failed += 1;
        if self.format == Format::Jsonl {
            return self.line(&Line::Failure {
                server: &self.names[server],
                sessions,
                error: &reason,
                elapsed_seconds: seconds(elapsed),
            });
        }
        self.settle(server, None, Some(reason))
    }

    /// Nothing more is expected of a server: what was held back is printed.
    fn settle(
        &mut self,
        server: usize,
        level: Option<u32>,
        error: Option<Reason>,
    ) -> Result<(), Failure> {
        let held = self.held.remove(&server);
        let level = level.or(held.as_ref().map(|(level, _)| *level));
        let rows = held.map(|(_, rows)| rows).unwrap_or_default();
        match self.format {
            Format::Json => {
                let answer = Answer {
                    server: &self.names[server],
                    level,
                    sessions: rows,
                    error,
                };
                self.answers.insert(server, answer);
                Ok(())
            }
            Format::Table => self.table(server, &rows),
            Format::Net if error.is_none() || !rows.is_empty() => {
                self.net(server, &rows, error.is_none())
            }
            _ => Ok(()),
        }
    }

    fn table(&mut self, server: usize, rows: &[Row]) -> Result<(), Failure> {
        if rows.is_empty() {
            return Ok(());
        }
        let lines: Vec<Vec<String>> = rows
            .iter()
            .map(|row| {
                let mut cells = output::cells(row, self.all_columns);
                if self.several {
                    cells.insert(0, printable(&self.names[server]));
                }
                cells
            })
            .collect();
        if self.several && !self.has_heading {
            let widest = self
                .names
                .iter()
                .map(|name| printable(name).chars().count())
                .max();
            self.columns.at_least(0, widest.unwrap_or(0));
            self.columns.at_least(1, USUAL_CLIENT);
            self.columns.at_least(2, USUAL_USER);
        }
        lines.iter().for_each(|cells| self.columns.fit(cells));
        if !self.has_heading {
            self.has_heading = true;
            let mut headings = output::headings(self.all_columns);
            if self.several {
                headings.insert(0, "SERVER");
            }
            self.out.put(bold(&self.columns.line(&headings)))?;
            self.out.put("\n")?;
        }
        for cells in &lines {
            self.out.put(self.columns.line(cells))?;
            self.out.put("\n")?;
        }
        Ok(())
    }

    fn net(&mut self, server: usize, rows: &[Row], told_all: bool) -> Result<(), Failure> {
        if self.several {
            let gap = if self.has_heading { "\n" } else { "" };
            self.has_heading = true;
            let name = printable(&self.names[server]);
            self.out.put(format!("{gap}\\\\{name}\n"))?;
        }
        if rows.is_empty() {
            return self.out.put(net::NONE);
        }
        self.out.put(net::HEADING)?;
        for row in rows {
            self.out.put(net::line(row))?;
        }
        // Of a server that failed in the middle, standard error tells the end.
        if told_all {
            self.out.put(net::END)?;
        }
        Ok(())
    }

    /// Prints what is still held back, and the end.
    pub fn finish(mut self) -> Result<Summary, Failure> {
        self.end()?;
        self.out.flush()?;
        Ok(self.summary)
    }

    fn end(&mut self) -> Result<(), Failure> {
        while let Some((&server, _)) = self.held.first_key_value() {
            self.settle(server, None, Some(interrupted()))?;
        }
        self.summary.unfinished =
            self.summary.servers - self.summary.answered - self.summary.failed;
        let summary = self.summary.clone();
        match self.format {
            Format::Jsonl => self.line(&Line::Summary { summary: &summary })?,
            Format::Csv => self.csv_heading()?,
            Format::Json if self.several => self.survey()?,
            Format::Json => self.listing()?,
            Format::Table => self.footer()?,
            Format::Plain | Format::Net | Format::Smbsession => {}
        }
        Ok(())
    }

    fn survey(&mut self) -> Result<(), Failure> {
        for (server, name) in self.names.iter().enumerate() {
            self.answers.entry(server).or_insert_with(|| Answer {
                server: name,
                level: None,
                sessions: Vec::new(),
                error: Some(interrupted()),
            });
        }
        let survey = Survey {
            schema_version: SCHEMA_VERSION,
            servers: std::mem::take(&mut self.answers).into_values().collect(),
            summary: self.summary.clone(),
        };
        self.out.put(output::json(&survey)?)
    }

    /// The document of a single server; if it failed there is none.
    fn listing(&mut self) -> Result<(), Failure> {
        let Some(Answer {
            server,
            level: Some(level),
            sessions,
            error: None,
        }) = self.answers.remove(&0)
        else {
            return Ok(());
        };
        let listing = Listing {
            schema_version: SCHEMA_VERSION,
            server,
            level,
            sessions: &sessions,
        };
        self.out.put(output::json(&listing)?)
    }

    fn footer(&mut self) -> Result<(), Failure> {
        let Summary {
            servers,
            answered,
            failed,
            unfinished,
            sessions,
        } = self.summary;
        let text = if !self.several {
            if answered == 0 {
                return Ok(());
            }
            let server = printable(&self.names[0]);
            let level = self.levels.keys().next().copied().unwrap_or_default();
            match sessions {
                0 => format!("No sessions on {server}{}.\n", self.which),
                _ => format!(
                    "\n{} on {server}, level {level}\n",
                    count(sessions, "session")
                ),
            }
        } else if answered + sessions + unfinished == 0 {
            match servers {
                1 => "The server did not answer.\n".to_owned(),
                _ => format!("None of {servers} servers answered.\n"),
            }
        } else {
            let gap = if sessions == 0 { "" } else { "\n" };
            let number = match sessions {
                0 => "No sessions".to_owned(),
                _ => count(sessions, "session"),
            };
            let mut text = format!(
                "{gap}{number}{} on {}",
                self.which,
                count(answered, "server")
            );
            text.push_str(&self.levels());
            if failed > 0 {
                text.push_str(&format!("; {failed} of {servers} failed"));
            }
            if unfinished > 0 {
                text.push_str(&format!("; interrupted, {unfinished} unfinished"));
            }
            text.push('\n');
            text
        };
        self.out.put(text)
    }

    /// `, level 502`, or the servers of each if they differ.
    fn levels(&self) -> String {
        match self.levels.len() {
            0 => String::new(),
            1 => self
                .levels
                .keys()
                .map(|level| format!(", level {level}"))
                .collect(),
            _ => {
                let most = self
                    .levels
                    .iter()
                    .max_by_key(|(level, servers)| (servers.len(), **level));
                let most = most.map(|(level, _)| *level);
                let levels = self.levels.iter().rev().map(|(level, servers)| {
                    if Some(*level) == most || servers.len() > NAMED {
                        format!("{level} ({})", count(servers.len(), "server"))
                    } else {
                        let names: Vec<String> = servers
                            .iter()
                            .map(|&server| printable(&self.names[server]))
                            .collect();
                        format!("{level} ({})", names.join(", "))
                    }
                });
                format!(", levels {}", levels.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// Writes what has been printed so far.
    pub fn flush(&mut self) -> Result<(), Failure> {
        self.out.flush()
    }

    /// Nobody reads any more.
    pub fn is_closed(&self) -> bool {
        self.out.is_closed()
    }

    fn line(&mut self, line: &Line<'_>) -> Result<(), Failure> {
        self.out.put(output::json_line(line)?)
    }

    fn csv_heading(&mut self) -> Result<(), Failure> {
        if self.has_heading || self.summary.answered + self.summary.sessions == 0 {
            return Ok(());
        }
        self.has_heading = true;
        let mut headings = output::FIELDS.to_vec();
        if self.several {
            headings.insert(0, "server");
        }
        self.out.put(output::csv(&headings))
    }

    fn fields(&self, server: usize, row: &Row) -> Vec<String> {
        let mut fields = output::values(row).to_vec();
        if self.several {
            fields.insert(0, printable(&self.names[server]));
        }
        fields
    }
}

fn which(arguments: &ListArguments) -> String {
    let mut text = String::new();
    if let Some(user) = &arguments.user {
        text.push_str(&format!(" of user {}", printable(user)));
    }
    if let Some(client) = &arguments.client {
        text.push_str(&format!(" from client {}", printable(client)));
    }
    text
}

/// Why a server has no complete list when Ctrl-C came.
fn interrupted() -> Reason {
    Reason {
        kind: "interrupted",
        code: 1223,
        name: Some("ERROR_CANCELLED"),
        message: "interrupted before this server had told everything".to_owned(),
    }
}

#[cfg(test)]
mod tests;
