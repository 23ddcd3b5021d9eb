"""Prints tests/vectors.txt: one message a line, a name and its bytes in hex, packed by
impacket (messages) and smbprotocol (information classes). Run:

    python vectors.py > vectors.txt
"""

import struct

import impacket.smb3structs as s
import smbprotocol.change_notify as cn
import smbprotocol.file_info as f
import smbprotocol.ioctl as io

G = bytes(range(0x10, 0x20))
ACCESS, TIME = 0x0012019F, 133_500_000_000_000_000


def u(text):
    return text.encode("utf-16-le")


def fill(value, **fields):
    for name, content in fields.items():
        value[name] = content
    return value


def chained(*entries):
    """Entries that begin with NextEntryOffset, at multiples of four."""
    packed = [entry.pack() for entry in entries]
    for at, entry in enumerate(packed[:-1]):
        entry += bytes(-len(entry) % 4)
        packed[at] = struct.pack("<I", len(entry)) + entry[4:]
    return b"".join(packed)


def file_id():
    return fill(s.SMB2_FILEID(), Persistent=0x1111222233334444, Volatile=0x5555666677778888)


def message(name, command, body, **header):
    packet = fill(s.SMB2Packet(), Command=command, CreditCharge=1, CreditRequestResponse=31,
                  MessageID=7, TreeID=5, SessionID=0x0A0B0C0D)
    fill(packet, **header)
    packet["Data"] = body if isinstance(body, bytes) else body.getData()
    print(name, packet.getData().hex())


def response(name, command, body):
    message(name, command, body, Flags=1)


def times(names):
    return {name: TIME + index for index, name in enumerate(names)}


# Fields that impacket leaves to the caller, where they only say "right behind".
def context(kind, data):
    return struct.pack("<HHI", kind, len(data), 0) + data


def pad8(data):
    return data + bytes(-len(data) % 8)


PREAUTH = context(1, fill(s.SMB2PreAuthIntegrityCapabilities(), HashAlgorithmCount=1, SaltLength=4,
                          HashAlgorithms=b"\x01\x00", Salt=b"salt").getData())
CIPHERS = context(2, fill(s.SMB2EncryptionCapabilities(), CipherCount=2,
                          Ciphers=b"\x02\x00\x01\x00").getData())

negotiate = fill(s.SMB2Negotiate(), DialectCount=2, SecurityMode=1, Capabilities=0x7F, ClientGuid=G,
                 Dialects=[0x0302, 0x0311], Padding=bytes(4),
                 ClientStartTime=fill(s.SMB311ContextData(), NegotiateContextOffset=0x68 + 8,
                                      NegotiateContextCount=2).getData())
negotiate["Padding"] = bytes(-(64 + 36 + 4) % 8)
start = fill(s.SMB311ContextData(), NegotiateContextOffset=104, NegotiateContextCount=2)
negotiate["ClientStartTime"] = start.getData()
negotiate["NegotiateContextList"] = pad8(PREAUTH) + CIPHERS
message("negotiate_request", 0, negotiate)
response("negotiate_response", 0, fill(
    s.SMB2Negotiate_Response(), SecurityMode=1, DialectRevision=0x0311, NegotiateContextCount=1,
    ServerGuid=G, Capabilities=0x2F, MaxTransactSize=0x100000, MaxReadSize=0x200000,
    MaxWriteSize=0x300000, SystemTime=TIME, ServerStartTime=0, SecurityBufferOffset=128,
    SecurityBufferLength=5, NegotiateContextOffset=136, AlignPad=b"", Buffer=b"token",
    Padding=bytes(3), NegotiateContextList=PREAUTH))

message("session_setup_request", 1, fill(
    s.SMB2SessionSetup(), Flags=1, SecurityMode=2, Capabilities=1, SecurityBufferOffset=88,
    SecurityBufferLength=5, PreviousSessionId=0x99, Buffer=b"token"))
response("session_setup_response", 1, fill(
    s.SMB2SessionSetup_Response(), SessionFlags=4, SecurityBufferOffset=72,
    SecurityBufferLength=5, Buffer=b"token"))
message("logoff_request", 2, s.SMB2Logoff())
path = u(r"\\server\IPC$")
message("tree_connect_request", 3, fill(
    s.SMB2TreeConnect(), PathOffset=72, PathLength=len(path), Buffer=path))
response("tree_connect_response", 3, fill(
    s.SMB2TreeConnect_Response(), ShareType=2, ShareFlags=0x30, Capabilities=8,
    MaximalAccess=0x001F01FF))
