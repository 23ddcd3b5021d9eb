//! Real clients against the server under test, by topic.

mod files;
mod files_of_others;
mod logon;
mod names;
mod sessions;
mod srvsvc;
