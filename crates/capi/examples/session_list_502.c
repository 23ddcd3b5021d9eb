/*
 * Lists everything that a server tells of its sessions (level 502), in one call.
 *
 *   cc session_list_502.c -o session_list_502 $(pkg-config --cflags --libs netsession)
 *   ./session_list_502 SERVER USER PASSWORD
 */
#include <lm.h>
#include <stdio.h>

static void print(LMSTR text)
{
    char *utf8 = netsession_utf8_from_utf16(text);

    printf("%s\t", utf8);
    NetApiBufferFree(utf8);
}

int main(int argc, char **argv)
{
    LPSESSION_INFO_502 sessions;
    LPBYTE buffer;
    DWORD read, total, i;
    NET_API_STATUS status;
    LMSTR server;

    if (argc != 4) {
        fprintf(stderr, "usage: session_list_502 SERVER USER PASSWORD\n");
        return 2;
    }
    netsession_set_credentials(NULL, argv[2], argv[3]);
    server = netsession_utf16_from_utf8(argv[1]);
    status = NetSessionEnum(server, NULL, NULL, 502, &buffer, MAX_PREFERRED_LENGTH, &read, &total,
                            NULL);
    NetApiBufferFree(server);
    if (status != NERR_Success) {
        fprintf(stderr, "%s\n", netsession_last_error());
        return 1;
    }
    sessions = (LPSESSION_INFO_502)(void *)buffer;
    for (i = 0; i < read; i++) {
        print(sessions[i].sesi502_cname);
        print(sessions[i].sesi502_username);
        print(sessions[i].sesi502_cltype_name);
        print(sessions[i].sesi502_transport);
        printf("%u opens\t%us\t%us\tflags %#x\n", sessions[i].sesi502_num_opens,
               sessions[i].sesi502_time, sessions[i].sesi502_idle_time,
               sessions[i].sesi502_user_flags);
    }
    NetApiBufferFree(buffer);
    return 0;
}
