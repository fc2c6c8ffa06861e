//! `OpenTofu` as a process.
