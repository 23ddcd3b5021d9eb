/*
 * Ends sessions: those of a client computer, or only those that one user has from there.
 *
 *   cc session_del.c -o session_del $(pkg-config --cflags --libs netsession)
 *   ./session_del SERVER USER PASSWORD '\\CLIENT' [NAME]
 */
#include <lm.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    LMSTR server, client, name;
    NET_API_STATUS status;

    if (argc != 5 && argc != 6) {
        fprintf(stderr, "usage: session_del SERVER USER PASSWORD \\\\CLIENT [NAME]\n");
        return 2;
    }
    netsession_set_credentials(NULL, argv[2], argv[3]);
    server = netsession_utf16_from_utf8(argv[1]);
    client = netsession_utf16_from_utf8(argv[4]);
    name = argc == 6 ? netsession_utf16_from_utf8(argv[5]) : NULL;
    status = NetSessionDel(server, client, name);
    switch (status) {
    case NERR_Success:
        printf("ended\n");
        break;
    case NERR_ClientNameNotFound:
        printf("no such session\n");
        break;
    default:
        fprintf(stderr, "%s\n", netsession_last_error());
    }
    NetApiBufferFree(server);
    NetApiBufferFree(client);
    NetApiBufferFree(name);
    return status == NERR_Success ? 0 : 1;
}
