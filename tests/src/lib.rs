//! Interoperability tests of netsession.
