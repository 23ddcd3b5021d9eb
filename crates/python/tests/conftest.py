"""The servers that the tests ask: ours, started as a program, and Samba's.

The tests run against the installed wheel, from outside the checkout. NETSESSION_PROGRAM is
the program `netsession`; NETSESSION_SUBJECT_PROGRAM starts Samba's smbd (the example
`subject` of the crate netsession-tests). `cargo xtask test python` sets both.
"""

import gc
import os
import pathlib
import subprocess
import threading
import time
from dataclasses import dataclass

import pytest

import netsession
from netsession import netapi

ADMIN = ("admin", "Adm1n.Pw")
ALICE = ("alice", "Al1ce.Pw")
BOB = ("bob", "B0b.Pw")

# Longer than a start takes on a loaded machine.
START = 30


@dataclass
class Subject:
    """A running server."""

    address: str
    folder: "pathlib.Path | None" = None

    @property
    def host(self) -> str:
        return self.address.rsplit(":", 1)[0]

    @property
    def port(self) -> int:
        return int(self.address.rsplit(":", 1)[1])

    @property
    def socket(self) -> pathlib.Path:
        assert self.folder is not None
        return self.folder / "srvsvc.sock"

    def connect(self, user=ADMIN, **more):
        return netsession.connect(self.address, *user, **more)


def program(variable: str) -> str:
    path = os.environ.get(variable)
    assert path, f"{variable} is not set; `cargo xtask test python` sets it"
    return path


def listening(process: "subprocess.Popen[str]") -> str:
    """The address that the program prints; afterwards its output is read and dropped."""
    assert process.stdout is not None
    timer = threading.Timer(START, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            if "listening on 127." in line:
                break
        else:
            raise AssertionError(f"{process.args} never said `listening on`")
    finally:
        timer.cancel()
    threading.Thread(target=process.stdout.read, daemon=True).start()
    return line.split("listening on ")[1].split()[0]


def serve(folder: pathlib.Path, *more: str):
    """Starts our server with its accounts in `folder`; the process and its Subject."""
    ours = program("NETSESSION_PROGRAM")
    state = folder / "state"
    for (user, password), flags in ((ADMIN, ["--admin"]), (ALICE, []), (BOB, [])):
        subprocess.run(
            [ours, "account", "add", user, *flags, "--password-stdin", "--data-dir", str(state)],
            input=password + "\n",
            text=True,
            check=True,
            timeout=START,
            stdout=subprocess.DEVNULL,
        )
    (folder / "data").mkdir()
    with open(folder / "server.log", "w") as log:
        process = subprocess.Popen(
            [
                ours,
                "serve",
                f"--data-dir={state}",
                "--listen=127.0.0.1:0",
                f"--share=data={folder / 'data'}",
                f"--local-socket={folder / 'srvsvc.sock'}",
                *more,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    return process, Subject(listening(process), folder)


def stop(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    process, subject = serve(tmp_path_factory.mktemp("server"))
    yield subject
    stop(process)


@pytest.fixture
def server(running):
    """Our server, without a session: those of the test before may still be on their way out."""
    gc.collect()
    with netsession.connect(local_socket=running.socket) as here:
        deadline = time.monotonic() + START
        while list(here.sessions()):
            assert time.monotonic() < deadline, "a test has left a session behind"
            time.sleep(0.01)
    yield running


@pytest.fixture(scope="session")
def samba():
    """Samba's smbd, which has levels 0 and 1."""
    process = subprocess.Popen(
        [program("NETSESSION_SUBJECT_PROGRAM"), "samba"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield Subject(listening(process))
    assert process.stdin is not None
    process.stdin.close()
    process.wait(START)


@pytest.fixture
def alone(tmp_path):
    """A server of its own, for tests that count its sessions or stop it."""
    process, subject = serve(tmp_path)
    subject.process = process
    yield subject
    stop(process)


@pytest.fixture(autouse=True)
def nobody_in_the_environment(monkeypatch):
    """Who asks is what the test says; afterwards nobody, and no kept connections."""
    for name in list(os.environ):
        if name.startswith("NETSESSION_") and not name.endswith("_PROGRAM"):
            monkeypatch.delenv(name)
    yield
    netapi.set_credentials()
    netapi.set_options()
