//! What COM knows the interfaces of this module by, as data for whoever builds COM shapes
//! over it: interface identifiers, the order of virtual function tables and dispatch
//! identifiers (iads.h).
//!
//! ```
//! use netsession::adsi::identity::{self, IADS_SESSION};
//!
//! assert_eq!(IADS_SESSION.iid.to_string(), "398b7da0-4aab-11cf-ae2c-00aa006ebfb9");
//! let (user, dispid) = (IADS_SESSION.members[0].name, IADS_SESSION.members[0].dispid);
//! assert_eq!((user, dispid), ("User", 15));
//! assert_eq!(identity::by_iid(IADS_SESSION.iid).map(|known| known.name), Some("IADsSession"));
//! ```

pub use rpc::Uuid as Iid;

/// Functions of IDispatch, with those of IUnknown: what every table begins with.
pub const IDISPATCH_SLOTS: usize = 7;

/// An interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its name.
    pub name: &'static str,
    /// Its identifier.
    pub iid: Iid,
    /// The interface it extends; `None` for IDispatch.
    pub base: Option<&'static Self>,
    /// What it adds, in the order of the virtual function table.
    pub members: &'static [Member],
}

/// A method or property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name, without `get_` or `put_`.
    pub name: &'static str,
    /// Its dispatch identifier.
    pub dispid: i32,
    /// Functions it takes in the table: 2 for a property that can be put, else 1.
    pub slots: usize,
}

impl Interface {
    /// Functions in its table, bases included.
    pub fn slots(&self) -> usize {
        let own: usize = self.members.iter().map(|member| member.slots).sum();
        self.base.map_or(IDISPATCH_SLOTS, Self::slots) + own
    }

    /// Where the (first) function of a member is in the table, counted from 0 at
    /// QueryInterface.
    pub fn slot(&self, name: &str) -> Option<usize> {
        let mut slot = self.base.map_or(IDISPATCH_SLOTS, Self::slots);
        for member in self.members {
            if member.name == name {
                return Some(slot);
            }
            slot += member.slots;
        }
        self.base?.slot(name)
    }
}

/// The interface with this identifier.
pub fn by_iid(iid: Iid) -> Option<&'static Interface> {
    INTERFACES
        .iter()
        .copied()
        .find(|interface| interface.iid == iid)
}

/// All of them.
pub const INTERFACES: &[&Interface] = &[
    &IADS,
    &IADS_SERVICE,
    &IADS_SERVICE_OPERATIONS,
    &IADS_FILE_SERVICE,
    &IADS_FILE_SERVICE_OPERATIONS,
    &IADS_SESSION,
    &IADS_RESOURCE,
    &IADS_COLLECTION,
];

macro_rules! interfaces {
    ($(
        $constant:ident = $name:literal, $a:literal $b:literal $c:literal $d:literal $e:literal,
        base $base:expr;
        $($member:literal $dispid:literal $kind:ident),+;
    )+) => {
        $(#[doc = concat!("`", $name, "`.")]
        pub static $constant: Interface = Interface {
            name: $name,
            iid: Iid::from_groups($a, $b, $c, $d, $e),
            base: $base,
            members: &[$(Member { name: $member, dispid: $dispid, slots: slots!($kind) }),+],
        };)+
    };
}

/// `call`: a method; `get`: a property that can only be read; `both`: one that can be put.
macro_rules! slots {
    (call) => {
        1
    };
    (get) => {
        1
    };
    (both) => {
        2
    };
}

