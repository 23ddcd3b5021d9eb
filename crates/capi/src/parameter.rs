//! Parameters as C hands them over: what can be seen to be wrong is refused with 87 before
//! anything is read or sent.

use std::ffi::{CStr, c_char};
use std::ptr::NonNull;

use crate::guard::Failure;

/// Longest name in units, with its zero. A host name has at most 255 octets, UNLEN is 256: a
/// string without an end within this is none.
pub(crate) const MAX_UNITS: usize = 1024;

/// Linux maps nothing below this for a program (vm.mmap_min_addr): such addresses are small
/// numbers, or fields of structures at NULL.
const FIRST_PAGE: usize = 4096;

/// Not NULL, and neither misaligned nor in the first page.
fn judged<T>(pointer: *const T, what: &str) -> Result<Option<NonNull<T>>, Failure> {
    let Some(pointer) = NonNull::new(pointer.cast_mut()) else {
        return Ok(None);
    };
    if !pointer.is_aligned() {
        let alignment = align_of::<T>();
        return Err(Failure::parameter(format!(
            "{what} ({pointer:p}) is misaligned; pass an address that is a multiple of {alignment}"
        )));
    }
    if pointer.addr().get() < FIRST_PAGE {
        return Err(Failure::parameter(format!(
            "{what} ({pointer:p}) is no address; pass one or NULL"
        )));
    }
    Ok(Some(pointer))
}

/// Where an answer goes.
pub(crate) struct Out<T>(NonNull<T>);

impl<T: Copy> Out<T> {
    /// # Safety
    /// `pointer` is NULL, visibly wrong ([`judged`]), or valid for reads and writes of a `T`
    /// for as long as this lives.
    pub(crate) unsafe fn new(pointer: *mut T, what: &str) -> Result<Option<Self>, Failure> {
        Ok(judged(pointer, what)?.map(Self))
    }

    pub(crate) fn set(&self, value: T) {
        // SAFETY: `new` demands that it is valid; two of them may name the same place, which
        // is why no reference is made.
        unsafe { self.0.write(value) };
    }

    pub(crate) fn get(&self) -> T {
        // SAFETY: as in `set`.
        unsafe { self.0.read() }
    }
}

/// The text of an LMSTR; `None` for NULL.
///
/// # Safety
/// `pointer` is NULL, visibly wrong ([`judged`]), or readable up to its zero or for
/// [`MAX_UNITS`] units, whichever comes first.
pub(crate) unsafe fn utf16(pointer: *const u16, what: &str) -> Result<Option<String>, Failure> {
    let Some(pointer) = judged(pointer, what)? else {
        return Ok(None);
    };
    let mut units = Vec::new();
    loop {
        if units.len() == MAX_UNITS {
            return Err(Failure::parameter(format!(
                "{what} has no zero within {MAX_UNITS} units; end the string, or shorten it"
            )));
        }
        // SAFETY: all units before this one were readable and not zero, and there are fewer
        // than MAX_UNITS of them.
        match unsafe { pointer.add(units.len()).read() } {
            0 => return from_units(&units, what).map(Some),
            unit => units.push(unit),
        }
    }
}

/// As [`utf16`], of any length.
///
/// # Safety
/// `pointer` is NULL, visibly wrong ([`judged`]), or readable up to its zero.
pub(crate) unsafe fn long_utf16(
    pointer: *const u16,
    what: &str,
) -> Result<Option<String>, Failure> {
    let Some(pointer) = judged(pointer, what)? else {
        return Ok(None);
    };
    // SAFETY: the caller vouches for every unit up to the zero.
    let units = unsafe { std::slice::from_raw_parts(pointer.as_ptr(), units(pointer)) };
    from_units(units, what).map(Some)
}

/// Units before the zero; 0 for NULL or an address that is visibly wrong.
///
/// # Safety
/// As [`long_utf16`].
pub(crate) unsafe fn utf16_length(pointer: *const u16) -> usize {
    match judged(pointer, "text") {
        // SAFETY: as the caller says.
        Ok(Some(pointer)) => unsafe { units(pointer) },
        _ => 0,
    }
}

/// # Safety
/// Readable up to its zero.
unsafe fn units(pointer: NonNull<u16>) -> usize {
    let mut length = 0;
    // SAFETY: all units before this one were not zero.
    while unsafe { pointer.add(length).read() } != 0 {
        length += 1;
    }
    length
}

