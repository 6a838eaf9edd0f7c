//! A file replaced by another content, all of it or nothing.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, fchown};
use std::path::Path;

/// Replaces the content of a file that exists. Whoever reads it sees the old content or the new one, and a crash leaves one
/// of them: the new content is written beside it, and takes its name once it is on the disk. Permissions stay; of a link,
/// the file that it leads to is replaced.
///
/// # Errors
/// When the folder or the file cannot be written; the old content is there then.
pub(super) fn replace_file(path: &Path, content: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let before = fs::metadata(&path)?;
    let permissions = before.permissions();
    if permissions.readonly() {
        // A rename would replace it all the same.
        return Err(io::Error::from(io::ErrorKind::PermissionDenied));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}.new", std::process::id()));
    let write = || {
        let mut file = fs::File::create_new(&beside)?;
        file.write_all(content.as_bytes())?;
        // Only root can give a file away, and only root needs to.
        let _ = fchown(&file, Some(before.uid()), Some(before.gid()));
        file.set_permissions(permissions)?;
        file.sync_all()?;
        fs::rename(&beside, &path)
    };
    write().inspect_err(|_| {
        // What is in the way was there before, or is half of ours.
        let _ = fs::remove_file(&beside);
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::PathBuf;

    use super::*;

    /// A folder that goes with the value.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("shardctl-write-{name}-{}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn names(&self) -> Vec<String> {
            let entries = fs::read_dir(&self.0).unwrap();
            let mut names: Vec<String> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort();
            names
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn content_changes_and_permissions_stay() {
        let folder = Folder::new("mode");
        let file = folder.0.join("shardset.yaml");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        // An open file goes on reading what it was opened on: it was replaced, not written over.
        let mut open = fs::File::open(&file).unwrap();
        replace_file(&file, "new").unwrap();
        assert_eq!(io::read_to_string(&mut open).unwrap(), "old");
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(folder.names(), ["shardset.yaml"], "nothing is left beside it");
    }

    #[test]
    fn a_link_stays_a_link() {
        let folder = Folder::new("link");
        let (file, link) = (folder.0.join("real.yaml"), folder.0.join("link.yaml"));
        fs::write(&file, "old").unwrap();
        symlink("real.yaml", &link).unwrap();
        replace_file(&link, "new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    }

    #[test]
    fn a_file_that_may_not_be_written_stays_as_it_is() {
        let folder = Folder::new("readonly");
        let file = folder.0.join("shardset.yaml");
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o444)).unwrap();
        assert_eq!(replace_file(&file, "new").unwrap_err().kind(), io::ErrorKind::PermissionDenied);
        assert_eq!(fs::read_to_string(&file).unwrap(), "old");
        assert!(replace_file(&folder.0.join("absent.yaml"), "new").is_err());
        assert_eq!(folder.names(), ["shardset.yaml"]);
    }
}
