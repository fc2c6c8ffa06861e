//! `gosling power`: starts and stops what `OpenTofu` can't.
