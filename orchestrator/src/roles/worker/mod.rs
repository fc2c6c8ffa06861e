//! Works on what is in the queue.
