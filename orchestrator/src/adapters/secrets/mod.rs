//! Backends of secrets, and what stands before all of them: the cache, the audit, the mask.
