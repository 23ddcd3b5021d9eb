"""connect, Server and Sessions, against our server."""

import copy
import dataclasses
import inspect
import pickle
from datetime import timedelta

import pytest
from conftest import ADMIN, ALICE, BOB

import netsession
from netsession import SessionInfo, UserFlags

FIELDS = {
    0: ["cname"],
    1: ["cname", "username", "num_opens", "time", "idle_time", "user_flags"],
    2: ["cname", "username", "num_opens", "time", "idle_time", "user_flags", "cltype_name"],
    10: ["cname", "username", "time", "idle_time"],
    502: [
        "cname",
        "username",
        "num_opens",
        "time",
        "idle_time",
        "user_flags",
        "cltype_name",
        "transport",
    ],
}


@pytest.mark.parametrize("level", FIELDS)
def test_each_level_has_its_class_and_its_fields(server, level):
    with server.connect() as admin, server.connect(ALICE):
        sessions = admin.sessions(level=level)
        assert sessions.level is None
        rows = list(sessions)
        assert sessions.level == level
        assert len(rows) == 2
        for row in rows:
            assert type(row) is getattr(netsession, f"SessionInfo{level}")
            assert isinstance(row, SessionInfo) and row.level == level
            assert [field.name for field in dataclasses.fields(row)] == FIELDS[level]
            assert row.client == "127.0.0.1"
            for name in set(FIELDS[502]) - set(FIELDS[level]):
                assert getattr(row, name) is None
        if level:
            assert sorted(row.username for row in rows) == ["admin", "alice"]
            assert all(timedelta(0) <= row.idle_time <= row.time for row in rows)
        if level in (1, 2, 502):
            # The pipe that each of them has open.
            assert [row.num_opens for row in rows] == [1, 1]
            assert all(row.user_flags == UserFlags(0) for row in rows)
        if level == 502:
            assert rows[0].transport == r"\Device\NetbiosSmb"


def test_the_fullest_level_is_502(server):
    with server.connect() as admin:
        assert [row.level for row in admin.sessions()] == [502]
        assert admin.session("127.0.0.1", "admin").level == 502


def test_rows_are_frozen_and_can_be_kept(server):
    with server.connect() as admin:
        row = next(admin.sessions())
    with pytest.raises(dataclasses.FrozenInstanceError):
        row.username = "other"
    assert row in {row}
    assert pickle.loads(pickle.dumps(row)) == row == copy.deepcopy(row)
    with pytest.raises(AttributeError, match="no attribute 'sesi502_cname'"):
        row.sesi502_cname


def test_filters(server):
    with server.connect() as admin, server.connect(ALICE), server.connect(BOB):
        names = [row.username for row in admin.sessions(user="ALICE")]
        assert names == ["alice"]
        assert len(list(admin.sessions(client=r"\\127.0.0.1"))) == 3
        assert len(list(admin.sessions("127.0.0.1", "bob", 10))) == 1
        missing = admin.sessions(client="192.0.2.1")
        with pytest.raises(netsession.NoSuchSession) as caught:
            next(missing)
        assert (caught.value.code, caught.value.name) == (2312, "NERR_ClientNameNotFound")
        assert list(missing) == []
        with pytest.raises(netsession.NoSuchSession) as caught:
            list(admin.sessions(user="nobody"))
        assert (caught.value.code, caught.value.name) == (2221, "NERR_UserNotFound")


def test_calls_may_be_made_while_a_list_is_read(server):
    """The list does not hold the connection; what it has ended meanwhile does not matter."""
    with server.connect() as admin, server.connect(ALICE), server.connect(ALICE):
        ended = 0
        for row in admin.sessions(user="alice"):
            assert admin.session(row.client, "admin").username == "admin"
            if ended == 0:
                assert admin.end(row.cname, row.username).confirmed
            ended += 1
        assert ended == 2
        assert [row.username for row in admin.sessions()] == ["admin"]


def test_one_session(server):
    with server.connect() as admin, server.connect(BOB):
        one = admin.session(r"\\127.0.0.1", "bob", 10)
        assert (one.client, one.username) == ("127.0.0.1", "bob")
        with pytest.raises(netsession.NoSuchSession) as caught:
            admin.session("127.0.0.1", "alice")
        assert caught.value.code == 2312


def test_ending(server):
    with server.connect() as admin, server.connect(ALICE) as alice:
        with pytest.raises(netsession.UsageError) as caught:
            admin.end()
        assert caught.value.code == 87 and isinstance(caught.value, ValueError)
        assert admin.end(user="alice").confirmed
        with pytest.raises(netsession.NoSuchSession) as caught:
            admin.end(user="alice")
        assert caught.value.code == 2312
        with pytest.raises(netsession.ConnectionLost) as caught:
            alice.info()
        assert caught.value.code == 64
        # The next call has connected again.
        assert alice.info().version_major > 0


