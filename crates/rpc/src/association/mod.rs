//! Associations (C706 12.6.3), for both ends; no I/O.
