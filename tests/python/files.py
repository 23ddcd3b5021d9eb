"""files.py HOST PORT CLIENT SOURCE TARGET: the tree SOURCE there with CLIENT, and back to TARGET.

CLIENT is impacket, smbprotocol or pysmb. The share is empty before and after.
"""

import os

from common import ALICE, ARGUMENTS, HOST, IMPACKET_DIALECT, PORT, expect


class Impacket:
    def __init__(self):
        from impacket.smbconnection import SMBConnection

        self.smb = SMBConnection(HOST, HOST, sess_port=PORT, preferredDialect=IMPACKET_DIALECT)
        self.smb.login(*ALICE)

    def put(self, local, remote):
        with open(local, "rb") as file:
            self.smb.putFile("data", remote, file.read)

    def get(self, remote, local):
        with open(local, "wb") as file:
            self.smb.getFile("data", remote, file.write)

    def mkdir(self, remote):
        self.smb.createDirectory("data", remote)

    def rmdir(self, remote):
        self.smb.deleteDirectory("data", remote)

    def remove(self, remote):
        self.smb.deleteFile("data", remote)

    def rename(self, old, new):
        self.smb.rename("data", old, new)

    def names(self, remote):
        entries = self.smb.listPath("data", f"{remote}\\*" if remote else "*")
        return {e.get_longname(): e.get_filesize() for e in entries}

    def close(self):
        self.smb.logoff()


class Smbprotocol:
    def __init__(self):
        import smbclient

        self.smb = smbclient
        smbclient.register_session(HOST, *ALICE, port=PORT, require_signing=True, auth_protocol="ntlm")

    def path(self, remote):
        return rf"\\{HOST}\data" + (f"\\{remote}" if remote else "")

    def put(self, local, remote):
        with open(local, "rb") as file, self.smb.open_file(self.path(remote), mode="wb", port=PORT) as to:
            to.write(file.read())

    def get(self, remote, local):
        with open(local, "wb") as file, self.smb.open_file(self.path(remote), mode="rb", port=PORT) as from_:
            file.write(from_.read())

    def mkdir(self, remote):
        self.smb.mkdir(self.path(remote), port=PORT)

    def rmdir(self, remote):
        self.smb.rmdir(self.path(remote), port=PORT)

    def remove(self, remote):
        self.smb.remove(self.path(remote), port=PORT)

    def rename(self, old, new):
        self.smb.rename(self.path(old), self.path(new), port=PORT)

    def names(self, remote):
        found = {e.name: e.smb_info.end_of_file for e in self.smb.scandir(self.path(remote), port=PORT)}
        return found | {".": 0, "..": 0}

    def close(self):
        self.smb.reset_connection_cache()


class Pysmb:
    def __init__(self):
        from smb.SMBConnection import SMBConnection

        self.smb = SMBConnection(*ALICE, "client", HOST, use_ntlm_v2=True, is_direct_tcp=True)
        expect(self.smb.connect(HOST, PORT, timeout=30), "the logon succeeds")

    def put(self, local, remote):
        with open(local, "rb") as file:
            self.smb.storeFile("data", remote, file)

    def get(self, remote, local):
        with open(local, "wb") as file:
            self.smb.retrieveFile("data", remote, file)

    def mkdir(self, remote):
        self.smb.createDirectory("data", remote)

    def rmdir(self, remote):
        self.smb.deleteDirectory("data", remote)

    def remove(self, remote):
        self.smb.deleteFiles("data", remote)

    def rename(self, old, new):
        self.smb.rename("data", old, new)

    def names(self, remote):
        return {e.filename: e.file_size for e in self.smb.listPath("data", remote or "\\")}

    def close(self):
        self.smb.close()


def main():
    name, source, target = ARGUMENTS
    client = {"impacket": Impacket, "smbprotocol": Smbprotocol, "pysmb": Pysmb}[name]()
    folders, files = [], []
    for folder, _, inside in os.walk(source):
        relative = os.path.relpath(folder, source).replace("/", "\\")
        remote = "tree" if relative == "." else f"tree\\{relative}"
        client.mkdir(remote)
        folders.append((remote, os.path.relpath(folder, source)))
        for file in inside:
            client.put(os.path.join(folder, file), f"{remote}\\{file}")
            files.append((f"{remote}\\{file}", os.path.relpath(os.path.join(folder, file), source)))
    for remote, local in folders:
        seen = client.names(remote)
        here = os.path.join(source, local)
        expect({".", ".."} <= seen.keys(), f"{remote} lists . and ..: {seen}")
        expect(seen.keys() - {".", ".."} == set(os.listdir(here)), f"the names of {remote}: {seen}")
        for entry in os.scandir(here):
            expect(entry.is_dir() or seen[entry.name] == entry.stat().st_size, f"the size of {entry.name}")
        os.makedirs(os.path.join(target, local), exist_ok=True)
    for remote, local in files:
        client.rename(remote, remote + ".moved")
        client.get(remote + ".moved", os.path.join(target, local))
        client.remove(remote + ".moved")
    for remote, _ in reversed(folders):
        client.rmdir(remote)
    expect("tree" not in client.names(""), "the share is empty again")
    client.close()
    print(f"{name}: {len(files)} files, {len(folders)} folders")


main()
