"""netsession.win32net and netsession.netapi: what pywin32's and netapi32's callers expect."""

import os
import pathlib
import subprocess
import sys

import pytest
from conftest import ADMIN, ALICE, BOB

import netsession
from netsession import netapi, win32net

KEYS = {
    0: ["client_name"],
    1: ["client_name", "user_name", "num_opens", "active_time", "idle_time", "user_flags"],
    2: [
        "client_name",
        "user_name",
        "num_opens",
        "active_time",
        "idle_time",
        "user_flags",
        "client_type",
    ],
    10: ["client_name", "user_name", "active_time", "idle_time"],
    502: [
        "client_name",
        "user_name",
        "num_opens",
        "active_time",
        "idle_time",
        "user_flags",
        "client_type",
        "transport",
    ],
}


@pytest.fixture
def server(server):
    """Our server, with the credentials of the logon being the administrator's."""
    netapi.set_credentials(*ADMIN)
    return server


@pytest.mark.parametrize("level", KEYS)
def test_dictionaries(server, level):
    with server.connect(ALICE):
        rows = win32net.NetSessionEnum(level, server.address)
        assert len(rows) == 2
        for row in rows:
            assert list(row) == KEYS[level]
            for key, value in row.items():
                assert type(value) is (int if key[-4:] in ("pens", "time", "lags") else str)
        one = win32net.NetSessionGetInfo(level, server.address, r"\\127.0.0.1", "alice")
        assert list(one) == KEYS[level]
        assert one["client_name"].lstrip("\\") == "127.0.0.1"
        if level:
            assert one["user_name"] == "alice"


def test_server_names(server):
    for name in (server.address, rf"\\{server.address}"):
        assert len(win32net.NetSessionEnum(10, name)) == 1
    win32net.set_options(port=server.port)
    for name in (server.host, rf"\\{server.host}"):
        assert len(win32net.NetSessionEnum(10, name)) == 1


def test_filters(server):
    with server.connect(ALICE), server.connect(BOB):
        names = lambda *filters: [  # noqa: E731
            row["user_name"] for row in win32net.NetSessionEnum(10, server.address, *filters)
        ]
        assert sorted(names()) == ["admin", "alice", "bob"]
        assert sorted(names(None, None)) == ["admin", "alice", "bob"]
        assert sorted(names("", "")) == ["admin", "alice", "bob"]
        assert names(None, "bob") == ["bob"]
        assert names(r"\\127.0.0.1", "bob") == ["bob"]


def test_arguments_by_name_too(server):
    assert win32net.NetSessionEnum(level=10, server=server.address, client=None, username="admin")
    assert win32net.NetSessionGetInfo(
        level=10, server=server.address, client=r"\\127.0.0.1", username="admin"
    )
    with server.connect(ALICE):
        win32net.NetSessionDel(server=server.address, client=None, username="alice")


@pytest.mark.parametrize(
    "function, call, number",
    [
        ("NetSessionEnum", lambda f, s: f(10, s, r"\\192.0.2.1"), 2312),
        ("NetSessionEnum", lambda f, s: f(10, s, "127.0.0.1"), 2351),
        ("NetSessionEnum", lambda f, s: f(10, s, None, "nobody"), 2221),
        ("NetSessionEnum", lambda f, s: f(10, "127.0.0.1:1"), 53),
        ("NetSessionGetInfo", lambda f, s: f(10, s, r"\\127.0.0.1", "alice"), 2312),
        ("NetSessionGetInfo", lambda f, s: f(10, s, "127.0.0.1", "admin"), 2351),
        ("NetSessionGetInfo", lambda f, s: f(10, s, "", "admin"), 87),
        ("NetSessionDel", lambda f, s: f(s, r"\\192.0.2.1"), 2312),
        ("NetSessionDel", lambda f, s: f(s, "127.0.0.1", "admin"), 2312),
        ("NetSessionDel", lambda f, s: f(s, None, "alice"), 2312),
        ("NetSessionDel", lambda f, s: f(s), 87),
        ("NetSessionDel", lambda f, s: f(s, "", ""), 87),
    ],
)
def test_errors(server, function, call, number):
    with pytest.raises(win32net.error) as caught:
        call(getattr(win32net, function), server.address)
    error = caught.value
    assert (error.winerror, error.funcname) == (number, function)
    assert error.args == (number, function, error.strerror)
    winerror, funcname, strerror = error.args
    assert isinstance(strerror, str) and strerror
    assert isinstance(error.__cause__, netsession.Error) and error.__cause__.code == number


