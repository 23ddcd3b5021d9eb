//! SESSION_INFO_0, 1, 2, 10 and 502 as lmshare.h lays them out, and answers made of them: the
//! array first, its strings behind it, one allocation.

use std::ptr::{NonNull, null_mut};
use std::time::Duration;

use netsession::SessionInfo;

use crate::buffer;
use crate::guard::Failure;

/// LMSTR.
pub(crate) type Lmstr = *mut u16;

#[repr(C)]
struct Info0 {
    cname: Lmstr,
}

#[repr(C)]
struct Info1 {
    cname: Lmstr,
    username: Lmstr,
    num_opens: u32,
    time: u32,
    idle_time: u32,
    user_flags: u32,
}

#[repr(C)]
struct Info2 {
    info1: Info1,
    cltype_name: Lmstr,
}

#[repr(C)]
struct Info10 {
    cname: Lmstr,
    username: Lmstr,
    time: u32,
    idle_time: u32,
}

#[repr(C)]
struct Info502 {
    info2: Info2,
    transport: Lmstr,
}

#[cfg(target_pointer_width = "64")]
const _: () = {
    use std::mem::offset_of;
    assert!(size_of::<Info0>() == 8 && size_of::<Info1>() == 32 && size_of::<Info2>() == 40);
    assert!(size_of::<Info10>() == 24 && size_of::<Info502>() == 48);
    assert!(offset_of!(Info1, username) == 8 && offset_of!(Info1, num_opens) == 16);
    assert!(offset_of!(Info1, time) == 20 && offset_of!(Info1, idle_time) == 24);
    assert!(offset_of!(Info1, user_flags) == 28 && offset_of!(Info2, cltype_name) == 32);
    assert!(offset_of!(Info10, time) == 16 && offset_of!(Info10, idle_time) == 20);
    assert!(offset_of!(Info502, transport) == 40);
};

/// A fixed part, made of pointers and DWORDs: any bytes of its size are one.
trait Entry: Sized {
    fn new(info: &SessionInfo, strings: &mut Strings) -> Self;
}

impl Entry for Info0 {
    fn new(info: &SessionInfo, strings: &mut Strings) -> Self {
        Self {
            cname: strings.put(info.cname()),
        }
    }
}

impl Entry for Info1 {
    fn new(info: &SessionInfo, strings: &mut Strings) -> Self {
        Self {
            cname: strings.put(info.cname()),
            username: strings.put(info.username().unwrap_or_default()),
            num_opens: info.num_opens().unwrap_or_default(),
            time: seconds(info.time()),
            idle_time: seconds(info.idle_time()),
            user_flags: info.user_flags().map_or(0, |flags| flags.bits()),
        }
    }
}

impl Entry for Info2 {
    fn new(info: &SessionInfo, strings: &mut Strings) -> Self {
        Self {
            info1: Info1::new(info, strings),
            cltype_name: strings.put(info.cltype_name().unwrap_or_default()),
        }
    }
}

impl Entry for Info10 {
    fn new(info: &SessionInfo, strings: &mut Strings) -> Self {
        Self {
            cname: strings.put(info.cname()),
            username: strings.put(info.username().unwrap_or_default()),
            time: seconds(info.time()),
            idle_time: seconds(info.idle_time()),
        }
    }
}

impl Entry for Info502 {
    fn new(info: &SessionInfo, strings: &mut Strings) -> Self {
        Self {
            info2: Info2::new(info, strings),
            transport: strings.put(info.transport().unwrap_or_default()),
        }
    }
}

fn seconds(time: Option<Duration>) -> u32 {
    let seconds = time.unwrap_or_default().as_secs();
    u32::try_from(seconds).unwrap_or(u32::MAX)
}

/// The strings of an answer: first only counted, then put behind its array.
struct Strings {
    /// Where they go; `None` while counting.
    place: Option<NonNull<u16>>,
    /// Units that `place` has room for.
    room: usize,
    /// Units so far.
    used: usize,
}

impl Strings {
    fn counting() -> Self {
        Self {
            place: None,
            room: 0,
            used: 0,
        }
    }

    /// A copy of `text` with its zero. A zero inside stays: C sees what is before it.
    fn put(&mut self, text: &str) -> Lmstr {
        let start = self.used;
        let Some(place) = self.place else {
            self.used += text.encode_utf16().count() + 1;
            return null_mut();
        };
        for unit in text.encode_utf16().chain([0]) {
            assert!(self.used < self.room, "counted and put the same strings");
            // SAFETY: `place` has `room` units, and `used` is below that.
            unsafe { place.add(self.used).write(unit) };
            self.used += 1;
        }
        // SAFETY: at least the zero was put at `start`, so it is inside.
        unsafe { place.add(start) }.as_ptr()
    }
}

/// The answer at `level` in a buffer of its own; NULL for no entries.
pub(crate) fn pack(entries: &[SessionInfo], level: u32) -> Result<*mut u8, Failure> {
    match level {
        0 => pack_as::<Info0>(entries),
        1 => pack_as::<Info1>(entries),
        2 => pack_as::<Info2>(entries),
        10 => pack_as::<Info10>(entries),
        502 => pack_as::<Info502>(entries),
        _ => unreachable!("entries of level {level}, which no answer has"),
    }
}

fn pack_as<E: Entry>(entries: &[SessionInfo]) -> Result<*mut u8, Failure> {
    if entries.is_empty() {
        return Ok(null_mut());
    }
    let mut counted = Strings::counting();
    for info in entries {
        E::new(info, &mut counted);
    }
    let room = counted.used;
    let array_size = entries.len() * size_of::<E>();
    let size = room
        .checked_mul(size_of::<u16>())
        .and_then(|size| size.checked_add(array_size))
        // NetApiBufferSize tells sizes in a DWORD.
        .and_then(|size| u32::try_from(size).ok())
        .ok_or_else(Failure::no_memory)?;
    let buffer = buffer::allocate(size).ok_or_else(Failure::no_memory)?;
    // SAFETY: the buffer is array_size + 2 * room bytes long, so the strings begin inside;
    // array_size is a multiple of an even size, so they are aligned.
    let place = unsafe { buffer.add(array_size) }.cast::<u16>();
    let mut strings = Strings {
        place: Some(place),
        room,
        used: 0,
    };
    let array = buffer.cast::<E>();
    for (index, info) in entries.iter().enumerate() {
        let entry = E::new(info, &mut strings);
        // SAFETY: the array has as many elements as `entries`, and buffers are aligned for any
        // type of C.
        unsafe { array.add(index).write(entry) };
    }
    Ok(buffer.as_ptr())
}

#[cfg(test)]
mod tests;