interfaces! {
    IADS = "IADs", 0xfd82_56d0 0xfd15 0x11ce 0xabc4 0x0260_8c9e_7553,
        base None;
        "Name" 2 get, "Class" 3 get, "GUID" 4 get, "ADsPath" 5 get, "Parent" 6 get,
        "Schema" 7 get, "GetInfo" 8 call, "SetInfo" 9 call, "Get" 10 call, "Put" 11 call,
        "GetEx" 12 call, "PutEx" 13 call, "GetInfoEx" 14 call;
    IADS_SERVICE = "IADsService", 0x68af_66e0 0x31ca 0x11cf 0xa98a 0x00aa_006b_c149,
        base Some(&IADS);
        "HostComputer" 15 both, "DisplayName" 16 both, "Version" 17 both,
        "ServiceType" 18 both, "StartType" 19 both, "Path" 20 both,
        "StartupParameters" 21 both, "ErrorControl" 22 both, "LoadOrderGroup" 23 both,
        "ServiceAccountName" 24 both, "ServiceAccountPath" 25 both, "Dependencies" 26 both;
    IADS_SERVICE_OPERATIONS = "IADsServiceOperations",
        0x5d7b_33f0 0x31ca 0x11cf 0xa98a 0x00aa_006b_c149,
        base Some(&IADS);
        "Status" 27 get, "Start" 28 call, "Stop" 29 call, "Pause" 30 call,
        "Continue" 31 call, "SetPassword" 32 call;
    IADS_FILE_SERVICE = "IADsFileService", 0xa89d_1900 0x31ca 0x11cf 0xa98a 0x00aa_006b_c149,
        base Some(&IADS_SERVICE);
        "Description" 33 both, "MaxUserCount" 34 both;
    IADS_FILE_SERVICE_OPERATIONS = "IADsFileServiceOperations",
        0xa02d_ed10 0x31ca 0x11cf 0xa98a 0x00aa_006b_c149,
        base Some(&IADS_SERVICE_OPERATIONS);
        "Sessions" 35 call, "Resources" 36 call;
    IADS_SESSION = "IADsSession", 0x398b_7da0 0x4aab 0x11cf 0xae2c 0x00aa_006e_bfb9,
        base Some(&IADS);
        "User" 15 get, "UserPath" 16 get, "Computer" 17 get, "ComputerPath" 18 get,
        "ConnectTime" 19 get, "IdleTime" 20 get;
    IADS_RESOURCE = "IADsResource", 0x34a0_5b20 0x4aab 0x11cf 0xae2c 0x00aa_006e_bfb9,
        base Some(&IADS);
        "User" 15 get, "UserPath" 16 get, "Path" 17 get, "LockCount" 18 get;
    IADS_COLLECTION = "IADsCollection", 0x72b9_45e0 0x253b 0x11cf 0xa988 0x00aa_006b_c149,
        base None;
        "_NewEnum" -4 get, "Add" 4 call, "Remove" 5 call, "GetObject" 6 call;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the reference's table, written down a second time.
    #[test]
    fn identifiers() {
        for (interface, iid, base) in [
            (IADS, "fd8256d0-fd15-11ce-abc4-02608c9e7553", ""),
            (IADS_SERVICE, "68AF66E0-31CA-11CF-A98A-00AA006BC149", "IADs"),
            (
                IADS_SERVICE_OPERATIONS,
                "5D7B33F0-31CA-11CF-A98A-00AA006BC149",
                "IADs",
            ),
            (
                IADS_FILE_SERVICE,
                "A89D1900-31CA-11CF-A98A-00AA006BC149",
                "IADsService",
            ),
            (
                IADS_FILE_SERVICE_OPERATIONS,
                "A02DED10-31CA-11CF-A98A-00AA006BC149",
                "IADsServiceOperations",
            ),
            (IADS_SESSION, "398B7DA0-4AAB-11CF-AE2C-00AA006EBFB9", "IADs"),
            (
                IADS_RESOURCE,
                "34A05B20-4AAB-11CF-AE2C-00AA006EBFB9",
                "IADs",
            ),
            (IADS_COLLECTION, "72B945E0-253B-11CF-A988-00AA006BC149", ""),
        ] {
            assert_eq!(interface.iid.to_string(), iid.to_lowercase());
            assert_eq!(interface.base.map_or("", |base| base.name), base);
            assert_eq!(by_iid(interface.iid), Some(&interface));
        }
        assert_eq!(INTERFACES.len(), 8);
    }

    #[test]
    fn places_in_the_virtual_function_table() {
        let operations = IADS_FILE_SERVICE_OPERATIONS;
        // Published independently of the members before it.
        assert_eq!(operations.slot("Sessions"), Some(26));
        assert_eq!(operations.slot("Resources"), Some(27));
        assert_eq!(operations.slot("Status"), Some(20));
        assert_eq!(operations.slot("Name"), Some(IDISPATCH_SLOTS));
        assert_eq!(operations.slot("User"), None);
        assert_eq!(IADS_SESSION.slot("User"), Some(20));
        assert_eq!(IADS_SESSION.slots(), 26);
        assert_eq!(IADS_SERVICE.slots(), 20 + 24);
        assert_eq!(IADS_FILE_SERVICE.slot("MaxUserCount"), Some(46));
        assert_eq!(IADS_COLLECTION.slot("Remove"), Some(9));
    }

    #[test]
    fn dispatch_identifiers() {
        for (interface, name, dispid) in [
            (IADS, "GetInfoEx", 14),
            (IADS_SERVICE_OPERATIONS, "Status", 0x1B),
            (IADS_SERVICE_OPERATIONS, "SetPassword", 0x20),
            (IADS_FILE_SERVICE, "MaxUserCount", 0x22),
            (IADS_FILE_SERVICE_OPERATIONS, "Sessions", 0x23),
            (IADS_SESSION, "IdleTime", 0x14),
            (IADS_RESOURCE, "LockCount", 0x12),
            (IADS_COLLECTION, "_NewEnum", -4),
        ] {
            let member = interface.members.iter().find(|member| member.name == name);
            assert_eq!(member.unwrap().dispid, dispid, "{name}");
        }
        // Within one interface and its bases no number stands twice.
        for interface in INTERFACES {
            let mut dispids = Vec::new();
            let mut next = Some(*interface);
            while let Some(interface) = next {
                dispids.extend(interface.members.iter().map(|member| member.dispid));
                next = interface.base;
            }
            let count = dispids.len();
            dispids.sort_unstable();
            dispids.dedup();
            assert_eq!(dispids.len(), count, "{}", interface.name);
        }
    }

    /// Every property that COM gives by number is one that `get` gives by name.
    #[test]
    fn the_classes_know_the_properties_of_their_interfaces() {
        use crate::adsi::{FileService, Resource, Session};
        for (interface, properties) in [
            (IADS_SESSION, Session::PROPERTIES),
            (IADS_RESOURCE, Resource::PROPERTIES),
            (IADS_FILE_SERVICE, FileService::PROPERTIES),
            (IADS_SERVICE, FileService::PROPERTIES),
        ] {
            for member in interface.members {
                assert!(properties.contains(&member.name), "{}", member.name);
            }
            for member in &IADS.members[..6] {
                assert!(properties.contains(&member.name), "{}", member.name);
            }
        }
    }
}
