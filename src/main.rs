//! The `shardctl` binary: everything it does is in the library, so that tests call the same code.

fn main() -> std::process::ExitCode {
    shardctl::main(std::env::args_os()).into()
}
