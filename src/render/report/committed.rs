//! Reports that are compared with committed files.

use std::path::Path;

/// Compares with a file below this folder; `UPDATE_EXPECT=1` writes it.
#[track_caller]
pub fn is_as_committed(file: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/render/report").join(file);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).unwrap();
        }
        std::fs::write(&path, found).unwrap();
    }
    assert_eq!(found, std::fs::read_to_string(&path).unwrap_or_default(), "{file}");
}
