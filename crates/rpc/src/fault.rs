//! Fault status codes (C706 appendix E, [MS-RPCE] 2.2.2.7 and [MS-ERREF] 2.2).

/// nca_op_rng_error: the interface has no such operation number.
pub const OP_RNG_ERROR: u32 = 0x1C01_0002;
/// nca_unk_if: no presentation context with this id.
pub const UNK_IF: u32 = 0x1C01_0003;
/// nca_proto_error: the PDU does not fit the state of the association.
pub const PROTO_ERROR: u32 = 0x1C01_000B;
/// nca_s_fault_invalid_tag: a union discriminant without an arm.
pub const INVALID_TAG: u32 = 0x1C00_0006;
/// nca_s_fault_remote_no_memory: the request is larger than this end accepts.
pub const REMOTE_NO_MEMORY: u32 = 0x1C00_001B;
/// ERROR_ACCESS_DENIED.
pub const ACCESS_DENIED: u32 = 5;
/// RPC_X_BAD_STUB_DATA: the stub does not parse.
pub const BAD_STUB_DATA: u32 = 0x0000_06F7;

/// The name of a fault status this project knows.
pub fn name(status: u32) -> Option<&'static str> {
    Some(match status {
        OP_RNG_ERROR => "nca_op_rng_error",
        UNK_IF => "nca_unk_if",
        PROTO_ERROR => "nca_proto_error",
        INVALID_TAG => "nca_s_fault_invalid_tag",
        REMOTE_NO_MEMORY => "nca_s_fault_remote_no_memory",
        ACCESS_DENIED => "ERROR_ACCESS_DENIED",
        BAD_STUB_DATA => "RPC_X_BAD_STUB_DATA",
        _ => return None,
    })
}
