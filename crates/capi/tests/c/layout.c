/* Types, values and layouts are those of Windows; headers stand alone; literals fit. */
#include <stddef.h>
#include <stdint.h>
#include <lm.h>
#include <netsession/lm.h>
#include <netsession/lmapibuf.h>
#include <netsession/lmshare.h>

#include "check.h"

#ifdef __cplusplus
#define ASSERT(condition) static_assert(condition, #condition)
#else
#define ASSERT(condition) _Static_assert(condition, #condition)
#endif

/* Sizes and offsets for 32-bit and for 64-bit. */
#if UINTPTR_MAX == 0xFFFFFFFF
#define BOTH(narrow, wide) (narrow)
#else
#define BOTH(narrow, wide) (wide)
#endif
#define SIZE(type, narrow, wide) ASSERT(sizeof(type) == BOTH(narrow, wide))
#define PLACE(type, field, narrow, wide) ASSERT(offsetof(type, field) == BOTH(narrow, wide))

ASSERT(sizeof(WCHAR) == 2);
ASSERT(sizeof(BYTE) == 1);
ASSERT(sizeof(DWORD) == 4);
ASSERT((DWORD)-1 > 0);
ASSERT(sizeof(NET_API_STATUS) == 4);
ASSERT(MAX_PREFERRED_LENGTH == 0xFFFFFFFF);
ASSERT(UNLEN == 256);
ASSERT(CNLEN == 15);
ASSERT(SESS_GUEST == 1);
ASSERT(SESS_NOENCRYPTION == 2);
ASSERT(SESI1_NUM_ELEMENTS == 8);
ASSERT(SESI2_NUM_ELEMENTS == 9);

SIZE(SESSION_INFO_0, 4, 8);
PLACE(SESSION_INFO_0, sesi0_cname, 0, 0);

SIZE(SESSION_INFO_1, 24, 32);
PLACE(SESSION_INFO_1, sesi1_cname, 0, 0);
PLACE(SESSION_INFO_1, sesi1_username, 4, 8);
PLACE(SESSION_INFO_1, sesi1_num_opens, 8, 16);
PLACE(SESSION_INFO_1, sesi1_time, 12, 20);
PLACE(SESSION_INFO_1, sesi1_idle_time, 16, 24);
PLACE(SESSION_INFO_1, sesi1_user_flags, 20, 28);

SIZE(SESSION_INFO_2, 28, 40);
PLACE(SESSION_INFO_2, sesi2_cname, 0, 0);
PLACE(SESSION_INFO_2, sesi2_username, 4, 8);
PLACE(SESSION_INFO_2, sesi2_num_opens, 8, 16);
PLACE(SESSION_INFO_2, sesi2_time, 12, 20);
PLACE(SESSION_INFO_2, sesi2_idle_time, 16, 24);
PLACE(SESSION_INFO_2, sesi2_user_flags, 20, 28);
PLACE(SESSION_INFO_2, sesi2_cltype_name, 24, 32);

SIZE(SESSION_INFO_10, 16, 24);
PLACE(SESSION_INFO_10, sesi10_cname, 0, 0);
PLACE(SESSION_INFO_10, sesi10_username, 4, 8);
PLACE(SESSION_INFO_10, sesi10_time, 8, 16);
PLACE(SESSION_INFO_10, sesi10_idle_time, 12, 20);

SIZE(SESSION_INFO_502, 32, 48);
PLACE(SESSION_INFO_502, sesi502_cname, 0, 0);
PLACE(SESSION_INFO_502, sesi502_username, 4, 8);
PLACE(SESSION_INFO_502, sesi502_num_opens, 8, 16);
PLACE(SESSION_INFO_502, sesi502_time, 12, 20);
PLACE(SESSION_INFO_502, sesi502_idle_time, 16, 24);
PLACE(SESSION_INFO_502, sesi502_user_flags, 20, 28);
PLACE(SESSION_INFO_502, sesi502_cltype_name, 24, 32);
PLACE(SESSION_INFO_502, sesi502_transport, 28, 40);

ASSERT(NERR_Success == 0 && ERROR_ACCESS_DENIED == 5 && ERROR_NOT_ENOUGH_MEMORY == 8);
ASSERT(ERROR_NOT_SUPPORTED == 50 && ERROR_BAD_NETPATH == 53 && ERROR_NETNAME_DELETED == 64);
ASSERT(ERROR_INVALID_PARAMETER == 87 && ERROR_INVALID_LEVEL == 124 && ERROR_MORE_DATA == 234);
ASSERT(NERR_ServerNotStarted == 2114 && NERR_BufTooSmall == 2123 && NERR_InternalError == 2140);
ASSERT(NERR_UserNotFound == 2221 && NERR_ClientNameNotFound == 2312);
ASSERT(NERR_InvalidComputer == 2351 && NERR_FileIdNotFound == 2314);

/* A pointer to each structure, by both of its names. */
static PSESSION_INFO_0 p0;
static LPSESSION_INFO_0 lp0;
static PSESSION_INFO_1 p1;
static LPSESSION_INFO_1 lp1;
static PSESSION_INFO_2 p2;
static LPSESSION_INFO_2 lp2;
static PSESSION_INFO_10 p10;
static LPSESSION_INFO_10 lp10;
static PSESSION_INFO_502 p502;
static LPSESSION_INFO_502 lp502;

/* The signatures are those of Windows. */
typedef NET_API_STATUS(NET_API_FUNCTION *ENUM)(LMSTR, LMSTR, LMSTR, DWORD, LPBYTE *, DWORD,
                                               LPDWORD, LPDWORD, LPDWORD);
typedef NET_API_STATUS(NET_API_FUNCTION *GET_INFO)(LMSTR, LMSTR, LMSTR, DWORD, LPBYTE *);
typedef NET_API_STATUS(NET_API_FUNCTION *DEL)(LMSTR, LMSTR, LMSTR);

static const WCHAR literal[] = NETSESSION_TEXT("\\\\srv");
static const WCHAR windows_like[] = TEXT("alice");

int main(void)
{
    ENUM session_enum = NetSessionEnum;
    GET_INFO get_info = NetSessionGetInfo;
    DEL del = NetSessionDel;
    LMSTR argument = NETSESSION_STR("srv");

    CHECK(session_enum != NULL && get_info != NULL && del != NULL);
    CHECK(p0 == lp0 && p1 == lp1 && p2 == lp2 && p10 == lp10 && p502 == lp502);
    CHECK(sizeof literal == 6 * 2 && literal[0] == '\\' && literal[2] == 's' && literal[5] == 0);
    CHECK(netsession_utf16_length(literal) == 5);
    CHECK(netsession_utf16_length(windows_like) == 5);
    CHECK(argument[0] == 's' && argument[3] == 0);
    return checked();
}
