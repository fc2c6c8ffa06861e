//! The world as it is: one folder a port, one file a way to provide it.

pub mod store;
