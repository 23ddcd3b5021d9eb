//! The exported functions. The headers describe them for C; what is said of pointers here is
//! what a C program has to keep to.

use std::ffi::{c_char, c_int, c_void};
use std::path::PathBuf;
use std::ptr::null_mut;

use crate::buffer::{self, Refusal};
use crate::entry::{Lmstr, pack};
use crate::guard::{Failure, caught, guarded, last_error};
use crate::parameter::{Out, long_utf16, utf8, utf16, utf16_length};
use crate::settings::{self, MAX_NAME, MAX_PASSWORD, MAX_SOCKET_PATH};
use crate::status::{self, MORE_DATA, SUCCESS};

fn required<T>(out: Option<Out<T>>, what: &str) -> Result<Out<T>, Failure> {
    out.ok_or_else(|| Failure::parameter(format!("{what} is NULL; say where the answer goes")))
}

/// Where an answer goes, emptied, so that nothing stale is left whatever happens then.
///
/// # Safety
/// As [`Out::new`].
unsafe fn emptied<T: Copy>(
    pointer: *mut T,
    empty: T,
    what: &str,
) -> Result<Option<Out<T>>, Failure> {
    // SAFETY: as the caller says.
    let out = unsafe { Out::new(pointer, what) }?;
    if let Some(out) = &out {
        out.set(empty);
    }
    Ok(out)
}

/// NetSessionEnum (lmshare.h).
///
/// # Safety
/// Pointers are NULL or valid: names readable up to their zero or for 1,024 units, the others
/// readable and writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NetSessionEnum(
    servername: Lmstr,
    unc_client_name: Lmstr,
    username: Lmstr,
    level: u32,
    bufptr: *mut *mut u8,
    prefmaxlen: u32,
    entriesread: *mut u32,
    totalentries: *mut u32,
    resume_handle: *mut u32,
) -> u32 {
    guarded("NetSessionEnum", || {
        // SAFETY: as the caller says. All three are emptied before any is judged.
        let outs = unsafe {
            (
                emptied(bufptr, null_mut(), "bufptr"),
                emptied(entriesread, 0, "entriesread"),
                emptied(totalentries, 0, "totalentries"),
            )
        };
        let bufptr = required(outs.0?, "bufptr")?;
        let entriesread = required(outs.1?, "entriesread")?;
        let totalentries = required(outs.2?, "totalentries")?;
        // SAFETY: as the caller says.
        let (resume_handle, servername, client, username) = unsafe {
            (
                Out::new(resume_handle, "resume_handle")?,
                utf16(servername, "servername")?,
                utf16(unc_client_name, "UncClientName")?,
                utf16(username, "username")?,
            )
        };
        let answer = settings::netapi()?.net_session_enum(
            servername.as_deref(),
            client.as_deref(),
            username.as_deref(),
            level,
            prefmaxlen,
            resume_handle.as_ref().map(Out::get),
        )?;
        bufptr.set(pack(&answer.entries, level)?);
        entriesread.set(answer.entries_read);
        totalentries.set(answer.total_entries);
        if let Some(resume_handle) = resume_handle {
            resume_handle.set(answer.resume_handle);
        }
        Ok(if answer.more_data { MORE_DATA } else { SUCCESS })
    })
}

/// NetSessionGetInfo (lmshare.h).
///
/// # Safety
/// As [`NetSessionEnum`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NetSessionGetInfo(
    servername: Lmstr,
    unc_client_name: Lmstr,
    username: Lmstr,
    level: u32,
    bufptr: *mut *mut u8,
) -> u32 {
    guarded("NetSessionGetInfo", || {
        // SAFETY: as the caller says.
        let bufptr = unsafe { emptied(bufptr, null_mut(), "bufptr") }?;
        let bufptr = required(bufptr, "bufptr")?;
        // SAFETY: as the caller says.
        let (servername, client, username) = unsafe {
            (
                utf16(servername, "servername")?,
                utf16(unc_client_name, "UncClientName")?,
                utf16(username, "username")?,
            )
        };
        let answer = settings::netapi()?.net_session_get_info(
            servername.as_deref(),
            client.as_deref(),
            username.as_deref(),
            level,
        )?;
        bufptr.set(pack(&answer.entries, level)?);
        Ok(SUCCESS)
    })
}