def test_without_the_right(server):
    win32net.set_credentials(*ALICE)
    for call in (
        lambda: win32net.NetSessionEnum(502, server.address),
        lambda: win32net.NetSessionGetInfo(0, server.address, r"\\127.0.0.1", "admin"),
        lambda: win32net.NetSessionDel(server.address, None, "admin"),
    ):
        with pytest.raises(win32net.error) as caught:
            call()
        assert caught.value.winerror == 5


def test_wrong_password(server):
    win32net.set_credentials("admin", "wrong")
    with pytest.raises(win32net.error) as caught:
        win32net.NetSessionEnum(0, server.address)
    assert caught.value.winerror == 1326


def test_checks_before_any_call():
    """The levels and types are those of pywin32; the server is none that could be asked."""
    nowhere = "256.256.256.256"
    for level in (-1, 3, 11, 501, 2**40):
        with pytest.raises(ValueError, match="NetSessionEnum"):
            win32net.NetSessionEnum(level, nowhere)
        with pytest.raises(ValueError, match="NetSessionGetInfo"):
            win32net.NetSessionGetInfo(level, nowhere, "c", "u")
    for level in (None, "10", 10.0):
        with pytest.raises(TypeError):
            win32net.NetSessionEnum(level, nowhere)
    for client, user in ((None, "u"), ("c", None), (b"c", "u"), ("c", 5)):
        with pytest.raises(TypeError):
            win32net.NetSessionGetInfo(10, nowhere, client, user)
    for server in (b"srv", 5, object()):
        with pytest.raises(TypeError):
            win32net.NetSessionEnum(10, server)
        with pytest.raises(TypeError):
            win32net.NetSessionDel(server)
    with pytest.raises(TypeError):
        win32net.NetSessionEnum()
    with pytest.raises(TypeError):
        win32net.NetSessionGetInfo(10, nowhere)
    with pytest.raises(TypeError):
        win32net.NetSessionEnum(10, nowhere, None, None, None)
    with pytest.raises(ValueError, match="NUL"):
        win32net.NetSessionEnum(10, "a\0b")


def test_ending(server):
    with server.connect(ALICE) as alice:
        assert win32net.NetSessionDel(server.address, r"\\127.0.0.1", "alice") is None
        with pytest.raises(netsession.ConnectionLost):
            alice.info()


def test_this_machine(server):
    win32net.set_credentials()
    win32net.set_options(local_socket=server.socket)
    with server.connect(BOB):
        for name in (None, ""):
            assert [row["user_name"] for row in win32net.NetSessionEnum(1, name)] == ["bob"]
        assert win32net.NetSessionGetInfo(1, None, r"\\127.0.0.1", "bob")["num_opens"] == 1
        win32net.NetSessionDel(None, r"\\127.0.0.1", "bob")
    with pytest.raises(win32net.error) as caught:
        win32net.NetSessionDel(None, r"\\127.0.0.1", "bob")
    assert caught.value.winerror == 2312
    win32net.set_options(local_socket=server.socket.with_name("none.sock"))
    with pytest.raises(win32net.error) as caught:
        win32net.NetSessionEnum(1)
    assert caught.value.winerror == 2114


