//! The Nest as decisions need it: the domain's configuration from what `flyc` built, and which egg serves a job.
