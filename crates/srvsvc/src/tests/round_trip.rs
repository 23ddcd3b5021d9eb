use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::SYNTAXES;
use crate::*;

/// Any text without NUL, which would end it.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ -~]{0,20}", "\\PC{0,20}"]
}

fn session() -> impl Strategy<Value = SessionInfo> {
    (vec(text(), 4), any::<[u32; 4]>()).prop_map(|(mut texts, numbers)| {
        let mut text = || texts.pop().unwrap_or_default();
        SessionInfo {
            cname: text(),
            username: text(),
            num_opens: numbers[0],
            time: numbers[1],
            idle_time: numbers[2],
            user_flags: numbers[3],
            cltype_name: text(),
            transport: text(),
        }
    })
}

fn share() -> impl Strategy<Value = ShareInfo> {
    (vec(text(), 3), any::<[u32; 5]>(), vec(any::<u8>(), 0..20)).prop_map(
        |(mut texts, numbers, security_descriptor)| {
            let mut text = || texts.pop().unwrap_or_default();
            ShareInfo {
                netname: text(),
                share_type: numbers[0],
                remark: text(),
                permissions: numbers[1],
                max_uses: numbers[2],
                current_uses: numbers[3],
                path: text(),
                flags: numbers[4],
                security_descriptor,
            }
        },
    )
}

fn file() -> impl Strategy<Value = FileInfo> {
    (any::<[u32; 3]>(), text(), text()).prop_map(
        |([id, permissions, num_locks], path_name, user_name)| FileInfo {
            id,
            permissions,
            num_locks,
            path_name,
            user_name,
        },
    )
}

fn connection() -> impl Strategy<Value = ConnectionInfo> {
    (any::<[u32; 5]>(), text(), text()).prop_map(|(numbers, username, netname)| {
        let [id, connection_type, num_opens, num_users, time] = numbers;
        ConnectionInfo {
            id,
            connection_type,
            num_opens,
            num_users,
            time,
            username,
            netname,
        }
    })
}

fn server() -> impl Strategy<Value = ServerInfo> {
    (any::<[u32; 10]>(), text(), text(), text()).prop_map(|(n, name, comment, userpath)| {
        ServerInfo {
            platform_id: n[0],
            name,
            version_major: n[1],
            version_minor: n[2],
            server_type: n[3],
            comment,
            users: n[4],
            disc: n[5],
            hidden: n[6],
            announce: n[7],
            anndelta: n[8],
            licenses: n[9],
            userpath,
        }
    })
}

/// A row written at a level and read back has lost the fields of other levels; written again
/// it gives the same bytes, and read again the same row. Cut anywhere, it is refused.
fn enumeration<R>(rows: Vec<R>, level: u32, total_entries: u32, resume_handle: Option<u32>)
where
    R: for<'a> ReadRow<'a> + Clone + PartialEq + std::fmt::Debug,
{
    for syntax in SYNTAXES {
        let result = NetApiStatus::MORE_DATA;
        let reply = EnumResponse {
            level,
            entries: rows.clone(),
            total_entries,
            resume_handle,
            result,
        };
        let bytes = reply.write(syntax);
        assert_eq!(
            bytes,
            EnumResponse {
                entries: rows.as_slice(),
                ..slice_of(&reply)
            }
            .write(syntax)
        );
        let read = EnumResponse::<Vec<R>>::read(syntax, &bytes).unwrap();
        assert_eq!(read.entries.len(), rows.len());
        assert_eq!((read.level, read.total_entries), (level, total_entries));
        assert_eq!((read.resume_handle, read.result), (resume_handle, result));
        assert!(read.write(syntax).len() <= bytes.len());
        let again = EnumResponse::<Vec<R>>::read(syntax, &read.write(syntax)).unwrap();
        assert_eq!(again, read);
        for end in 0..bytes.len() {
            EnumResponse::<Vec<R>>::read(syntax, &bytes[..end]).unwrap_err();
        }
    }
}

fn slice_of<R>(reply: &EnumResponse<Vec<R>>) -> EnumResponse<&[R]> {
    EnumResponse {
        level: reply.level,
        entries: &reply.entries,
        total_entries: reply.total_entries,
        resume_handle: reply.resume_handle,
        result: reply.result,
    }
}

fn get_info<R>(info: R, level: u32)
where
    R: for<'a> ReadRow<'a> + Clone + PartialEq + std::fmt::Debug,
{
    for syntax in SYNTAXES {
        let reply = GetInfoResponse {
            level,
            info: Some(info.clone()),
            result: NetApiStatus::SUCCESS,
        };
        let bytes = reply.write(syntax);
        let read = GetInfoResponse::<R>::read(syntax, level, &bytes).unwrap();
        assert_eq!(read.write(syntax), bytes);
        assert!(read.info.is_some());
        for end in 0..bytes.len() {
            GetInfoResponse::<R>::read(syntax, level, &bytes[..end]).unwrap_err();
        }
    }
}

