//! LOGOFF ([MS-SMB2] 2.2.7, 2.2.8): no fields.

empty_message! {
    /// LOGOFF request ([MS-SMB2] 2.2.7).
    LogoffRequest, "LOGOFF request"
}

empty_message! {
    /// LOGOFF response ([MS-SMB2] 2.2.8).
    LogoffResponse, "LOGOFF response"
}
