//! Real tests.
