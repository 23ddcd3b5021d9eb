/*
 * get_and_end SERVER USER%PASSWORD CLIENT OTHER
 *
 * OTHER has one session from CLIENT (written \\name): asks for it at every level, ends it, and
 * asks again.
 */
#include "sessions.h"

int main(int argc, char **argv)
{
    LMSTR server = server_and_logon(argc, argv), client, other, nobody;
    LPBYTE buffer;
    DWORD read, total;
    size_t i;

    CHECK(argc == 5);
    client = netsession_utf16_from_utf8(argv[3]);
    other = netsession_utf16_from_utf8(argv[4]);
    nobody = netsession_utf16_from_utf8("nobody");
    for (i = 0; i < LEVEL_COUNT; i++) {
        struct session s;

        EXPECT(NERR_Success, NetSessionGetInfo(server, client, other, LEVELS[i], &buffer));
        s = entry(buffer, LEVELS[i], 1, 0);
        CHECK(same_text(bare(s.cname), bare(client)));
        CHECK(LEVELS[i] == 0 || same_text(s.username, other));
        CHECK(LEVELS[i] != 502 || same_text(s.transport, NETSESSION_TEXT("\\Device\\NetbiosSmb")));
        CHECK(s.idle_time <= s.time);
        EXPECT(NERR_Success, NetApiBufferFree(buffer));
    }

    /* The names go out as they are. */
    buffer = (LPBYTE)&read;
    EXPECT(NERR_InvalidComputer,
           NetSessionGetInfo(server, (LMSTR)bare(client), other, 10, &buffer));
    CHECK(buffer == NULL);
    EXPECT(NERR_ClientNameNotFound, NetSessionDel(server, (LMSTR)bare(client), other));
    EXPECT(NERR_ClientNameNotFound, NetSessionDel(server, client, nobody));
    EXPECT(NERR_UserNotFound, NetSessionEnum(server, NULL, nobody, 10, &buffer,
                                             MAX_PREFERRED_LENGTH, &read, &total, NULL));
    CHECK(buffer == NULL && read == 0 && total == 0);
    CHECK(netsession_last_error()[0] != '\0');

    EXPECT(NERR_Success, NetSessionDel(server, client, other));
    EXPECT(NERR_ClientNameNotFound, NetSessionDel(server, client, other));
    EXPECT(NERR_ClientNameNotFound, NetSessionGetInfo(server, client, other, 502, &buffer));
    CHECK(buffer == NULL);
    NetApiBufferFree(server);
    NetApiBufferFree(client);
    NetApiBufferFree(other);
    NetApiBufferFree(nobody);
    return checked();
}
