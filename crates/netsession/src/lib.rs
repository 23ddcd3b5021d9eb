//! netsession
