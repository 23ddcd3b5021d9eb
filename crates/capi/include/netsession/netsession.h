/*
 * netsession.h - what Windows takes from its logon and its compiler, and this system lacks:
 * who asks, how long to wait, what an error was about, and 16-bit text.
 *
 * Compiling a program written for Windows
 *
 *   cc prog.c $(pkg-config --cflags --libs netsession)
 *
 * #include <lm.h> finds lm.h of this library; <netsession/lm.h> does too. There is no
 * windows.h; leave it out (#ifdef _WIN32). Text is UTF-16 in 16-bit units (WCHAR), while
 * wchar_t and L"..." have 32 bits here. Three ways to deal with it:
 *
 *   - write NETSESSION_TEXT("...") (or TEXT("...")) where L"..." stood: it is u"...", of
 *     type WCHAR[]. C11 or C++11. NETSESSION_STR("...") is the same as an argument of type
 *     LMSTR, which C++ wants since a literal is const there;
 *   - leave L"..." as it is and compile with -fshort-wchar (gcc, clang), which makes wchar_t
 *     16 bits wide; the wide functions of the C library (wprintf, wcslen, ...) must not be
 *     used then, for they expect 32;
 *   - convert from and to UTF-8 with the functions below.
 *
 * Threads and processes
 *
 * What is set here holds for the whole process, for calls that begin afterwards; any thread
 * may set it. Text is UTF-8. After fork(), the child starts with connections of its own, if
 * the fork did not happen in the middle of another thread's call. SIGPIPE never reaches the
 * program on account of this library.
 */
#ifndef NETSESSION_NETSESSION_H
#define NETSESSION_NETSESSION_H

#include <stddef.h>

#include "lmcons.h"

/* L"..." in 16-bit units. */
#define NETSESSION_TEXT(quoted) NETSESSION_TEXT_(quoted)
#if defined(__cplusplus) && defined(__SIZEOF_WCHAR_T__) && __SIZEOF_WCHAR_T__ == 2
#define NETSESSION_TEXT_(quoted) L##quoted
#else
#define NETSESSION_TEXT_(quoted) u##quoted
#endif

/* The same as an argument: LMSTR. */
#ifdef __cplusplus
#define NETSESSION_STR(quoted) (const_cast<LMSTR>(NETSESSION_TEXT(quoted)))
#else
#define NETSESSION_STR(quoted) ((LMSTR)NETSESSION_TEXT(quoted))
#endif

/* Define NETSESSION_NO_TEXT before including if TEXT means something else to you. */
#if !defined(TEXT) && !defined(NETSESSION_NO_TEXT)
#define TEXT(quoted) NETSESSION_TEXT(quoted)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Who asks: user (of domain, if not NULL and not empty) with password (NULL: the empty one).
 * Each is taken as it is, whatever characters it has. user NULL or empty: nobody (an
 * anonymous logon); domain and password must be NULL or empty then.
 *
 * Until one of these two functions is called, the environment is asked at the first call:
 * NETSESSION_USER ([DOMAIN\]USER[%PASSWORD]) and NETSESSION_PASSWORD, unless the program runs
 * with the rights of another user (set-user-id); without them it is nobody.
 *
 * The library's own copy of the password is overwritten when it is replaced.
 * 87: not UTF-8, longer than 512 bytes (domain and user) or 1,024 bytes (password), a
 * backslash in user or domain, or a password without a user.
 */
NET_API_STATUS netsession_set_credentials(const char *domain, const char *user,
                                          const char *password);

/*
 * The same from one text, [DOMAIN\]USER[%PASSWORD]; the first % ends the name. NULL, empty or
 * "%": nobody. 87: not of this form.
 */
NET_API_STATUS netsession_set_logon(const char *text);

/* The TCP port of servers named without one. 0: the usual one, 445. Never fails. */
NET_API_STATUS netsession_set_port(uint16_t port);

/*
 * Time limits in milliseconds: for the name and the TCP connection (at first 5,000), from
 * there to the logon done (10,000), for a call (30,000). 0 leaves one as it is.
 * Never fails.
 */
NET_API_STATUS netsession_set_time_limits(DWORD connect, DWORD logon, DWORD call);

/* Not 0: a server that cannot encrypt is refused. 0, as at first: as the server wants it. */
NET_API_STATUS netsession_set_encryption_required(int required);

/*
 * The socket of the service on this machine, for servername NULL. NULL: where
 * NETSESSION_LOCAL_SOCKET says, else the usual places. 87: empty, or longer than 107 bytes.
 */
NET_API_STATUS netsession_set_local_socket(const char *path);

/*
 * One line about the last call of this thread that failed: what was tried, what came back,
 * what to do; empty if the last call did not fail. UTF-8, never NULL. It stays until the
 * thread's next call of this library and is not to be freed.
 */
const char *netsession_last_error(void);

/* "ERROR_ACCESS_DENIED" for 5; NULL for a number without a name here. Not to be freed. */
const char *netsession_status_name(NET_API_STATUS status);

/* The version of the library, for instance "0.1.0". Not to be freed. */
const char *netsession_version(void);

/*
 * Converts text; the copy is freed with NetApiBufferFree. NULL if text is NULL, is not UTF-8
 * or UTF-16, or there is no memory; netsession_last_error tells which. text ends with a zero;
 * it may have any length.
 */
WCHAR *netsession_utf16_from_utf8(const char *text);
char *netsession_utf8_from_utf16(const WCHAR *text);

/* wcslen for WCHAR: units before the zero; 0 for NULL. */
size_t netsession_utf16_length(const WCHAR *text);

#ifdef __cplusplus
}
#endif

#endif