message("tree_disconnect_request", 4, s.SMB2TreeDisconnect())

name = u("srvsvc")
maximal = struct.pack("<IHHHHI", 0, 16, 4, 0, 0, 0) + b"MxAc"
disk = struct.pack("<IHHHHI", 24, 16, 4, 0, 0, 0) + b"QFid" + bytes(4)
contexts = disk + maximal
message("create_request", 5, fill(
    s.SMB2Create(), RequestedOplockLevel=9, ImpersonationLevel=2, DesiredAccess=ACCESS,
    FileAttributes=0x80, ShareAccess=7, CreateDisposition=1, CreateOptions=0x40, NameOffset=120,
    NameLength=len(name), CreateContextsOffset=136, CreateContextsLength=len(contexts),
    Buffer=name + bytes(4) + contexts))
granted = struct.pack("<IHHHHI", 0, 16, 4, 0, 24, 8) + b"MxAc" + bytes(4) + fill(
    s.SMB2_CREATE_QUERY_MAXIMAL_ACCESS_RESPONSE(), MaximalAccess=ACCESS).getData()
response("create_response", 5, fill(
    s.SMB2Create_Response(), OplockLevel=1, CreateAction=1, AllocationSize=4096, EndOfFile=5,
    FileAttributes=0x20, FileID=file_id(), CreateContextsOffset=152,
    CreateContextsLength=len(granted), Buffer=granted,
    **times(["CreationTime", "LastAccessTime", "LastWriteTime", "ChangeTime"])))
message("close_request", 6, fill(s.SMB2Close(), Flags=1, FileID=file_id()))
response("close_response", 6, fill(
    s.SMB2Close_Response(), Flags=1, AllocationSize=4096, EndofFile=5, FileAttributes=0x20,
    **times(["CreationTime", "LastAccessTime", "LastWriteTime", "ChangeTime"])))
message("flush_request", 7, fill(s.SMB2Flush(), FileID=file_id()))
message("read_request", 8, fill(
    s.SMB2Read(), Padding=0x50, Length=65536, Offset=1 << 33, FileID=file_id(), MinimumCount=1,
    RemainingBytes=9, Buffer=b"\0"))
response("read_response", 8, fill(
    s.SMB2Read_Response(), DataOffset=80, DataLength=4, Buffer=b"data"))
message("write_request", 9, fill(
    s.SMB2Write(), DataOffset=112, Length=4, Offset=1 << 33, FileID=file_id(), RemainingBytes=9,
    Flags=1, AlignPad=b"", Buffer=b"data"))
response("write_response", 9, fill(s.SMB2Write_Response(), Count=4))
locks = [fill(s.SMB2_LOCK_ELEMENT(), Offset=1 << index, Length=10, Flags=0x12).getData()
         for index in (40, 50)]
message("lock_request", 10, fill(
    s.SMB2Lock(), LockCount=2, LockSequence=0x31, FileID=file_id(), Locks=b"".join(locks)))
message("ioctl_request", 11, fill(
    s.SMB2Ioctl(), CtlCode=0x0011C017, FileID=file_id(), InputOffset=120, InputCount=4,
    OutputOffset=0, OutputCount=0, MaxOutputResponse=4280, Flags=1, Buffer=b"stub"))
response("ioctl_response", 11, fill(
    s.SMB2Ioctl_Response(), CtlCode=0x0011C017, FileID=file_id(), InputOffset=112, InputCount=0,
    OutputOffset=112, OutputCount=4, Buffer=b"stub"))
message("cancel_request", 12, s.SMB2Cancel())
message("echo_request", 13, s.SMB2Echo())
message("query_directory_request", 14, fill(
    s.SMB2QueryDirectory(), FileInformationClass=37, Flags=3, FileIndex=2, FileID=file_id(),
    FileNameOffset=96, FileNameLength=2, OutputBufferLength=65536, Buffer=u("*")))
response("query_directory_response", 14, fill(
    s.SMB2QueryDirectory_Response(), OutputBufferOffset=72, OutputBufferLength=4, Buffer=b"list"))
message("change_notify_request", 15, fill(
    s.SMB2ChangeNotify(), Flags=1, OutputBufferLength=4096, FileID=file_id(),
    CompletionFilter=0x17))
response("change_notify_response", 15, fill(
    s.SMB2ChangeNotify_Response(), OutputBufferOffset=72, OutputBufferLength=4, Buffer=b"list"))
message("query_info_request", 16, fill(
    s.SMB2QueryInfo(), InfoType=3, FileInfoClass=0, OutputBufferLength=1024, InputBufferOffset=104,
    InputBufferLength=4, AdditionalInformation=7, Flags=1, FileID=file_id(), Buffer=b"quot"))
