"""netsession.adsi: file services, sessions and open files as ADSI shows them."""

import pickle

import pytest
from conftest import ADMIN, ALICE, BOB

from netsession import adsi


def bind(server, user=ADMIN, domain=""):
    path = f"WinNT://{domain}{server.address}/LanmanServer,FileService"
    return adsi.GetObject(path, user=user[0], password=user[1])


def number(caught):
    return caught.value.hresult & 0xFFFFFFFF


def test_sessions(server):
    fs = bind(server)
    with server.connect(ALICE), server.connect(BOB):
        found = {s.User: s for s in fs.Sessions()}
        assert set(found) == {"admin", "alice", "bob"}
        s = found["alice"]
        assert (s.Name, s.Class, s.Computer) == (r"alice\127.0.0.1", "Session", "127.0.0.1")
        assert s.UserPath == f"WinNT://{server.address}/alice"
        assert s.ComputerPath == "WinNT://127.0.0.1"
        assert type(s.ConnectTime) is int and 0 <= s.IdleTime <= s.ConnectTime
        assert (s.Get("User"), s.Get("computer"), s.Get("ConnectTime")) == (
            "alice",
            "127.0.0.1",
            s.ConnectTime,
        )
        assert s.Parent == fs.ADsPath and s.ADsPath.startswith(s.Parent) and s.Schema
        assert "alice" in repr(s)
        s.GetInfo()
        assert s.User == "alice"


def test_domain_in_the_path(server):
    fs = bind(server, domain="CONTOSO/")
    assert {s.UserPath for s in fs.Sessions()} == {"WinNT://CONTOSO/admin"}


def test_removing_while_enumerating(server):
    fs = bind(server)
    with server.connect(ALICE), server.connect(BOB):
        for s in fs.Sessions():
            if s.User != "admin":
                fs.Sessions().Remove(s.Name)
        assert [s.User for s in fs.Sessions()] == ["admin"]
        with pytest.raises(adsi.com_error) as caught:
            fs.Sessions().Remove(r"alice\127.0.0.1")
        assert number(caught) == 0x80070908


def test_one_session_by_its_name(server):
    fs = bind(server)
    with server.connect(ALICE):
        s = fs.Sessions().GetObject(r"alice\127.0.0.1")
        assert s.User == "alice"
        fs.Sessions().Remove(s.Name)
        with pytest.raises(adsi.com_error) as caught:
            s.GetInfo()
        assert number(caught) == 0x80070908 and s.User == "alice"
        with pytest.raises(adsi.com_error) as caught:
            fs.Sessions().GetObject("alice")
        assert caught.value.hresult == adsi.E_ADS_BAD_PARAMETER


def test_resources(server):
    fs = bind(server)
    with server.connect(ALICE) as alice:
        (r,) = [r for r in fs.Resources() if r.User == "alice"]
        assert (r.Class, r.LockCount) == ("Resource", 0)
        assert "srvsvc" in r.Path and r.Get("Path") == r.Path
        assert r.Parent == fs.ADsPath and r.ADsPath and r.Schema and r.UserPath
        again = fs.Resources().GetObject(r.Name)
        assert again.Path == r.Path
        again.GetInfo()
        fs.Resources().Remove(r.Name)
        with pytest.raises(adsi.com_error) as caught:
            again.GetInfo()
        assert number(caught) == 0x8007090A
        with pytest.raises(OSError):
            alice.info()


def test_the_service(server):
    fs = bind(server)
    assert (fs.Name, fs.Class, fs.Status) == ("LanmanServer", "FileService", 4)
    assert fs.Description == fs.Get("description")
    assert fs.MaxUserCount == fs.Get("MaxUserCount")
    assert fs.Version.count(".") == 1
    assert fs.HostComputer == fs.Parent == f"WinNT://{server.address}"
    fs.GetInfo()
    for act in (fs.Start, fs.Stop, fs.Pause, fs.Continue, lambda: fs.Sessions().Add("x")):
        with pytest.raises(adsi.com_error) as caught:
            act()
        assert caught.value.hresult == adsi.E_NOTIMPL


@pytest.mark.parametrize(
    "path, hresult",
    [
        ("winnt://srv/LanmanServer", 0x80005000),
        ("LDAP://srv/LanmanServer", 0x80005000),
        ("WinNT://", 0x80005000),
        ("WinNT://srv/alice,user", 0x80005004),
        ("WinNT://127.0.0.1:1/LanmanServer", 0x80070035),
    ],
)
def test_paths_that_lead_nowhere(path, hresult):
    with pytest.raises(adsi.com_error) as caught:
        adsi.GetObject(path, *ADMIN)
    assert number(caught) == hresult


def test_errors_have_the_form_of_pywin32(server):
    with pytest.raises(adsi.com_error) as caught:
        adsi.GetObject(f"WinNT://{server.address}/LanmanServer", "admin", "wrong")
    error = caught.value
    assert error.hresult == 0x8007052E - 2**32
    hresult, strerror, excepinfo, argerror = error.args
    assert (hresult, strerror, argerror) == (error.hresult, error.strerror, None)
    assert excepinfo == error.excepinfo and excepinfo[5] == hresult and excepinfo[2] == strerror
    assert pickle.loads(pickle.dumps(error)).args == error.args
    with pytest.raises(adsi.com_error) as caught:
        list(bind(server, ALICE).Sessions())
    assert number(caught) == 0x80070005
    fs = bind(server)
    (s,) = fs.Sessions()
    for unknown in (fs, s):
        with pytest.raises(adsi.com_error) as caught:
            unknown.Get("Colour")
        assert caught.value.hresult == adsi.E_ADS_PROPERTY_NOT_SUPPORTED
        with pytest.raises(adsi.com_error) as caught:
            unknown.Get("GUID")
        assert caught.value.hresult == adsi.E_ADS_PROPERTY_NOT_FOUND


def test_this_machine(server):
    fs = adsi.GetObject("WinNT://./LanmanServer", local_socket=server.socket)
    with server.connect(BOB):
        assert [s.User for s in fs.Sessions()] == ["bob"]
    with pytest.raises(adsi.com_error) as caught:
        adsi.GetObject("WinNT://./LanmanServer", local_socket=server.socket.with_name("none"))
    assert number(caught) == 0x80070842


def test_samba(samba):
    fs = bind(samba)
    with samba.connect(ALICE):
        assert {s.User for s in fs.Sessions()} == {"admin", "alice"}
        assert fs.Sessions().GetObject(r"alice\127.0.0.1").User == "alice"
        assert fs.Status == 4
