//! What was fetched, kept between two commands by the XDG rules.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::domain::catalogue::price_file::{self, PriceFileError};
use crate::domain::catalogue::{Origin, Sheet};
use crate::error::CommandError;

/// The file of fetched prices.
#[derive(Clone, Debug)]
pub struct Cache {
    path: PathBuf,
}

/// Why what is in the cache is of no use.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    #[error("read {path}")]
    Unreadable { path: String, source: std::io::Error },
    #[error("{path}")]
    Broken { path: String, source: PriceFileError },
}

impl Cache {
    /// The cache that the environment names; none when it names neither a cache nor a home folder.
    #[must_use]
    pub fn from_environment() -> Option<Self> {
        Self::from_variables(|name| std::env::var_os(name))
    }

    fn from_variables(variable: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        // The XDG rules say that a relative path is to be ignored.
        let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let folder = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
        Some(Self { path: folder.join("shardctl/prices/azure-retail.csv") })
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was fetched; none when nothing was yet.
    ///
    /// # Errors
    /// When the file is there and cannot be read or understood.
    pub fn load(&self) -> Result<Option<Sheet>, CacheError> {
        let path = || self.path.display().to_string();
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(CacheError::Unreadable { path: path(), source }),
        };
        let file = price_file::parse(&text, &Origin::Azure);
        file.map(|file| Some(file.sheet)).map_err(|source| CacheError::Broken { path: path(), source })
    }

    /// Keeps prices; whoever reads meanwhile sees the old file or the new one, never half of it.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, sheet: &Sheet) -> Result<(), CommandError> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        let write = || -> anyhow::Result<()> {
            std::fs::create_dir_all(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(price_file::write(sheet).as_bytes())?;
            file.persist(&self.path)?;
            Ok(())
        };
        write().with_context(|| format!("keep the prices in {}", self.path.display())).map_err(|error| {
            CommandError::from(error).hint("name another folder in XDG_CACHE_HOME, or leave out --refresh")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::{Quote, Region, Term, Unit};

    fn cache(variables: &[(&str, &str)]) -> Option<Cache> {
        Cache::from_variables(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn the_folder_is_by_the_xdg_rules() {
        let path =
            |variables: &[(&str, &str)]| cache(variables).map(|cache| cache.path.display().to_string());
        assert_eq!(
            path(&[("HOME", "/home/me"), ("XDG_CACHE_HOME", "/c")]).as_deref(),
            Some("/c/shardctl/prices/azure-retail.csv")
        );
        let at_home = Some("/home/me/.cache/shardctl/prices/azure-retail.csv");
        assert_eq!(path(&[("HOME", "/home/me")]).as_deref(), at_home);
        assert_eq!(path(&[("HOME", "/home/me"), ("XDG_CACHE_HOME", "c")]).as_deref(), at_home, "relative");
        assert!(cache(&[]).is_none());
    }

    #[test]
    fn what_is_kept_is_found_again_and_a_broken_file_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(&[("XDG_CACHE_HOME", folder.path().to_str().unwrap())]).unwrap();
        assert!(cache.load().unwrap().is_none());
        let mut sheet = Sheet::default();
        let usd = "1.008".parse().unwrap();
        let quote = Quote { usd, unit: Unit::Hour, listed: None, meter: None, origin: Origin::Azure };
        sheet.insert(Region::find("eastus").unwrap(), "Standard_E16s_v5", Term::OnDemand, quote);
        cache.save(&sheet).unwrap();
        cache.save(&sheet).unwrap();
        assert_eq!(cache.load().unwrap(), Some(sheet));
        let files = std::fs::read_dir(cache.path.parent().unwrap()).unwrap().count();
        assert_eq!(files, 1, "nothing half-written is left");
        std::fs::write(&cache.path, "region,name\n").unwrap();
        let error = cache.load().unwrap_err();
        assert!(matches!(error, CacheError::Broken { .. }), "{error}");
    }
}
