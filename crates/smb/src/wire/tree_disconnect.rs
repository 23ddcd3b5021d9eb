//! TREE_DISCONNECT ([MS-SMB2] 2.2.11, 2.2.12): no fields.

empty_message! {
    /// TREE_DISCONNECT request ([MS-SMB2] 2.2.11).
    TreeDisconnectRequest, "TREE_DISCONNECT request"
}

empty_message! {
    /// TREE_DISCONNECT response ([MS-SMB2] 2.2.12).
    TreeDisconnectResponse, "TREE_DISCONNECT response"
}
