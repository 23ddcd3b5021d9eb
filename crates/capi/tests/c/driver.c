/*
 * One call from the command line, for tests that ask the same of every face of the library.
 *
 *   driver enum SERVER LEVEL CLIENT|- USER|- PREFMAXLEN RESUME|-
 *   driver getinfo SERVER LEVEL CLIENT|- USER|-
 *   driver del SERVER CLIENT|- USER|-
 *
 * "-" is NULL (SERVER too), an empty argument an empty string; numbers in any base of C.
 * Who asks: NS_USER (user%password); the port, unless SERVER has one: NS_PORT.
 *
 * Prints "status N"; then, for enum, "entries N total M resume R" ("-" for NULL), then a line
 * for each entry: field=value with tabs between. Exits with 0 if the call could be made.
 */
#include <lm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int usage(void)
{
    fprintf(stderr, "usage: driver enum SERVER LEVEL CLIENT USER PREFMAXLEN RESUME\n"
                    "       driver getinfo SERVER LEVEL CLIENT USER\n"
                    "       driver del SERVER CLIENT USER\n");
    return 2;
}

static int number(const char *text, DWORD *value)
{
    char *end;
    unsigned long long parsed = strtoull(text, &end, 0);

    if (end == text || *end != '\0' || parsed > 0xFFFFFFFFULL)
        return 0;
    *value = (DWORD)parsed;
    return 1;
}

static LMSTR name(const char *text)
{
    LMSTR units;

    if (strcmp(text, "-") == 0)
        return NULL;
    units = netsession_utf16_from_utf8(text);
    if (units == NULL) {
        fprintf(stderr, "driver: %s\n", netsession_last_error());
        exit(2);
    }
    return units;
}

static void text_field(const char *field, LMSTR value)
{
    char *text = netsession_utf8_from_utf16(value);

    printf("%s=%s", field, text == NULL ? "(null)" : text);
    NetApiBufferFree(text);
}

static void number_field(const char *field, DWORD value)
{
    printf("\t%s=%u", field, value);
}

static void print_1(const SESSION_INFO_1 *info)
{
    text_field("cname", info->sesi1_cname);
    text_field("\tusername", info->sesi1_username);
    number_field("num_opens", info->sesi1_num_opens);
    number_field("time", info->sesi1_time);
    number_field("idle_time", info->sesi1_idle_time);
    number_field("user_flags", info->sesi1_user_flags);
}

static void print_2(const SESSION_INFO_2 *info)
{
    text_field("cname", info->sesi2_cname);
    text_field("\tusername", info->sesi2_username);
    number_field("num_opens", info->sesi2_num_opens);
    number_field("time", info->sesi2_time);
    number_field("idle_time", info->sesi2_idle_time);
    number_field("user_flags", info->sesi2_user_flags);
    text_field("\tcltype_name", info->sesi2_cltype_name);
}

static void print_10(const SESSION_INFO_10 *info)
{
    text_field("cname", info->sesi10_cname);
    text_field("\tusername", info->sesi10_username);
    number_field("time", info->sesi10_time);
    number_field("idle_time", info->sesi10_idle_time);
}

static void print_502(const SESSION_INFO_502 *info)
{
    text_field("cname", info->sesi502_cname);
    text_field("\tusername", info->sesi502_username);
    number_field("num_opens", info->sesi502_num_opens);
    number_field("time", info->sesi502_time);
    number_field("idle_time", info->sesi502_idle_time);
    number_field("user_flags", info->sesi502_user_flags);
    text_field("\tcltype_name", info->sesi502_cltype_name);
    text_field("\ttransport", info->sesi502_transport);
}

static void print_entries(LPBYTE buffer, DWORD level, DWORD count)
{
    DWORD i;

    for (i = 0; i < count; i++) {
        switch (level) {
        case 0:
            text_field("cname", ((LPSESSION_INFO_0)(void *)buffer)[i].sesi0_cname);
            break;
        case 1:
            print_1(&((LPSESSION_INFO_1)(void *)buffer)[i]);
            break;
        case 2:
            print_2(&((LPSESSION_INFO_2)(void *)buffer)[i]);
            break;
        case 10:
            print_10(&((LPSESSION_INFO_10)(void *)buffer)[i]);
            break;
        case 502:
            print_502(&((LPSESSION_INFO_502)(void *)buffer)[i]);
            break;
        }
        printf("\n");
    }
}

static void told(NET_API_STATUS status)
{
    printf("status %u\n", status);
    if (status != NERR_Success && status != ERROR_MORE_DATA)
        fprintf(stderr, "driver: %s\n", netsession_last_error());
}

static int enumerate(char **arguments)
{
    LMSTR server = name(arguments[0]), client = name(arguments[2]), user = name(arguments[3]);
    DWORD level, prefmaxlen, resume = 0, read = 0xAAAAAAAA, total = 0xAAAAAAAA;
    int with_handle = strcmp(arguments[5], "-") != 0;
    LPBYTE buffer = (LPBYTE)&read; /* stale: a failure has to replace it */
    NET_API_STATUS status;

    if (!number(arguments[1], &level) || !number(arguments[4], &prefmaxlen) ||
        (with_handle && !number(arguments[5], &resume)))
        return usage();
    status = NetSessionEnum(server, client, user, level, &buffer, prefmaxlen, &read, &total,
                            with_handle ? &resume : NULL);
    told(status);
    printf("entries %u total %u resume ", read, total);
    if (with_handle)
        printf("%u\n", resume);
    else
        printf("-\n");
    print_entries(buffer, level, read);
    if (NetApiBufferFree(buffer) != NERR_Success)
        return 1;
    NetApiBufferFree(server);
    NetApiBufferFree(client);
    NetApiBufferFree(user);
    return 0;
}

static int get_info(char **arguments)
{
    LMSTR server = name(arguments[0]), client = name(arguments[2]), user = name(arguments[3]);
    DWORD level;
    LPBYTE buffer = (LPBYTE)&level;
    NET_API_STATUS status;

    if (!number(arguments[1], &level))
        return usage();
    status = NetSessionGetInfo(server, client, user, level, &buffer);
    told(status);
    if (status == NERR_Success)
        print_entries(buffer, level, 1);
    if (NetApiBufferFree(buffer) != NERR_Success)
        return 1;
    NetApiBufferFree(server);
    NetApiBufferFree(client);
    NetApiBufferFree(user);
    return 0;
}

static int delete_sessions(char **arguments)
{
    LMSTR server = name(arguments[0]), client = name(arguments[1]), user = name(arguments[2]);

    told(NetSessionDel(server, client, user));
    NetApiBufferFree(server);
    NetApiBufferFree(client);
    NetApiBufferFree(user);
    return 0;
}

int main(int count, char **arguments)
{
    const char *logon = getenv("NS_USER"), *port = getenv("NS_PORT");
    DWORD port_number = 0;

    if (logon != NULL && netsession_set_logon(logon) != NERR_Success) {
        fprintf(stderr, "driver: NS_USER: %s\n", netsession_last_error());
        return 2;
    }
    if (port != NULL && *port != '\0') {
        if (!number(port, &port_number) || port_number > 0xFFFF)
            return usage();
        netsession_set_port((uint16_t)port_number);
    }
    if (count == 8 && strcmp(arguments[1], "enum") == 0)
        return enumerate(arguments + 2);
    if (count == 6 && strcmp(arguments[1], "getinfo") == 0)
        return get_info(arguments + 2);
    if (count == 5 && strcmp(arguments[1], "del") == 0)
        return delete_sessions(arguments + 2);
    return usage();
}
