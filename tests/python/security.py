"""security.py HOST PORT: reads and sets the security descriptor of `words` with impacket."""

from impacket.ldap.ldaptypes import ACCESS_ALLOWED_ACE, ACCESS_MASK, ACE, LDAP_SID, SR_SECURITY_DESCRIPTOR
from impacket.smb3structs import READ_CONTROL, SMB2_0_INFO_SECURITY, WRITE_DAC
from impacket.smbconnection import SMBConnection

from common import ALICE, BOB, HOST, PORT, expect, raised

OWNER, GROUP, DACL, SACL = 1, 2, 4, 8
FILE_READ_DATA = 1


def logged_on(user):
    connection = SMBConnection(HOST, HOST, sess_port=PORT)
    connection.login(*user)
    return connection, connection.connectTree("data")


def opened(session, access):
    connection, tree = session
    return connection.openFile(tree, "words", desiredAccess=access)


def told(session, file, parts):
    connection, tree = session
    server = connection.getSMBServer()
    descriptor = server.queryInfo(
        tree, file, infoType=SMB2_0_INFO_SECURITY, fileInfoClass=0, additionalInformation=parts)
    return SR_SECURITY_DESCRIPTOR(data=descriptor)


alice, bob = logged_on(ALICE), logged_on(BOB)

file = opened(alice, READ_CONTROL | WRITE_DAC)
descriptor = told(alice, file, OWNER | GROUP | DACL)
owner = descriptor["OwnerSid"].formatCanonical()
expect(owner.startswith("S-1-5-21-"), owner)
expect(descriptor["GroupSid"].formatCanonical() == owner.rpartition("-")[0] + "-513", "the group")
expect(len(descriptor["Dacl"].aces) == 1, "one entry")
everybody = descriptor["Dacl"].aces[0]["Ace"]
expect(everybody["Sid"].formatCanonical() == "S-1-1-0", "everybody")
expect(everybody["Mask"]["Mask"] == 0x1F01FF, "everything")
expect("STATUS_ACCESS_DENIED" in str(raised(lambda: told(alice, file, SACL))), "a SACL")

entry = ACE()
entry["AceType"], entry["AceFlags"] = ACCESS_ALLOWED_ACE.ACE_TYPE, 0
entry["Ace"] = ACCESS_ALLOWED_ACE()
entry["Ace"]["Mask"] = ACCESS_MASK()
entry["Ace"]["Mask"]["Mask"] = 0x1F01FF
entry["Ace"]["Sid"] = LDAP_SID()
entry["Ace"]["Sid"].fromCanonical(owner)
descriptor["Dacl"].aces = [entry]
alice[0].getSMBServer().setInfo(
    alice[1], file, descriptor.getData(), infoType=SMB2_0_INFO_SECURITY, fileInfoClass=0, additionalInformation=DACL)

again = told(alice, file, OWNER | DACL)
expect(again["OwnerSid"].formatCanonical() == owner, "the owner stays")
expect([one["Ace"]["Sid"].formatCanonical() for one in again["Dacl"].aces] == [owner], "only the owner")
refused = raised(lambda: opened(bob, FILE_READ_DATA))
expect("STATUS_ACCESS_DENIED" in str(refused), refused)
alice[0].closeFile(alice[1], file)
alice[0].closeFile(alice[1], opened(alice, FILE_READ_DATA))
alice[0].deleteFile("data", "words")
print("done")