response("query_info_response", 16, fill(
    s.SMB2QueryInfo_Response(), OutputBufferOffset=72, OutputBufferLength=4, Buffer=b"info"))
message("set_info_request", 17, fill(
    s.SMB2SetInfo(), InfoType=1, FileInfoClass=13, BufferLength=1, BufferOffset=96,
    AdditionalInformation=0, FileID=file_id(), Buffer=b"\1"))
response("set_info_response", 17, s.SMB2SetInfo_Response())
response("oplock_break", 18, fill(
    s.SMB2OplockBreakNotification(), OplockLevel=1, FileID=file_id()))
response("lease_break_notification", 18, fill(
    s.SMB2LeaseBreakNotification(), NewEpoch=3, Flags=1, LeaseKey=G, CurrentLeaseState=7,
    NewLeaseState=1))
message("lease_break_acknowledgment", 18, fill(
    s.SMB2LeaseBreakAcknowledgement(), LeaseKey=G, LeaseState=1))

transform = fill(s.SMB2_TRANSFORM_HEADER(), Signature=G, Nonce=b"nonce-12byte" + bytes(4),
                 OriginalMessageSize=100, EncryptionAlgorithm=1, SessionID=0x0A0B0C0D)
print("transform_header", transform.getData().hex())


def info(name, value, **fields):
    print(name, fill(value, **fields).pack().hex())


stamps = {key: TIME for key in
          ["creation_time", "last_access_time", "last_write_time", "change_time"]}
sizes = {"end_of_file": 5, "allocation_size": 4096, "file_attributes": 0x20}
info("FileBasicInformation", f.FileBasicInformation(), file_attributes=0x20, **stamps)
info("FileStandardInformation", f.FileStandardInformation(), allocation_size=4096, end_of_file=5,
     number_of_links=2, delete_pending=True, directory=False)
info("FileNameInformation", f.FileNameInformation(), file_name=u(r"\a.txt"))
info("FileRenameInformation", f.FileRenameInformation(), replace_if_exists=True,
     file_name=u("b.txt"))
entry = {"file_index": 3, "file_name": u("a.txt"), **stamps, **sizes}
info("FileDirectoryInformation", f.FileDirectoryInformation(), **entry)
info("FileFullDirectoryInformation", f.FileFullDirectoryInformation(), ea_size=6, **entry)
info("FileIdFullDirectoryInformation", f.FileIdFullDirectoryInformation(), ea_size=6, file_id=77,
     **entry)
info("FileBothDirectoryInformation", f.FileBothDirectoryInformation(), ea_size=6,
     short_name=u("A~1.TXT"), **entry)
info("FileIdBothDirectoryInformation", f.FileIdBothDirectoryInformation(), ea_size=6, file_id=77,
     short_name=u("A~1.TXT"), **entry)
info("FileNamesInformation", f.FileNamesInformation(), file_index=3, file_name=u("a.txt"))
info("FileFsFullSizeInformation", f.FileFsFullSizeInformation(), total_allocation_units=1000,
     caller_available_units=400, actual_available_units=500, sectors_per_unit=8,
     bytes_per_sector=512)
info("FileFsVolumeInformation", f.FileFsVolumeInformation(), volume_creation_time=TIME,
     volume_serial_number=0xCAFE, supports_objects=False, volume_label=u("disk"))
info("FILE_NOTIFY_INFORMATION", cn.FileNotifyInformation(), action=4, file_name=u("a.txt"))
print("FILE_FULL_EA_INFORMATION", chained(
    fill(f.FileFullEaInformation(), flags=0x80, ea_name=b"EAONE", ea_value=b"VALUE1"),
    fill(f.FileFullEaInformation(), ea_name=b"SECONDEA", ea_value=b"ValueTwo")).hex())
print("FILE_GET_EA_INFORMATION", chained(
    fill(f.FileGetEaInformation(), ea_name=b"EAONE"),
    fill(f.FileGetEaInformation(), ea_name=b"SECONDEA")).hex())
info("VALIDATE_NEGOTIATE_INFO_request", io.SMB2ValidateNegotiateInfoRequest(), capabilities=0x7F,
     guid=G, security_mode=1, dialects=[0x0302, 0x0311], dialect_count=2)
info("VALIDATE_NEGOTIATE_INFO_response", io.SMB2ValidateNegotiateInfoResponse(),
     capabilities=0x2F, guid=G, security_mode=1, dialect=0x0311)
