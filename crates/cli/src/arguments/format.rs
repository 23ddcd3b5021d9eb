//! How to print.

use clap::{Args, ValueEnum};

/// What goes to standard output.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Columns for people
    #[default]
    Table,
    /// One JSON object
    Json,
    /// One JSON object a line, each as soon as it is known
    Jsonl,
    /// Comma-separated values with a heading
    Csv,
    /// Tab-separated values without a heading
    Plain,
    /// As `net session` of Windows prints them
    Net,
    /// With the property names of Get-SmbSession
    Smbsession,
}

/// How to print sessions.
#[derive(Args, Debug, Clone, Copy, Default)]
pub struct SessionFormat {
    /// How to print: table, json, jsonl, csv, plain, net (as Windows' `net session`) or smbsession
    /// (the property names of Get-SmbSession) [default: table]
    #[arg(
        long,
        value_name = "FORMAT",
        group = "output",
        hide_possible_values = true
    )]
    pub format: Option<Format>,
    /// Print one JSON object; the same as --format json
    #[arg(long, group = "output")]
    pub json: bool,
    /// Print one JSON object a line, each as soon as it is known
    #[arg(long, group = "output")]
    pub jsonl: bool,
    /// Print comma-separated values with a heading
    #[arg(long, group = "output")]
    pub csv: bool,
    /// Print tab-separated values without a heading
    #[arg(long, group = "output")]
    pub plain: bool,
}

impl SessionFormat {
    /// The one that was asked for.
    pub fn chosen(self) -> Format {
        match self {
            Self {
                format: Some(format),
                ..
            } => format,
            Self { json: true, .. } => Format::Json,
            Self { jsonl: true, .. } => Format::Jsonl,
            Self { csv: true, .. } => Format::Csv,
            Self { plain: true, .. } => Format::Plain,
            _ => Format::Table,
        }
    }
}

/// How to print accounts.
#[derive(Args, Debug, Clone, Copy, Default)]
pub struct AccountFormat {
    /// Print a JSON object
    #[arg(long, group = "output")]
    pub json: bool,
    /// Print comma-separated values with a heading
    #[arg(long, group = "output")]
    pub csv: bool,
    /// Print tab-separated values without a heading
    #[arg(long, group = "output")]
    pub plain: bool,
}
