//! ECHO ([MS-SMB2] 2.2.28, 2.2.29): no fields.

empty_message! {
    /// ECHO request ([MS-SMB2] 2.2.28).
    EchoRequest, "ECHO request"
}

empty_message! {
    /// ECHO response ([MS-SMB2] 2.2.29).
    EchoResponse, "ECHO response"
}
