"""The functions as commands, for tests that ask every face of the library the same.

    driver.py enum SERVER LEVEL CLIENT|- USER|- PREFMAXLEN RESUME|-
    driver.py getinfo SERVER LEVEL CLIENT|- USER|-
    driver.py del SERVER CLIENT|- USER|-

`-` is None (as SERVER: this machine), nothing is the empty string; NS_USER is USER%PASSWORD,
NS_PORT the port of a SERVER without one.
Prints `status NUMBER`, for enum `entries N total M resume R` (`-` without a handle), and a line
for each session: field=value with tabs between.
"""

import os
import sys
from typing import Optional

import netsession
from netsession import netapi

FIELDS = (
    "cname",
    "username",
    "num_opens",
    "time",
    "idle_time",
    "user_flags",
    "cltype_name",
    "transport",
)


def main(arguments: list[str]) -> None:
    who = os.environ.get("NS_USER")
    if who is not None:
        user, _, password = who.partition("%")
        netapi.set_credentials(user, password)
    if os.environ.get("NS_PORT"):
        netapi.set_options(port=int(os.environ["NS_PORT"], 0))
    words: list[Optional[str]] = [None if word == "-" else word for word in arguments[1:]]
    try:
        show(arguments[0], words)
    except netsession.Error as error:
        print(f"status {error.code}")
        if arguments[0] == "enum":
            print(f"entries 0 total 0 resume {arguments[6]}")
        print(error, file=sys.stderr)


def show(function: str, words: list[Optional[str]]) -> None:
    rows: list[netsession.SessionInfo] = []
    if function == "enum":
        server, level, client, user, prefmaxlen, resume = words
        handle = None if resume is None else number(resume)
        found = netapi.net_session_enum(
            server, client, user, number(level), number(prefmaxlen), handle
        )
        print(f"status {234 if found.more_data else 0}")
        after = "-" if resume is None else found.resume_handle
        print(f"entries {found.entries_read} total {found.total_entries} resume {after}")
        rows = found.entries
    elif function == "getinfo":
        server, level, client, user = words
        found = netapi.net_session_get_info(server, client, user, number(level))
        print("status 0")
        rows = found.entries[:1]
    elif function == "del":
        server, client, user = words
        netapi.net_session_del(server, client, user)
        print("status 0")
    else:
        sys.exit(__doc__)
    for row in rows:
        print("\t".join(f"{name}={text(row, name)}" for name in FIELDS if has(row, name)))


def number(word: Optional[str]) -> int:
    return int(word or "", 0)


def has(row: netsession.SessionInfo, name: str) -> bool:
    return getattr(row, name) is not None


def text(row: netsession.SessionInfo, name: str) -> str:
    value = getattr(row, name)
    if name in ("time", "idle_time"):
        return str(int(value.total_seconds()))
    return str(int(value)) if name in ("num_opens", "user_flags") else str(value)


if __name__ == "__main__":
    main(sys.argv[1:])
