/*
 * child_process SERVER USER%PASSWORD
 *
 * After fork() the child has a session of its own, and its end leaves the parent's alone. USER
 * has no other sessions.
 */
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static DWORD own_sessions(LMSTR server, LMSTR user)
{
    LPBYTE buffer;
    DWORD read, total;

    EXPECT(NERR_Success, NetSessionEnum(server, NULL, user, 1, &buffer, MAX_PREFERRED_LENGTH, &read,
                                        &total, NULL));
    NetApiBufferFree(buffer);
    return read;
}

int main(int argc, char **argv)
{
    LMSTR server = server_and_logon(argc, argv), user = netsession_utf16_from_utf8(argv[2]);
    size_t i;
    pid_t child;
    int status;

    for (i = 0; user[i] != 0; i++)
        if (user[i] == '%')
            user[i] = 0;
    CHECK(own_sessions(server, user) == 1);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        CHECK(own_sessions(server, user) == 2);
        CHECK(own_sessions(server, user) == 2);
        NetApiBufferFree(server);
        NetApiBufferFree(user);
        return 0;
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(own_sessions(server, user) >= 1);
    NetApiBufferFree(server);
    NetApiBufferFree(user);
    return checked();
}
