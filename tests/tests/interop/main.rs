//! Real clients against the server under test, by topic.

mod files;
