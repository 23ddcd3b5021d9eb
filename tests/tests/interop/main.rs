//! Real clients against the server under test, by topic.

mod command_line;
mod files;
mod files_of_others;
mod logon;
mod names;
mod sessions;
mod srvsvc;
