"""Ends sessions that have been idle for long: a script as they are written for pywin32.

usage: who_is_idle.py SERVER [MINUTES]

Only the next line tells that it is not running on Windows. Who asks is in NETSESSION_USER
and NETSESSION_PASSWORD.
"""

import sys

from netsession import win32net


def main() -> int:
    server = sys.argv[1]
    limit = int(sys.argv[2]) * 60 if len(sys.argv) > 2 else None
    try:
        sessions = win32net.NetSessionEnum(502, server)
    except win32net.error as e:
        print("%s failed: %s (%d)" % (e.funcname, e.strerror, e.winerror))
        return 1
    for s in sorted(sessions, key=lambda s: s["idle_time"], reverse=True):
        print("%(client_name)-20s %(user_name)-20s %(num_opens)5d %(idle_time)6d" % s)
        if limit is not None and s["idle_time"] >= limit:
            client = "\\\\" + s["client_name"].lstrip("\\")
            try:
                win32net.NetSessionDel(server, client, s["user_name"])
            except win32net.error as e:
                if e.winerror != 2312:
                    raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
