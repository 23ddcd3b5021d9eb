/*
 * dead_connection SERVER USER%PASSWORD SOCKET PROCESS
 *
 * Lists over the network and through the server's SOCKET, ends the server (PROCESS) hard, and
 * goes on calling. The calls fail with a number; the program lives, although SIGPIPE would end
 * it: that is what writing to a socket gives whose other end is closed.
 */
#include <signal.h>
#include <sys/types.h>

#include "check.h"

/* Lists until nobody answers any more, and once more then; the server is gone already. */
static void fails(LMSTR server, NET_API_STATUS expected)
{
    NET_API_STATUS status;
    DWORD read, total;
    LPBYTE buffer;
    int i;

    for (i = 0; i < 20; i++) {
        status = NetSessionEnum(server, NULL, NULL, 10, &buffer, MAX_PREFERRED_LENGTH, &read,
                                &total, NULL);
        /* It may answer once more before it is gone. */
        CHECK(status == NERR_Success || status == expected || status == ERROR_NETNAME_DELETED);
        NetApiBufferFree(buffer);
    }
    EXPECT(expected, status);
    EXPECT(expected, NetSessionDel(server, NULL, NETSESSION_STR("alice")));
}

int main(int argc, char **argv)
{
    LMSTR server = server_and_logon(argc, argv);
    LPBYTE buffer;
    DWORD read, total;

    CHECK(argc == 5);
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    EXPECT(NERR_Success, netsession_set_local_socket(argv[3]));
    EXPECT(NERR_Success, NetSessionEnum(server, NULL, NULL, 10, &buffer, MAX_PREFERRED_LENGTH,
                                        &read, &total, NULL));
    NetApiBufferFree(buffer);
    EXPECT(NERR_Success, NetSessionEnum(NULL, NULL, NULL, 10, &buffer, MAX_PREFERRED_LENGTH, &read,
                                        &total, NULL));
    NetApiBufferFree(buffer);
    CHECK(kill((pid_t)strtol(argv[4], NULL, 10), SIGKILL) == 0);
    fails(NULL, NERR_ServerNotStarted);
    fails(server, ERROR_BAD_NETPATH);
    NetApiBufferFree(server);
    return checked();
}
