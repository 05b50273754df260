//! Makes a cluster: `cargo run -p catalog --example initdb -- DIR`. The system views are left out.

use std::time::Instant;

fn main() {
    let dir = std::env::args().nth(1).expect("a directory");
    let vfs = storage::RealVfs::new(&dir);
    let start = Instant::now();
    let sync =
        if std::env::args().nth(2).is_none() { catalog::initdb::Sync::FileSystem } else { catalog::initdb::Sync::No };
    let options = catalog::initdb::Options { sync, ..Default::default() };
    match catalog::initdb::initdb(&vfs, &options, None) {
        Ok(()) => println!("done in {:?}", start.elapsed()),
        Err(e) => {
            eprintln!("{e:?}");
            std::process::exit(1);
        }
    }
}
