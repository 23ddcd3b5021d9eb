//! The same requests put to two servers: a seeded generator draws a schedule of requests for
//! several clients, both servers play it, and every answer, every break and what is left on
//! disk must be alike. A schedule that differs is made shorter, and printed as a script.

pub mod activity;
pub mod allowed;
pub mod answer;
pub mod contest;
pub mod disk;
pub mod generate;
pub mod player;
pub mod random;
pub mod report;
pub mod request;
pub mod shrink;
pub mod step;
