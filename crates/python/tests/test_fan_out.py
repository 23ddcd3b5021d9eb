"""fan_out: many servers at once."""

import socket
import time
from datetime import timedelta

import pytest
from conftest import ADMIN, ALICE

import netsession
from netsession import DoneEvent, FailedEvent, SessionEvent


def test_events_of_servers_that_answer_and_that_do_not(server):
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        late = "127.0.0.1:{}".format(silent.getsockname()[1])
        refused = "127.0.0.1:{}".format(closed.getsockname()[1])
        named = rf"\\{server.address}"
        begin = time.monotonic()
        events = list(
            netsession.fan_out([late, named, refused], *ADMIN, deadline=0.5, level=10)
        )
        assert time.monotonic() - begin < 1.5
    sessions = [event for event in events if isinstance(event, SessionEvent)]
    assert [(event.server, event.level) for event in sessions] == [(named, 10)]
    assert sessions[0].session.username == "admin"
    (done,) = [event for event in events if isinstance(event, DoneEvent)]
    assert (done.server, done.level, done.sessions) == (named, 10, 1)
    assert timedelta(0) < done.elapsed < timedelta(seconds=1)
    failed = {event.server: event.error for event in events if isinstance(event, FailedEvent)}
    assert set(failed) == {late, refused}
    assert isinstance(failed[late], netsession.TimedOut)
    assert isinstance(failed[refused], netsession.Unreachable)
    assert failed[refused].code == 53


def test_filters_and_levels(server):
    with server.connect(ALICE):
        events = netsession.fan_out([server.address], *ADMIN, user_filter="alice")
        first, last = events
        assert (first.session.username, first.level) == ("alice", 502)
        assert last.sessions == 1
        assert list(events) == []
        (done,) = netsession.fan_out([server.address], *ADMIN, client_filter="192.0.2.1")
        assert (type(done), done.sessions) == (DoneEvent, 0)


def test_a_server_named_twice_is_asked_once(server):
    names = [server.address, rf"\\{server.address}", server.address]
    assert [type(event) for event in netsession.fan_out(names, *ADMIN)] == [SessionEvent, DoneEvent]


def test_leaving_the_loop_ends_the_work():
    """The connections to silent servers are closed, not left to their time limits."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(10)
        host, port = silent.getsockname()
        names = [f"127.0.0.1:{port}", "127.0.0.1:1"]
        with netsession.fan_out(names, *ADMIN, deadline=60) as events:
            for event in events:
                assert event.server == "127.0.0.1:1"
                break
            peer, _ = silent.accept()
        peer.settimeout(10)
        while peer.recv(4096):
            pass
        peer.close()
        assert list(events) == []
        # The same for an iterator that is only forgotten.
        events = netsession.fan_out(names, *ADMIN, deadline=60)
        next(events)
        peer, _ = silent.accept()
        del events
        peer.settimeout(10)
        while peer.recv(4096):
            pass
        peer.close()


def test_more_servers_than_jobs(server):
    """127.0.0.0/8 is all this machine, but each address is a server of its own to the client."""
    with socket.create_server(("0.0.0.0", 0)) as silent:
        port = silent.getsockname()[1]
        names = [f"127.0.1.{n}:{port}" for n in range(1, 21)]
        begin = time.monotonic()
        events = list(netsession.fan_out([*names, server.address], *ADMIN, jobs=10, deadline=0.4))
        took = time.monotonic() - begin
    assert sum(isinstance(event, FailedEvent) for event in events) == 20
    assert sum(isinstance(event, DoneEvent) for event in events) == 1
    assert 0.8 <= took < 2.5


def test_arguments_that_are_refused():
    with pytest.raises(TypeError):
        netsession.fan_out("srv", *ADMIN)
    with pytest.raises(TypeError):
        netsession.fan_out([None], *ADMIN)
    with pytest.raises(ValueError):
        netsession.fan_out(["srv"], *ADMIN, jobs=0)
    with pytest.raises(netsession.UsageError):
        netsession.fan_out(["a b"], *ADMIN)
    assert list(netsession.fan_out([])) == []
