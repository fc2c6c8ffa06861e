//! CI configurations as GitLab reads them.
