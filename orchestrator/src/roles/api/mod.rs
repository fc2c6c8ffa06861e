//! `MotherGoose`'s HTTP API.
