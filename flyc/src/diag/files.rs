//! The kinds of diagnostic about files that could not be read; they stand here because reading happens outside of
//! the queries, in `crate::host`, which comes last of all rooms.

declare_diagnostic! { pub NO_NEST = "no-nest", Error, "no Nest at the given place" }
declare_diagnostic! { pub UNREADABLE = "unreadable", Error, "a file or folder that can't be read" }
declare_diagnostic! { pub NOT_UTF8 = "not-utf8", Error, "a file that is not UTF-8 text" }
declare_diagnostic! { pub TOO_LARGE = "too-large", Error, "a file larger than Fly reads" }