/// NetSessionDel (lmshare.h).
///
/// # Safety
/// As [`NetSessionEnum`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NetSessionDel(
    servername: Lmstr,
    unc_client_name: Lmstr,
    username: Lmstr,
) -> u32 {
    guarded("NetSessionDel", || {
        // SAFETY: as the caller says.
        let (servername, client, username) = unsafe {
            (
                utf16(servername, "servername")?,
                utf16(unc_client_name, "UncClientName")?,
                utf16(username, "username")?,
            )
        };
        settings::netapi()?.net_session_del(
            servername.as_deref(),
            client.as_deref(),
            username.as_deref(),
        )?;
        Ok(SUCCESS)
    })
}

/// NetApiBufferAllocate (lmapibuf.h).
///
/// # Safety
/// `buffer` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NetApiBufferAllocate(byte_count: u32, buffer: *mut *mut c_void) -> u32 {
    guarded("NetApiBufferAllocate", || {
        // SAFETY: as the caller says.
        let buffer = required(unsafe { emptied(buffer, null_mut(), "Buffer") }?, "Buffer")?;
        let allocated = buffer::allocate(byte_count).ok_or_else(Failure::no_memory)?;
        buffer.set(allocated.as_ptr().cast());
        Ok(SUCCESS)
    })
}

/// NetApiBufferFree (lmapibuf.h). Any address is safe; the buffer must not be used afterwards.
#[unsafe(no_mangle)]
pub extern "C" fn NetApiBufferFree(buffer: *mut c_void) -> u32 {
    guarded("NetApiBufferFree", || {
        if buffer.is_null() || buffer::free(buffer.cast()) {
            return Ok(SUCCESS);
        }
        Err(foreign(buffer))
    })
}

/// NetApiBufferReallocate (lmapibuf.h).
///
/// # Safety
/// `new_buffer` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NetApiBufferReallocate(
    old_buffer: *mut c_void,
    new_byte_count: u32,
    new_buffer: *mut *mut c_void,
) -> u32 {
    guarded("NetApiBufferReallocate", || {
        // SAFETY: as the caller says.
        let new_buffer = unsafe { emptied(new_buffer, null_mut(), "NewBuffer") }?;
        let new_buffer = required(new_buffer, "NewBuffer")?;
        let old: *mut u8 = old_buffer.cast();
        let moved = match (old.is_null(), new_byte_count) {
            (true, 0) => return Ok(SUCCESS),
            (true, _) => buffer::allocate(new_byte_count).ok_or_else(Failure::no_memory)?,
            (false, 0) if buffer::free(old) => return Ok(SUCCESS),
            (false, 0) => return Err(foreign(old_buffer)),
            (false, _) => {
                buffer::reallocate(old, new_byte_count).map_err(|refusal| match refusal {
                    Refusal::Foreign => foreign(old_buffer),
                    Refusal::NoMemory => Failure::no_memory(),
                })?
            }
        };
        new_buffer.set(moved.as_ptr().cast());
        Ok(SUCCESS)
    })
}

/// NetApiBufferSize (lmapibuf.h).
///
/// # Safety
/// `byte_count` is NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn NetApiBufferSize(buffer: *mut c_void, byte_count: *mut u32) -> u32 {
    guarded("NetApiBufferSize", || {
        // SAFETY: as the caller says.
        let byte_count = unsafe { emptied(byte_count, 0, "ByteCount") }?;
        let byte_count = required(byte_count, "ByteCount")?;
        byte_count.set(buffer::size(buffer.cast()).ok_or_else(|| foreign(buffer))?);
        Ok(SUCCESS)
    })
}

fn foreign(buffer: *mut c_void) -> Failure {
    Failure::parameter(format!(
        "{buffer:p} is not a buffer of this library, or was freed before; pass what it handed out, once"
    ))
}

/// netsession_set_credentials (netsession.h).
///
/// # Safety
/// Each is NULL or a string with its zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsession_set_credentials(
    domain: *const c_char,
    user: *const c_char,
    password: *const c_char,
) -> u32 {
    guarded("netsession_set_credentials", || {
        // SAFETY: as the caller says.
        let (domain, user, password) = unsafe {
            (
                utf8(domain, MAX_NAME, "domain")?.unwrap_or_default(),
                utf8(user, MAX_NAME, "user")?.unwrap_or_default(),
                utf8(password, MAX_PASSWORD, "password")?.unwrap_or_default(),
            )
        };
        let credentials = settings::credentials(domain, user, password)?;
        settings::change(|settings| settings.credentials = Some(credentials));
        Ok(SUCCESS)
    })
}

/// netsession_set_logon (netsession.h).
///
/// # Safety
/// NULL or a string with its zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsession_set_logon(text: *const c_char) -> u32 {
    guarded("netsession_set_logon", || {
        // SAFETY: as the caller says.
        let text = unsafe { utf8(text, MAX_NAME + 1 + MAX_PASSWORD, "text") }?;
        let credentials = netsession::Credentials::parse(text.unwrap_or_default())?;
        settings::change(|settings| settings.credentials = Some(credentials));
        Ok(SUCCESS)
    })
}

