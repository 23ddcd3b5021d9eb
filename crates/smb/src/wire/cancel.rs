//! CANCEL ([MS-SMB2] 2.2.30): no fields, and no response of its own.

empty_message! {
    /// CANCEL request ([MS-SMB2] 2.2.30).
    CancelRequest, "CANCEL request"
}
