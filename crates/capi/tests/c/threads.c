/*
 * threads SERVER USER%PASSWORD OTHER COUNT VICTIM PREFIX FIRST
 *
 * Eight threads do everything at once: list at each level, page with a small buffer, ask for one
 * session, end one, make mistakes. OTHER has COUNT sessions that nobody ends, and the threads
 * one session of VICTIM each, from the computer PREFIX + (FIRST + number of the thread).
 */
#include <pthread.h>
#include <string.h>

#include "sessions.h"

#define THREADS 8
#define ROUNDS 3

static LMSTR server, other, victim, nobody;
static DWORD count;
static const char *prefix;
static unsigned long first;

static void page(DWORD level, DWORD prefmaxlen)
{
    DWORD resume = 0, read, total, seen = 0, i;
    NET_API_STATUS status;
    LPBYTE buffer;

    do {
        status = NetSessionEnum(server, NULL, other, level, &buffer, prefmaxlen, &read, &total,
                                &resume);
        CHECK(status == NERR_Success || status == ERROR_MORE_DATA);
        for (i = 0; i < read; i++) {
            struct session s = entry(buffer, level, read, i);

            CHECK(level == 0 || same_text(s.username, other));
        }
        seen += read;
        EXPECT(NERR_Success, NetApiBufferFree(buffer));
    } while (status == ERROR_MORE_DATA);
    CHECK(seen == count);
}

static void mistakes(void)
{
    LPBYTE buffer;
    DWORD read, total;

    EXPECT(ERROR_INVALID_LEVEL,
           NetSessionEnum(server, NULL, NULL, 7, &buffer, 1, &read, &total, NULL));
    CHECK(buffer == NULL);
    /* The text is this thread's: others fail otherwise at the same time. */
    CHECK(strstr(netsession_last_error(), "ERROR_INVALID_LEVEL") != NULL);
    EXPECT(ERROR_INVALID_PARAMETER, NetSessionDel(server, NULL, NULL));
    CHECK(strstr(netsession_last_error(), "ERROR_INVALID_LEVEL") == NULL);
    EXPECT(NERR_UserNotFound,
           NetSessionEnum(server, NULL, nobody, 1, &buffer, 1, &read, &total, NULL));
    CHECK(strstr(netsession_last_error(), "NERR_UserNotFound") != NULL);
}

static void *work(void *argument)
{
    unsigned long number = *(unsigned long *)argument;
    char text[64];
    LMSTR client;
    LPBYTE buffer;
    int round;
    size_t i;

    snprintf(text, sizeof text, "%s%lu", prefix, first + number);
    client = netsession_utf16_from_utf8(text);
    CHECK(client != NULL);
    for (round = 0; round < ROUNDS; round++) {
        for (i = 0; i < LEVEL_COUNT; i++) {
            struct session s;

            page(LEVELS[i], round == 0 ? 300 : MAX_PREFERRED_LENGTH);
            EXPECT(NERR_Success, NetSessionGetInfo(server, client, victim, LEVELS[i], &buffer));
            s = entry(buffer, LEVELS[i], 1, 0);
            CHECK(same_text(bare(s.cname), bare(client)));
            EXPECT(NERR_Success, NetApiBufferFree(buffer));
        }
        mistakes();
    }
    EXPECT(NERR_Success, NetSessionDel(server, client, victim));
    EXPECT(NERR_ClientNameNotFound, NetSessionDel(server, client, victim));
    EXPECT(NERR_ClientNameNotFound, NetSessionGetInfo(server, client, victim, 1, &buffer));
    NetApiBufferFree(client);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS];
    unsigned long numbers[THREADS], i;

    server = server_and_logon(argc, argv);
    CHECK(argc == 8);
    other = netsession_utf16_from_utf8(argv[3]);
    count = (DWORD)strtoul(argv[4], NULL, 10);
    victim = netsession_utf16_from_utf8(argv[5]);
    prefix = argv[6];
    first = strtoul(argv[7], NULL, 10);
    nobody = netsession_utf16_from_utf8("nobody");
    for (i = 0; i < THREADS; i++) {
        numbers[i] = i;
        CHECK(pthread_create(&threads[i], NULL, work, &numbers[i]) == 0);
    }
    for (i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    NetApiBufferFree(server);
    NetApiBufferFree(other);
    NetApiBufferFree(victim);
    NetApiBufferFree(nobody);
    return checked();
}
