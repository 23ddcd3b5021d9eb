/*
 * lmcons.h - the types and constants that the session functions use.
 *
 * Sizes are those of Windows: DWORD has 32 bits, WCHAR has 16. The types are therefore not
 * always the same words as there: DWORD is unsigned int (not unsigned long, which has 64
 * bits here), so print it with %u, or with PRIu32 of <inttypes.h>.
 */
#ifndef NETSESSION_LMCONS_H
#define NETSESSION_LMCONS_H

#include <stdint.h>

typedef uint8_t BYTE;
typedef uint32_t DWORD;
typedef BYTE *LPBYTE;
typedef DWORD *LPDWORD;
typedef void *LPVOID;

/*
 * One unit of UTF-16. The type of the elements of NETSESSION_TEXT("...") in C and in C++;
 * with -fshort-wchar in C++ it is wchar_t, so that L"..." fits as on Windows. (In C,
 * -fshort-wchar makes wchar_t an unsigned short, which fits by itself.)
 */
#if defined(__cplusplus)
#if defined(__SIZEOF_WCHAR_T__) && __SIZEOF_WCHAR_T__ == 2
typedef wchar_t WCHAR;
#else
typedef char16_t WCHAR;
#endif
#else
typedef uint_least16_t WCHAR;
#endif
typedef WCHAR *LPWSTR;
typedef const WCHAR *LPCWSTR;

/* As with UNICODE defined, which these functions take for granted. */
typedef WCHAR TCHAR;
typedef LPWSTR LPTSTR;
typedef LPCWSTR LPCTSTR;

/* A string that ends with a zero unit. Not const, as on Windows; nothing here writes to it. */
typedef LPWSTR LMSTR;

/* 0, or the number of an error: lmerr.h. */
typedef DWORD NET_API_STATUS;

/* The calling convention: the platform's only one. */
#ifndef NET_API_FUNCTION
#define NET_API_FUNCTION
#endif

/* For prefmaxlen: everything. */
#define MAX_PREFERRED_LENGTH ((DWORD)-1)

/* Longest names, in units, without the zero at the end: computer, \\computer, user. */
#define CNLEN 15
#define UNCLEN (CNLEN + 2)
#define UNLEN 256

#endif
