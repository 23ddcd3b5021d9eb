"""Exceptions, and arguments that are refused."""

import errno
import pickle
import socket
import threading
from datetime import timedelta

import pytest
from conftest import ADMIN, ALICE

import netsession


def test_wrong_password(server):
    with pytest.raises(netsession.LogonFailed) as caught:
        netsession.connect(server.address, "admin", "wrong")
    error = caught.value
    assert (error.code, error.name, error.kind) == (1326, "ERROR_LOGON_FAILURE", "logon_failed")
    assert isinstance(error, PermissionError) and error.errno == errno.EACCES
    assert "\n" not in str(error) and "check domain, user and password" in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), again.code, again.name, str(again)) == (
        netsession.LogonFailed,
        1326,
        "ERROR_LOGON_FAILURE",
        str(error),
    )


def test_without_the_right(server):
    with server.connect(ALICE) as alice:
        for call in (
            lambda: list(alice.sessions(level=502)),
            lambda: list(alice.sessions()),
            lambda: alice.session("127.0.0.1", "admin"),
            lambda: alice.end(user="admin"),
        ):
            with pytest.raises(netsession.AccessDenied) as caught:
                call()
            assert (caught.value.code, caught.value.name) == (5, "ERROR_ACCESS_DENIED")
            assert isinstance(caught.value, PermissionError)


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = "127.0.0.1:{}".format(free.getsockname()[1])
        with pytest.raises(netsession.Unreachable) as caught:
            netsession.connect(address, *ADMIN)
    assert caught.value.code == 53 and isinstance(caught.value, ConnectionError)


@pytest.mark.parametrize("limit", [0.3, timedelta(milliseconds=300)])
def test_silence(limit):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = "127.0.0.1:{}".format(silent.getsockname()[1])
        with pytest.raises(netsession.TimedOut) as caught:
            netsession.connect(address, *ADMIN, logon_timeout=limit)
    assert isinstance(caught.value, TimeoutError) and caught.value.code == 121


def test_something_else_answers():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def answer():
            peer, _ = listener.accept()
            with peer:
                peer.recv(1000)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        address = "127.0.0.1:{}".format(listener.getsockname()[1])
        with pytest.raises(netsession.ProtocolError):
            netsession.connect(address, *ADMIN)
        thread.join()


def test_the_server_goes_away(alone):
    admin = alone.connect()
    alone.process.kill()
    alone.process.wait()
    with pytest.raises(netsession.ConnectionLost):
        admin.info()
    with pytest.raises(netsession.Unreachable):
        admin.info()


@pytest.mark.parametrize(
    "arguments",
    [
        {"server": ""},
        {"server": "a b"},
        {"server": "127.0.0.1:99999"},
        {"server": "127.0.0.1", "user": "admin"},
        {"server": "127.0.0.1", "password": "x"},
        {"server": "127.0.0.1", "user": "a\\b\\c", "password": "x"},
        {"server": "127.0.0.1", "user": "DOMAIN\\", "password": "x"},
        {"server": "127.0.0.1", "port": 0},
    ],
)
def test_arguments_that_are_refused(arguments):
    with pytest.raises(netsession.UsageError) as caught:
        netsession.connect(**arguments)
    assert caught.value.code == 87


@pytest.mark.parametrize(
    "limit", [0, -1, 1e30, float("nan"), float("inf"), timedelta(0), timedelta(-1)]
)
def test_time_limits_that_are_refused(limit):
    with pytest.raises(ValueError, match="above 0"):
        netsession.connect("127.0.0.1:1", call_timeout=limit)


def test_types_that_are_refused(server):
    for arguments in ({"server": 5}, {"server": b"srv"}, {"port": "445"}, {"call_timeout": "1"}):
        with pytest.raises(TypeError):
            netsession.connect(**{"server": "127.0.0.1:1", **arguments})
    with server.connect() as admin:
        for level in (3, "full", 1.5, True, None, -1, 2**40):
            with pytest.raises(ValueError, match="the level is"):
                admin.sessions(level=level)
        with pytest.raises(TypeError):
            admin.session("127.0.0.1", None)
    with pytest.raises(TypeError):
        netsession.Server()
    with pytest.raises(TypeError):
        netsession.Sessions()


def test_the_family_of_exceptions():
    for name in netsession.__all__:
        kind = getattr(netsession, name)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            assert issubclass(kind, netsession.Error) and issubclass(kind, OSError)
            assert kind.__doc__
