"""The GIL, Ctrl-C, threads, forks and memory."""

import gc
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from conftest import ADMIN, ALICE

import netsession
from netsession import netapi, win32net

# Longer than any wait here may take; shorter than the limits of the calls that are ended.
PROMPT = 1.0


@pytest.fixture
def silent():
    """A listener that never says anything: a call to it waits for its time limit."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def address(listener):
    return "127.0.0.1:{}".format(listener.getsockname()[1])


CALLS = {
    "connect": "netsession.connect(address, 'admin', 'x')",
    "win32net": "win32net.NetSessionEnum(10, address)",
    "fan_out": "list(netsession.fan_out([address], 'admin', 'x'))",
}


@pytest.mark.parametrize("call", CALLS)
def test_ctrl_c(silent, call):
    """SIGINT ends a waiting call with KeyboardInterrupt, and the program goes on."""
    program = f"""
import netsession, sys, time
from netsession import win32net
address = sys.argv[1]
try:
    {CALLS[call]}
except KeyboardInterrupt:
    print("interrupted", time.monotonic(), flush=True)
print("goes on", flush=True)
"""
    child = subprocess.Popen(
        [sys.executable, "-c", program, address(silent)], stdout=subprocess.PIPE, text=True
    )
    try:
        silent.settimeout(30)
        peer, _ = silent.accept()
        with peer:
            assert peer.recv(4)  # The child has begun to wait for the answer.
            begin = time.monotonic()
            child.send_signal(signal.SIGINT)
            said, _ = child.communicate(timeout=30)
    finally:
        child.kill()
    assert child.returncode == 0
    lines = said.splitlines()
    assert lines[1] == "goes on"
    # Both processes read the same monotonic clock.
    assert float(lines[0].split()[1]) - begin < PROMPT


def test_an_interrupted_object_stays_usable(server):
    """The signal comes while a call waits for an answer that is held back."""

    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    relay = Relay(server)
    before = signal.signal(signal.SIGALRM, stop)
    try:
        with netsession.connect(relay.address, *ADMIN) as admin:
            relay.hold.set()
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(Stop):
                admin.info()
            rows = admin.sessions()
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(Stop):
                next(rows)
            relay.hold.clear()
            assert admin.info().platform_id == 500
            assert [row.username for row in rows if row.num_opens == 1][-1] == "admin"
    finally:
        signal.signal(signal.SIGALRM, before)
        relay.close()


class Relay:
    """Passes bytes between clients and a server; answers wait while `hold` is set."""

    def __init__(self, server):
        self.server = server
        self.hold = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = address(self.listener)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.hold.clear()
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection((self.server.host, self.server.port))
            for pair in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source, to, answers):
        with source:
            try:
                while data := source.recv(65536):
                    while answers and self.hold.is_set():
                        time.sleep(0.01)
                    to.sendall(data)
                to.shutdown(socket.SHUT_WR)
            except OSError:
                pass


def test_other_threads_run_while_a_call_waits(silent):
    outcome = []

    def wait():
        try:
            netsession.connect(address(silent), "admin", "x", logon_timeout=1)
        except netsession.TimedOut as error:
            outcome.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    peer, _ = silent.accept()
    longest, last, rounds = 0.0, time.monotonic(), 0
    while waiting.is_alive():
        now = time.monotonic()
        longest, last, rounds = max(longest, now - last), now, rounds + 1
        time.sleep(0.001)
    waiting.join()
    peer.close()
    assert outcome
    # With the GIL held there would be one gap as long as the call.
    assert longest < 0.5 and rounds > 50


def test_eight_threads_share_one_object(server):
    with server.connect() as admin, server.connect(ALICE):
        failures = []

        def work():
            try:
                for _ in range(15):
                    assert len(list(admin.sessions())) == 2
                    assert admin.info().platform_id == 500
                    assert admin.session("127.0.0.1", "alice").username == "alice"
            except BaseException as error:  # noqa: BLE001
                failures.append(error)

        run_together(work, 8)
        assert not failures


def test_eight_threads_share_one_list(server):
    others = [server.connect(ALICE) for _ in range(12)]
    with server.connect() as admin:
        rows, taken, lock = admin.sessions(), [], threading.Lock()

        def work():
            for row in rows:
                with lock:
                    taken.append(row)

        run_together(work, 8)
        assert len(taken) == 13
    for other in others:
        other.close()


def test_eight_threads_of_win32net(server):
    win32net.set_credentials(*ADMIN)
    failures = []

    def work():
        try:
            for _ in range(10):
                rows = win32net.NetSessionEnum(10, server.address)
                assert {row["user_name"] for row in rows} == {"admin"}
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    run_together(work, 8)
    assert not failures


def run_together(work, number):
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a deadlock"


def test_closing_while_another_thread_waits(silent):
    events = netsession.fan_out([address(silent)], "admin", "x", deadline=30)
    came = []
    waiting = threading.Thread(target=lambda: came.extend(events))
    waiting.start()
    peer, _ = silent.accept()
    events.close()
    waiting.join(10)
    peer.close()
    assert not waiting.is_alive() and came == []


def test_a_forked_child_connects_by_itself(server):
    """Neither disturbs the other: parent and child have their own connections."""
    win32net.set_credentials(*ADMIN)
    with server.connect() as admin:
        rows = admin.sessions()
        assert next(rows).username == "admin"
        win32net.NetSessionEnum(10, server.address)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                users = {row.username for row in admin.sessions()}
                also = {row["user_name"] for row in win32net.NetSessionEnum(10, server.address)}
                admin.close()
                status = 0 if users == also == {"admin"} else 2
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert admin.info().platform_id == 500
        assert {row.username for row in admin.sessions()} == {"admin"}


def resident():
    with open("/proc/self/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1))


def test_memory_and_references_stay(server):
    """What calls, lists, errors and connections leave behind is nothing."""
    netapi.set_credentials(*ADMIN)
    others = [server.connect(ALICE) for _ in range(20)]
    with server.connect() as admin:

        def work(times):
            for _ in range(times):
                for level in (0, 1, 2, 10, 502):
                    list(admin.sessions(level=level))
                admin.session("127.0.0.1", "alice")
                try:
                    admin.session("192.0.2.1", "nobody")
                except netsession.NoSuchSession:
                    pass
                win32net.NetSessionEnum(502, server.address)
                next(admin.sessions())
            server.connect().close()

        work(60)
        gc.collect()
        objects, before = len(gc.get_objects()), resident()
        references = sys.getrefcount(netsession.SessionInfo502)
        work(300)
        gc.collect()
        assert len(gc.get_objects()) <= objects + 50
        assert sys.getrefcount(netsession.SessionInfo502) <= references + 5
        # About 33,000 sessions later: 100 bytes leaked for each would be 3,000 KiB.
        assert resident() - before < 1500
    for other in others:
        other.close()
