/*
 * windows_program SERVER USER%PASSWORD
 *
 * Text as a program for Windows has it; compiled with -fshort-wchar.
 */
#include <lm.h>
#include <string.h>
#include <wchar.h>

#include "check.h"

static WCHAR nobody[] = L"nobody";
static wchar_t client[] = L"\\\\192.0.2.1";

int main(int argc, char **argv)
{
    LPTSTR pszServerName = server_and_logon(argc, argv);
    LPWSTR pszClientName = client;
    LMSTR pszUserName = NETSESSION_STR("nobody");
    LPCTSTR pszNobody = nobody;
    LPSESSION_INFO_10 pBuf = NULL;
    DWORD dwEntriesRead = 0, dwTotalEntries = 0, dwResumeHandle = 0;
    NET_API_STATUS nStatus;

    CHECK(sizeof(wchar_t) == sizeof(WCHAR));
    CHECK(same_text(pszNobody, TEXT("nobody")));
    nStatus = NetSessionEnum(pszServerName, pszClientName, pszUserName, 10, (LPBYTE *)&pBuf,
                             MAX_PREFERRED_LENGTH, &dwEntriesRead, &dwTotalEntries,
                             &dwResumeHandle);
    CHECK(nStatus == NERR_ClientNameNotFound && pBuf == NULL);
    nStatus = NetSessionEnum(pszServerName, NULL, NULL, 10, (LPBYTE *)&pBuf, MAX_PREFERRED_LENGTH,
                             &dwEntriesRead, &dwTotalEntries, &dwResumeHandle);
    CHECK(nStatus == NERR_Success && dwEntriesRead >= 1);
    CHECK(pBuf[0].sesi10_cname[0] != L'\0');
    NetApiBufferFree(pBuf);
    NetApiBufferFree(pszServerName);
    return checked();
}
