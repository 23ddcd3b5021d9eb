/*
 * Shows one session: that of a user on a client computer.
 *
 *   cc session_get_info.c -o session_get_info $(pkg-config --cflags --libs netsession)
 *   ./session_get_info SERVER USER PASSWORD '\\CLIENT' NAME
 */
#include <lm.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    LMSTR server, client, name;
    LPBYTE buffer;
    NET_API_STATUS status;

    if (argc != 6) {
        fprintf(stderr, "usage: session_get_info SERVER USER PASSWORD \\\\CLIENT NAME\n");
        return 2;
    }
    netsession_set_credentials(NULL, argv[2], argv[3]);
    server = netsession_utf16_from_utf8(argv[1]);
    client = netsession_utf16_from_utf8(argv[4]);
    name = netsession_utf16_from_utf8(argv[5]);
    status = NetSessionGetInfo(server, client, name, 1, &buffer);
    if (status == NERR_Success) {
        LPSESSION_INFO_1 session = (LPSESSION_INFO_1)(void *)buffer;

        printf("client      %s\n", argv[4]);
        printf("user        %s\n", argv[5]);
        printf("opens       %u\n", session->sesi1_num_opens);
        printf("connected   %u s\n", session->sesi1_time);
        printf("idle        %u s\n", session->sesi1_idle_time);
        printf("guest       %s\n", session->sesi1_user_flags & SESS_GUEST ? "yes" : "no");
    } else {
        fprintf(stderr, "%s\n", netsession_last_error());
    }
    NetApiBufferFree(buffer);
    NetApiBufferFree(server);
    NetApiBufferFree(client);
    NetApiBufferFree(name);
    return status == NERR_Success ? 0 : 1;
}
