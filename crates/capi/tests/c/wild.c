/*
 * Arguments that are wrong, and can be seen to be: 87 (or 124), nothing stale left behind, and
 * nothing sent, for nobody listens at the server named.
 */
#include <stdint.h>
#include <string.h>

#include "check.h"

#define STALE ((LPBYTE)&stale)
static DWORD stale = 4711;

struct outs {
    LPBYTE buffer;
    DWORD read, total, resume;
};

/* The call with everything right but what is given; it must fail with `expected`. */
static void enumerate(NET_API_STATUS expected, LMSTR server, LMSTR client, LMSTR user, DWORD level,
                      int without)
{
    struct outs outs = {STALE, stale, stale, 0};

    EXPECT(expected, NetSessionEnum(server, client, user, level, without == 1 ? NULL : &outs.buffer,
                                    MAX_PREFERRED_LENGTH, without == 2 ? NULL : &outs.read,
                                    without == 3 ? NULL : &outs.total, &outs.resume));
    CHECK(without == 1 || outs.buffer == NULL);
    CHECK(without == 2 || outs.read == 0);
    CHECK(without == 3 || outs.total == 0);
    CHECK(outs.resume == 0);
    CHECK(strchr(netsession_last_error(), ':') != NULL);
}

static void get_info(NET_API_STATUS expected, LMSTR server, LMSTR client, LMSTR user, DWORD level)
{
    LPBYTE buffer = STALE;

    EXPECT(expected, NetSessionGetInfo(server, client, user, level, &buffer));
    CHECK(buffer == NULL);
}

static void pointers(LMSTR server, LMSTR client, LMSTR user)
{
    /* No address: small numbers, and odd places for units of two bytes. */
    LMSTR small = (LMSTR)(uintptr_t)16;
    LMSTR odd = (LMSTR)(uintptr_t)((uintptr_t)client + 1);
    DWORD numbers[4] = {stale, stale, stale, stale};
    LPDWORD crooked = (LPDWORD)(uintptr_t)((uintptr_t)numbers + 2);
    LPBYTE buffer = STALE;
    int without;

    for (without = 1; without <= 3; without++)
        enumerate(ERROR_INVALID_PARAMETER, server, NULL, NULL, 10, without);
    enumerate(ERROR_INVALID_PARAMETER, small, NULL, NULL, 10, 0);
    enumerate(ERROR_INVALID_PARAMETER, server, small, NULL, 10, 0);
    enumerate(ERROR_INVALID_PARAMETER, server, NULL, small, 10, 0);
    enumerate(ERROR_INVALID_PARAMETER, server, odd, NULL, 10, 0);
    get_info(ERROR_INVALID_PARAMETER, server, odd, user, 10);
    EXPECT(ERROR_INVALID_PARAMETER, NetSessionDel(odd, client, user));

    EXPECT(ERROR_INVALID_PARAMETER, NetSessionEnum(server, NULL, NULL, 10, &buffer, 1, crooked,
                                                   &numbers[3], NULL));
    CHECK(buffer == NULL && numbers[0] == stale && numbers[1] == stale && numbers[3] == 0);
    buffer = STALE;
    EXPECT(ERROR_INVALID_PARAMETER, NetSessionEnum(server, NULL, NULL, 10, &buffer, 1, numbers,
                                                   &numbers[3], crooked));
    CHECK(buffer == NULL && numbers[1] == stale);
    EXPECT(ERROR_INVALID_PARAMETER, NetSessionGetInfo(server, client, user, 10, NULL));
}

