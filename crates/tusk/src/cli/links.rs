//! `tusk links DIR`: links of PostgreSQL's program names to this binary, for tools that call programs by path.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::ExitCode;

pub fn main(args: Vec<OsString>) -> ExitCode {
    let [dir] = args.as_slice() else {
        eprintln!("usage: tusk links DIR");
        return ExitCode::FAILURE;
    };
    match make(&PathBuf::from(dir)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("tusk: could not make links: {e}");
            ExitCode::FAILURE
        }
    }
}

fn make(dir: &PathBuf) -> std::io::Result<()> {
    let binary = std::env::current_exe()?;
    std::fs::create_dir_all(dir)?;
    for (name, ..) in super::PROGRAMS {
        let link = dir.join(name);
        if link.is_symlink() {
            std::fs::remove_file(&link)?;
        }
        symlink(&binary, &link)?;
        println!("{} -> {}", link.display(), binary.display());
    }
    Ok(())
}
