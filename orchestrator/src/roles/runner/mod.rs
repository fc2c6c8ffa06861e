//! `gosling runner`: on the machine that takes the jobs.
