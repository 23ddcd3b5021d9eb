//! srvsvc
