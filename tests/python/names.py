"""names.py HOST PORT: names that lead out of the share, or are no names; all refused.

The share `data` holds, beside others: links (`link-file`, `link-folder`, `link-up`,
`link-absolute`), `fifo`, `socket`, `device` (as root), `inside.txt` and the folder `folder`.
"""

from common import ADMIN, connection, expect, opened, session, status_of, tree
from smbprotocol.open import (
    CreateDisposition,
    CreateOptions,
    FileAttributes,
    FilePipePrinterAccessMask,
    ImpersonationLevel,
    Open,
    ShareAccess,
)

ALL = FilePipePrinterAccessMask.GENERIC_READ | FilePipePrinterAccessMask.GENERIC_WRITE | FilePipePrinterAccessMask.DELETE


def wide(text):
    return text.encode("utf-16-le", "surrogatepass")


# Of the right shape, but outside the share or not a regular file.
ESCAPES = [
    "..",
    "..\\secret.txt",
    "..\\new.txt",
    "folder\\..\\..\\secret.txt",
    "folder\\..\\..\\new.txt",
    "folder\\..\\..\\..\\..\\..\\..\\etc\\passwd",
    "../secret.txt",
    "folder/../../secret.txt",
    "\\etc\\passwd",
    "\\..\\secret.txt",
    "/etc/passwd",
    "C:\\secret.txt",
    "\\\\127.0.0.1\\data\\inside.txt",
    "link-file",
    "link-up\\secret.txt",
    "link-up\\new.txt",
    "link-folder\\passwd",
    "link-folder\\new.txt",
    "link-absolute",
    "link-dangling",
    "fifo",
    "socket",
    "device",
]
# No names at all.
MALFORMED = [
    wide("inside.txt\0"),
    wide("in\0side.txt"),
    wide("\0\0"),  # smbprotocol takes a single one for no name
    wide("n" * 256),
    wide("folder\\" + "n" * 4000),
    wide("\\".join(["f" * 200] * 160)),
    wide("a\ud800b"),
    wide("\udc00"),
    wide("inside.txt") + b"x",
    wide("a*b"),
    wide("a?b"),
    wide("a<b"),
    wide("a|b"),
    wide('a"b'),
    wide("a\x01b"),
]


def create(conn, sess, data, name, disposition, options):
    """Tries to open the name as it is, byte for byte; the status."""
    made = Open(data, "placeholder")
    message, receive = made.create(
        ImpersonationLevel.Impersonation,
        ALL,
        FileAttributes.FILE_ATTRIBUTE_NORMAL,
        ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE,
        disposition,
        options,
        send=False,
    )
    message["buffer_path"] = name
    request = conn.send(message, sess.session_id, data.tree_connect_id)
    try:
        receive(request)
    except Exception as error:  # noqa: BLE001
        return status_of(error), error
    made.close()
    return 0, None


def main():
    conn = connection()
    sess = session(conn, ADMIN)
    data = tree(sess, "data")
    tries = [
        (CreateDisposition.FILE_OPEN, 0),
        (CreateDisposition.FILE_OPEN_IF, CreateOptions.FILE_NON_DIRECTORY_FILE),
        (CreateDisposition.FILE_OVERWRITE_IF, CreateOptions.FILE_NON_DIRECTORY_FILE),
        (CreateDisposition.FILE_SUPERSEDE, 0),
        (CreateDisposition.FILE_CREATE, CreateOptions.FILE_DIRECTORY_FILE),
        (CreateDisposition.FILE_OPEN, CreateOptions.FILE_DELETE_ON_CLOSE),
        (CreateDisposition.FILE_OPEN_IF, CreateOptions.FILE_OPEN_REPARSE_POINT),
    ]
    names = [wide(name) for name in ESCAPES] + MALFORMED
    seen = {}
    for name in names:
        shown = name[:60].decode("utf-16-le", "replace")
        for disposition, options in tries:
            status, error = create(conn, sess, data, name, disposition, options)
            expect(status not in (0, None), f"{shown!r} with {disposition} and {options}: {error!r}")
            seen.setdefault(hex(status), shown)
        # The connection and its files go on.
        opened(data, "inside.txt", write=False).close()

    # Nor by renaming or linking a file that is inside.
    rename(conn, sess, data)
    print(f"{len(names)} names refused: {seen}")


def rename(conn, sess, data):
    from smbprotocol.file_info import FileLinkInformation, FileRenameInformation
    from smbprotocol.open import SMB2SetInfoRequest

    for kind in (FileRenameInformation, FileLinkInformation):
        for target in ESCAPES[:14] + ["link-up\\new.txt", "link-folder\\new.txt"]:
            # Printed forms of a path in the share are legal targets on some servers.
            if target.startswith("\\\\"):
                continue
            victim = opened_for_rename(data)
            info = kind()
            info["file_name"] = target
            message = SMB2SetInfoRequest()
            message["info_type"] = 1
            message["file_info_class"] = kind.INFO_CLASS
            message["file_id"] = victim.file_id
            message["buffer"] = info.pack()
            request = conn.send(message, sess.session_id, data.tree_connect_id)
            try:
                conn.receive(request)
                status = 0
            except Exception as error:  # noqa: BLE001
                status = status_of(error)
            expect(status not in (0, None), f"{kind.__name__} to {target!r}: {status}")
            victim.close()
    opened(data, "inside.txt", write=False).close()


def opened_for_rename(data):
    made = Open(data, "inside.txt")
    made.create(
        ImpersonationLevel.Impersonation,
        ALL,
        FileAttributes.FILE_ATTRIBUTE_NORMAL,
        ShareAccess.FILE_SHARE_READ | ShareAccess.FILE_SHARE_WRITE | ShareAccess.FILE_SHARE_DELETE,
        CreateDisposition.FILE_OPEN,
        CreateOptions.FILE_NON_DIRECTORY_FILE,
    )
    return made


main()
