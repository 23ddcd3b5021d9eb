/*
 * this_machine SOCKET STATUS
 *
 * Asks this machine (servername NULL and empty) through SOCKET. STATUS is what all calls answer:
 * 0, or a number such as 2114.
 */
#include "sessions.h"

int main(int argc, char **argv)
{
    static WCHAR empty[] = {0};
    DWORD expected, read, total, i;
    LPBYTE buffer;
    size_t l;

    CHECK(argc == 3);
    expected = (DWORD)strtoul(argv[2], NULL, 10);
    EXPECT(NERR_Success, netsession_set_local_socket(argv[1]));
    for (l = 0; l < LEVEL_COUNT; l++) {
        EXPECT(expected, NetSessionEnum(l % 2 == 0 ? NULL : empty, NULL, NULL, LEVELS[l], &buffer,
                                        MAX_PREFERRED_LENGTH, &read, &total, NULL));
        CHECK((buffer == NULL) == (read == 0));
        CHECK(expected == NERR_Success || buffer == NULL);
        for (i = 0; i < read; i++)
            entry(buffer, LEVELS[l], read, i);
        NetApiBufferFree(buffer);
    }
    EXPECT(expected == NERR_Success ? NERR_ClientNameNotFound : expected,
           NetSessionDel(NULL, NETSESSION_STR("\\\\192.0.2.1"), NULL));
    return checked();
}
