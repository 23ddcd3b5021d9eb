//! Real clients against the server under test, by topic.

mod adsi;
mod c_programs;
mod command_line;
mod command_line_formats;
mod command_line_local;
mod command_line_many;
mod decoded;
mod fan_out;
mod files;
mod files_of_others;
mod local_socket;
mod logon;
mod names;
mod program;
mod security;
mod sessions;
mod srvsvc;
mod together;