/// No account and no computer has half a surrogate pair in its name, and UTF-8 has no way to
/// say it: refused rather than replaced.
fn from_units(units: &[u16], what: &str) -> Result<String, Failure> {
    String::from_utf16(units).map_err(|_| {
        Failure::parameter(format!(
            "{what} is not UTF-16: half of a surrogate pair in it; is it made of 16-bit units?"
        ))
    })
}

/// A text in UTF-8, at most `most` bytes without its zero; `None` for NULL.
///
/// # Safety
/// `pointer` is NULL, visibly wrong ([`judged`]), or readable up to its zero or for `most` + 1
/// bytes, whichever comes first, and stays as it is for as long as the result is used.
pub(crate) unsafe fn utf8<'a>(
    pointer: *const c_char,
    most: usize,
    what: &str,
) -> Result<Option<&'a str>, Failure> {
    let Some(pointer) = judged(pointer, what)? else {
        return Ok(None);
    };
    // SAFETY: as the caller says.
    let length = unsafe { libc::strnlen(pointer.as_ptr(), most.saturating_add(1)) };
    if length > most {
        return Err(Failure::parameter(format!(
            "{what} is longer than {most} bytes; shorten it"
        )));
    }
    // SAFETY: strnlen has found the zero at `length`.
    let text = unsafe { CStr::from_ptr(pointer.as_ptr()) };
    text.to_str().map(Some).map_err(|error| {
        let place = error.valid_up_to();
        Failure::parameter(format!("{what} is not UTF-8 (from byte {place} on)"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::INVALID_PARAMETER;

    fn read(units: &[u16]) -> Result<Option<String>, u32> {
        // SAFETY: every slice here has a zero or more than MAX_UNITS units.
        unsafe { utf16(units.as_ptr(), "name") }.map_err(|failure| failure.status())
    }

    #[test]
    fn text_ends_at_its_zero() {
        let text: Vec<u16> = "\\\\srv\u{1F600}\0behind".encode_utf16().collect();
        assert_eq!(read(&text), Ok(Some("\\\\srv\u{1F600}".to_owned())));
        assert_eq!(read(&[0]), Ok(Some(String::new())));
        // SAFETY: NULL.
        assert!(unsafe { utf16(std::ptr::null(), "name") }.is_ok_and(|text| text.is_none()));
    }

    #[test]
    fn text_without_end_is_refused_at_the_bound() {
        let mut units = vec![0x61; MAX_UNITS];
        assert_eq!(read(&units), Err(INVALID_PARAMETER));
        units[MAX_UNITS - 1] = 0;
        assert_eq!(read(&units).unwrap().unwrap().len(), MAX_UNITS - 1);
    }

    #[test]
    fn half_a_pair_is_refused() {
        assert_eq!(read(&[0x61, 0xD83D, 0]), Err(INVALID_PARAMETER));
        assert_eq!(read(&[0xDE00, 0xD83D, 0]), Err(INVALID_PARAMETER));
    }

    #[test]
    fn visibly_wrong_addresses_are_refused() {
        for address in [1, 2, 4094, 0x10001] {
            let pointer = std::ptr::without_provenance(address);
            // SAFETY: visibly wrong.
            let refused = unsafe { utf16(pointer, "name") }.unwrap_err();
            assert_eq!(refused.status(), INVALID_PARAMETER, "{address}");
        }
        let mut place = [0u32; 2];
        let odd = (&raw mut place).cast::<u8>().wrapping_add(2).cast::<u32>();
        // SAFETY: visibly wrong.
        assert!(unsafe { Out::new(odd, "count") }.is_err());
    }

    #[test]
    fn utf8_is_bounded_and_checked() {
        // SAFETY: C string literals.
        unsafe {
            assert_eq!(utf8(c"abc".as_ptr(), 3, "user").unwrap(), Some("abc"));
            assert!(utf8(c"abcd".as_ptr(), 3, "user").is_err());
            assert!(utf8(c"a\xFF".as_ptr(), 3, "user").is_err());
            assert_eq!(utf8(std::ptr::null(), 3, "user").unwrap(), None);
        }
    }
}
