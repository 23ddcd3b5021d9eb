/*
 * dead_connection SERVER USER%PASSWORD SOCKET PROCESS
 *
 * Connections that die, in a program that SIGPIPE ends.
 *
 * First the writev of this program, which is the one that the library calls, closes the sending
 * side of a connection just before the library writes to it: the kernel answers that with
 * EPIPE and SIGPIPE, as a child shows that does the same without the library, and dies. The
 * library's call does not end the program, nor does it take away a signal that is the
 * program's own. Then the server (PROCESS) is ended hard, and the calls fail with a number.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* How many of the next writes meet a closed connection, and how many have. */
static int to_break, broken;

#ifdef __cplusplus
extern "C"
#endif
ssize_t writev(int file, const struct iovec *parts, int count)
{
    if (to_break > 0 && shutdown(file, SHUT_WR) == 0) {
        to_break--;
        broken++;
    }
    return syscall(SYS_writev, file, parts, count);
}

static NET_API_STATUS list(LMSTR server)
{
    NET_API_STATUS status;
    DWORD read, total;
    LPBYTE buffer;

    status = NetSessionEnum(server, NULL, NULL, 10, &buffer, MAX_PREFERRED_LENGTH, &read, &total,
                            NULL);
    NetApiBufferFree(buffer);
    return status;
}

static int is_sigpipe(int (*ask)(sigset_t *))
{
    sigset_t set;

    sigemptyset(&set);
    CHECK(ask(&set) == 0);
    return sigismember(&set, SIGPIPE);
}

static int mask(sigset_t *set)
{
    return pthread_sigmask(SIG_BLOCK, NULL, set);
}

static void write_to_a_closed_connection(void)
{
    struct iovec part = {(void *)"x", 1};
    int ends[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    to_break = 1;
    CHECK(writev(ends[0], &part, 1) == -1);
}

static void breaks(LMSTR server)
{
    NET_API_STATUS status;
    sigset_t set;
    pid_t child;
    int how;

    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        write_to_a_closed_connection();
        _exit(0);
    }
    CHECK(waitpid(child, &how, 0) == child);
    CHECK(WIFSIGNALED(how) && WTERMSIG(how) == SIGPIPE);

    /* A connection that is kept from before, and one that is made. */
    EXPECT(NERR_Success, list(server));
    to_break = 1;
    status = list(server);
    CHECK(status == NERR_Success || status == ERROR_NETNAME_DELETED);
    CHECK(broken == 1);
    EXPECT(NERR_Success, netsession_set_port(0));
    to_break = 1;
    CHECK(list(server) != NERR_Success);
    CHECK(broken == 2);
    CHECK(!is_sigpipe(sigpending) && !is_sigpipe(mask));

    /* One that waits already is the program's own. */
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(raise(SIGPIPE) == 0);
    to_break = 1;
    CHECK(list(server) != NERR_Success);
    CHECK(broken == 3);
    CHECK(is_sigpipe(sigpending) && is_sigpipe(mask));
    CHECK(sigwait(&set, &how) == 0);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0);
    EXPECT(NERR_Success, list(server));
}

/* Lists until nobody answers any more, and once more then; the server is gone already. */
static void fails(LMSTR server, NET_API_STATUS expected)
{
    NET_API_STATUS status;
    int i;

    for (i = 0; i < 20; i++) {
        status = list(server);
        /* It may answer once more before it is gone. */
        CHECK(status == NERR_Success || status == expected || status == ERROR_NETNAME_DELETED);
    }
    EXPECT(expected, status);
    EXPECT(expected, NetSessionDel(server, NULL, NETSESSION_STR("alice")));
}

int main(int argc, char **argv)
{
    LMSTR server = server_and_logon(argc, argv);

    CHECK(argc == 5);
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    breaks(server);
    EXPECT(NERR_Success, netsession_set_local_socket(argv[3]));
    EXPECT(NERR_Success, list(server));
    EXPECT(NERR_Success, list(NULL));
    CHECK(kill((pid_t)strtol(argv[4], NULL, 10), SIGKILL) == 0);
    fails(NULL, NERR_ServerNotStarted);
    fails(server, ERROR_BAD_NETPATH);
    NetApiBufferFree(server);
    return checked();
}
