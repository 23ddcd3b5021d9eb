//! Sessions with the property names of PowerShell's Get-SmbSession, one property a line.
//! MS-SRVS tells neither the number of a session nor its dialect or scope: those are empty.

use crate::remote::THIS_MACHINE;
use crate::row::Row;
use crate::text::printable;

/// PSComputerName of what is asked: PowerShell leaves it empty for this machine.
pub fn host(server: &str) -> &str {
    match server {
        THIS_MACHINE => "",
        named => named,
    }
}

/// One session; `server` is empty for this machine.
pub fn record(server: &str, row: &Row) -> String {
    let number = |value: Option<u32>| value.map_or(String::new(), |value| value.to_string());
    let name = |value: &Option<String>| value.as_deref().map_or(String::new(), printable);
    let unknown = String::new;
    let mut text = String::new();
    for (property, value) in [
        ("ClientComputerName", printable(&row.client)),
        ("ClientUserName", name(&row.user)),
        ("ClusterNodeName", unknown()),
        ("Dialect", unknown()),
        ("NumOpens", number(row.opens)),
        ("ScopeName", unknown()),
        ("SecondsExists", number(row.connected_seconds)),
        ("SecondsIdle", number(row.idle_seconds)),
        ("SessionId", unknown()),
        ("TransportName", name(&row.transport)),
        ("PSComputerName", printable(server)),
    ] {
        let line = format!("{property:<18} : {value}");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_in_the_order_of_their_names() {
        let row = Row {
            client: "[fe80::1]".into(),
            user: Some("Jürgen 名".into()),
            opens: Some(3),
            connected_seconds: Some(61),
            idle_seconds: None,
            user_flags: None,
            flags: None,
            client_type: None,
            transport: Some(r"\Device\NetbiosSmb".into()),
        };
        assert_eq!(
            record("srv", &row),
            "ClientComputerName : [fe80::1]\n\
             ClientUserName     : Jürgen 名\n\
             ClusterNodeName    :\n\
             Dialect            :\n\
             NumOpens           : 3\n\
             ScopeName          :\n\
             SecondsExists      : 61\n\
             SecondsIdle        :\n\
             SessionId          :\n\
             TransportName      : \\Device\\NetbiosSmb\n\
             PSComputerName     : srv\n"
        );
    }
}
