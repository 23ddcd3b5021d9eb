/*
 * dead_connection SERVER USER%PASSWORD PROCESS
 *
 * Lists, ends the server (PROCESS) hard, and goes on calling. The calls fail with a number; the
 * program lives, although SIGPIPE would end it.
 */
#include <signal.h>
#include <sys/types.h>

#include "check.h"

int main(int argc, char **argv)
{
    LMSTR server = server_and_logon(argc, argv);
    LPBYTE buffer;
    DWORD read, total;
    NET_API_STATUS status;
    int i;

    CHECK(argc == 4);
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    EXPECT(NERR_Success, NetSessionEnum(server, NULL, NULL, 10, &buffer, MAX_PREFERRED_LENGTH,
                                        &read, &total, NULL));
    NetApiBufferFree(buffer);
    CHECK(kill((pid_t)strtol(argv[3], NULL, 10), SIGKILL) == 0);
    for (i = 0; i < 20; i++) {
        status = NetSessionEnum(server, NULL, NULL, 10, &buffer, MAX_PREFERRED_LENGTH, &read,
                                &total, NULL);
        /* It may answer once more before it is gone. */
        CHECK(status == NERR_Success || status == ERROR_BAD_NETPATH ||
              status == ERROR_NETNAME_DELETED);
        NetApiBufferFree(buffer);
    }
    EXPECT(ERROR_BAD_NETPATH, status);
    EXPECT(ERROR_BAD_NETPATH, NetSessionDel(server, NULL, NETSESSION_STR("alice")));
    NetApiBufferFree(server);
    return checked();
}
