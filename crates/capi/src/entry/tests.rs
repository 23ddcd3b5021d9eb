use netsession::{
    SessionInfo0, SessionInfo1, SessionInfo2, SessionInfo10, SessionInfo502, UserFlags,
};

use super::*;

/// The units of an LMSTR of the buffer, after a look at its place.
fn text(buffer: *mut u8, array_size: usize, string: Lmstr) -> String {
    let size = buffer::size(buffer).unwrap() as usize;
    let start = string.addr() - buffer.addr();
    assert!(start >= array_size && start < size && start.is_multiple_of(2));
    let mut units = Vec::new();
    loop {
        assert!(start + units.len() * 2 < size);
        // SAFETY: inside the buffer.
        match unsafe { string.add(units.len()).read() } {
            0 => return String::from_utf16(&units).unwrap(),
            unit => units.push(unit),
        }
    }
}

fn all(cname: &str, user: &str) -> SessionInfo {
    SessionInfo::Info502(SessionInfo502 {
        cname: cname.to_owned(),
        username: user.to_owned(),
        num_opens: 3,
        time: Duration::from_secs(u64::MAX),
        idle_time: Duration::from_millis(2_999),
        user_flags: UserFlags::from_bits(0x8000_0001),
        cltype_name: String::new(),
        transport: r"\Device\NetbiosSmb".to_owned(),
    })
}

#[test]
fn the_array_comes_first_and_its_strings_fill_the_rest() {
    let entries = [all("192.0.2.1", "\u{1F600}ä"), all("[fe80::1]", "")];
    let buffer = pack(&entries, 502).unwrap();
    // "192.0.2.1", three units, nothing, the transport; then the second entry.
    let units = (10 + 4 + 1 + 19) + (10 + 1 + 1 + 19);
    assert_eq!(buffer::size(buffer), Some(2 * 48 + 2 * units));
    // SAFETY: an array of two.
    let array = unsafe { std::slice::from_raw_parts(buffer.cast::<Info502>(), 2) };
    let read = |string| text(buffer, 96, string);
    let first = &array[0].info2.info1;
    assert_eq!(read(first.cname), "192.0.2.1");
    assert_eq!(read(first.username), "\u{1F600}ä");
    assert_eq!(
        (first.num_opens, first.time, first.idle_time),
        (3, u32::MAX, 2)
    );
    assert_eq!(first.user_flags, 0x8000_0001);
    assert_eq!(read(array[0].info2.cltype_name), "");
    assert_eq!(read(array[1].info2.info1.username), "");
    assert_eq!(read(array[1].transport), r"\Device\NetbiosSmb");
    assert!(buffer::free(buffer));
}

#[test]
fn each_level_has_its_fields() {
    let (cname, username) = ("c".to_owned(), "u".to_owned());
    let (time, idle_time) = (Duration::from_secs(5), Duration::from_secs(4));
    let user_flags = UserFlags::GUEST;
    let levels = [
        (
            0,
            8 + 4,
            SessionInfo::Info0(SessionInfo0 {
                cname: cname.clone(),
            }),
        ),
        (
            1,
            32 + 8,
            SessionInfo::Info1(SessionInfo1 {
                cname: cname.clone(),
                username: username.clone(),
                num_opens: 6,
                time,
                idle_time,
                user_flags,
            }),
        ),
        (
            2,
            40 + 12,
            SessionInfo::Info2(SessionInfo2 {
                cname: cname.clone(),
                username: username.clone(),
                num_opens: 6,
                time,
                idle_time,
                user_flags,
                cltype_name: "t".to_owned(),
            }),
        ),
        (
            10,
            24 + 8,
            SessionInfo::Info10(SessionInfo10 {
                cname,
                username,
                time,
                idle_time,
            }),
        ),
    ];
    for (level, size, info) in levels {
        let buffer = pack(&[info], level).unwrap();
        assert_eq!(buffer::size(buffer), Some(size), "level {level}");
        // SAFETY: at the start of every level stands the name, and each is as long as this.
        let cname = unsafe { buffer.cast::<Lmstr>().read() };
        assert_eq!(text(buffer, size as usize - 12, cname), "c");
        // SAFETY: the buffer holds an entry of its level.
        unsafe {
            match level {
                1 | 2 => {
                    let info = buffer.cast::<Info1>().read();
                    let numbers = (info.num_opens, info.time, info.idle_time, info.user_flags);
                    assert_eq!(numbers, (6, 5, 4, 1));
                }
                10 => {
                    let info = buffer.cast::<Info10>().read();
                    assert_eq!((info.time, info.idle_time), (5, 4));
                }
                _ => {}
            }
        }
        assert!(buffer::free(buffer));
    }
}

#[test]
fn nothing_is_no_buffer() {
    assert!(pack(&[], 1).unwrap().is_null());
}

#[test]
fn a_zero_inside_a_name_harms_nobody() {
    let buffer = pack(&[all("a\0b", "u")], 502).unwrap();
    // SAFETY: one entry.
    let info = unsafe { buffer.cast::<Info1>().read() };
    assert_eq!(text(buffer, 48, info.cname), "a");
    assert_eq!(text(buffer, 48, info.username), "u");
    assert!(buffer::free(buffer));
}
