//! Collects the built-ins.
fn main() -> std::io::Result<()> {
    builtin_list::generate()
}
