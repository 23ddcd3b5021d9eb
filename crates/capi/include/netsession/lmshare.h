/*
 * lmshare.h - the sessions of a server: list them, ask for one, end them.
 *
 * servername   The server: name or address, with or without \\, if need be with a port
 *              (\\srv:1445). NULL or empty: this machine, through the local socket of the
 *              running service, with the rights of this process and without a logon.
 * names        UncClientName is the client computer, written \\name. It is sent as it is:
 *              without the \\ the server answers 2351 or 2312.
 * who asks     See netsession.h.
 * 87           Beside what stands at each function: a pointer that is misaligned or lies in
 *              the first page of memory; a string that does not end within 1,024 units or
 *              is not UTF-16 (half of a surrogate pair). Nothing is sent then.
 * threads      Any thread may call any function at any time. One call may take as long as
 *              the time limits of netsession.h allow.
 * strings      Those of an answer are UTF-16, never NULL (empty if the server has no value),
 *              lie behind the array in the same buffer and are freed with it.
 *
 * Offsets below are those for 64-bit.
 */
#ifndef NETSESSION_LMSHARE_H
#define NETSESSION_LMSHARE_H

#include "lmcons.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bits of user_flags. */
#define SESS_GUEST 0x00000001        /* logged on as guest */
#define SESS_NOENCRYPTION 0x00000002 /* the logon sent its password as it is (LAN Manager) */

/* Number of fields in the documentation of two levels of old. */
#define SESI1_NUM_ELEMENTS 8
#define SESI2_NUM_ELEMENTS 9

/* Level 0 */
typedef struct _SESSION_INFO_0 {
    LMSTR sesi0_cname; /* client computer; some servers put \\ before it */
} SESSION_INFO_0, *PSESSION_INFO_0, *LPSESSION_INFO_0;

/* Level 1 */
typedef struct _SESSION_INFO_1 {
    LMSTR sesi1_cname;
    LMSTR sesi1_username;    /*  8: account, without domain */
    DWORD sesi1_num_opens;   /* 16: files, devices and pipes that are open now */
    DWORD sesi1_time;        /* 20: seconds since the session began */
    DWORD sesi1_idle_time;   /* 24: seconds since its last request */
    DWORD sesi1_user_flags;  /* 28: SESS_GUEST, SESS_NOENCRYPTION */
} SESSION_INFO_1, *PSESSION_INFO_1, *LPSESSION_INFO_1;

/* Level 2 */
typedef struct _SESSION_INFO_2 {
    LMSTR sesi2_cname;
    LMSTR sesi2_username;
    DWORD sesi2_num_opens;
    DWORD sesi2_time;
    DWORD sesi2_idle_time;
    DWORD sesi2_user_flags;
    LMSTR sesi2_cltype_name; /* 32: client software; empty for SMB 2 and 3 */
} SESSION_INFO_2, *PSESSION_INFO_2, *LPSESSION_INFO_2;

/* Level 10 */
typedef struct _SESSION_INFO_10 {
    LMSTR sesi10_cname;
    LMSTR sesi10_username;
    DWORD sesi10_time;
    DWORD sesi10_idle_time;
} SESSION_INFO_10, *PSESSION_INFO_10, *LPSESSION_INFO_10;

/* Level 502 */
typedef struct _SESSION_INFO_502 {
    LMSTR sesi502_cname;
    LMSTR sesi502_username;
    DWORD sesi502_num_opens;
    DWORD sesi502_time;
    DWORD sesi502_idle_time;
    DWORD sesi502_user_flags;
    LMSTR sesi502_cltype_name;
    LMSTR sesi502_transport; /* 40: for instance \Device\NetbiosSmb */
} SESSION_INFO_502, *PSESSION_INFO_502, *LPSESSION_INFO_502;

/*
 * Lists sessions: all, those of one computer, of one user, or of one user on one computer
 * (NULL or empty: every computer, every user).
 *
 * level          0, 1, 2, 10 or 502: what *bufptr points to, an array of SESSION_INFO_level.
 * prefmaxlen     Bytes wanted, or MAX_PREFERRED_LENGTH for everything. The server counts
 *                them, keeps to whole entries and gives at least one; what the buffer really
 *                takes, NetApiBufferSize tells.
 * entriesread    How many entries are in this buffer.
 * totalentries   How many there were to list from resume_handle on, as a hint.
 * resume_handle  *resume_handle is 0 for the first call; while the answer is 234, call again
 *                with what it has become. NULL: no way to go on after 234. Left as it is on
 *                failure.
 *
 * 0 or 234 (there are more): *bufptr is a buffer to be freed with NetApiBufferFree, or NULL
 * if there are no entries. Anything else: *bufptr is NULL and both counts are 0. A server
 * that answers 234 without coming any further is answered with an error, so a loop on 234
 * ends.
 *
 * 5, 124 (level), 2221 (no session of that user), 2312 (none of that computer), 2351 (not the
 * form of a computer's name); 87 for bufptr, entriesread or totalentries NULL; and others.
 */
NET_API_STATUS NET_API_FUNCTION NetSessionEnum(LMSTR servername, LMSTR UncClientName,
                                               LMSTR username, DWORD level, LPBYTE *bufptr,
                                               DWORD prefmaxlen, LPDWORD entriesread,
                                               LPDWORD totalentries, LPDWORD resume_handle);

/*
 * One session: *bufptr is one SESSION_INFO_level, of the first session that this user has
 * from this computer. Both names are needed: 87 without. Levels 0, 1, 2, 10 and 502.
 *
 * 5, 124, 2221, 2312, 2351 and others; *bufptr is NULL then.
 */
NET_API_STATUS NET_API_FUNCTION NetSessionGetInfo(LMSTR servername, LMSTR UncClientName,
                                                  LMSTR username, DWORD level, LPBYTE *bufptr);

/*
 * Ends sessions: those of one computer (username NULL), of one user (UncClientName NULL), or
 * of this user on this computer. With neither name: 87, never all. What the clients had
 * opened is closed; what they had not written yet is lost.
 *
 * 5, 2312 and others. 64: the connection broke before the answer came, as it does on some
 * servers when the session was one's own.
 */
NET_API_STATUS NET_API_FUNCTION NetSessionDel(LMSTR servername, LMSTR UncClientName,
                                              LMSTR username);

#ifdef __cplusplus
}
#endif

#endif
