//! The fields of policy conditions.
