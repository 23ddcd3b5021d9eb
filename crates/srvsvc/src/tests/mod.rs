//! Known bytes, round trips, truncation and hostile bytes.

mod hostile;
mod known_bytes;
mod neighbours;
mod round_trip;
mod vectors;

use rpc::Syntax;

use crate::{SESS_GUEST, SessionInfo};

const SYNTAXES: [Syntax; 2] = [Syntax::Ndr20, Syntax::Ndr64];

/// Sessions A and B of the vectors, as `level` shows them.
fn sessions(level: u32) -> Vec<SessionInfo> {
    let full = [
        SessionInfo {
            cname: "192.0.2.10".to_owned(),
            username: "alice".to_owned(),
            num_opens: 2,
            time: 3661,
            idle_time: 5,
            user_flags: 0,
            cltype_name: String::new(),
            transport: r"\Device\NetbiosSmb".to_owned(),
        },
        SessionInfo {
            cname: "192.0.2.11".to_owned(),
            username: "bob".to_owned(),
            num_opens: 0,
            time: 60,
            idle_time: 0,
            user_flags: SESS_GUEST,
            cltype_name: String::new(),
            transport: r"\Device\NetbiosSmb".to_owned(),
        },
    ];
    full.into_iter()
        .map(|session| at_level(session, level))
        .collect()
}

/// Without the fields that `level` lacks; cname as this project's server spells it.
fn at_level(session: SessionInfo, level: u32) -> SessionInfo {
    let cname = match level {
        502 => session.cname,
        _ => format!(r"\\{}", session.cname),
    };
    match level {
        0 => SessionInfo {
            cname,
            ..SessionInfo::default()
        },
        1 => SessionInfo {
            cname,
            cltype_name: String::new(),
            transport: String::new(),
            ..session
        },
        2 => SessionInfo {
            cname,
            transport: String::new(),
            ..session
        },
        10 => SessionInfo {
            cname,
            username: session.username,
            time: session.time,
            idle_time: session.idle_time,
            ..SessionInfo::default()
        },
        _ => SessionInfo { cname, ..session },
    }
}
