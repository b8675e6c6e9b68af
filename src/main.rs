//! The `footbridge` command.

fn main() -> std::process::ExitCode {
    footbridge::cli::main()
}
