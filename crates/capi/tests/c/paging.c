/*
 * paging SERVER USER%PASSWORD OTHER COUNT
 *
 * OTHER has COUNT sessions, each from another computer. Pages of any size give each of them
 * once, and no page is larger than was asked for unless it is of one entry.
 */
#include "sessions.h"

#define MOST 64

static void walk(LMSTR server, LMSTR user, DWORD level, DWORD prefmaxlen, DWORD count)
{
    LPBYTE pages[MOST];
    LPCWSTR seen[MOST];
    DWORD page_count = 0, seen_count = 0, resume = 0, before, read, total, size, i, j;
    NET_API_STATUS status;

    do {
        CHECK(page_count < MOST);
        before = resume;
        status = NetSessionEnum(server, NULL, user, level, &pages[page_count], prefmaxlen, &read,
                                &total, &resume);
        CHECK(status == NERR_Success || status == ERROR_MORE_DATA);
        CHECK(read >= 1);
        CHECK(total == count - seen_count);
        CHECK((status == ERROR_MORE_DATA) == (read < total));
        CHECK(status == NERR_Success || resume != before);
        EXPECT(NERR_Success, NetApiBufferSize(pages[page_count], &size));
        CHECK(size <= prefmaxlen || read == 1);
        for (i = 0; i < read; i++) {
            struct session s = entry(pages[page_count], level, read, i);

            for (j = 0; j < seen_count; j++)
                CHECK(!same_text(seen[j], bare(s.cname)));
            CHECK(seen_count < MOST);
            seen[seen_count++] = bare(s.cname);
        }
        page_count++;
    } while (status == ERROR_MORE_DATA);
    CHECK(seen_count == count);
    CHECK(prefmaxlen > 1 || page_count == count);
    CHECK(prefmaxlen < 100000 || page_count == 1);
    for (i = 0; i < page_count; i++)
        EXPECT(NERR_Success, NetApiBufferFree(pages[i]));
}

int main(int argc, char **argv)
{
    static const DWORD SIZES[] = {0, 1, 150, 400, 1000, 100000, MAX_PREFERRED_LENGTH};
    LMSTR server = server_and_logon(argc, argv), other;
    DWORD count, read, total, resume;
    LPBYTE buffer;
    size_t i, j;

    CHECK(argc == 5);
    other = netsession_utf16_from_utf8(argv[3]);
    count = (DWORD)strtoul(argv[4], NULL, 10);
    for (i = 0; i < LEVEL_COUNT; i++)
        for (j = 0; j < sizeof SIZES / sizeof SIZES[0]; j++)
            walk(server, other, LEVELS[i], SIZES[j], count);

    /* Without a handle the rest is lost, and the buffer is to be freed all the same. */
    EXPECT(ERROR_MORE_DATA,
           NetSessionEnum(server, NULL, other, 1, &buffer, 200, &read, &total, NULL));
    CHECK(buffer != NULL && read >= 1 && read < total && total == count);
    EXPECT(NERR_Success, NetApiBufferFree(buffer));

    /* A failure leaves the handle as it is. */
    resume = 12345;
    EXPECT(ERROR_INVALID_LEVEL,
           NetSessionEnum(server, NULL, other, 3, &buffer, 200, &read, &total, &resume));
    CHECK(resume == 12345 && buffer == NULL);
    NetApiBufferFree(server);
    NetApiBufferFree(other);
    return checked();
}
