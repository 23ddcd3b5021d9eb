/*
 * child_process SERVER USER%PASSWORD
 *
 * After fork() the child has a session of its own. Neither new settings there nor its end touch
 * the parent's, which goes on with the connection it has. USER has no other sessions.
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

/* A child that calls before it sets anything, and one that sets something first. */
static void child_process(LMSTR server, LMSTR user, int calls_first)
{
    pid_t child = fork();
    int status, i;

    CHECK(child >= 0);
    if (child == 0) {
        if (calls_first) {
            CHECK(own_sessions(server, user) == 2);
            CHECK(own_sessions(server, user) == 2);
        }
        EXPECT(NERR_Success, netsession_set_encryption_required(0));
        if (calls_first)
            CHECK(own_sessions(server, user) >= 2);
        exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    /* That of the child may be there for a moment more. */
    for (i = 0; i < 10; i++)
        CHECK(own_sessions(server, user) >= 1);
}

int main(int argc, char **argv)
{
    LMSTR server = server_and_logon(argc, argv), user = netsession_utf16_from_utf8(argv[2]);
    size_t i;

    for (i = 0; user[i] != 0; i++)
        if (user[i] == '%')
            user[i] = 0;
    /* No answer within seconds is an answer that never comes. */
    EXPECT(NERR_Success, netsession_set_time_limits(0, 0, 15000));
    CHECK(own_sessions(server, user) == 1);
    child_process(server, user, 1);
    child_process(server, user, 0);
    NetApiBufferFree(server);
    NetApiBufferFree(user);
    return checked();
}