macro_rules! requests_round_trip {
    ($request:expr, $type:ident) => {{
        let request = $request;
        for syntax in SYNTAXES {
            let bytes = request.write(syntax);
            assert_eq!($type::read(syntax, &bytes).as_ref(), Ok(&request));
            for end in 0..bytes.len() {
                $type::read(syntax, &bytes[..end]).unwrap_err();
            }
        }
    }};
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sessions(
        rows in vec(session(), 0..4),
        level in prop::sample::select(SessionInfo::<String>::ENUM_LEVELS),
        total in any::<u32>(),
        resume in option::of(any::<u32>()),
    ) {
        enumeration(rows.clone(), level, total, resume);
        if level == 502 {
            for syntax in SYNTAXES {
                let reply = SessionEnumResponse {
                    level,
                    entries: rows.clone(),
                    total_entries: total,
                    resume_handle: resume,
                    result: NetApiStatus::SUCCESS,
                };
                prop_assert_eq!(SessionEnumResponse::read(syntax, &reply.write(syntax)), Ok(reply));
            }
        }
    }

    #[test]
    fn shares(
        rows in vec(share(), 0..4),
        level in prop::sample::select(ShareInfo::<String>::ENUM_LEVELS),
        info_level in prop::sample::select(ShareInfo::<String>::INFO_LEVELS),
        total in any::<u32>(),
        resume in option::of(any::<u32>()),
    ) {
        if let Some(share) = rows.first() {
            get_info(share.clone(), info_level);
        }
        enumeration(rows, level, total, resume);
    }

    #[test]
    fn files(rows in vec(file(), 0..4), level in 2u32..4, resume in option::of(any::<u32>())) {
        if let Some(file) = rows.first() {
            get_info(file.clone(), level);
        }
        enumeration(rows, level, 9, resume);
    }

    #[test]
    fn connections(rows in vec(connection(), 0..4), level in 0u32..2) {
        enumeration(rows, level, 9, None);
    }

    #[test]
    fn servers(server in server(), level in 100u32..103) {
        get_info(server, level);
    }

    #[test]
    fn times(numbers in any::<[u32; 11]>(), timezone in any::<i32>(), present in any::<bool>()) {
        let [elapsedt, msecs, hours, mins, secs, hunds, tinterval, day, month, year, weekday] = numbers;
        let info = TimeOfDayInfo {
            elapsedt, msecs, hours, mins, secs, hunds, timezone, tinterval, day, month, year, weekday,
        };
        let reply =
            RemoteTodResponse { info: present.then_some(info), result: NetApiStatus::SUCCESS };
        for syntax in SYNTAXES {
            let bytes = reply.write(syntax);
            prop_assert_eq!(RemoteTodResponse::read(syntax, &bytes), Ok(reply));
            for end in 0..bytes.len() {
                prop_assert!(RemoteTodResponse::read(syntax, &bytes[..end]).is_err());
            }
        }
    }

    #[test]
    fn requests(
        names in vec(option::of(text()), 3),
        net_name in text(),
        session_level in prop::sample::select(SessionInfo::<String>::ENUM_LEVELS),
        number in any::<u32>(),
        prefered_maximum_length in any::<u32>(),
        resume_handle in option::of(any::<u32>()),
    ) {
        let [server_name, client_name, user_name] = &names[..] else { unreachable!() };
        let (server_name, client_name, user_name) =
            (server_name.clone(), client_name.clone(), user_name.clone());
        requests_round_trip!(SessionEnumRequest {
            server_name: server_name.clone(),
            client_name: client_name.clone(),
            user_name: user_name.clone(),
            level: session_level,
            prefered_maximum_length,
            resume_handle,
        }, SessionEnumRequest);
        requests_round_trip!(SessionDelRequest {
            server_name: server_name.clone(),
            client_name: client_name.clone(),
            user_name: user_name.clone(),
        }, SessionDelRequest);
        requests_round_trip!(ConnectionEnumRequest {
            server_name: server_name.clone(),
            qualifier: client_name.clone(),
            level: number % 2,
            prefered_maximum_length,
            resume_handle,
        }, ConnectionEnumRequest);
        requests_round_trip!(FileEnumRequest {
            server_name: server_name.clone(),
            base_path: client_name,
            user_name,
            level: 2 + number % 2,
            prefered_maximum_length,
            resume_handle,
        }, FileEnumRequest);
        requests_round_trip!(ShareEnumRequest {
            server_name: server_name.clone(),
            level: 502,
            prefered_maximum_length,
            resume_handle,
        }, ShareEnumRequest);
        requests_round_trip!(FileGetInfoRequest {
            server_name: server_name.clone(), file_id: number, level: 3,
        }, FileGetInfoRequest);
        requests_round_trip!(FileCloseRequest {
            server_name: server_name.clone(), file_id: number,
        }, FileCloseRequest);
        requests_round_trip!(ShareGetInfoRequest {
            server_name: server_name.clone(), net_name, level: number,
        }, ShareGetInfoRequest);
        requests_round_trip!(ServerGetInfoRequest {
            server_name: server_name.clone(), level: number,
        }, ServerGetInfoRequest);
        requests_round_trip!(RemoteTodRequest { server_name }, RemoteTodRequest);
    }
}