/// netsession_set_port (netsession.h).
#[unsafe(no_mangle)]
pub extern "C" fn netsession_set_port(port: u16) -> u32 {
    guarded("netsession_set_port", || {
        settings::change(|settings| settings.port = (port != 0).then_some(port));
        Ok(SUCCESS)
    })
}

/// netsession_set_time_limits (netsession.h).
#[unsafe(no_mangle)]
pub extern "C" fn netsession_set_time_limits(connect: u32, logon: u32, call: u32) -> u32 {
    guarded("netsession_set_time_limits", || {
        settings::change(|settings| settings.set_time_limits(connect, logon, call));
        Ok(SUCCESS)
    })
}

/// netsession_set_encryption_required (netsession.h).
#[unsafe(no_mangle)]
pub extern "C" fn netsession_set_encryption_required(required: c_int) -> u32 {
    guarded("netsession_set_encryption_required", || {
        settings::change(|settings| settings.set_encryption_required(required != 0));
        Ok(SUCCESS)
    })
}

/// netsession_set_local_socket (netsession.h).
///
/// # Safety
/// NULL or a string with its zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsession_set_local_socket(path: *const c_char) -> u32 {
    guarded("netsession_set_local_socket", || {
        // SAFETY: as the caller says.
        let path = unsafe { utf8(path, MAX_SOCKET_PATH, "path") }?;
        if path.is_some_and(str::is_empty) {
            return Err(Failure::parameter(
                "path is empty; pass NULL for the usual places".to_owned(),
            ));
        }
        let path = path.map(PathBuf::from);
        settings::change(|settings| settings.set_local_socket(path));
        Ok(SUCCESS)
    })
}

/// netsession_last_error (netsession.h).
#[unsafe(no_mangle)]
pub extern "C" fn netsession_last_error() -> *const c_char {
    // The text stays where it is until this thread's next call.
    last_error(std::ffi::CStr::as_ptr).unwrap_or(c"".as_ptr())
}

/// netsession_status_name (netsession.h).
#[unsafe(no_mangle)]
pub extern "C" fn netsession_status_name(status: u32) -> *const c_char {
    status::name(status).map_or(std::ptr::null(), std::ffi::CStr::as_ptr)
}

/// netsession_version (netsession.h).
#[unsafe(no_mangle)]
pub extern "C" fn netsession_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// netsession_utf16_from_utf8 (netsession.h).
///
/// # Safety
/// NULL or a string with its zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsession_utf16_from_utf8(text: *const c_char) -> Lmstr {
    let copied = caught("netsession_utf16_from_utf8", || {
        // SAFETY: as the caller says.
        let text = required_text(unsafe { utf8(text, usize::MAX, "text") }?)?;
        let units: Vec<u16> = text.encode_utf16().chain([0]).collect();
        Ok(copy(&units)?.cast())
    });
    copied.unwrap_or(null_mut())
}

/// netsession_utf8_from_utf16 (netsession.h).
///
/// # Safety
/// NULL or a string with its zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsession_utf8_from_utf16(text: *const u16) -> *mut c_char {
    let copied = caught("netsession_utf8_from_utf16", || {
        // SAFETY: as the caller says.
        let mut text = required_text(unsafe { long_utf16(text, "text") }?)?;
        text.push('\0');
        Ok(copy(text.as_bytes())?.cast())
    });
    copied.unwrap_or(null_mut())
}

fn required_text<T>(text: Option<T>) -> Result<T, Failure> {
    text.ok_or_else(|| Failure::parameter("text is NULL; pass one".to_owned()))
}

/// A buffer with these units.
fn copy<T: Copy>(units: &[T]) -> Result<*mut u8, Failure> {
    let size = u32::try_from(size_of_val(units)).map_err(|_| Failure::no_memory())?;
    let buffer = buffer::allocate(size).ok_or_else(Failure::no_memory)?;
    // SAFETY: the buffer has exactly the size of the units, and is aligned for any type of C.
    unsafe {
        let place = buffer.as_ptr().cast::<T>();
        place.copy_from_nonoverlapping(units.as_ptr(), units.len());
    }
    Ok(buffer.as_ptr())
}

/// netsession_utf16_length (netsession.h).
///
/// # Safety
/// NULL or a string with its zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn netsession_utf16_length(text: *const u16) -> usize {
    // SAFETY: as the caller says.
    unsafe { utf16_length(text) }
}
