"""Against Samba's smbd, which has levels 0 and 1."""

import pytest
from conftest import ADMIN, ALICE

import netsession
from netsession import netapi, win32net


def test_levels(samba):
    with samba.connect() as admin, samba.connect(ALICE):
        assert {row.client for row in admin.sessions(level=0)} == {"127.0.0.1"}
        rows = list(admin.sessions(level=1))
        assert {row.username for row in rows} == {"admin", "alice"}
        for level in (2, 10, 502):
            with pytest.raises(netsession.Refused) as caught:
                list(admin.sessions(level=level))
            assert caught.value.code == 124
        fullest = admin.sessions()
        assert {row.username for row in fullest} == {"admin", "alice"}
        assert fullest.level == 1
        assert all(row.transport is None for row in admin.sessions())
        assert admin.session("127.0.0.1", "alice").level == 1


def test_filters(samba):
    """smbd ignores them; the client does not."""
    with samba.connect() as admin, samba.connect(ALICE):
        assert [row.username for row in admin.sessions(user="alice")] == ["alice"]
        with pytest.raises(netsession.NoSuchSession):
            list(admin.sessions(user="nobody"))


def test_win32net(samba):
    netapi.set_credentials(*ADMIN)
    with samba.connect(ALICE):
        rows = win32net.NetSessionEnum(1, samba.address)
        assert {row["user_name"] for row in rows} == {"admin", "alice"}
        one = win32net.NetSessionGetInfo(1, samba.address, r"\\127.0.0.1", "alice")
        assert one["user_name"] == "alice"
        assert list(win32net.NetSessionEnum(0, samba.address)[0]) == ["client_name"]
        with pytest.raises(win32net.error) as caught:
            win32net.NetSessionEnum(502, samba.address)
        assert caught.value.winerror == 124
        win32net.NetSessionDel(samba.address, r"\\127.0.0.1", "alice")


def test_fan_out_finds_the_level_of_each(samba, server):
    events = list(netsession.fan_out([samba.address, server.address], *ADMIN))
    levels = {e.server: e.level for e in events if isinstance(e, netsession.DoneEvent)}
    assert levels == {samba.address: 1, server.address: 502}


def test_encrypted(samba):
    with samba.connect(encrypt=True) as admin:
        assert admin.cipher is not None
        assert admin.info().name
        assert "data" in [share.netname for share in admin.shares()]
