//! The order of the crates: a crate uses only those before it in the list that `ARCHITECTURE.md` prints.

use std::path::Path;

/// Reads the list from the block after the line `<!-- layers -->` in ARCHITECTURE.md: crate names in backquotes, top down.
pub fn order(architecture: &str) -> Vec<String> {
    let block = architecture.split("<!-- layers -->").nth(1).unwrap_or_default();
    let block = block.split("<!-- /layers -->").next().unwrap_or_default();
    block.lines().filter_map(|l| l.strip_prefix("| `")).filter_map(|l| l.split('`').next()).map(str::to_owned).collect()
}

/// The dependencies among the workspace's crates that break the order, or crates that the list lacks.
pub fn violations(root: &Path) -> Result<Vec<String>, std::io::Error> {
    let order = order(&std::fs::read_to_string(root.join("ARCHITECTURE.md"))?);
    let place = |name: &str| order.iter().position(|o| o == name);
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(root.join("crates"))? {
        let path = entry?.path();
        let name = path.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
        let Some(own) = place(&name) else {
            wrong.push(format!("{name} is missing in ARCHITECTURE.md"));
            continue;
        };
        let manifest = std::fs::read_to_string(path.join("Cargo.toml"))?;
        let dependencies = manifest.split("[dependencies]").nth(1).unwrap_or_default();
        let dependencies = dependencies.split("\n[").next().unwrap_or_default();
        for line in dependencies.lines() {
            let used = line.split(['.', ' ', '=']).next().unwrap_or_default();
            if place(used).is_some_and(|p| p >= own) {
                wrong.push(format!("{name} uses {used}, which comes after it"));
            }
        }
    }
    Ok(wrong)
}
