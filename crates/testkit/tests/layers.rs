//! The floors stand in the order that ARCHITECTURE.md prints.

use std::path::Path;

#[test]
fn crates_use_only_those_above_them() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let wrong = testkit::layers::violations(&root).expect("the workspace's manifests are readable");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
