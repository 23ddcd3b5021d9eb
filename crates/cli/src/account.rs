//! `netsession account`: the accounts that may log on to `serve`.

use std::path::{Path, PathBuf};

use serde::Serialize;
use service::account::{
    AccountError, AccountFile, AccountName, AccountSummary, Membership, NtHash,
};
use service::config::default_state_dir;

use crate::arguments::{
    AccountArguments, AccountCommand, AccountFormat, AddArguments, DataDir, PasswdArguments,
};
use crate::failure::{Exit, Failure};
use crate::output::{self, SCHEMA_VERSION, columns, emit};
use crate::password;
use crate::text::printable;

/// The JSON object of `account list`.
#[derive(Serialize)]
struct Listing {
    schema_version: u32,
    accounts: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    sid: String,
    groups: Vec<&'static str>,
    disabled: bool,
}

/// Runs one command of `account`.
pub fn run(arguments: &AccountArguments) -> Result<(), Failure> {
    match &arguments.command {
        AccountCommand::Add(arguments) => add(arguments),
        AccountCommand::List(arguments) => list(&arguments.data_dir, arguments.format),
        AccountCommand::Passwd(arguments) => passwd(arguments),
        AccountCommand::Disable(account) => change(
            &account.data_dir,
            &account.name,
            "Disabled",
            |file, name| file.set_disabled(name, true),
        ),
        AccountCommand::Enable(account) => {
            change(&account.data_dir, &account.name, "Enabled", |file, name| {
                file.set_disabled(name, false)
            })
        }
        AccountCommand::Remove(account) => change(
            &account.data_dir,
            &account.name,
            "Removed",
            AccountFile::remove,
        ),
    }
}

fn add(arguments: &AddArguments) -> Result<(), Failure> {
    let directory = directory(&arguments.data_dir);
    let file = AccountFile::new(&directory);
    let name = account_name(&arguments.name)?;
    // Said before the password is asked for.
    let accounts = file
        .list()
        .map_err(|error| failure("add the account", error))?;
    if accounts
        .iter()
        .any(|account| account.name.folded() == name.folded())
    {
        return Err(failure(
            "add the account",
            AccountError::Exists(name.to_string()),
        ));
    }
    let password = password::new(name.as_str(), arguments.password.password_stdin)?;
    let membership = Membership {
        admin: arguments.admin,
        server_operator: arguments.server_operator,
    };
    let account = file
        .add(&name, NtHash::of_password(&password), membership)
        .map_err(|error| failure("add the account", error))?;
    let groups = groups(&account);
    let role = if groups.is_empty() {
        String::new()
    } else {
        format!(" ({})", groups.join(", "))
    };
    emit(
        format!(
            "Added {}{role} to {}.\n",
            printable(name.as_str()),
            file.path().display()
        )
        .as_bytes(),
    )
}

fn passwd(arguments: &PasswdArguments) -> Result<(), Failure> {
    let file = AccountFile::new(&directory(&arguments.data_dir));
    let name = account_name(&arguments.name)?;
    let tried = "change the password";
    let accounts = file.list().map_err(|error| failure(tried, error))?;
    if !accounts
        .iter()
        .any(|account| account.name.folded() == name.folded())
    {
        return Err(failure(tried, AccountError::NotFound(name.to_string())));
    }
    let password = password::new(name.as_str(), arguments.password.password_stdin)?;
    file.set_password(&name, NtHash::of_password(&password))
        .map_err(|error| failure(tried, error))?;
    emit(
        format!(
            "Changed the password of {}; sessions that exist stay.\n",
            printable(name.as_str())
        )
        .as_bytes(),
    )
}

fn change(
    data_dir: &DataDir,
    name: &str,
    done: &str,
    work: impl FnOnce(&AccountFile, &AccountName) -> Result<(), AccountError>,
) -> Result<(), Failure> {
    let file = AccountFile::new(&directory(data_dir));
    let name = account_name(name)?;
    work(&file, &name).map_err(|error| failure("change the account", error))?;
    let note = match done {
        "Enabled" => "",
        _ => "; sessions that exist stay, `netsession end` ends them",
    };
    emit(format!("{done} {}{note}.\n", printable(name.as_str())).as_bytes())
}

