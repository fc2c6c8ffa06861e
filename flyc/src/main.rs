//! `flyc`, the Fly compiler for authors, CI and pre-commit.

// A cold check is many small allocations on several threads; the system's allocator asks the kernel too often.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    flyc::cli::run()
}
