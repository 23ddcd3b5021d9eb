/*
 * Lists the sessions of a server: client, user and times, in pages of a few entries.
 *
 *   cc session_enum.c -o session_enum $(pkg-config --cflags --libs netsession)
 *   ./session_enum SERVER USER PASSWORD
 *
 * SERVER "" is this machine, where user and password do not matter.
 */
#include <lm.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    DWORD resume = 0, read, total, listed = 0, i;
    NET_API_STATUS status;
    LMSTR server;

    if (argc != 4) {
        fprintf(stderr, "usage: session_enum SERVER USER PASSWORD\n");
        return 2;
    }
    netsession_set_credentials(NULL, argv[2], argv[3]);
    server = netsession_utf16_from_utf8(argv[1]);
    do {
        LPBYTE buffer;
        LPSESSION_INFO_10 sessions;

        status = NetSessionEnum(server, NULL, NULL, 10, &buffer, 256, &read, &total, &resume);
        if (status != NERR_Success && status != ERROR_MORE_DATA) {
            fprintf(stderr, "%s\n", netsession_last_error());
            break;
        }
        sessions = (LPSESSION_INFO_10)(void *)buffer;
        for (i = 0; i < read; i++) {
            char *client = netsession_utf8_from_utf16(sessions[i].sesi10_cname);
            char *user = netsession_utf8_from_utf16(sessions[i].sesi10_username);

            printf("%s\t%s\t%us\t%us\n", client, user, sessions[i].sesi10_time,
                   sessions[i].sesi10_idle_time);
            NetApiBufferFree(client);
            NetApiBufferFree(user);
        }
        listed += read;
        /* Also after ERROR_MORE_DATA: each page is a buffer of its own. */
        NetApiBufferFree(buffer);
    } while (status == ERROR_MORE_DATA);
    NetApiBufferFree(server);
    printf("%u sessions\n", listed);
    return status == NERR_Success ? 0 : 1;
}