static void texts(LMSTR server, LMSTR client, LMSTR user)
{
    static WCHAR endless[1024], half[] = {'a', 0xD83D, 0}, turned[] = {0xDE00, 0xD83D, 0};
    size_t i;

    for (i = 0; i < 1024; i++)
        endless[i] = 'a';
    enumerate(ERROR_INVALID_PARAMETER, endless, NULL, NULL, 10, 0);
    enumerate(ERROR_INVALID_PARAMETER, server, endless, NULL, 10, 0);
    enumerate(ERROR_INVALID_PARAMETER, server, NULL, endless, 10, 0);
    enumerate(ERROR_INVALID_PARAMETER, server, half, NULL, 10, 0);
    enumerate(ERROR_INVALID_PARAMETER, server, NULL, turned, 10, 0);
    get_info(ERROR_INVALID_PARAMETER, server, client, half, 1);
    EXPECT(ERROR_INVALID_PARAMETER, NetSessionDel(server, endless, user));
    EXPECT(ERROR_INVALID_PARAMETER, NetSessionDel(server, client, turned));
}

static void levels_and_names(LMSTR server, LMSTR client, LMSTR user)
{
    static const DWORD WRONG[] = {3, 11, 501, 503, 0xFFFFFFFF};
    static WCHAR empty[] = {0};
    size_t i;

    for (i = 0; i < sizeof WRONG / sizeof WRONG[0]; i++) {
        enumerate(ERROR_INVALID_LEVEL, server, NULL, NULL, WRONG[i], 0);
        get_info(ERROR_INVALID_LEVEL, server, client, user, WRONG[i]);
    }
    get_info(ERROR_INVALID_PARAMETER, server, NULL, user, 10);
    get_info(ERROR_INVALID_PARAMETER, server, client, NULL, 10);
    get_info(ERROR_INVALID_PARAMETER, server, NULL, NULL, 10);
    EXPECT(ERROR_INVALID_PARAMETER, NetSessionDel(server, NULL, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, NetSessionDel(server, empty, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, NetSessionDel(server, empty, empty));

    /* All right, but for the server. */
    enumerate(ERROR_BAD_NETPATH, server, NULL, NULL, 10, 0);
    get_info(ERROR_BAD_NETPATH, server, client, user, 10);
    EXPECT(ERROR_BAD_NETPATH, NetSessionDel(server, client, user));
}

static void buffers(void)
{
    LPVOID buffer = STALE, same;
    DWORD size = stale, i;
    BYTE local[32];

    EXPECT(NERR_Success, NetApiBufferFree(NULL));
    EXPECT(ERROR_INVALID_PARAMETER, NetApiBufferFree(local));
    EXPECT(ERROR_INVALID_PARAMETER, NetApiBufferSize(local, &size));
    CHECK(size == 0);
    EXPECT(ERROR_INVALID_PARAMETER, NetApiBufferSize(NULL, &size));
    EXPECT(ERROR_INVALID_PARAMETER, NetApiBufferAllocate(1, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, NetApiBufferReallocate(NULL, 1, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, NetApiBufferReallocate(local, 1, &buffer));
    CHECK(buffer == NULL);

    EXPECT(NERR_Success, NetApiBufferAllocate(0, &buffer));
    CHECK(buffer != NULL);
    EXPECT(NERR_Success, NetApiBufferFree(buffer));

    EXPECT(NERR_Success, NetApiBufferAllocate(100, &buffer));
    EXPECT(ERROR_INVALID_PARAMETER, NetApiBufferSize(buffer, NULL));
    EXPECT(NERR_Success, NetApiBufferSize(buffer, &size));
    CHECK(size == 100);
    for (i = 0; i < 100; i++)
        CHECK(((LPBYTE)buffer)[i] == 0);
    memset(buffer, 7, 100);
    EXPECT(NERR_Success, NetApiBufferReallocate(buffer, 200000, &buffer));
    for (i = 0; i < 200000; i++)
        CHECK(((LPBYTE)buffer)[i] == (i < 100 ? 7 : 0));
    EXPECT(NERR_Success, NetApiBufferReallocate(buffer, 3, &buffer));
    EXPECT(NERR_Success, NetApiBufferSize(buffer, &size));
    CHECK(size == 3);
    EXPECT(ERROR_INVALID_PARAMETER, NetApiBufferFree((LPBYTE)buffer + 1));
    same = buffer;
    EXPECT(NERR_Success, NetApiBufferReallocate(buffer, 0, &buffer));
    CHECK(buffer == NULL);
    /* Nothing was allocated since, so its address is nobody's. */
    EXPECT(ERROR_INVALID_PARAMETER, NetApiBufferFree(same));
    EXPECT(NERR_Success, NetApiBufferReallocate(NULL, 5, &buffer));
    EXPECT(NERR_Success, NetApiBufferFree(buffer));
}

static void settings(void)
{
    static const char ODD[] = {'a', (char)0xFF, 0};
    static char endless[2048];
    LMSTR units;
    char *text;

    memset(endless, 'a', sizeof endless - 1);
    EXPECT(NERR_Success, netsession_set_credentials("DOM", "user", "pass%word"));
    EXPECT(ERROR_INVALID_PARAMETER, netsession_set_credentials(NULL, "DOM\\user", "x"));
    EXPECT(ERROR_INVALID_PARAMETER, netsession_set_credentials(NULL, NULL, "x"));
    EXPECT(ERROR_INVALID_PARAMETER, netsession_set_credentials(NULL, ODD, "x"));
    EXPECT(ERROR_INVALID_PARAMETER, netsession_set_credentials(NULL, endless, "x"));
    EXPECT(ERROR_INVALID_PARAMETER, netsession_set_credentials(NULL, "user", endless));
    EXPECT(NERR_Success, netsession_set_credentials(NULL, NULL, NULL));
    EXPECT(ERROR_INVALID_PARAMETER, netsession_set_logon("DOM\\%x"));
    EXPECT(ERROR_INVALID_PARAMETER, netsession_set_logon(endless));
    EXPECT(NERR_Success, netsession_set_logon(NULL));
    EXPECT(NERR_Success, netsession_set_logon("DOM\\user%"));
    EXPECT(ERROR_INVALID_PARAMETER, netsession_set_local_socket(""));
    EXPECT(ERROR_INVALID_PARAMETER, netsession_set_local_socket(endless));
    EXPECT(NERR_Success, netsession_set_local_socket(NULL));
    EXPECT(NERR_Success, netsession_set_port(0));
    EXPECT(NERR_Success, netsession_set_encryption_required(0));
    CHECK(netsession_last_error()[0] == '\0');
    CHECK(strcmp(netsession_status_name(5), "ERROR_ACCESS_DENIED") == 0);
    CHECK(netsession_status_name(4) == NULL);
    CHECK(netsession_version()[0] == '0');

    units = netsession_utf16_from_utf8("\xC3\xA4\xF0\x9F\x98\x80");
    CHECK(units != NULL && units[0] == 0xE4 && units[1] == 0xD83D && units[2] == 0xDE00);
    CHECK(netsession_utf16_length(units) == 3);
    text = netsession_utf8_from_utf16(units);
    CHECK(strcmp(text, "\xC3\xA4\xF0\x9F\x98\x80") == 0);
    NetApiBufferFree(text);
    units[2] = 'x';
    CHECK(netsession_utf8_from_utf16(units) == NULL);
    CHECK(strstr(netsession_last_error(), "surrogate") != NULL);
    NetApiBufferFree(units);
    CHECK(netsession_utf16_from_utf8(ODD) == NULL);
    CHECK(netsession_utf16_from_utf8(NULL) == NULL);
    CHECK(netsession_utf8_from_utf16(NULL) == NULL);
    CHECK(netsession_utf16_length(NULL) == 0);
    units = netsession_utf16_from_utf8(endless);
    CHECK(netsession_utf16_length(units) == sizeof endless - 1);
    NetApiBufferFree(units);
}

int main(void)
{
    static WCHAR server[] = NETSESSION_TEXT("127.0.0.1:1");
    static WCHAR client[] = NETSESSION_TEXT("\\\\127.0.0.9");
    static WCHAR user[] = NETSESSION_TEXT("alice");

    pointers(server, client, user);
    texts(server, client, user);
    levels_and_names(server, client, user);
    buffers();
    settings();
    return checked();
}
