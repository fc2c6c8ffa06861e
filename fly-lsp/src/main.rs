//! `fly-lsp`: the language server of Fly, over standard input and output.

use std::process::ExitCode;

// Reading a Nest is many small allocations on several threads; the system's allocator asks the kernel too often.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    fly_lsp::server::serve()
}
