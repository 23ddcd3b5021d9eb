/*
 * levels SERVER USER%PASSWORD OTHER COUNT LEVEL...
 *
 * Lists at each LEVEL the sessions of OTHER, COUNT at least, and all of them.
 */
#include "sessions.h"

/* Lists and reads everything; how many entries bear the name, or how many there are. */
static DWORD list(LMSTR server, LMSTR user, DWORD level, LMSTR counted)
{
    DWORD read = 77, total = 77, i, found = 0;
    LPBYTE buffer = NULL;

    EXPECT(NERR_Success, NetSessionEnum(server, NULL, user, level, &buffer, MAX_PREFERRED_LENGTH,
                                        &read, &total, NULL));
    CHECK(netsession_last_error()[0] == '\0');
    /* The total is a hint; Samba counts what it would list without the name. */
    CHECK(read >= 1 && total >= read);
    CHECK(buffer != NULL);
    for (i = 0; i < read; i++) {
        struct session s = entry(buffer, level, read, i);

        if (level == 0 || same_text(s.username, counted))
            found++;
        CHECK((s.user_flags & SESS_GUEST) == 0);
        /* 4294967295 is what one server says in the first second of a session. */
        CHECK(s.time < 3600 || s.time == 0xFFFFFFFF);
    }
    EXPECT(NERR_Success, NetApiBufferFree(buffer));
    return found;
}

int main(int argc, char **argv)
{
    LMSTR server = server_and_logon(argc, argv), other;
    DWORD count;
    int i;

    CHECK(argc > 5);
    other = netsession_utf16_from_utf8(argv[3]);
    count = (DWORD)strtoul(argv[4], NULL, 10);
    for (i = 5; i < argc; i++) {
        DWORD level = (DWORD)strtoul(argv[i], NULL, 10);

        CHECK(list(server, NULL, level, other) >= count);
        CHECK(list(server, other, level, other) >= count);
    }
    NetApiBufferFree(server);
    NetApiBufferFree(other);
    return checked();
}
