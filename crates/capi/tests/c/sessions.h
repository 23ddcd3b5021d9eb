/* Answers, read the same at every level and judged while they are read. */
#ifndef SESSIONS_H
#define SESSIONS_H

#include "check.h"

static const DWORD LEVELS[] = {0, 1, 2, 10, 502};
#define LEVEL_COUNT (sizeof LEVELS / sizeof LEVELS[0])

/* One entry; what its level lacks is NULL or 0. */
struct session {
    LMSTR cname, username, cltype_name, transport;
    DWORD num_opens, time, idle_time, user_flags;
};

static inline size_t entry_size(DWORD level)
{
    switch (level) {
    case 0:
        return sizeof(SESSION_INFO_0);
    case 1:
        return sizeof(SESSION_INFO_1);
    case 2:
        return sizeof(SESSION_INFO_2);
    case 10:
        return sizeof(SESSION_INFO_10);
    default:
        return sizeof(SESSION_INFO_502);
    }
}

static inline struct session read_entry(LPBYTE buffer, DWORD level, DWORD index)
{
    struct session s = {NULL, NULL, NULL, NULL, 0, 0, 0, 0};
    void *array = buffer;

    if (level == 0) {
        s.cname = ((PSESSION_INFO_0)array)[index].sesi0_cname;
    } else if (level == 1) {
        PSESSION_INFO_1 info = (PSESSION_INFO_1)array + index;

        s.cname = info->sesi1_cname;
        s.username = info->sesi1_username;
        s.num_opens = info->sesi1_num_opens;
        s.time = info->sesi1_time;
        s.idle_time = info->sesi1_idle_time;
        s.user_flags = info->sesi1_user_flags;
    } else if (level == 2) {
        PSESSION_INFO_2 info = (PSESSION_INFO_2)array + index;

        s.cname = info->sesi2_cname;
        s.username = info->sesi2_username;
        s.num_opens = info->sesi2_num_opens;
        s.time = info->sesi2_time;
        s.idle_time = info->sesi2_idle_time;
        s.user_flags = info->sesi2_user_flags;
        s.cltype_name = info->sesi2_cltype_name;
    } else if (level == 10) {
        PSESSION_INFO_10 info = (PSESSION_INFO_10)array + index;

        s.cname = info->sesi10_cname;
        s.username = info->sesi10_username;
        s.time = info->sesi10_time;
        s.idle_time = info->sesi10_idle_time;
    } else {
        PSESSION_INFO_502 info = (PSESSION_INFO_502)array + index;

        s.cname = info->sesi502_cname;
        s.username = info->sesi502_username;
        s.num_opens = info->sesi502_num_opens;
        s.time = info->sesi502_time;
        s.idle_time = info->sesi502_idle_time;
        s.user_flags = info->sesi502_user_flags;
        s.cltype_name = info->sesi502_cltype_name;
        s.transport = info->sesi502_transport;
    }
    return s;
}

/* An entry of a buffer with `count` of them: every string is where it has to be. */
static inline struct session entry(LPBYTE buffer, DWORD level, DWORD count, DWORD index)
{
    struct session s = read_entry(buffer, level, index);
    size_t array_size = count * entry_size(level);

    text_in_buffer(buffer, array_size, s.cname);
    CHECK(s.cname[0] != 0);
    if (level != 0)
        text_in_buffer(buffer, array_size, s.username);
    if (level == 2 || level == 502)
        text_in_buffer(buffer, array_size, s.cltype_name);
    if (level == 502)
        text_in_buffer(buffer, array_size, s.transport);
    return s;
}

/* The computer's name without backslashes. */
static inline LPCWSTR bare(LPCWSTR cname)
{
    while (*cname == '\\')
        cname++;
    return cname;
}

#endif
