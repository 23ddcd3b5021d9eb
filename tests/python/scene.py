"""scene.py HOST PORT READY USER@SOURCE:OPENS…: sessions that are there and do nothing.

Each has a connection of its own from its address SOURCE and so many open files. The file READY
appears when all of them are there; they end with this program.
"""

import pathlib
import sys
import time

from common import ALICE, ARGUMENTS, BOB, bind_source, connection, opened, session, tree

# A scene that nobody ends gives up.
LONGEST = 300

ready, *sessions = ARGUMENTS
held = []
for number, text in enumerate(sessions):
    user, _, rest = text.partition("@")
    source, _, opens = rest.partition(":")
    bind_source(source)
    data = tree(session(connection(), {"alice": ALICE, "bob": BOB}[user]), "data")
    held.append([opened(data, f"scene-{number}-{index}", create=True) for index in range(int(opens))])
    held.append(data)
pathlib.Path(ready).touch()
time.sleep(LONGEST)
sys.exit("nobody ended this scene")