def run_example(arguments, environment):
    example = pathlib.Path(__file__).parent.parent / "examples/who_is_idle.py"
    clean = {k: v for k, v in os.environ.items() if not k.startswith("NETSESSION_")}
    return subprocess.run(
        [sys.executable, str(example), *arguments],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_script_written_for_pywin32(server, tmp_path):
    """Credentials as a Windows logon would give them: from the environment of the process."""
    secret = tmp_path / "password"
    secret.write_text(ADMIN[1] + "\n")
    with server.connect(ALICE):
        for environment in (
            {"NETSESSION_USER": ADMIN[0], "NETSESSION_PASSWORD": ADMIN[1]},
            {"NETSESSION_USER": ADMIN[0], "NETSESSION_PASSWORD_FILE": str(secret)},
            {"NETSESSION_USER": "%".join(ADMIN)},
            {"NETSESSION_USER": "%".join(ADMIN), "NETSESSION_PASSWORD": "another"},
        ):
            done = run_example([server.address], environment)
            assert done.returncode == 0, done.stderr
            users = sorted(line.split()[1] for line in done.stdout.splitlines())
            assert users == ["admin", "alice"]
    denied = run_example(
        [server.address], {"NETSESSION_USER": ALICE[0], "NETSESSION_PASSWORD": ALICE[1]}
    )
    assert denied.returncode == 1
    assert denied.stdout.startswith("NetSessionEnum failed: ") and "(5)" in denied.stdout


def test_the_environment_may_change(server, monkeypatch):
    fresh = "import os, sys; from netsession import win32net; address = sys.argv[1]\n"
    script = fresh + (
        "try: win32net.NetSessionEnum(1, address)\n"
        "except win32net.error as e: print(e.winerror)\n"
        "os.environ.update(NETSESSION_USER='admin', NETSESSION_PASSWORD='Adm1n.Pw')\n"
        "print([row['user_name'] for row in win32net.NetSessionEnum(1, address)])\n"
        "os.environ['NETSESSION_PASSWORD_FILE'] = '/nonexistent'\n"
        "del os.environ['NETSESSION_PASSWORD']\n"
        "try: win32net.NetSessionEnum(1, address)\n"
        "except win32net.error as e: print(e.winerror, '/nonexistent' in e.strerror)\n"
        "win32net.set_credentials('admin', 'Adm1n.Pw')\n"
        "print([row['user_name'] for row in win32net.NetSessionEnum(1, address)])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, server.address],
        capture_output=True,
        text=True,
        timeout=60,
    )
    # Nobody in particular may not use the pipe at all.
    assert done.stdout.splitlines() == ["5", "['admin']", "87 True", "['admin']"], done


def test_netapi_pages(server):
    with server.connect(ALICE), server.connect(ALICE), server.connect(BOB):
        handle, names, calls = 0, [], 0
        while True:
            page = netapi.net_session_enum(server.address, level=10, prefmaxlen=1, resume_handle=handle)
            calls += 1
            assert page.entries_read == len(page.entries) == 1
            assert page.total_entries == 5 - calls
            names += [entry.username for entry in page.entries]
            if not page.more_data:
                assert page.resume_handle == 0
                break
            assert page.resume_handle != handle
            handle = page.resume_handle
        assert sorted(names) == ["admin", "alice", "alice", "bob"] and calls == 4
        cut = netapi.net_session_enum(server.address, level=10, prefmaxlen=1)
        assert (cut.entries_read, cut.more_data) == (1, True)
        assert len(win32net.NetSessionEnum(10, server.address)) == 4


def test_netapi_checks_its_numbers(server):
    with pytest.raises(netsession.Refused) as caught:
        netapi.net_session_enum(server.address, level=3)
    assert (caught.value.code, caught.value.name) == (124, "ERROR_INVALID_LEVEL")
    for number in (-1, 2**32):
        with pytest.raises(OverflowError):
            netapi.net_session_enum(server.address, prefmaxlen=number)
    with pytest.raises(netsession.UsageError):
        netapi.net_session_get_info(server.address, None, "admin")


def driver(arguments, user=ADMIN):
    path = pathlib.Path(__file__).with_name("driver.py")
    done = subprocess.run(
        [sys.executable, str(path), *arguments],
        env={**os.environ, "NS_USER": "%".join(user)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done
    return done.stdout.splitlines()


def test_the_driver(server):
    with server.connect(ALICE):
        lines = driver(["enum", server.address, "10", "-", "alice", "4294967295", "-"])
        assert lines[:2] == ["status 0", "entries 1 total 1 resume -"]
        fields = [field.split("=")[0] for field in lines[2].split("\t")]
        assert fields == ["cname", "username", "time", "idle_time"]
        lines = driver(["getinfo", server.address, "502", r"\\127.0.0.1", "alice"])
        assert lines[0] == "status 0" and "\tusername=alice\t" in lines[1]
        assert driver(["del", server.address, "-", "alice"]) == ["status 0"]
        assert driver(["del", server.address, "-", "-"]) == ["status 87"]
        assert driver(["enum", server.address, "3", "-", "-", "1", "0"])[0] == "status 124"
        assert driver(["enum", server.address, "2", "-", "-", "1", "0"], ALICE)[0] == "status 5"
