/* What the test programs have in common. */
#ifndef CHECK_H
#define CHECK_H

#include <lm.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the program at the first thing that is not as it should be. */
#define CHECK(condition)                                                                           \
    ((condition) ? (void)0 : failed(__FILE__, __LINE__, #condition, netsession_last_error()))

/* The number is as expected; says both if not. */
#define EXPECT(expected, call) expect(__FILE__, __LINE__, #call, (expected), (call))

static inline void failed(const char *file, int line, const char *what, const char *error)
{
    fprintf(stderr, "%s:%d: not so: %s\nlast error: %s\n", file, line, what, error);
    exit(1);
}

static inline void expect(const char *file, int line, const char *what, DWORD expected, DWORD came)
{
    if (expected != came) {
        fprintf(stderr, "%s:%d: %u expected, %u came: %s\n", file, line, expected, came, what);
        fprintf(stderr, "last error: %s\n", netsession_last_error());
        exit(1);
    }
}

static inline int checked(void)
{
    printf("checked\n");
    return 0;
}

/* The server and who asks, from the command line: SERVER USER%PASSWORD. */
static inline LMSTR server_and_logon(int count, char **arguments)
{
    LMSTR server;

    if (count < 3) {
        fprintf(stderr, "usage: %s SERVER USER%%PASSWORD ...\n", arguments[0]);
        exit(2);
    }
    EXPECT(NERR_Success, netsession_set_logon(arguments[2]));
    /* valgrind on a busy machine is slow. */
    EXPECT(NERR_Success, netsession_set_time_limits(30000, 60000, 60000));
    server = netsession_utf16_from_utf8(arguments[1]);
    CHECK(server != NULL);
    return server;
}

/* The text lies in the buffer, behind its array, aligned, with its zero. */
static inline void text_in_buffer(LPBYTE buffer, size_t array_size, LMSTR text)
{
    DWORD size;
    size_t start, length;

    EXPECT(NERR_Success, NetApiBufferSize(buffer, &size));
    CHECK(text != NULL);
    CHECK((LPBYTE)text >= buffer + array_size);
    start = (size_t)((LPBYTE)text - buffer);
    CHECK(start % 2 == 0 && start < size);
    length = netsession_utf16_length(text);
    CHECK(start + (length + 1) * 2 <= size);
}

/* a and b are the same text. */
static inline int same_text(LPCWSTR a, LPCWSTR b)
{
    while (*a != 0 && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

#endif