fn list(data_dir: &DataDir, format: AccountFormat) -> Result<(), Failure> {
    let directory = directory(data_dir);
    let accounts = AccountFile::new(&directory)
        .list()
        .map_err(|error| failure("list the accounts", error))?;
    let rows: Vec<Row> = accounts
        .iter()
        .map(|account| Row {
            name: account.name.to_string(),
            sid: account.sid.clone(),
            groups: groups(account),
            disabled: account.disabled,
        })
        .collect();
    emit(&listing(&directory, rows, format)?)
}

fn listing(directory: &Path, rows: Vec<Row>, format: AccountFormat) -> Result<Vec<u8>, Failure> {
    let state = |row: &Row| if row.disabled { "disabled" } else { "enabled" }.to_owned();
    if format.json {
        return output::json(&Listing {
            schema_version: SCHEMA_VERSION,
            accounts: rows,
        });
    }
    let values = rows.iter().map(|row| {
        [
            printable(&row.name),
            state(row),
            row.groups.join(" "),
            row.sid.clone(),
        ]
    });
    if format.csv {
        let heading = output::csv(&["name", "state", "groups", "sid"]);
        let lines = values.map(|values| output::csv(&values));
        return Ok((heading + &lines.collect::<String>()).into_bytes());
    }
    if format.plain {
        let lines = values.map(|values| output::plain(&values));
        return Ok(lines.collect::<String>().into_bytes());
    }
    if rows.is_empty() {
        let text = format!(
            "No accounts in {}; add one with `netsession account add NAME`.\n",
            directory.display()
        );
        return Ok(text.into_bytes());
    }
    let cells = rows.iter().map(|row| -> Vec<String> {
        vec![
            printable(&row.name),
            state(row),
            row.groups.join(", "),
            row.sid.clone(),
        ]
    });
    let headings = ["NAME", "STATE", "GROUPS", "SID"];
    Ok(columns::table(&headings, &[], cells.collect()).into_bytes())
}

fn groups(account: &AccountSummary) -> Vec<&'static str> {
    let mut groups = Vec::new();
    if account.admin {
        groups.push("Administrators");
    }
    if account.server_operator {
        groups.push("Server Operators");
    }
    groups
}

/// As `serve` finds it: flag, then environment, then default.
fn directory(data_dir: &DataDir) -> PathBuf {
    let environment = || std::env::var_os("NETSESSION_DATA_DIR").filter(|value| !value.is_empty());
    match &data_dir.data_dir {
        Some(directory) => directory.clone(),
        None => environment().map_or_else(default_state_dir, PathBuf::from),
    }
}

fn account_name(name: &str) -> Result<AccountName, Failure> {
    AccountName::new(name).map_err(|error| Failure::usage(error.to_string()))
}

fn failure(tried: &str, error: AccountError) -> Failure {
    let exit = match &error {
        AccountError::Name(_) | AccountError::Exists(_) | AccountError::NotFound(_) => Exit::Usage,
        _ => Exit::Local,
    };
    let advice = match &error {
        AccountError::NotFound(_) => "; see `netsession account list`",
        _ => "",
    };
    Failure {
        exit,
        message: format!("{tried}: {error}{advice}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<Row> {
        vec![Row {
            name: "alice".into(),
            sid: "S-1-5-21-1-2-3-1000".into(),
            groups: vec!["Administrators", "Server Operators"],
            disabled: true,
        }]
    }

    fn text(rows: Vec<Row>, format: AccountFormat) -> String {
        String::from_utf8(listing(Path::new("/state"), rows, format).unwrap()).unwrap()
    }

    #[test]
    fn formats() {
        let json: serde_json::Value = serde_json::from_str(&text(
            rows(),
            AccountFormat {
                json: true,
                ..AccountFormat::default()
            },
        ))
        .unwrap();
        assert_eq!(json["accounts"][0]["groups"][1], "Server Operators");
        assert_eq!(
            text(
                rows(),
                AccountFormat {
                    plain: true,
                    ..AccountFormat::default()
                }
            ),
            "alice\tdisabled\tAdministrators Server Operators\tS-1-5-21-1-2-3-1000\n"
        );
        assert!(
            text(rows(), AccountFormat::default()).contains("alice  disabled  Administrators, ")
        );
        assert!(text(Vec::new(), AccountFormat::default()).starts_with("No accounts in /state; "));
    }
}