def test_ending_ones_own_session(server):
    with server.connect() as admin:
        assert admin.end("127.0.0.1", "admin").confirmed
        with pytest.raises(netsession.ConnectionLost) as caught:
            list(admin.sessions())
        assert caught.value.code == 64
        assert [row.username for row in admin.sessions()] == ["admin"]


def test_what_else_a_server_tells(server):
    with server.connect() as admin:
        assert "data" in [share.netname for share in admin.shares()]
        assert admin.info().platform_id == 500
        files = admin.files()
        assert [file.username for file in files] == ["admin"]
        assert "srvsvc" in files[0].pathname
        assert admin.files(user="bob") == []


def test_closing_a_file(server):
    with server.connect() as admin, server.connect(ALICE) as alice:
        (file,) = admin.files(user="alice")
        admin.close_file(file.id)
        assert admin.files(user="alice") == []
        with pytest.raises(netsession.Error):
            admin.close_file(file.id)
        with pytest.raises(netsession.ConnectionLost):
            alice.shares()


def test_facts_of_the_connection(server):
    with server.connect() as plain:
        assert (plain.dialect, plain.signing, plain.cipher) == ("3.1.1", "AES-GMAC", None)
        assert plain.target == server.address
        assert server.address in repr(plain)
    with server.connect(encrypt=True) as encrypted:
        assert encrypted.cipher in ("AES-128-GCM", "AES-256-GCM")
        assert encrypted.info().name


def test_closing(server):
    admin = server.connect()
    with admin as entered:
        assert entered is admin
    admin.close()
    with pytest.raises(netsession.UsageError, match="closed"):
        admin.shares()
    with pytest.raises(netsession.UsageError, match="closed"):
        next(admin.sessions())
    with server.connect() as other:
        assert len(list(other.sessions())) == 1


def test_dropping_closes(alone):
    with alone.connect() as admin:
        for _ in range(5):
            alone.connect(ALICE)
        # The server sees the end of a connection a moment later.
        for _ in range(200):
            try:
                list(admin.sessions(user="alice"))
            except netsession.NoSuchSession:
                break
        else:
            raise AssertionError("dropped objects hold their connections")


def test_ways_to_name_the_server_and_the_user(server):
    for target in (server.address, rf"\\{server.address}", f"//{server.address}"):
        with netsession.connect(target, *ADMIN) as admin:
            assert admin.target == server.address
    with netsession.connect(server.host, r"DOMAIN\admin", ADMIN[1], port=server.port) as admin:
        assert len(list(admin.sessions())) == 1
    with netsession.connect(server.address, *ADMIN, domain="DOMAIN", port=1) as admin:
        assert len(list(admin.sessions())) == 1


def test_this_machine(server):
    with netsession.connect(local_socket=server.socket) as here, server.connect(ALICE):
        assert (here.dialect, here.signing, here.cipher) == (None, None, None)
        # The caller on the socket is no session.
        assert [row.username for row in here.sessions()] == ["alice"]
        assert here.end(user="alice").confirmed


def test_this_machine_without_a_server(tmp_path):
    with pytest.raises(netsession.ServerNotStarted) as caught:
        netsession.connect(local_socket=tmp_path / "none.sock")
    assert (caught.value.code, caught.value.name) == (2114, "NERR_ServerNotStarted")


def test_annotations_can_be_written():
    assert str(netsession.Sessions[netsession.SessionInfo10]).endswith("SessionInfo10]")


def public(module):
    for name in module.__all__:
        yield name, getattr(module, name)


def test_everything_says_what_it_is():
    """Docstrings, also of the compiled classes; signatures, also of the compiled functions."""
    from netsession import adsi, netapi, win32net

    for module in (netsession, netapi, win32net, adsi):
        assert module.__doc__
        for name, item in public(module):
            if not callable(item) or getattr(item, "__module__", "") in ("typing", None):
                continue
            assert item.__doc__, f"{module.__name__}.{name}"
            if not inspect.isclass(item):
                inspect.signature(item)
                continue
            for member, value in vars(item).items():
                if member.startswith("_") or issubclass(item, BaseException):
                    continue
                if callable(value) or isinstance(value, property):
                    assert inspect.getdoc(value), f"{name}.{member}"
                if callable(value) and not isinstance(value, type):
                    inspect.signature(value)
