"""hold.py HOST PORT USER [SOURCE]: reads a file until that fails, then says with which status.

`USER.reading` appears in the share once the file is open. SOURCE is the client's address.
"""

import time

from common import ALICE, ARGUMENTS, BOB, bind_source, connection, expect, opened, session, status_of, tree

# A driver that nobody ends gives up.
LONGEST = 300

user = {"alice": ALICE, "bob": BOB}[ARGUMENTS[0]]
if len(ARGUMENTS) > 1:
    bind_source(ARGUMENTS[1])
data = tree(session(connection(), user), "data")
file = opened(data, f"{user[0]}.held", create=True)
file.write(b"held", 0)
start = time.monotonic()
sign = f"{user[0]}.reading"
while True:
    try:
        # Whoever waits for the sign may end us before the server has answered.
        if sign is not None:
            opened(data, sign, create=True).close()
            sign = None
        expect(file.read(0, 4) == b"held", "the file's bytes")
    except AssertionError:
        raise
    except Exception as error:  # noqa: BLE001
        status = status_of(error)
        print(f"ended: {hex(status) if status is not None else repr(error)}")
        break
    expect(time.monotonic() - start < LONGEST, "nobody ended this session")
    time.sleep(0.05)
